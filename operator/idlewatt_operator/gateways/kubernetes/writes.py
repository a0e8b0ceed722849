"""Every write goes through here: sent once, counted by its kind, its answer made an outcome."""

from collections import Counter
from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from idlewatt_operator.gateways.kubernetes.outcomes import result_of
from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.leadership import Leadership, NotLeading, steady_seconds
from idlewatt_operator.gateways.protocols import Outcome, Result

API_GROUP_PATH: Final = "/apis/idlewatt.dev/v1alpha1"

_WITHHELD: Final = "Withheld"


def pod_path(namespace: str, name: str, subresource: str = "") -> str:
    """The path of a pod, or of one of its subresources."""
    return f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name)}{subresource}"


class Writes:
    """Sends writes and reads, and counts the writes.

    Args:
        leadership: asked before each write; a read is anybody's.
        now: the steady clock.
    """

    def __init__(
        self,
        session: ApiSession,
        leadership: Leadership | None = None,
        now: Callable[[], float] = steady_seconds,
    ) -> None:
        self.session = session
        self._leadership = leadership
        self._now = now
        self._unknown_at = -inf
        self._counts: Counter[str] = Counter()
        self._outcomes: Counter[tuple[str, str]] = Counter()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many writes were sent, by their kind."""
        return MappingProxyType(self._counts)

    @property
    def may_write(self) -> bool:
        """Whether a write would be sent now."""
        return self._leadership is None or self._leadership.left_seconds() > 0

    @property
    def unknown_age_seconds(self) -> float:
        """How long ago it was last left open whether a write was done; it may be done still."""
        return self._now() - self._unknown_at

    @property
    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """How many writes of each kind ended how; `Withheld` are those that were not sent."""
        return MappingProxyType(self._outcomes)

    async def write(self, kind: str, call: Call) -> Result:
        """Send a write; where no answer came it may have been done."""
        try:
            return result_of(await self.attempt(kind, call))
        except (ApiUnreachable, NotLeading) as error:
            return Result(Outcome.UNKNOWN, str(error))

    async def attempt(self, kind: str, call: Call) -> Answer:
        """Send a write whose answer the caller reads.

        Raises:
            ApiUnreachable: no answer came.
            NotLeading: it was not sent.
        """
        self._counts[kind] += 1
        try:
            answer = await self.session.send(call, self._leadership)
        except ApiUnreachable:
            self._ended(kind, Outcome.UNKNOWN)
            raise
        except NotLeading:
            self._counts[kind] -= 1
            self._outcomes[kind, _WITHHELD] += 1
            raise
        self._ended(kind, result_of(answer).outcome)
        return answer

    def _ended(self, kind: str, outcome: Outcome) -> None:
        self._outcomes[kind, str(outcome)] += 1
        if outcome is Outcome.UNKNOWN:
            self._unknown_at = self._now()

    async def read(self, path: str) -> Answer:
        """A fresh, consistent GET.

        Raises:
            ApiUnreachable: no answer came.
        """
        return await self.session.send(Call("GET", path))
