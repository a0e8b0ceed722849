"""Ports as the check reads them, pair by pair."""

import pytest

from idlewatt_scheduler.feasibility.host_ports import is_in_the_way
from idlewatt_scheduler.model.workload import HostPort


@pytest.mark.parametrize(
    ("other", "in_the_way"),
    [
        (HostPort(80, "TCP", "10.0.0.1"), True),
        (HostPort(80, "TCP", "10.0.0.2"), False),
        (HostPort(80, "TCP"), True),
        (HostPort(80, "TCP", "::"), False),
        (HostPort(80, "UDP", "10.0.0.1"), False),
        (HostPort(80, "UDP"), False),
        (HostPort(81, "TCP", "10.0.0.1"), False),
    ],
)
def test_a_port_at_one_address(other: HostPort, *, in_the_way: bool) -> None:
    """The address of either, or every one; of the same port and protocol; both ways round."""
    one = HostPort(80, "TCP", "10.0.0.1")
    assert is_in_the_way(one, other) == is_in_the_way(other, one) == in_the_way
