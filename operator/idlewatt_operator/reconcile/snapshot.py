"""The first step of a cycle: what the watches and the telemetry show, as one frozen snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from idlewatt_operator.gateways.protocols import ClusterView, Telemetry
from idlewatt_operator.resources.host_ports import in_order
from idlewatt_operator.resources.records import PodRecord, VehicleRecord
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant, Milliwatts, Quantities
from idlewatt_scheduler.model.vehicle import Observation, Vehicle
from idlewatt_scheduler.model.workload import (
    HostPort,
    NodeSelectorTerm,
    Pod,
    Requirement,
    RunningPod,
)

SCHEDULER_NAME: Final = "idlewatt"


@dataclass(frozen=True, slots=True)
class Assumed:
    """A binding that was sent, and that neither the watch nor a GET has settled yet.

    Attributes:
        power: milliwatts the pod was planned with.
        until: the end of the stay it was planned with.
    """

    node: str
    power: Milliwatts
    until: Instant


def build_snapshot(
    at: Instant,
    view: ClusterView,
    telemetry: Telemetry | None,
    assumed: Mapping[str, Assumed],
    scheduler_name: str = SCHEDULER_NAME,
) -> Snapshot:
    """Put together what one plan is made from.

    Args:
        at: the snapshot's time.
        view: what the watches show.
        telemetry: the latest reports, which take the place of what the objects' status says was
            observed; None: the status is read.
        assumed: by UID the bindings that are under way. The watch outranks them: what it shows
            bound counts where it shows it.
        scheduler_name: the pods that name it are ours.
    """
    ours = [record for record in view.pods.values() if record.scheduler_name == scheduler_name]
    given_up = tuple(_given_up(at, view.vehicles.values()))
    counted = {running.pod.uid for running in given_up if running.pod.uid}
    bound = (record for record in ours if record.pod.uid not in counted)
    return Snapshot(
        at=at,
        policy=view.policy,
        vehicles=tuple(_vehicle(view.vehicles[name], telemetry) for name in sorted(view.vehicles)),
        nodes=view.nodes,
        sites={name: _site(site, telemetry) for name, site in view.sites.items()},
        tariffs=view.tariffs,
        pending=_in_order(_pending(ours, assumed, moves=view.policy.migration_cost is not None)),
        running=(*_running(bound, assumed), *given_up),
        other_use=_other_use(view.pods.values(), scheduler_name),
        departures=view.learned.model,
        other_ports=_other_ports(view.pods.values(), scheduler_name),
    )


def _vehicle(record: VehicleRecord, telemetry: Telemetry | None) -> Vehicle:
    if telemetry is None:
        return record.vehicle
    observed = telemetry.vehicles.get(record.vehicle.name, Observation())
    return replace(record.vehicle, observed=observed)


def _site(site: Site, telemetry: Telemetry | None) -> Site:
    """A circuit without a report keeps its status: a failsafe limit may hang on it."""
    if telemetry is None or site.name not in telemetry.circuits:
        return site
    reported = {circuit.name: circuit for circuit in telemetry.circuits[site.name]}
    known = {circuit.name: circuit for circuit in site.observed_circuits}
    return replace(site, observed_circuits=tuple({**known, **reported}.values()))


def _is_pending(record: PodRecord, assumed: Mapping[str, Assumed]) -> bool:
    return (
        record.node is None
        and not record.ended
        and not record.being_deleted
        and not record.gated
        and record.pod.uid not in assumed
    )


def _pending(
    ours: Iterable[PodRecord], assumed: Mapping[str, Assumed], *, moves: bool
) -> Iterator[Pod]:
    """Those that wait; where pods move to save money, none goes back to where one moves away.

    Beside the one that is released it would cost least: nobody pays for the same hours twice.
    """
    ours = tuple(ours)
    leaving: defaultdict[str, list[str]] = defaultdict(list)
    for record in ours if moves else ():
        if record.released is not None and record.node is not None and not record.ended:
            leaving[record.released.replica_set].append(record.node)
    for record in ours:
        if _is_pending(record, assumed):
            avoided = leaving.get(record.replica_set, ())
            yield _not_on(record.pod, sorted(avoided)) if avoided else record.pod


def _not_on(pod: Pod, nodes: Sequence[str]) -> Pod:
    """The pod with these Nodes taken out of its required node affinity."""
    elsewhere = Requirement("metadata.name", "NotIn", tuple(nodes))
    if pod.node_affinity is None:
        return replace(pod, node_affinity=(NodeSelectorTerm(fields=(elsewhere,)),))
    terms = tuple(
        replace(term, fields=(*term.fields, elsewhere))
        for term in pod.node_affinity
        if term != NodeSelectorTerm()
    )
    return replace(pod, node_affinity=terms)


def _in_order(pods: Iterable[Pod]) -> tuple[Pod, ...]:
    return tuple(sorted(pods, key=lambda pod: (pod.namespace, pod.name)))


def _running(ours: Iterable[PodRecord], assumed: Mapping[str, Assumed]) -> tuple[RunningPod, ...]:
    counting = [_counting(record, assumed.get(record.pod.uid)) for record in ours]
    running = (pod for pod in counting if pod is not None)
    return tuple(sorted(running, key=lambda one: (one.pod.namespace, one.pod.name)))


def _counting(record: PodRecord, sent: Assumed | None) -> RunningPod | None:
    if record.ended:
        return None
    if record.node is not None:
        return RunningPod(
            pod=record.pod,
            node=record.node,
            bound_power=record.bound_power,
            bound_until=record.bound_until,
            being_deleted=record.being_deleted,
            replaceable=record.may_be_released,
        )
    if sent is None:
        return None
    return RunningPod(
        pod=record.pod,
        node=sent.node,
        bound_power=sent.power,
        bound_until=sent.until,
        being_deleted=record.being_deleted,
    )


def _given_up(at: Instant, vehicles: Iterable[VehicleRecord]) -> Iterator[RunningPod]:
    for record in vehicles:
        for lost in record.given_up:
            if lost.fence > at:
                yield RunningPod(
                    pod=lost.pod,
                    node=lost.node,
                    bound_power=lost.power,
                    counts_until=lost.fence,
                )


def _other_use(records: Iterable[PodRecord], scheduler_name: str) -> dict[str, Quantities]:
    used: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for node, pod in _of_others(records, scheduler_name):
        total = used[node]
        for name, amount in pod.requests.items():
            total[name] = total.get(name, 0) + amount
    return dict(used)


def _other_ports(
    records: Iterable[PodRecord], scheduler_name: str
) -> dict[str, tuple[HostPort, ...]]:
    """The ports of each Node that others have, in order."""
    found: defaultdict[str, set[HostPort]] = defaultdict(set)
    for node, pod in _of_others(records, scheduler_name):
        if pod.host_ports:
            found[node].update(pod.host_ports)
    return {node: in_order(ports) for node, ports in found.items()}


def _of_others(records: Iterable[PodRecord], scheduler_name: str) -> Iterator[tuple[str, Pod]]:
    """The pods of other schedulers and of daemons that count, with their Nodes."""
    for record in records:
        if record.node is None or record.ended or record.scheduler_name == scheduler_name:
            continue
        yield record.node, record.pod
