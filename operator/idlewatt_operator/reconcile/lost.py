"""Pods on vehicles that nobody hears from: given up, so that another can start elsewhere.

Nobody has seen their containers end, so they count until their fence: in charge, in circuits and
in what is left of the vehicle. What counts is written down before the object is removed. Between
the two writes the pod is there twice, and counted once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from idlewatt_operator.reconcile.fence import fence_of
from idlewatt_operator.reconcile.situation import Situation, is_awake, is_ours, is_unseen
from idlewatt_operator.resources.records import GivenUp, PodRecord
from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, Instant, seconds


@dataclass(frozen=True, slots=True)
class GivingUp:
    """What changes on one vehicle.

    Attributes:
        entries: all that is written down from now on.
        changed: they differ from what stands there.
        remove: the objects to be removed once that is written.
        vanished: those whose objects others removed.
    """

    vehicle: str
    entries: tuple[GivenUp, ...]
    changed: bool
    remove: tuple[PodRecord, ...] = ()
    vanished: tuple[PodRecord, ...] = ()


def to_give_up(situation: Situation, before: Mapping[str, PodRecord]) -> list[GivingUp]:
    """The vehicles on which a pod is given up, or an entry has passed its fence.

    Args:
        situation: this cycle's.
        before: our bound pods as the cycle before saw them; those that vanished from a vehicle
            that nobody hears from were removed by others, and count just as well.
    """
    lost = _by_vehicle(_lost(situation))
    vanished = _by_vehicle(_vanished(situation, before))
    decisions = []
    for name, record in sorted(situation.view.vehicles.items()):
        kept = {each.pod.uid: each for each in record.given_up if each.fence > situation.at}
        for pod in (*lost.get(name, ()), *vanished.get(name, ())):
            entry = _entry(situation, name, pod)
            if entry.fence > situation.at:
                kept.setdefault(pod.pod.uid, entry)
        entries = tuple(sorted(kept.values(), key=lambda each: each.pod.key))
        decision = GivingUp(
            name,
            entries,
            changed=_fences(entries) != _fences(record.given_up),
            remove=tuple(lost.get(name, ())),
            vanished=tuple(vanished.get(name, ())),
        )
        if decision.changed or decision.remove:
            decisions.append(decision)
    return decisions


def is_lost(situation: Situation, candidate: Candidate, record: PodRecord) -> bool:
    """Whether the pod's vehicle has not been heard from for longer than `staleDrainSeconds`.

    An asleep vehicle is not lost: only what others are deleting from it is cleared away.
    """
    node = candidate.node
    if node is None or candidate.parked is None or not is_unseen(node):
        return False
    if not is_awake(candidate.parked.vehicle) and not record.being_deleted:
        return False
    patience = seconds(situation.snapshot.policy.stale_drain_seconds)
    return node.ready_since is None or situation.at - node.ready_since > patience


def _lost(situation: Situation) -> Iterator[PodRecord]:
    for candidate, record in situation.on_vehicles():
        if is_lost(situation, candidate, record):
            yield record


def _vanished(situation: Situation, before: Mapping[str, PodRecord]) -> Iterator[PodRecord]:
    for uid, record in before.items():
        if uid in situation.view.pods or (record.node or "") not in situation.view.vehicles:
            continue
        if is_ours(record, situation.scheduler_name) and is_unseen(
            situation.view.nodes.get(record.node or "")
        ):
            yield record


def _fences(entries: Iterable[GivenUp]) -> set[tuple[str, Instant]]:
    return {(entry.pod.uid, entry.fence) for entry in entries}


def _by_vehicle(records: Iterable[PodRecord]) -> dict[str, list[PodRecord]]:
    result: defaultdict[str, list[PodRecord]] = defaultdict(list)
    for record in records:
        result[record.node or ""].append(record)
    return result


def _entry(situation: Situation, vehicle: str, record: PodRecord) -> GivenUp:
    return GivenUp(
        pod=record.pod,
        node=vehicle,
        power=situation.power(record, vehicle),
        fence=_counts_until(situation, vehicle, record),
    )


def _counts_until(situation: Situation, vehicle: str, record: PodRecord) -> Instant:
    """Its fence; where the start was never reported, the latest that it may be."""
    fence = fence_of(record)
    if fence is not None:
        return fence
    last_safe = situation.last_safe(record.pod, vehicle)
    if last_safe is not None:
        return last_safe
    deadline = record.active_deadline_seconds
    return situation.at + (CALENDAR_HORIZON if deadline is None else seconds(deadline))
