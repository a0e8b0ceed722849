"""The operator on a real API server and a real Redis: a fleet through an eventful night."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT
from tests.integration import big_fleet
from tests.integration.big_fleet import CARS, CIRCUITS, PARENTS, Car, Manifest, Reporter
from tests.integration.conftest import speaking

from idlewatt_scheduler.feasibility import violations

WATTS = "idlewatt.dev/bound-watts"
UNTIL = "idlewatt.dev/bound-until"
BY_NAME = {car.name: car for car in CARS}
ALL = (big_fleet.DEPLOYMENTS + big_fleet.JOBS) * big_fleet.PODS_EACH


class Operator:
    """The operator's process, and what it says of its cycles."""

    def __init__(self, folder: Path, cluster: ControlPlane, redis_url: str) -> None:
        self.folder = folder
        self._command = (str(folder), str(cluster.kubeconfig), redis_url)
        self.process: subprocess.Popen[bytes] | None = None
        self.move_clock(timedelta(0))

    def move_clock(self, offset: timedelta) -> None:
        """Let the operator's clock be so far ahead of the wall's."""
        fresh = self.folder / "offset.new"
        fresh.write_text(str(int(offset.total_seconds())))
        fresh.rename(self.folder / "offset")
        self.offset = offset

    def now(self) -> datetime:
        """The time as the operator sees it."""
        return datetime.now(UTC) + self.offset

    def start(self) -> None:
        """Start it."""
        with (self.folder / "operator.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.operator_process", *self._command],
                cwd=CHECKOUT,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and give its exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(timeout=90)

    def cycles(self) -> list[dict[str, Any]]:
        """What it noted of each cycle."""
        path = self.folder / "cycles.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def log(self) -> str:
        """All it logged."""
        return (self.folder / "operator.log").read_text()


