"""What Prometheus is told, that the page says all of it, and that it tells on nobody."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.metrics import Metrics, Sources, TelemetryState, main_reason
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.plan import Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason, WaitingCondition
from idlewatt_scheduler.testing import AT, a_pod

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "metrics.md"
STATE = TelemetryState(synced=True, answered_at=AT, reported_at=AT, accepted=7, refused=2)


async def nothing() -> None:
    """A cycle with nothing to decide on."""


def shown(metrics: Metrics) -> list[Sample]:
    """Every figure, as Prometheus reads it."""
    text = metrics.text()[0].decode()
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """One figure."""
    (found,) = [
        sample.value
        for sample in shown(metrics)
        if sample.name == name and sample.labels.items() >= labels.items()
    ]
    return found


def watched() -> Metrics:
    """All metrics there are, of a leader with telemetry."""
    metrics = Metrics()
    writes = {("bind", "Done"): 3, ("bind", "Withheld"): 1}
    metrics.watch(
        Sources(lambda: True, lambda: writes, lambda: STATE, lambda: {"Sent": 7, "Done": 5})
    )
    metrics.count(Loop(nothing, ManualClock(AT), Settings()))
    return metrics


async def test_a_night_is_counted() -> None:
    """Pods that are bound, that run, and that are told to leave, by a reason anybody may know."""
    metrics, scene = Metrics(), Scene()
    scene.service()
    for _ in range(3):
        metrics.note(await scene.run(10))
    assert value(metrics, "idlewatt_bindings_total") == 1
    assert value(metrics, "idlewatt_pods_running") == 1
    assert value(metrics, "idlewatt_last_cycle_timestamp_seconds") == (AT + 30_000) / 1_000
    assert value(metrics, "idlewatt_cycle_seconds_count", step="plan") == 3
    scene.observe("v-0", parking__occupied=True)
    metrics.note(await scene.run(10))
    assert value(metrics, "idlewatt_drains_total", reason="NoLongerAvailable") == 1


async def test_a_drain_that_goes_on_is_counted_once() -> None:
    """A pod that is asked in every cycle is one pod."""
    metrics, scene = Metrics(), Scene()
    scene.service(min_available=1)
    for _ in range(3):
        metrics.note(await scene.run(10))
    scene.observe("v-0", battery__temperature_celsius=200, compute__temperature_celsius=200)
    for _ in range(4):
        metrics.note(await scene.run(10))
    drains = [each.value for each in shown(metrics) if each.name == "idlewatt_drains_total"]
    assert sum(drains) <= 1


async def test_who_waits_is_counted_by_why() -> None:
    """And is not counted any more once it does not wait."""
    metrics, scene = Metrics(), Scene()
    scene.observe("v-0", parking__occupied=True)
    scene.service()
    metrics.note(await scene.run(10))
    waits = {"condition": "WaitingForEnergy", "reason": "NoLongerAvailable"}
    assert value(metrics, "idlewatt_pods_waiting", **waits) == 1
    scene.observe("v-0", parking__occupied=False)
    metrics.note(await scene.run(10))
    assert [each for each in shown(metrics) if each.name == "idlewatt_pods_waiting"] == []


def test_the_main_reason_is_the_most_frequent_public_one() -> None:
    """What is the owner's business adds up under one name; a tie goes by the name."""
    reasons: dict[Reason, int] = {
        VehicleReason.OCCUPIED: 2,
        VehicleReason.NOT_PARKED: 2,
        PodReason.ON_PEAK: 3,
    }
    waiting = Waiting(a_pod(), WaitingCondition.WAITING_FOR_ENERGY, reasons)
    assert main_reason(waiting) == "NoLongerAvailable"
    tie: dict[Reason, int] = {PodReason.ON_PEAK: 1, PodReason.CIRCUIT_FULL: 1}
    assert main_reason(Waiting(a_pod(), WaitingCondition.UNSCHEDULABLE, tie)) == "CircuitFull"
    assert main_reason(Waiting(a_pod(), WaitingCondition.UNSCHEDULABLE)) == "NoCandidate"


def test_what_others_count_is_read_when_it_is_asked_for() -> None:
    """The lease, the writes, telemetry and the loop."""
    metrics = watched()
    assert value(metrics, "idlewatt_leader") == 1
    assert value(metrics, "idlewatt_api_writes_total", verb="bind", outcome="Withheld") == 1
    assert value(metrics, "idlewatt_telemetry_reports_total", outcome="refused") == 2
    assert value(metrics, "idlewatt_telemetry_report_timestamp_seconds") == AT / 1_000
    assert value(metrics, "idlewatt_cycles_total") == 0
    assert value(metrics, "idlewatt_cycle_failures_total") == 0


async def test_the_page_lists_every_metric_and_no_other() -> None:
    """With the labels that it has."""
    metrics, scene = watched(), Scene()
    scene.service("a")
    metrics.note(await scene.run(10))
    told = {
        (f"{family.name}_total" if family.type == "counter" else family.name)
        for family in metrics.registry.collect()
        if family.name.startswith("idlewatt_")
    }
    told = {f"{name}_info" if name == "idlewatt_build" else name for name in told}
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(idlewatt_\w+)`", page, re.MULTILINE)) == told


async def test_no_metric_tells_on_anybody() -> None:
    """No label and no value names a pod, a vehicle, a site, a namespace or an owner."""
    metrics, scene = watched(), Scene()
    scene.service("a", count=3)
    scene.observe("v-0", parking__occupied=True)
    metrics.note(await scene.run(10))
    text = metrics.text()[0].decode()
    for name in ("v-0", "depot", "default", "svc", "a-1", "owner", "Occupied", "NotParked"):
        assert name not in text
    labels = {label for each in shown(metrics) for label in each.labels}
    known = {"step", "le", "reason", "condition", "verb", "outcome", "state", "version", "python"}
    known |= {"solver", "rule"}
    assert labels <= known
