"""The cycle as a whole: what it does to a fleet, whatever happens on the way."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.operator.reconcile.scene import Scene, until_crash

from idlewatt_operator.gateways.protocols import ClusterView, Outcome, Result
from idlewatt_operator.reconcile import cycle
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin.kubelet import EndedBy
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Supply
from idlewatt_scheduler.model.workload import Demand, Ready, Taint
from idlewatt_scheduler.testing import a_node, a_policy, a_site, changed


async def test_pending_pods_land_and_run() -> None:
    """Services and jobs are bound in the first cycle, and the kubelet starts them."""
    scene = Scene(2)
    scene.service(count=2)
    scene.job(count=2)
    report = await scene.run()
    assert report.done("bind") == 4
    await scene.run(10)
    assert {record.phase for record in scene.cluster.view().pods.values()} == {"Running"}


async def test_nothing_is_decided_before_every_watch_has_listed() -> None:
    """A fleet that is half seen would be drained: without a whole view nothing is written."""
    scene = Scene()
    scene.service()
    scene.cluster._held = ClusterView(synced=False)  # noqa: SLF001 - the watches are not there yet
    assert await scene.cycle.run() is None
    assert scene.writes() == []


async def test_a_dry_run_plans_and_writes_nothing_at_all() -> None:
    """`--dry-run` decides the same and leaves the cluster, and the vehicles, alone."""
    scene = Scene(1, settings=Settings(dry_run=True))
    scene.service()
    scene.service("big", requests={"cpu": 99_000, "pods": 1_000})
    report = await scene.run()
    assert [each.record.pod.name for each in report.decisions.bind] == ["svc-1"]
    assert [each.pod.name for each in report.plan.waiting] == ["big-1"]
    await scene.run(60)
    assert scene.writes() == []
    assert scene.telemetry.woken == []


async def test_what_a_large_fleet_makes_long_is_done_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Snapshot, look-up and status of every vehicle never hold up telemetry, and come out alike."""
    threads: dict[str, set[int]] = {}
    for name in ("build_snapshot", "assemble", "wanted_statuses"):
        monkeypatch.setattr(cycle, name, _noting(getattr(cycle, name), threads))
    for beside in (True, False):
        threads.clear()
        scene = Scene(2, settings=Settings(threads=beside))
        scene.service(count=3)
        report = await scene.run(30)
        assert set(threads) == {"build_snapshot", "assemble", "wanted_statuses"}
        assert all((threading.get_ident() in each) != beside for each in threads.values())
        assert report.done("bind") == 0
        assert {record.phase for record in scene.cluster.view().pods.values()} == {"Running"}


def _noting(work: Callable[..., Any], threads: dict[str, set[int]]) -> Callable[..., Any]:
    """The same work, which notes the threads it is done in."""

    def noted(*about: object, **also: object) -> object:
        threads.setdefault(work.__name__, set()).add(threading.get_ident())
        return work(*about, **also)

    return noted


async def test_a_quiet_fleet_is_written_once() -> None:
    """Once everything stands, ten minutes of cycles write nothing more."""
    scene = Scene(3)
    scene.service(count=2)
    await scene.run(120)
    before = len(scene.writes())
    await scene.run(600)
    assert scene.writes()[before:] == []


async def test_a_crash_before_any_write_of_the_first_cycle_is_harmless() -> None:
    """Killed before each of its writes in turn and started again, all pods run, none twice."""
    crashed = True
    writes = 0
    while crashed:
        scene = Scene(2)
        scene.service(count=2)
        scene.job(count=1)
        crashed = await until_crash(scene, writes, seconds=0)
        scene.restart()
        await scene.run(60)
        scene.assert_nothing_bound_twice()
        scene.assert_no_pod_lost()
        assert {record.phase for record in scene.cluster.view().pods.values()} == {"Running"}
        writes += 1
    assert writes > 10