@pytest.fixture
def own_cluster(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane of its own: thrown away whole, which is faster than emptying it."""
    with speaking(request):
        plane = ControlPlane.start("operator")
    with plane:
        yield plane


@pytest.fixture
def operator(own_cluster: ControlPlane, redis_url: str, tmp_path: Path) -> Iterator[Operator]:
    """The operator, not started; ended at the end whatever happens."""
    running = Operator(tmp_path, own_cluster, redis_url)
    yield running
    if running.process is not None and running.process.poll() is None:
        running.process.kill()
        running.process.wait()


class Fleet:
    """What the API server shows of the pods, judged by arithmetic of the test's own."""

    def __init__(self, cluster: ControlPlane, began: datetime) -> None:
        self.cluster = cluster
        self.began = began

    def pods(self) -> list[Manifest]:
        """Every pod that has not ended and is not being deleted."""
        return [
            pod
            for pod in self.cluster.api.list("Pod", "default")
            if pod["status"]["phase"] in {"Pending", "Running"}
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def bound(self) -> list[Manifest]:
        """Those on a vehicle."""
        return [pod for pod in self.pods() if pod["spec"].get("nodeName")]

    def on(self, vehicle: str) -> list[Manifest]:
        """Those on this one."""
        return [pod for pod in self.bound() if pod["spec"]["nodeName"] == vehicle]

    def waiting(self) -> dict[str, Manifest]:
        """The condition `PodScheduled` of those that wait, by name."""
        found = {}
        for pod in self.pods():
            for condition in pod["status"].get("conditions", []):
                if condition["type"] == "PodScheduled" and condition["status"] == "False":
                    found[pod["metadata"]["name"]] = condition
        return found

    def wait(self, true: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Wait until it is; say what never was."""
        self.cluster.wait_until(true, what, seconds)

    def assert_available_for_whole_stays(self) -> None:
        """Each bound pod's car is there, off-peak, until its stay and the lead are over."""
        for pod in self.bound():
            car, notes = BY_NAME[pod["spec"]["nodeName"]], pod["metadata"]["annotations"]
            until = datetime.fromisoformat(notes[UNTIL])
            assert car.takes_pods, f"{pod['metadata']['name']} is on {car.name}, kind {car.kind}"
            assert until + big_fleet.LEAD <= car.leaves_at(self.began)
            if not car.off_peak_now:
                assert until - big_fleet.STAY >= self.began + big_fleet.OFF_PEAK_AFTER

    def assert_no_circuit_over_its_limit(self) -> None:
        """Charging and computing together stay within every circuit at every level."""
        watts: defaultdict[str, Fraction] = defaultdict(Fraction)
        for pod in self.bound():
            watts[pod["spec"]["nodeName"]] += Fraction(pod["metadata"]["annotations"][WATTS])
        loads: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for car in CARS:
            if not car.plugged:
                continue
            computing = watts[car.name] + big_fleet.STANDBY_WATTS if watts[car.name] else Fraction()
            draw = big_fleet.CHARGE_WATTS - 20 + computing / big_fleet.EFFICIENCY
            circuit: str | None = car.circuit
            while circuit is not None:
                loads[car.site, circuit] += draw
                circuit = PARENTS[circuit]
        for site in {car.site for car in CARS}:
            for each in CIRCUITS:
                load = loads[site, each["name"]] + each.get("uncontrolledLoadWatts", 0)
                assert load <= each["importCapacityLimitWatts"], (site, each["name"])

    def assert_controllers_have_their_pods(self) -> None:
        """Every Deployment and Job has just as many pods as it wants, each with one Scheduled."""
        owned = Counter(
            pod["metadata"]["ownerReferences"][0]["name"].rsplit("-", 1)[0]
            if pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
            else pod["metadata"]["ownerReferences"][0]["name"]
            for pod in self.pods()
        )
        spoilt = {each["metadata"]["name"] for each in big_fleet.spoilt()}
        assert {name: owned[name] for name in owned if name not in spoilt} == {
            each["metadata"]["name"]: big_fleet.PODS_EACH for each in big_fleet.workloads()
        }

    def assert_nothing_was_bound_twice(self) -> None:
        """No pod was told twice that it was bound, and none has two homes."""
        events = self.cluster.api.list("Event", "default", api_version="events.k8s.io/v1")
        told = [event for event in events if event["reason"] == "Scheduled"]
        assert told
        assert max(Counter(event["regarding"]["uid"] for event in told).values()) == 1
        assert all("series" not in event for event in told)


@pytest.fixture
def fleet(own_cluster: ControlPlane) -> Fleet:
    """The fleet and its pods, on the API server."""
    cluster = own_cluster
    began = datetime.now(UTC).replace(microsecond=0)
    cluster.apply_definitions()
    cluster.create_nodes(*(car.name for car in CARS))
    cluster.api.apply(*big_fleet.fleet(began), *big_fleet.workloads(), *big_fleet.spoilt())
    made = Fleet(cluster, began)
    made.wait(lambda: len(made.pods()) == ALL + 3, "all pods are made", 180)
    return made


def settled(operator: Operator, cycles: int = 3) -> Callable[[], bool]:
    """True once some cycles on end have placed nothing."""
    first = len(operator.cycles())

    def quiet() -> bool:
        last = operator.cycles()[first:][-cycles:]
        return len(last) == cycles and not any(each["placed"] for each in last)

    return quiet


def test_a_fleet_through_an_eventful_night(
    fleet: Fleet, operator: Operator, redis_url: str, record_property: Callable[[str, object], None]
) -> None:
    """Peak, off-peak, a crash, a flat battery and a lost link: promises kept, no pod lost."""
    with Reporter(redis_url, operator.now) as reporter:
        reporter.spoil()
        operator.start()
        on_peak(fleet, operator)
        crash_in_the_middle_of_off_peak(fleet, operator)
        flat = a_vehicle_loses_its_charge(fleet, operator, reporter)
        lost = a_link_is_lost(fleet, operator)
        assert flat != lost
        fleet.assert_controllers_have_their_pods()
        fleet.assert_nothing_was_bound_twice()
        measured = quiet_fleet(fleet, operator)
        assert operator.end() == 0
    for name, value in measured.items():
        record_property(name, value)
    print(json.dumps(measured, indent=1))  # noqa: T201 - the measurements, with `pytest -s`
    assert "Traceback" not in operator.log()
    independently_checked(operator.folder)


def on_peak(fleet: Fleet, operator: Operator) -> None:
    """Half of the sites are off-peak: pods land there, and the rest wait for good reasons."""
    fleet.wait(lambda: len(fleet.bound()) > 100, "the first pods are bound")
    fleet.wait(settled(operator), "nothing more can be placed")
    fleet.assert_available_for_whole_stays()
    fleet.assert_no_circuit_over_its_limit()
    assert all(BY_NAME[pod["spec"]["nodeName"]].off_peak_now for pod in fleet.bound())
    waiting = fleet.waiting()
    assert len(waiting) == ALL + 3 - len(fleet.bound())
    for name, condition in waiting.items():
        expected = "Unschedulable" if name.startswith("bad-") else "WaitingForEnergy"
        assert condition["reason"] == expected, name
        assert condition["message"].startswith("0/200 vehicles: "), name
    ordinary = next(each for name, each in waiting.items() if not name.startswith("bad-"))
    assert "80 on-peak" in ordinary["message"]
    assert "20 not parked" in ordinary["message"]
    messages = {name.rsplit("-", 2)[0]: each["message"] for name, each in waiting.items()}
    assert "idlewatt.dev/power" in messages["bad-annotation"]
    assert "persistentVolumeClaim" in messages["bad-volume"]
    assert "180 too small" in messages["bad-size"]


def crash_in_the_middle_of_off_peak(fleet: Fleet, operator: Operator) -> None:
    """The clock passes into off-peak; while pods land the operator is killed and started anew."""
    before = len(fleet.bound())
    operator.move_clock(big_fleet.OFF_PEAK_AFTER + timedelta(minutes=1))
    fleet.wait(lambda: len(fleet.bound()) > before + 10, "pods land off-peak")
    assert operator.end(signal.SIGKILL) == -signal.SIGKILL
    operator.start()
    fleet.wait(lambda: len(fleet.bound()) == ALL, "every pod is bound")
    fleet.wait(settled(operator), "nothing more is placed")
    fleet.assert_available_for_whole_stays()
    fleet.assert_no_circuit_over_its_limit()
    fleet.assert_controllers_have_their_pods()
    fleet.assert_nothing_was_bound_twice()


def a_vehicle_loses_its_charge(fleet: Fleet, operator: Operator, reporter: Reporter) -> str:
    """A car on its battery falls to its reserve: it is vacated, and its pods run elsewhere."""
    car = with_pods(fleet, lambda each: not each.plugged)
    reporter.charge[car.name] = 30
    fleet.wait(lambda: not fleet.on(car.name), f"{car.name} is vacated")
    fleet.wait(lambda: len(fleet.bound()) == ALL, "its pods run elsewhere")
    fleet.wait(settled(operator), "nothing more is placed")
    assert not fleet.on(car.name)
    fleet.assert_no_circuit_over_its_limit()
    return car.name


def a_link_is_lost(fleet: Fleet, operator: Operator) -> str:
    """A heartbeat stops: the pods start elsewhere, and count on the car until their fence."""
    car = with_pods(fleet, lambda each: each.plugged and each.off_peak_now)
    lost = {pod["metadata"]["uid"] for pod in fleet.on(car.name)}
    # Somebody spoils what a Binding carried: the pod counts all the same.
    name = fleet.on(car.name)[0]["metadata"]["name"]
    spoilt = {"metadata": {"annotations": {WATTS: "junk", UNTIL: "soon"}}}
    fleet.cluster.api.patch("Pod", name, spoilt, "default")
    fleet.cluster.cut_link(car.name)
    fleet.wait(lambda: not fleet.on(car.name), f"the pods on {car.name} are given up")
    fleet.wait(lambda: len(fleet.bound()) == ALL, "others run in their place")
    kept = fleet.cluster.api.get("VehicleNode", car.name)["metadata"]["annotations"]
    entries = json.loads(kept["idlewatt.dev/given-up"])
    assert {each["uid"] for each in entries} == lost
    latest = car.leaves_at(fleet.began) - timedelta(seconds=30)
    assert all(datetime.fromisoformat(each["fence"]) <= latest for each in entries)
    fleet.wait(settled(operator), "nothing more is placed")
    running = operator.cycles()[-1]["running"]
    assert running == ALL + len(lost), "the lost ones count beside those that run in their place"
    return car.name


def with_pods(fleet: Fleet, fits: Callable[[Car], bool]) -> Car:
    """A car of this sort on which pods run, as few of one job as can be had.

    A Job's controller takes an evicted pod for a failed one and pauses: ten seconds for one,
    twice as long for each one more.
    """
    of_one_job: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for pod in fleet.bound():
        owner = pod["metadata"]["ownerReferences"][0]
        of_one_job[pod["spec"]["nodeName"]][owner["name"]] += owner["kind"] == "Job"
    cars = [car for car in CARS if car.name in of_one_job and fits(car)]
    return min(cars, key=lambda car: max(of_one_job[car.name].values()))


def quiet_fleet(fleet: Fleet, operator: Operator) -> dict[str, object]:
    """Nothing happens but time and telemetry: what it costs."""
    seconds = float(os.environ.get("IDLEWATT_QUIET_SECONDS", "10"))
    if seconds > 10:
        time.sleep(65)  # the throttled status of what happened last is written
    first = operator.cycles()[-1]
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    last = operator.cycles()[-1]
    written = {
        kind: count - first["writes"].get(kind, 0)
        for kind, count in last["writes"].items()
        if count != first["writes"].get(kind, 0)
    }
    everything = operator.cycles()
    full = sorted(sum(each["seconds"].values()) for each in everything if each["placed"] > 50)
    idle = sorted(sum(each["seconds"].values()) for each in everything if not each["placed"])
    assert len(fleet.bound()) == ALL
    return {
        "cycles that placed more than 50 pods, seconds": [round(each, 2) for each in full],
        "median cycle that placed none, seconds": round(idle[len(idle) // 2], 3),
        "longest cycle that placed none, seconds": round(idle[-1], 3),
        "most memory, bytes": max(each["resident"] for each in everything),
        "writes in a quiet stretch": written,
        "quiet stretch, seconds": round(passed, 1),
        "writes an hour, extrapolated": round(sum(written.values()) / passed * 3_600),
        "cycles in the quiet stretch": len(
            [each for each in everything if each["at"] > first["at"]]
        ),
    }


def independently_checked(folder: Path) -> None:
    """The check that shares no code with the planner finds nothing wrong with any plan."""
    kept = sorted(folder.glob("plan-*.pickle"))
    assert kept
    for path in kept:
        snapshot, plan = pickle.loads(path.read_bytes())  # noqa: S301 - written by this test
        assert violations(snapshot, plan) == (), path.name
