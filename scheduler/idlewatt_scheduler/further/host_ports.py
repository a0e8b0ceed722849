"""Ports of the Node itself: no two pods on one Node may have the same.

Two pods are in each other's way if they ask for the same port of the same protocol, on the same
address or one of them on every address. As columns: a port has `EVERY_ADDRESS` places, of which a
pod that wants it on every address takes all and one that wants it on some takes one for each; and
each address of a port is a column of its own, which one pod fills.
"""

from functools import lru_cache
from types import MappingProxyType
from typing import Final

from idlewatt_scheduler.further.rule import NOTHING
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Quantities
from idlewatt_scheduler.model.workload import HostPort, Node, Pod

EVERY_ADDRESS: Final = 1_000_000
"""Places of one port: more than a Node has addresses for pods."""


class HostPorts:
    """The rule."""

    kind: Final = "hostPort"
    reason: Final = PodReason.HOST_PORT_TAKEN

    def takes(self, pod: Pod) -> Quantities:
        """Its ports."""
        return _columns(pod.host_ports) if pod.host_ports else NOTHING

    def taken(self, snapshot: Snapshot, node: str) -> Quantities:
        """The ports that daemons and other schedulers' pods have."""
        ports = snapshot.other_ports.get(node)
        return _columns(ports) if ports else NOTHING

    def holds(self, column: str, node: Node | None) -> int:  # noqa: ARG002 - every Node has all
        """Every Node has every port once."""
        return EVERY_ADDRESS

    @staticmethod
    def name_of(column: str) -> str:
        """The port that a column is about, for people: `8080/TCP`."""
        _, protocol, port, *_ = column.split(":")
        return f"{port}/{protocol}"


@lru_cache(maxsize=4_096)
def _columns(ports: tuple[HostPort, ...]) -> Quantities:
    """Daemons have the same ports on ten thousand Nodes: what comes of them is worked out once."""
    everywhere = {(each.protocol, each.port) for each in ports if not each.address}
    found: dict[str, int] = {}
    for each in dict.fromkeys(ports):
        column = f"{HostPorts.kind}:{each.protocol}:{each.port}"
        if (each.protocol, each.port) in everywhere:
            found[column] = EVERY_ADDRESS
        else:
            found[column] = found.get(column, 0) + 1
            found[f"{column}:{each.address}"] = EVERY_ADDRESS
    return MappingProxyType(found)