async def test_a_crash_before_any_write_of_a_drain_is_harmless() -> None:
    """The same while a vehicle is drained: its pods move to the other one."""
    crashed = True
    writes = 0
    while crashed:
        scene = Scene(2)
        scene.service(count=2)
        await scene.run(30)
        drained = scene.pod("svc-1").node or ""
        scene.observe(drained, parking__occupied=True)
        crashed = await until_crash(scene, writes, seconds=10)
        scene.restart()
        await scene.run(60)
        scene.assert_nothing_bound_twice()
        scene.assert_no_pod_lost()
        nodes = {record.node for record in scene.cluster.view().pods.values()}
        assert nodes == {"v-0", "v-1"} - {drained}
        writes += 1
    assert writes > 5


async def test_a_crash_before_any_write_of_giving_up_is_harmless() -> None:
    """The same while a lost vehicle's pod is given up: it counts once, and another starts."""
    crashed = True
    writes = 0
    while crashed:
        scene = Scene(2)
        scene.service()
        await scene.run(30)
        lost = scene.pod("svc-1").node or ""
        scene.cluster.cut_link(lost)
        await scene.run(50 + 595)
        assert scene.names() == {"svc-1"}
        crashed = await until_crash(scene, writes, seconds=20)
        scene.restart()
        report = await scene.run(60)
        scene.assert_nothing_bound_twice()
        scene.assert_no_pod_lost()
        running = report.situation.snapshot.running
        assert [each.pod.name for each in running if each.node == lost] == ["svc-1"]
        assert scene.names() == {"svc-2"}
        assert scene.pod("svc-2").node not in {lost, None}
        writes += 1
    assert writes > 4


async def test_a_poisoned_pod_does_not_spin_nor_hold_up_the_others() -> None:
    """A pod whose binding is always refused is tried ever more rarely; the next one is bound."""
    scene = Scene()
    scene.service("poison")
    scene.service("svc")
    for _ in range(100):
        scene.fail("bind", Result(Outcome.REFUSED, "no"), subject="default/poison-1")
    await scene.run(600)
    assert scene.pod("svc-1").phase == "Running"
    tried = [each for each in scene.writes("bind") if each.subject == "default/poison-1"]
    assert 3 <= len(tried) <= 7
    assert "refused: no" in scene.events("FailedScheduling")[0]
    scene.cluster.faults.answers.clear()
    await scene.run(310)
    assert scene.pod("poison-1").phase == "Running"


async def test_a_vehicle_that_loses_its_charge_is_vacated() -> None:
    """On the battery, a charge at the reserve drains the pods by an eviction."""
    scene = Scene(agreement__energy_sources=frozenset({EnergySource.BATTERY}))
    scene.observe("v-0", connection__supply=Supply.PLUGGED_NOT_SUPPLIED)
    scene.service()
    await scene.run(30)
    assert scene.pod("svc-1").phase == "Running"
    scene.observe("v-0", battery__state_of_charge_percent=30)
    await scene.run(30)
    assert [run.ended_by for run in scene.cluster.kubelets.runs] == [EndedBy.DRAIN]
    assert scene.pod("svc-2").node is None
    assert "1 below reserve" in scene.pod("svc-2").waiting_message


async def test_time_that_passes_into_off_peak_lets_pods_land() -> None:
    """A pod that waits on peak is bound once its stay lies off-peak, with nothing else changed."""
    scene = Scene()
    tariff = scene.cluster.view().tariffs["depot"]
    zones = tuple(
        changed(zone, band="OffPeak" if zone.name == "day" else "Peak") for zone in tariff.zones
    )
    scene.cluster.add_tariff(changed(tariff, zones=zones))
    scene.service(demand=Demand())
    scene.cluster.set_policy(a_policy(minimum_stay_seconds=60))
    await scene.run()
    assert "1 on-peak" in scene.pod("svc-1").waiting_message
    assert scene.pod("svc-1").waiting_reason == "WaitingForEnergy"
    await scene.run(7 * 3_600 + 60, every=600)
    assert scene.pod("svc-1").node == "v-0"


