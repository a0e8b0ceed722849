"""Ports of the Node as columns: who is in whose way."""

import pytest

from idlewatt_scheduler.fleet import total
from idlewatt_scheduler.further.host_ports import EVERY_ADDRESS, HostPorts
from idlewatt_scheduler.model.workload import HostPort
from idlewatt_scheduler.testing import a_pod, a_snapshot

HERE, THERE = HostPort(80, address="10.0.0.1"), HostPort(80, address="10.0.0.2")


def fit_together(*ports: tuple[HostPort, ...]) -> bool:
    """Whether pods with these ports may stand on one Node."""
    rule = HostPorts()
    taken = total(*(rule.takes(a_pod(host_ports=each)) for each in ports))
    return all(amount <= rule.holds(column, None) for column, amount in taken.items())


@pytest.mark.parametrize(
    ("ports", "fits"),
    [
        pytest.param([(HostPort(80),), (HostPort(80),)], False, id="the same port"),
        pytest.param([(HostPort(80),), (HostPort(81),)], True, id="another port"),
        pytest.param([(HostPort(80),), (HostPort(80, "UDP"),)], True, id="another protocol"),
        pytest.param([(HERE,), (HERE,)], False, id="the same address"),
        pytest.param([(HERE,), (THERE,)], True, id="another address"),
        pytest.param([(HERE,), (HostPort(80),)], False, id="every address after one"),
        pytest.param([(HostPort(80),), (HERE,)], False, id="one address after every one"),
        pytest.param([(HERE, THERE), (HostPort(80),)], False, id="every address after two"),
        pytest.param([(HERE, HostPort(80)), ()], True, id="nobody is in its own way"),
        pytest.param([(HERE, HERE)], True, id="twice in one pod"),
        pytest.param([(HERE, HostPort(80)), (THERE,)], False, id="the wider of its two"),
    ],
)
def test_ports_that_are_in_each_others_way(
    ports: list[tuple[HostPort, ...]], *, fits: bool
) -> None:
    """The same port and protocol, on the same address or on every one."""
    assert fit_together(*ports) == fits


def test_what_others_have_is_taken() -> None:
    """On that Node, and on no other."""
    snapshot = a_snapshot(other_ports={"v-1": (HostPort(80), HostPort(80, "UDP"))})
    assert HostPorts().taken(snapshot, "v-1") == {
        "hostPort:TCP:80": EVERY_ADDRESS,
        "hostPort:UDP:80": EVERY_ADDRESS,
    }
    assert not HostPorts().taken(snapshot, "v-2")


def test_a_column_is_told_as_a_port() -> None:
    """Whatever the address."""
    (port, address) = HostPorts().takes(a_pod(host_ports=(HostPort(80, address="::1"),)))
    assert HostPorts.name_of(port) == HostPorts.name_of(address) == "80/TCP"
