"""What did not change stays the very same object, so that it is known again at once."""

from dataclasses import replace

from idlewatt_operator.reconcile.kept import Kept
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import HostPort, RunningPod
from idlewatt_scheduler.testing import a_node, a_pod, a_site, a_snapshot, a_vehicle, changed


def made() -> tuple[Snapshot]:
    """A snapshot made anew."""
    pod = a_pod(name="svc", uid="uid-svc")
    return (
        a_snapshot(
            vehicles=(a_vehicle(name="v-0"), a_vehicle(name="v-1")),
            nodes={name: a_node(name=name) for name in ("v-0", "v-1")},
            pending=(a_pod(name="new", uid="uid-new"),),
            running=(RunningPod(pod, "v-0", bound_power=400_000),),
            other_use={"v-0": {"cpu": 100}},
            other_ports={"v-0": (HostPort(80), HostPort(9100))},
        ),
    )


def test_equal_values_become_identical_ones() -> None:
    """Of every kind, however they were made."""
    kept = Kept()
    (one,), (other,) = made(), made()
    first, second = kept.unchanged(one), kept.unchanged(other)
    assert second == other
    for before, after in zip(first.vehicles, second.vehicles, strict=True):
        assert after is before
    for name in ("v-0", "v-1"):
        assert second.nodes[name] is first.nodes[name]
    assert second.sites["depot-7"] is first.sites["depot-7"]
    assert second.pending[0] is first.pending[0]
    assert second.running[0] is first.running[0]
    assert second.other_use["v-0"] is first.other_use["v-0"]
    assert second.other_ports["v-0"] is first.other_ports["v-0"]
    assert second.policy is first.policy


def test_what_changed_is_what_it_is_now() -> None:
    """And what is gone is forgotten."""
    kept = Kept()
    (snapshot,) = made()
    first = kept.unchanged(snapshot)
    hot = changed(snapshot.vehicles[0], suspend=True)
    second = kept.unchanged(
        replace(snapshot, vehicles=(hot,), sites={"depot-7": a_site(region="no-1")}, pending=())
    )
    assert second.vehicles == (hot,)
    assert second.sites["depot-7"].region == "no-1"
    again = kept.unchanged(snapshot)
    assert again == first
    assert again.vehicles[1] is snapshot.vehicles[1]
