"""The ports a pod asks for of its Node, as a manifest has them."""

from typing import Any

import pytest

from idlewatt_operator.resources.host_ports import host_ports
from idlewatt_operator.resources.objects import pod_object
from idlewatt_scheduler.model.workload import HostPort


def ports_of(**spec: Any) -> tuple[HostPort, ...]:  # noqa: ANN401
    """Of a pod with such a spec."""
    return host_ports(pod_object({"metadata": {"name": "p"}, "spec": spec}).spec)


def one(**port: Any) -> dict[str, Any]:  # noqa: ANN401
    """A container with this port."""
    return {"ports": [{"containerPort": 8000, **port}]}


@pytest.mark.parametrize(
    ("port", "read"),
    [
        ({}, ()),
        ({"hostPort": 0}, ()),
        ({"hostPort": 80}, (HostPort(80),)),
        ({"hostPort": 80, "protocol": "UDP"}, (HostPort(80, "UDP"),)),
        ({"hostPort": 80, "hostIP": ""}, (HostPort(80),)),
        ({"hostPort": 80, "hostIP": "0.0.0.0"}, (HostPort(80),)),  # noqa: S104 - nothing is bound
        ({"hostPort": 80, "hostIP": "10.0.0.1"}, (HostPort(80, address="10.0.0.1"),)),
        ({"hostPort": 80, "hostIP": "::"}, (HostPort(80, address="::"),)),
    ],
)
def test_a_port_of_a_container(port: dict[str, Any], read: tuple[HostPort, ...]) -> None:
    """Only `hostPort` makes it one of the Node's; what is missing means what it means there."""
    assert ports_of(containers=[one(**port)]) == read


def test_each_port_stands_once_and_in_order() -> None:
    """However many containers have it."""
    containers = [one(hostPort=81), one(hostPort=80), one(hostPort=81)]
    assert ports_of(containers=containers) == (HostPort(80), HostPort(81))


def test_of_init_containers_only_sidecars_listen() -> None:
    """Nobody forwards to what ends before the pod has begun."""
    once, always = one(hostPort=80), {**one(hostPort=81), "restartPolicy": "Always"}
    assert ports_of(initContainers=[once, always]) == (HostPort(81),)


def test_on_the_network_of_the_node_every_port_is_one_of_it() -> None:
    """As the API server would write it, whether or not it has."""
    containers = [one(), one(hostPort=8000), {}]
    assert ports_of(hostNetwork=True, containers=containers) == (HostPort(8000),)
    assert ports_of(hostNetwork=True, containers=[{}]) == ()
