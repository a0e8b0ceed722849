"""Ports of the Node: who is in whose way, port by port, as kube-scheduler has it."""

from collections.abc import Iterable

from idlewatt_scheduler.feasibility.reading import Candidate
from idlewatt_scheduler.model.workload import HostPort, Pod


def is_in_the_way(one: HostPort, other: HostPort) -> bool:
    """The same port of the same protocol, at one address or at every one of either."""
    if (one.port, one.protocol) != (other.port, other.protocol):
        return False
    return one.address == other.address or not one.address or not other.address


def host_port_taken(pod: Pod, candidate: Candidate, others: Iterable[Pod]) -> bool:
    """Some port of the pod is one that somebody has there, or these others have."""
    if not pod.host_ports:
        return False
    taken = [*candidate.other_ports, *(port for other in others for port in other.host_ports)]
    return any(is_in_the_way(port, other) for port in pod.host_ports for other in taken)
