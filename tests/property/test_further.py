"""Columns of further rules against what the check says of each pair of pods."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from idlewatt_scheduler.feasibility.host_ports import host_port_taken
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.fleet import total
from idlewatt_scheduler.further.registry import amounts_of, held, taken_by_others
from idlewatt_scheduler.model.workload import HostPort
from idlewatt_scheduler.testing import a_pod, a_snapshot

PORTS = st.builds(
    HostPort,
    st.sampled_from((80, 81)),
    st.sampled_from(("TCP", "UDP")),
    st.sampled_from(("", "", "10.0.0.1", "10.0.0.2", "::")),
)
SOME = st.lists(PORTS, max_size=4).map(tuple)


@given(others=SOME, there=st.lists(SOME, max_size=4), asked=SOME)
def test_a_pod_fits_into_the_columns_if_no_port_of_it_is_taken(
    others: tuple[HostPort, ...],
    there: list[tuple[HostPort, ...]],
    asked: tuple[HostPort, ...],
) -> None:
    """Whoever is there already, two that should not stand together among them."""
    snapshot = a_snapshot(other_ports={"v-1": others})
    pods = [a_pod(name=f"p-{number}", host_ports=ports) for number, ports in enumerate(there)]
    used = total(taken_by_others(snapshot, "v-1"), *map(amounts_of, pods))
    asking = replace(a_pod(), host_ports=asked, requests={})
    fits = all(
        used.get(column, 0) + amount <= held(column, None)
        for column, amount in amounts_of(asking).items()
    )
    candidate = Reading(snapshot).candidates["v-1"]
    assert fits != host_port_taken(asking, candidate, pods)
