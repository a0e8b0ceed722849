"""The ports a pod asks for of its Node, as kube-scheduler reads them."""

from collections.abc import Iterable, Iterator
from typing import Final

from idlewatt_operator.resources.objects import Container, PodSpec
from idlewatt_operator.resources.requests import is_sidecar
from idlewatt_scheduler.model.workload import HostPort

EVERY_ADDRESS: Final = frozenset({None, "", "0.0.0.0"})  # noqa: S104 - nothing is bound here
"""How a port on every address of the Node is written."""


def host_ports(spec: PodSpec) -> tuple[HostPort, ...]:
    """Those of its containers and sidecars, each once and in order.

    On the Node's network the API server makes every port of a container one of the Node's. An
    init container that ends has none: nobody forwards to it.
    """
    found = {
        HostPort(
            port=port.host_port or port.container_port,
            protocol=port.protocol or "TCP",
            address="" if port.host_ip in EVERY_ADDRESS else str(port.host_ip),
        )
        for container in _listening(spec)
        for port in container.ports or ()
        if port.host_port or (spec.host_network and port.container_port)
    }
    return in_order(found)


def in_order(ports: Iterable[HostPort]) -> tuple[HostPort, ...]:
    """By port, protocol and address."""
    return tuple(sorted(ports, key=lambda each: (each.port, each.protocol, each.address)))


def _listening(spec: PodSpec) -> Iterator[Container]:
    yield from spec.containers or ()
    yield from (each for each in spec.init_containers or () if is_sidecar(each))
