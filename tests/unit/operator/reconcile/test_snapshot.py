"""Snapshots are what the watches and the telemetry show, no more and no less."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from idlewatt_operator.gateways.protocols import ClusterView, Telemetry
from idlewatt_operator.reconcile.snapshot import Assumed, build_snapshot
from idlewatt_operator.resources.records import GivenUp, PodRecord, Released, VehicleRecord
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.model.vehicle import Observation, ObservedBattery
from idlewatt_scheduler.model.workload import (
    HostPort,
    Node,
    NodeSelectorTerm,
    Pod,
    Requirement,
    RunningPod,
)
from idlewatt_scheduler.testing import AT, a_policy, a_site, a_vehicle

SENT = Assumed(node="v-1", power=400_000, until=AT + 3_600 * SECOND)


def a_record(name: str = "llm", **overrides: Any) -> PodRecord:  # noqa: ANN401
    """An unbound pod of ours; its UID is its name."""
    pod = Pod(namespace="default", name=name, uid=name, requests={"cpu": 500, "pods": 1_000})
    return replace(PodRecord(pod=pod, scheduler_name="idlewatt"), **overrides)


def a_view(*records: PodRecord, **overrides: Any) -> ClusterView:  # noqa: ANN401
    """A synced view of these pods."""
    pods = {record.pod.uid: record for record in records}
    return replace(ClusterView(synced=True, pods=pods), **overrides)


def pending_names(view: ClusterView, **assumed: Assumed) -> list[str]:
    """The names of the pending pods, in the snapshot's order."""
    return [pod.name for pod in build_snapshot(AT, view, None, assumed).pending]


def test_pending_pods_are_ours_unbound_alive_and_ungated() -> None:
    """Bound, ended, deleted, gated and other schedulers' pods are not pending."""
    view = a_view(
        a_record("waits"),
        a_record("bound", node="v-1"),
        a_record("succeeded", phase="Succeeded"),
        a_record("failed", phase="Failed"),
        a_record("deleted", being_deleted=True),
        a_record("gated", gated=True),
        a_record("foreign", scheduler_name="default-scheduler"),
    )
    assert pending_names(view) == ["waits"]


def test_pending_pods_stand_in_the_order_of_their_names() -> None:
    """The order of the watch's events does not reach the planner."""
    assert pending_names(a_view(a_record("b"), a_record("c"), a_record("a"))) == ["a", "b", "c"]


def test_a_scheduler_of_another_name_has_other_pods() -> None:
    """The scheduler's name is a parameter: two operators share no pod."""
    view = a_view(a_record("ours"), a_record("theirs", scheduler_name="second"))
    snapshot = build_snapshot(AT, view, None, {}, scheduler_name="second")
    assert [pod.name for pod in snapshot.pending] == ["theirs"]


def test_running_pods_are_bound_and_have_not_ended() -> None:
    """A pod that is being deleted still runs; one whose containers ended does not."""
    bound = a_record("bound", node="v-1", bound_power=300_000, bound_until=AT + 1)
    leaving = a_record("leaving", node="v-1", being_deleted=True)
    ended = a_record("ended", node="v-1", phase="Succeeded")
    assert build_snapshot(AT, a_view(bound, leaving, ended), None, {}).running == (
        RunningPod(bound.pod, "v-1", bound_power=300_000, bound_until=AT + 1, replaceable=False),
        RunningPod(leaving.pod, "v-1", being_deleted=True, replaceable=False),
    )


def test_a_binding_under_way_runs_already() -> None:
    """A pod whose Binding was sent is not planned again, and takes its place."""
    record = a_record("sent")
    snapshot = build_snapshot(AT, a_view(record), None, {"sent": SENT})
    assert snapshot.pending == ()
    assert snapshot.running == (
        RunningPod(record.pod, "v-1", bound_power=400_000, bound_until=SENT.until),
    )


def test_the_watch_outranks_an_assumption() -> None:
    """A pod that the watch shows bound counts once, and where the watch shows it."""
    record = a_record("sent", node="v-2", bound_power=100_000)
    running = build_snapshot(AT, a_view(record), None, {"sent": SENT}).running
    assert [(one.node, one.bound_power) for one in running] == [("v-2", 100_000)]


def test_an_assumed_pod_that_is_gone_or_ended_counts_no_more() -> None:
    """A binding under way for a pod that no longer exists, or has ended, takes no place."""
    ended = a_record("ended", phase="Failed")
    assumed = {"ended": SENT, "gone": SENT}
    assert build_snapshot(AT, a_view(ended), None, assumed).running == ()


def test_a_given_up_pod_counts_until_its_fence() -> None:
    """It is there the instant before its fence, and not from the fence on."""
    lost = GivenUp(Pod("default", "lost", uid="u"), "v-1", power=200_000, fence=AT + 1)
    vehicle = VehicleRecord(a_vehicle(name="v-1"), given_up=(lost,))
    view = a_view(vehicles={"v-1": vehicle})
    assert build_snapshot(AT, view, None, {}).running == (
        RunningPod(lost.pod, "v-1", bound_power=200_000, counts_until=AT + 1),
    )
    assert build_snapshot(AT + 1, view, None, {}).running == ()


def test_a_given_up_pod_whose_object_still_shows_counts_once() -> None:
    """Between the removal and the watch's word the same containers are not counted twice."""
    record = a_record("lost", node="v-1")
    lost = GivenUp(record.pod, "v-1", power=200_000, fence=AT + 1)
    vehicle = VehicleRecord(a_vehicle(name="v-1"), given_up=(lost,))
    running = build_snapshot(AT, a_view(record, vehicles={"v-1": vehicle}), None, {}).running
    assert [one.counts_until for one in running] == [AT + 1]


