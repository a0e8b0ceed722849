"""A cluster in memory: the same port as the real one, with controllers, kubelets and links.

It is no mock. Pods that are evicted are replaced, containers run on where a link is cut, a
disruption budget refuses, and what goes wrong in a real cluster can be made to go wrong here:
an answer is lost, a pod is gone, the operator dies before its n-th write.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from idlewatt_operator.gateways.protocols import (
    BindOrder,
    ClusterView,
    Condition,
    EventNote,
    Outcome,
    Result,
)
from idlewatt_operator.resources.records import GivenUp, PodRecord, Released, VehicleRecord
from idlewatt_operator.twin.bindings import bound
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.controllers import Controllers, Workload
from idlewatt_operator.twin.faults import Faults, Write
from idlewatt_operator.twin.kubelet import EndedBy, Kubelets, Run
from idlewatt_operator.twin.merging import merged, with_circuits
from idlewatt_operator.twin.objects import DONE, Objects
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds
from idlewatt_scheduler.model.workload import Ready, Taint

VEHICLE_TAINT: Final = Taint(key="idlewatt.dev/vehicle", effect="NoSchedule")
_GONE: Final = Result(Outcome.GONE)


class MemoryCluster(Objects):
    """`ClusterGateway` in memory.

    Args:
        clock: moves everything; nothing happens while it stands.
        start_seconds: from the binding until the kubelet acknowledges the pod.
        node_grace_seconds: from the cut of a link until the Node's `Ready` is Unknown.

    `preparation`, where it is set, says how long a pod's image and model take on its node.
    """

    def __init__(
        self, clock: ManualClock, *, start_seconds: float = 1.0, node_grace_seconds: int = 50
    ) -> None:
        super().__init__()
        self.clock = clock
        self.start_seconds = start_seconds
        self.node_grace_seconds = node_grace_seconds
        self.kubelets = Kubelets(clock, self._on_run_end)
        self.faults = Faults()
        self.preparation: Callable[[PodRecord], Milliseconds] | None = None
        self.writes: list[Write] = []
        self.events: list[tuple[Instant, EventNote]] = []
        self.conditions: dict[tuple[str, str], tuple[Condition, ...]] = {}
        self.controllers = Controllers()
        self._pods: dict[str, PodRecord] = {}
        self._spans: dict[str, int] = {}
        self._held: ClusterView | None = None

    # What a person or a controller does.

    def add_workload(self, workload: Workload) -> None:
        """Add a controller; it creates its pods at once."""
        self.controllers.workloads[workload.key] = workload
        self._reconcile(workload)

    def add_pod(self, record: PodRecord, run_seconds: int | None = None) -> None:
        """Add a pod without a controller, or replace one of the same UID."""
        self._pods[record.pod.uid] = record
        if run_seconds is not None:
            self._spans[record.pod.uid] = run_seconds
        self._changed()

    def delete_pod(self, uid: str) -> None:
        """A person deletes a pod, with its grace."""
        record = self._pods.get(uid)
        if record is not None:
            self._terminate(record, record.pod.termination_grace_seconds)

    def set_ready(self, node: str, ready: Ready) -> None:
        """Set the Node's condition `Ready`, and the time of its transition if it changed."""
        old = self._nodes.get(node)
        if old is not None and old.ready is not ready:
            self._nodes[node] = replace(old, ready=ready, ready_since=self.clock.now())
            self._changed()

    def cut_link(self, node: str) -> None:
        """The node does not reach the API server any more; its containers go on."""
        self.kubelets.cut.add(node)
        due = self.clock.now() + self.node_grace_seconds * SECOND

        def unseen() -> None:
            if not self.kubelets.linked(node):
                self.set_ready(node, Ready.UNKNOWN)

        self.clock.call_at(due, unseen)

    def restore_link(self, node: str) -> None:
        """The link is back: ends are reported, orphans are stopped, new pods are started."""
        self.kubelets.cut.discard(node)
        self.set_ready(node, Ready.TRUE)
        self.kubelets.report(node)
        for run in self.kubelets.on_node(node):
            record = self._pods.get(run.uid)
            if record is None or record.being_deleted:
                self.kubelets.stop(run.uid, self.controllers.stop_seconds(run.uid))
                continue
            self._tell_ready(run.uid)
            if record.active_deadline_seconds is not None:
                self._tell_deadline(record)
        for record in [record for record in self._pods.values() if record.node == node]:
            self._terminate_or_start(record)

    def hold_watch(self) -> None:
        """The watch lags: `view` goes on showing what it shows now."""
        self._held = self.view()

    def release_watch(self) -> None:
        """The watch catches up."""
        self._held = None

    # What the cycle reads.

    def view(self) -> ClusterView:
        """Everything as it stands, or as it stood when the watch was held."""
        if self._held is not None:
            return self._held
        if self._shown is None:
            self._shown = ClusterView(
                synced=True,
                policy=self.policy,
                vehicles=dict(self._vehicles),
                nodes=dict(self._nodes),
                sites=dict(self._sites),
                tariffs=dict(self._tariffs),
                pods=dict(self._pods),
                learned=self.learned,
                refused=self.refused,
            )
        return self._shown

    async def pod(self, namespace: str, name: str) -> PodRecord | None:
        """A pod as it stands now, whatever the watch shows."""
        key = f"{namespace}/{name}"
        fault = next((f for f in self.faults.answers if f.verb == "pod"), None)
        if fault is not None:
            self.faults.answers.remove(fault)
            raise ConnectionError(fault.result.message)
        return next((record for record in self._pods.values() if record.pod.key == key), None)

    # What the cycle writes.

    async def bind(self, order: BindOrder) -> Result:
        """Bind a pod by UID; its annotations arrive with the node's name."""
        subject = f"{order.namespace}/{order.name}"
        return self._attempt("bind", subject, order, lambda: self._bind(order))

    async def set_active_deadline(self, record: PodRecord, seconds: int) -> Result:
        """Set or lower the deadline; raising it is refused, as the API server does."""

        def apply(current: PodRecord) -> Result:
            old = current.active_deadline_seconds
            if old is not None and seconds > old:
                return Result(Outcome.REFUSED, "spec.activeDeadlineSeconds: may not be raised")
            self._put(replace(current, active_deadline_seconds=seconds, fence_seconds=seconds))
            self._tell_deadline(self._pods[record.pod.uid])
            return DONE

        return self._on_pod("set_active_deadline", record, seconds, apply)

    async def evict(self, record: PodRecord, grace_seconds: int | None = None) -> Result:
        """Evict within the disruption budget."""
        grace = record.pod.termination_grace_seconds if grace_seconds is None else grace_seconds

        def apply(current: PodRecord) -> Result:
            if not self.controllers.may_evict(record.pod.uid, self._pods):
                return Result(Outcome.BLOCKED, "it would violate the pod's disruption budget")
            return self._terminate(current, grace)

        return self._on_pod("evict", record, grace_seconds, apply)

    async def release(self, record: PodRecord, mark: Released) -> Result:
        """Take a pod from its ReplicaSet, which lets go of it and creates another one."""

        def apply(current: PodRecord) -> Result:
            if not current.replica_set:
                return Result(Outcome.CONFLICT, "the object has been modified")
            bare = replace(current.pod, controlled=False)
            self._put(replace(current, pod=bare, replica_set="", released=mark))
            self._owner_acts(current.pod.uid)
            return DONE

        return self._on_pod("release", record, mark, apply)

    async def delete(self, record: PodRecord, grace_seconds: int) -> Result:
        """Delete with a grace, past any disruption budget."""
        return self._on_pod(
            "delete", record, grace_seconds, lambda now: self._terminate(now, grace_seconds)
        )

    async def remove(self, record: PodRecord) -> Result:
        """Remove the object at once; containers behind a cut link know nothing of it."""

        def apply(current: PodRecord) -> Result:
            self.kubelets.stop(current.pod.uid, self.controllers.stop_seconds(current.pod.uid))
            return self._drop(current.pod.uid)

        return self._on_pod("remove", record, None, apply)

    async def say(self, note: EventNote) -> None:
        """Keep an event."""
        subject = f"{note.namespace}/{note.name}"
        result = self._attempt("say", subject, note, lambda: DONE)
        if result.outcome is Outcome.DONE:
            self.events.append((self.clock.now(), note))

    async def set_waiting(self, record: PodRecord, reason: str, message: str) -> Result:
        """Write `PodScheduled=False`."""

        def apply(current: PodRecord) -> Result:
            return self._put(replace(current, waiting_reason=reason, waiting_message=message))

        return self._on_pod("set_waiting", record, (reason, message), apply)

    async def keep_taint(self, node: str) -> Result:
        """Put the permanent taint on a Node."""

        def apply() -> Result:
            old = self._nodes.get(node)
            if old is None:
                return _GONE
            if VEHICLE_TAINT not in old.taints:
                self.add_node(replace(old, taints=(*old.taints, VEHICLE_TAINT)))
            return DONE

        return self._attempt("keep_taint", node, None, apply)

    async def write_vehicle_status(self, name: str, patch: Mapping[str, object]) -> Result:
        """Merge into the vehicle's status."""

        def change(old: VehicleRecord) -> VehicleRecord:
            return replace(old, status=merged(old.status, patch))

        return self._on_vehicle("write_vehicle_status", name, patch, change)

    async def write_given_up(self, name: str, given_up: Sequence[GivenUp]) -> Result:
        """Keep the pods that were given up on this vehicle."""

        def change(old: VehicleRecord) -> VehicleRecord:
            return replace(old, given_up=tuple(given_up))

        return self._on_vehicle("write_given_up", name, tuple(given_up), change)

    async def write_circuits(self, site: str, circuits: Sequence[ObservedCircuit]) -> Result:
        """Keep what was reported of these circuits in the site's status."""

        def apply() -> Result:
            old = self._sites.get(site)
            if old is None:
                return _GONE
            seen = with_circuits(old.observed_circuits, circuits)
            self.add_site(replace(old, observed_circuits=seen))
            return DONE

        return self._attempt("write_circuits", site, tuple(circuits), apply)

    async def write_conditions(
        self, kind: str, name: str, conditions: Sequence[Condition]
    ) -> Result:
        """Write conditions by type; a vehicle's `Draining` is what the planner reads back."""

        def apply() -> Result:
            by_type = {old.type: old for old in self.conditions.get((kind, name), ())}
            by_type.update({new.type: new for new in conditions})
            self.conditions[kind, name] = tuple(by_type.values())
            if kind == "VehicleNode" and name in self._vehicles:
                self._show_conditions(name, by_type)
            return DONE

        return self._attempt("write_conditions", f"{kind}/{name}", tuple(conditions), apply)

    # How it works inside.

    def _attempt(
        self, verb: str, subject: str, detail: object, apply: Callable[[], Result]
    ) -> Result:
        fault = self.faults.next_for(verb, subject)
        self.writes.append(Write(self.clock.now(), verb, subject, detail))
        if fault is not None and not fault.applied:
            return fault.result
        result = apply()
        return result if fault is None else fault.result

    def _on_pod(
        self, verb: str, record: PodRecord, detail: object, apply: Callable[[PodRecord], Result]
    ) -> Result:
        def on_current() -> Result:
            current = self._pods.get(record.pod.uid)
            return _GONE if current is None else apply(current)

        return self._attempt(verb, record.pod.key, detail, on_current)

    def _on_vehicle(
        self,
        verb: str,
        name: str,
        detail: object,
        change: Callable[[VehicleRecord], VehicleRecord],
    ) -> Result:
        def apply() -> Result:
            old = self._vehicles.get(name)
            if old is None:
                return _GONE
            self._vehicles[name] = change(old)
            return self._changed()

        return self._attempt(verb, name, detail, apply)

    def _bind(self, order: BindOrder) -> Result:
        record = self._pods.get(order.uid)
        subject = f"{order.namespace}/{order.name}"
        if record is None or record.pod.key != subject:
            return _GONE
        if record.node is not None or record.being_deleted:
            return Result(Outcome.CONFLICT, f"pod {subject} is already assigned to a node")
        start_at = self.clock.now() + round(self.start_seconds * SECOND)
        self.clock.call_at(start_at, lambda: self._start(order.uid))
        return self._put(bound(record, order))

    def _show_conditions(self, name: str, by_type: Mapping[str, Condition]) -> None:
        old = self._vehicles[name]
        draining = by_type.get("Draining")
        rows: list[object] = [
            {
                "type": each.type,
                "status": each.status,
                "reason": each.reason,
                "message": each.message,
                "observedGeneration": each.observed_generation,
            }
            for each in by_type.values()
        ]
        vehicle = replace(old.vehicle, draining=draining is not None and draining.status == "True")
        self._vehicles[name] = replace(
            old, vehicle=vehicle, status={**old.status, "conditions": rows}
        )
        self._changed()

    def _put(self, record: PodRecord) -> Result:
        self._pods[record.pod.uid] = record
        return self._changed()

    def _drop(self, uid: str) -> Result:
        self._pods.pop(uid, None)
        self._owner_acts(uid)
        return self._changed()

    def _owner_acts(self, uid: str) -> None:
        workload = self.controllers.owner_of(uid)
        if workload is not None:
            self._reconcile(workload)

    def _reconcile(self, workload: Workload) -> None:
        for record in self.controllers.missing_pods(workload, self._pods, self.clock.now()):
            self._put(record)

    def _tell_deadline(self, record: PodRecord) -> None:
        run = self.kubelets.run_of(record.pod.uid)
        if run is not None and record.active_deadline_seconds is not None:
            deadline = run.started_at + record.active_deadline_seconds * SECOND
            self.kubelets.set_deadline(run.uid, deadline)

    def _start(self, uid: str) -> None:
        record = self._pods.get(uid)
        if record is None or record.node is None or record.being_deleted or record.ended:
            return
        node = self._nodes.get(record.node)
        if node is None or node.ready is not Ready.TRUE or not self.kubelets.linked(record.node):
            return
        now = self.clock.now()
        span = self.controllers.run_seconds(uid) or self._spans.get(uid)
        ready_at = now + (0 if self.preparation is None else self.preparation(record))
        deadline = record.active_deadline_seconds
        self.kubelets.start(
            Run(
                uid,
                record.pod.key,
                record.node,
                started_at=now,
                deadline=None if deadline is None else now + deadline * SECOND,
                finish=None if span is None else ready_at + span * SECOND,
                ready_at=ready_at,
            )
        )
        self._put(replace(record, phase="Running", start_time=now))
        self.clock.call_at(ready_at, lambda: self._tell_ready(uid))

    def _tell_ready(self, uid: str) -> None:
        record = self._pods.get(uid)
        if record is not None and not record.ended and self.kubelets.serves(uid):
            self._put(replace(record, ready=True))

    def _terminate(self, record: PodRecord, grace_seconds: int) -> Result:
        uid = record.pod.uid
        run = self.kubelets.run_of(uid)
        if record.ended or record.node is None:
            return self._drop(uid)
        self._put(replace(record, being_deleted=True))
        if run is not None:
            self.kubelets.stop(uid, min(grace_seconds, self.controllers.stop_seconds(uid)))
        elif self.kubelets.linked(record.node):
            self._drop(uid)
        self._owner_acts(uid)
        return DONE

    def _terminate_or_start(self, record: PodRecord) -> None:
        if self.kubelets.run_of(record.pod.uid) is not None or record.ended:
            return
        if record.being_deleted:
            self._drop(record.pod.uid)
        else:
            self._start(record.pod.uid)

    def _on_run_end(self, run: Run) -> None:
        record = self._pods.get(run.uid)
        if record is None:
            return
        if record.being_deleted:
            self._drop(run.uid)
            return
        phase = "Succeeded" if run.ended_by is EndedBy.ITSELF else "Failed"
        self._put(replace(record, phase=phase, ready=False))
        self._owner_acts(run.uid)
