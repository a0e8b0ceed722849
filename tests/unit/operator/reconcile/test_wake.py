"""Waking: only for a placement that is decided, and bound only on fresh data."""

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_scheduler.model.vehicle import Power


async def test_an_asleep_vehicle_is_woken_for_a_placement_and_then_bound() -> None:
    """It is asked once, nothing is bound while it sleeps, and the pod lands when it reports."""
    scene = Scene()
    scene.observe("v-0", power=Power.ASLEEP)
    scene.service()
    await scene.run(30)
    assert scene.telemetry.woken == ["v-0"]
    assert scene.writes("bind") == []
    assert scene.writes("set_active_deadline") == []
    assert "is being woken" in scene.pod("svc-1").waiting_message
    assert len(scene.writes("set_waiting")) == 1
    scene.observe("v-0", power=Power.WAKING)
    await scene.run(20)
    assert scene.writes("bind") == []
    scene.observe("v-0", power=Power.AWAKE)
    await scene.run(10)
    assert scene.pod("svc-1").node == "v-0"
    assert scene.telemetry.woken == ["v-0"]


async def test_no_vehicle_is_woken_without_a_placement() -> None:
    """An asleep vehicle is left alone for an hour when nobody waits, or nobody it can help."""
    scene = Scene()
    scene.observe("v-0", power=Power.ASLEEP)
    scene.service("big", requests={"cpu": 99_000, "pods": 1_000})
    await scene.run(3_600, every=60)
    assert scene.telemetry.woken == []


async def test_a_vehicle_that_does_not_wake_is_avoided_and_the_pod_planned_again() -> None:
    """After `wakeSeconds` and a margin the pod goes elsewhere; later the vehicle is asked anew."""
    scene = Scene(2)
    scene.observe("v-0", power=Power.ASLEEP)
    scene.cluster.drop_node("v-1")
    scene.service()
    report = await scene.run(100)
    assert scene.telemetry.woken == ["v-0"]
    assert report.plan.placements != ()
    report = await scene.run(50)
    (waiting,) = report.plan.waiting
    assert waiting.reasons == {"NodeNotReady": 1, "TelemetryStale": 1}
    assert scene.telemetry.woken == ["v-0"]
    await scene.run(15 * 60 + 20)
    assert scene.telemetry.woken == ["v-0", "v-0"]


async def test_a_refused_wake_is_planned_again_at_once() -> None:
    """A vehicle that will not be woken is avoided in the very next plan."""
    scene = Scene(2)
    scene.telemetry.answer = Result(Outcome.REFUSED, "the owner forbids it")
    for name in ("v-0", "v-1"):
        scene.observe(name, power=Power.ASLEEP)
    scene.service()
    await scene.run(20)
    assert sorted(scene.telemetry.woken) == ["v-0", "v-1"]


async def test_a_vehicle_that_is_waking_already_is_not_asked() -> None:
    """After a restart a vehicle that wakes has its time, and is not asked twice."""
    scene = Scene()
    scene.observe("v-0", power=Power.WAKING)
    scene.service()
    await scene.run(60)
    assert scene.telemetry.woken == []
    await scene.run(100)
    assert scene.cycle.memory.wakes._avoided.keys() == {"v-0"}  # noqa: SLF001 - nothing shows it


async def test_a_woken_vehicle_is_checked_again_before_the_bind() -> None:
    """It woke and somebody sits in it: nothing is bound there."""
    scene = Scene()
    scene.observe("v-0", power=Power.ASLEEP)
    scene.service()
    await scene.run(10)
    scene.observe("v-0", power=Power.AWAKE, parking__occupied=True)
    await scene.run(60)
    assert scene.writes("bind") == []


async def test_a_pod_that_waits_for_a_wake_is_told_so() -> None:
    """Its condition says that a vehicle is being woken for it; written once, not every cycle."""
    scene = Scene()
    scene.observe("v-0", power=Power.ASLEEP)
    scene.service()
    await scene.run(30)
    pod = scene.pod("svc-1")
    assert (pod.waiting_reason, pod.waiting_message) == (
        "WaitingForEnergy",
        "An asleep vehicle was chosen for it and is being woken.",
    )
    assert len(scene.writes("set_waiting")) == 1