def test_other_use_sums_what_foreign_pods_request() -> None:
    """Foreign pods that are bound and have not ended count per node, by number too."""
    foreign = {"scheduler_name": "default-scheduler", "node": "v-1"}
    view = a_view(
        a_record("one", **foreign),
        a_record("two", **foreign),
        a_record("done", phase="Succeeded", **foreign),
        a_record("unbound", scheduler_name="default-scheduler"),
        a_record("ours", node="v-1"),
        a_record("elsewhere", scheduler_name="default-scheduler", node="v-2"),
    )
    assert build_snapshot(AT, view, None, {}).other_use == {
        "v-1": {"cpu": 1_000, "pods": 2_000},
        "v-2": {"cpu": 500, "pods": 1_000},
    }


def test_ports_of_foreign_pods_are_kept_by_node() -> None:
    """Each once and in order; those of ours stand with the pods, those of the ended are free."""

    def record(name: str, *ports: HostPort, **overrides: Any) -> PodRecord:  # noqa: ANN401
        made = a_record(name, **{"scheduler_name": "daemons", "node": "v-1", **overrides})
        return replace(made, pod=replace(made.pod, host_ports=ports))

    at_one = HostPort(80, address="10.0.0.1")
    view = a_view(
        record("one", HostPort(9100), at_one),
        record("two", HostPort(80)),
        record("three", HostPort(9100)),
        record("done", HostPort(81), phase="Succeeded"),
        record("unbound", HostPort(82), node=None),
        record("ours", HostPort(83), scheduler_name="idlewatt"),
        record("elsewhere", HostPort(80, "UDP"), node="v-2"),
        record("none", node="v-3"),
    )
    snapshot = build_snapshot(AT, view, None, {})
    assert snapshot.other_ports == {
        "v-1": (HostPort(80), at_one, HostPort(9100)),
        "v-2": (HostPort(80, "UDP"),),
    }
    assert snapshot.running[0].pod.host_ports == (HostPort(83),)


def test_without_a_telemetry_source_the_status_is_read() -> None:
    """`telemetry=None` leaves what the objects say was observed."""
    vehicle = a_vehicle(name="v-1")
    view = a_view(vehicles={"v-1": VehicleRecord(vehicle)})
    assert build_snapshot(AT, view, None, {}).vehicles == (vehicle,)


def test_telemetry_takes_the_place_of_the_status() -> None:
    """A reported vehicle is as reported; one without a report was never observed."""
    reported = Observation(battery=ObservedBattery(state_of_charge_percent=12, observed_at=AT))
    vehicles = {name: VehicleRecord(a_vehicle(name=name)) for name in ("v-2", "v-1")}
    telemetry = Telemetry(vehicles={"v-1": reported})
    snapshot = build_snapshot(AT, a_view(vehicles=vehicles), telemetry, {})
    observed = {vehicle.name: vehicle.observed for vehicle in snapshot.vehicles}
    assert observed == {"v-1": reported, "v-2": Observation()}
    assert list(observed) == ["v-1", "v-2"]


def test_telemetry_takes_the_place_of_a_circuit_at_a_time() -> None:
    """A circuit without a report keeps what its status says, a reported one is as reported."""
    old = (ObservedCircuit("main", 100, AT), ObservedCircuit("row-a", 50, AT))
    site = a_site(name="depot", observed_circuits=old)
    new = ObservedCircuit("row-a", 70, AT)
    telemetry = Telemetry(circuits={"depot": (new,)})
    snapshot = build_snapshot(AT, a_view(sites={"depot": site}), telemetry, {})
    assert snapshot.sites["depot"].observed_circuits == (old[0], new)


def test_the_rest_of_the_view_is_passed_on() -> None:
    """The instant, nodes, tariffs and policy are the view's own."""
    view = a_view(nodes={"v-1": Node("v-1")})
    snapshot = build_snapshot(AT, view, None, {})
    assert snapshot.at == AT
    assert snapshot.nodes == {"v-1": Node("v-1")}
    assert snapshot.policy is view.policy
    assert snapshot.tariffs is view.tariffs


def test_what_replaces_a_pod_that_moves_to_save_money_is_not_placed_beside_it() -> None:
    """Its own wishes stand; where nobody moves for money nothing is forbidden."""
    mark = Released(AT, "rs-1", 1)
    zone = NodeSelectorTerm(labels=(Requirement("zone", "Exists"),))
    view = a_view(
        a_record("old", node="v-1", released=mark),
        a_record("a-new", replica_set="rs-1"),
        replace(
            a_record("b-new", replica_set="rs-1"),
            pod=replace(a_record("b-new").pod, node_affinity=(zone, NodeSelectorTerm())),
        ),
        a_record("c-other", replica_set="rs-2"),
    )
    elsewhere = Requirement("metadata.name", "NotIn", ("v-1",))
    moving = replace(view, policy=a_policy(migration_cost=Decimal("0.1")))
    assert [pod.node_affinity for pod in build_snapshot(AT, moving, None, {}).pending] == [
        (NodeSelectorTerm(fields=(elsewhere,)),),
        (replace(zone, fields=(elsewhere,)),),
        None,
    ]
    assert build_snapshot(AT, view, None, {}).pending[0].node_affinity is None
