"""The annotation `idlewatt.dev/given-up`: pods whose end nobody has seen yet.

A VehicleNode carries them, so that a restart goes on counting them until their fences.
"""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from idlewatt_operator.resources.annotations import PREFIX
from idlewatt_operator.resources.records import GivenUp
from idlewatt_operator.resources.times import format_instant, parse_instant
from idlewatt_scheduler.model.workload import HostPort, Pod

ANNOTATION: Final = PREFIX + "given-up"

_Whole = Annotated[int, msgspec.Meta(ge=0)]


class _Port(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    port: int
    protocol: str = "TCP"
    address: str = ""


class _Entry(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    namespace: str
    name: str
    uid: str
    priority: int = 0
    requests_thousandths: dict[str, _Whole]
    power_milliwatts: _Whole
    fence: str
    host_ports: list[_Port] | msgspec.UnsetType = msgspec.UNSET


_ENTRIES: Final = msgspec.json.Decoder(list[_Entry])


def write_given_up(given_up: Iterable[GivenUp]) -> str | None:
    """The annotation's text; None: there is nothing to keep, so that it goes."""
    entries = [
        _Entry(
            namespace=one.pod.namespace,
            name=one.pod.name,
            uid=one.pod.uid,
            priority=one.pod.priority,
            requests_thousandths=dict(one.pod.requests),
            power_milliwatts=one.power,
            fence=format_instant(one.fence),
            host_ports=[_Port(p.port, p.protocol, p.address) for p in one.pod.host_ports]
            or msgspec.UNSET,
        )
        for one in given_up
    ]
    return msgspec.json.encode(entries).decode() if entries else None


def read_given_up(node: str, text: str | None) -> tuple[GivenUp, ...]:
    """Read the annotation of the vehicle `node`.

    Raises:
        ValueError: somebody else wrote it; the message is a sentence.
    """
    if not text:
        return ()
    try:
        entries = _ENTRIES.decode(text)
        return tuple(_given_up(node, entry) for entry in entries)
    except (msgspec.DecodeError, ValueError) as error:
        sentence = (
            f"annotation {ANNOTATION}: it is kept by the operator alone and cannot be read "
            f"({error}); remove it once no pod of ours can run on the vehicle any more"
        )
        raise ValueError(sentence) from error


def _given_up(node: str, entry: _Entry) -> GivenUp:
    ports = [] if entry.host_ports is msgspec.UNSET else entry.host_ports
    return GivenUp(
        pod=Pod(
            namespace=entry.namespace,
            name=entry.name,
            uid=entry.uid,
            priority=entry.priority,
            requests=entry.requests_thousandths,
            host_ports=tuple(HostPort(p.port, p.protocol, p.address) for p in ports),
        ),
        node=node,
        power=entry.power_milliwatts,
        fence=parse_instant(entry.fence),
    )