async def test_the_taint_is_put_back_on_every_vehicles_node() -> None:
    """A Node that lost the permanent taint gets it again; a plain Node is left alone."""
    scene = Scene(1)
    scene.cluster.add_node(changed(scene.cluster.view().nodes["v-0"], name="plain"))
    await scene.run()
    assert [each.subject for each in scene.writes("keep_taint")] == ["v-0"]
    scene.cluster.add_node(changed(scene.cluster.view().nodes["v-0"], taints=()))
    await scene.run(10)
    assert [taint.key for taint in scene.cluster.view().nodes["v-0"].taints] == [
        "idlewatt.dev/vehicle"
    ]


async def test_memory_is_bounded_by_what_is_in_the_cluster() -> None:
    """After a thousand pods came, waited and went, nothing of them is remembered."""
    scene = Scene()
    scene.cluster.set_ready("v-0", Ready.FALSE)
    for batch in range(10):
        workload = scene.service(f"svc{batch}", count=100)
        await scene.run(10)
        assert len(scene.cycle.memory.said) == 100
        workload.count = 0
        for record in list(scene.cluster.view().pods.values()):
            scene.cluster.delete_pod(record.pod.uid)
    await scene.run(10)
    assert len(scene.cycle.memory.said) == 0
    assert scene.cycle.memory.bound_before == {}


async def test_a_malformed_bound_annotation_is_no_stack_trace() -> None:
    """Somebody spoilt what a Binding carried: the pod counts with the watts it would get now."""
    scene = Scene()
    scene.service()
    await scene.run(10)
    record = scene.pod("svc-1")
    scene.cluster.add_pod(
        changed(record, bound_power=None, bound_until=None, bound_agreement_version=None)
    )
    report = await scene.run(10)
    assert report.plan.leaving == ()
    assert report.situation.power(scene.pod("svc-1"), "v-0") == 62_500
    assert report.situation.at - record.pod.created_at < MINUTE


async def test_a_taint_with_a_value_is_the_taint() -> None:
    """As a kubelet registers it: nothing is asked or written again in every cycle."""
    scene = Scene()
    valued = Taint("idlewatt.dev/vehicle", "NoSchedule", "true")
    scene.cluster.add_node(a_node(name="v-0", taints=(valued,)))
    await scene.run(30)
    assert scene.writes("keep_taint") == []


async def test_a_vehicles_node_is_never_a_plain_one() -> None:
    """Before it is enrolled, or once it was withdrawn, the taint says what the Node is."""
    scene = Scene()
    scene.cluster.set_policy(a_policy(plain_nodes_allowed=True))
    await scene.run()
    scene.cluster.drop_vehicle("v-0")
    scene.service()
    await scene.run(30)
    assert scene.pod("svc-1").node is None
    scene.cluster.add_node(a_node(name="plain"))
    await scene.run(30)
    assert scene.pod("svc-1").node == "plain"


async def test_a_site_that_is_made_again_is_judged_again() -> None:
    """What was written of one that is gone says nothing of its successor."""
    scene = Scene()
    await scene.run()
    scene.cluster.drop_site("depot-7")
    del scene.cluster.conditions["ParkingSite", "depot-7"]
    await scene.run(10)
    scene.cluster.add_site(a_site())
    await scene.run(60)
    assert scene.condition("ParkingSite", "depot-7", "Ready")[0] == "True"


async def test_pods_leave_in_time_though_planning_fails() -> None:
    """What the solver stumbles over places nobody; promises made are kept all the same."""
    scene = Scene()
    scene.service()
    await scene.run(30)

    async def stumble(_: Snapshot) -> Plan:
        message = "no such thing"
        raise TypeError(message)

    scene.planner = stumble
    scene.restart()
    scene.observe("v-0", parking__occupied=True)
    await scene.run(20)
    assert [run.ended_by for run in scene.cluster.kubelets.runs] == [EndedBy.DRAIN]
    assert scene.condition("VehicleNode", "v-0", "Available") == ("False", "Occupied")
