"""One Lease of `coordination.k8s.io/v1`: read, made, and written over at a version."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import msgspec

from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, Call

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])


class LeaseRefused(ConnectionError):  # noqa: N818 # it names a state of the world
    """The API server did not let it be read or written; the message is its sentence."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease as it stands.

    Attributes:
        spec: all that its holder wrote; two that are equal were not renewed between.
        manifest: the whole object, of which a write keeps what is not the holder's.
    """

    spec: dict[str, Any]
    manifest: dict[str, Any] = field(repr=False)

    @property
    def holder(self) -> str:
        """Who holds it; empty: nobody does."""
        holder = self.spec.get("holderIdentity")
        return holder if isinstance(holder, str) else ""

    @property
    def duration_seconds(self) -> float | None:
        """How long it is valid once it was renewed; None where that is not said."""
        seconds = self.spec.get("leaseDurationSeconds")
        return float(seconds) if isinstance(seconds, int) and seconds > 0 else None


class LeaseStore:
    """Reads and writes one Lease.

    Args:
        session: of its own, so that a renewal waits behind nothing; its time-out is short.
    """

    def __init__(self, session: ApiSession, namespace: str, name: str) -> None:
        self._session = session
        self._namespace = namespace
        self._name = name
        self._folder = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace)}/leases"
        self._path = f"{self._folder}/{quote(name)}"

    async def read(self) -> Lease | None:
        """The Lease as it stands; None where there is none.

        Raises:
            ApiUnreachable: no answer came.
            LeaseRefused: it may not be read, or it is not what a Lease is.
        """
        answer = await self._session.send(Call("GET", self._path))
        if answer.status == _NOT_FOUND:
            return None
        return self._lease(answer)

    async def create(self, spec: dict[str, Any]) -> Lease | None:
        """Make it; None where somebody was faster.

        Raises:
            ApiUnreachable: no answer came; it may have been made.
            LeaseRefused: it may not be made.
        """
        manifest = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": self._namespace, "name": self._name},
            "spec": spec,
        }
        answer = await self._session.send(Call("POST", self._folder, body=manifest))
        return None if answer.status == _CONFLICT else self._lease(answer)

    async def write(self, lease: Lease, spec: dict[str, Any]) -> Lease | None:
        """Write over it, if it still stands as `lease`; None where it does not.

        Raises:
            ApiUnreachable: no answer came; it may have been written.
            LeaseRefused: it may not be written.
        """
        manifest = {**lease.manifest, "spec": spec}
        answer = await self._session.send(Call("PUT", self._path, body=manifest))
        return None if answer.status in {_CONFLICT, _NOT_FOUND} else self._lease(answer)

    def _lease(self, answer: Answer) -> Lease:
        if not answer.ok:
            sentence = f"The lease {self._namespace}/{self._name} was refused: {answer.message}"
            raise LeaseRefused(sentence)
        try:
            manifest = _OBJECT.decode(answer.body)
        except msgspec.DecodeError as error:
            sentence = f"The lease {self._namespace}/{self._name} cannot be read: {error}."
            raise LeaseRefused(sentence) from error
        spec = manifest.get("spec")
        return Lease(spec if isinstance(spec, dict) else {}, manifest)
