"""Gangs and spread groups as columns."""

from tests.unit.scheduler.tables.sheets import a_working

from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.workload import Requirement, Spread
from idlewatt_scheduler.tables.together import Running, gangs_of
from idlewatt_scheduler.testing import a_node, a_pod, a_running_pod, a_vehicle

ZONES = {"v-1": "b", "v-2": "a", "v-3": None, "v-4": "c"}
SPREAD = Spread("zone", 2, (Requirement("app", "In", ("x",)),), min_domains=3)
CARS = tuple(a_vehicle(name=name, suspend=name == "v-4") for name in ZONES)
NODES = [a_node(name=n, labels={"zone": zone} if zone else {}) for n, zone in ZONES.items()]
GANG = {"demand__gang": "g", "demand__gang_size": 5}
SPREAD_POD = a_pod(name="s", labels={"app": "x"}, spread=(SPREAD,), priority=2)
COUNTED = a_pod(name="c", labels={"app": "x"}, priority=1)
RUNS = a_running_pod(node="v-2", pod=a_pod(name="r", labels={"app": "x"}, **GANG))


def test_domains_are_those_of_vehicles_that_take_pods() -> None:
    """In order of their names; who runs there is counted; there are fewer than asked for."""
    pending = (SPREAD_POD, COUNTED, a_pod(name="else"))
    spreads = a_working(vehicles=CARS, nodes=NODES, pending=pending, running=(RUNS,)).spreads
    assert spreads.domain.tolist() == [[1, 0, -1]]
    assert spreads.first.tolist() == [0, 2]
    assert spreads.running.tolist() == [1, 0]
    assert spreads.subject.tolist() == [[True, False, False]]
    assert spreads.counted.tolist() == [[True, True, False]]
    assert (spreads.skew.tolist(), spreads.floor_is_zero.tolist()) == ([2], [True])


def test_a_gang_needs_its_size_less_who_runs_and_stays() -> None:
    """Its size is the greatest that a pending pod states."""
    other = {"demand__gang": "g", "demand__gang_size": 4}
    pending = (a_pod(name="a", **GANG), a_pod(name="b", **other), a_pod(name="alone"))
    work = a_working(vehicles=CARS, nodes=NODES, pending=pending, running=(RUNS,))
    gang, needs = gangs_of(work.templates, work.running)
    assert sorted(gang.tolist()) == [-1, 0, 0]
    assert needs.tolist() == [4]
    leaves = Leaving(RUNS.pod, "v-2", PodReason.ON_PEAK)
    assert gangs_of(work.templates, Running.of(work.fleet, [leaves]))[1].tolist() == [5]
