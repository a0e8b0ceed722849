"""Replacement first: a service's pod goes on serving until another one is ready in its place.

An eviction alone makes the ReplicaSet start another pod only once this one is being ended. So a
pod whose reason to leave was seen ahead is released: its label `pod-template-hash` is changed, by
which its ReplicaSet knew it. The ReplicaSet lets go of it and starts another one at once, while
Services, which select by the labels of the application, go on sending to it. It is evicted once
another one is ready, or once no time is left; what has to be known for that stands on the pod
itself, so that a restart loses nothing.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.reconcile.drain import BEFORE_LAST_SAFE, Drain, grace_seconds
from idlewatt_operator.reconcile.lost import is_lost
from idlewatt_operator.reconcile.situation import Situation, is_ours, is_unseen
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.stay import grace_of, lead_of

REPLACED: Final = "Replaced"
OVERDUE: Final = "NotReplacedInTime"


@dataclass(frozen=True, slots=True)
class Release:
    """A pod that is taken from its ReplicaSet now, and leaves later.

    Attributes:
        drain: what is done instead where it cannot be released.
        mark: what is written on it.
    """

    drain: Drain
    mark: Released


def replacement_first(
    situation: Situation, drains: Iterable[Drain]
) -> tuple[list[Release], list[Drain]]:
    """Which of the pods that leave are released now, and which are evicted now.

    The others were released before and wait for their replacement. A pod that was once released
    leaves in any case, even if the reason for it has gone: another one was started in its place.
    """
    to_leave = {each.record.pod.uid: each for each in drains}
    waiting = _released(situation)
    if not waiting and not any(each.seen_ahead for each in to_leave.values()):
        return [], list(to_leave.values())
    replicas = _Replicas(situation)
    releases: list[Release] = []
    evicted: list[Drain] = []
    for record in waiting:
        drain = to_leave.pop(record.pod.uid, None)
        if drain is not None and not drain.seen_ahead:
            evicted.append(drain)
        elif replicas.spare(record):
            evicted.append(drain or _without_reason(record, REPLACED))
        elif _is_overdue(situation, record):
            evicted.append(drain or _without_reason(record, OVERDUE))
    for drain in to_leave.values():
        if drain.seen_ahead and _may_be_released(drain.record):
            releases.append(Release(drain, replicas.mark(drain.record)))
        else:
            evicted.append(drain)
    return releases, evicted


def _may_be_released(record: PodRecord) -> bool:
    """A pod that is not ready serves nobody, and its replacement starts with its eviction."""
    return record.ready and bool(record.replica_set) and record.released is None


def _released(situation: Situation) -> list[PodRecord]:
    """Those that were released and run on, in the order in which they were."""
    found = [
        record
        for candidate, record in situation.on_vehicles()
        if record.released is not None
        and not record.being_deleted
        and not is_lost(situation, candidate, record)
    ]
    return sorted(found, key=lambda record: (_released_at(record), record.pod.key))


def _released_at(record: PodRecord) -> Instant:
    return record.released.at if record.released is not None else 0


def _is_overdue(situation: Situation, record: PodRecord) -> bool:
    """It had what its lead leaves for a replacement; a time that lies ahead was another clock's."""
    policy = situation.snapshot.policy
    patience = lead_of(record.pod, policy) - grace_of(record.pod) - BEFORE_LAST_SAFE
    return not 0 <= situation.at - _released_at(record) < patience


def _without_reason(record: PodRecord, reason: str) -> Drain:
    because = {
        REPLACED: "another one is ready in its place",
        OVERDUE: "no other one was ready in time, and it was to be replaced",
    }
    return Drain(
        record=record,
        vehicle=record.node or "",
        reason=reason,
        because=because[reason],
        grace_seconds=grace_seconds(record),
        cannot_wait=False,
        seen_ahead=True,
    )


class _Replicas:
    """How many pods of each ReplicaSet are ready, and how many it keeps.

    A released pod counts as ready with the ReplicaSet it came from, until it is evicted.
    """

    def __init__(self, situation: Situation) -> None:
        self._at = situation.at
        self._ready: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._needed: dict[str, int] = {}
        for record in situation.view.pods.values():
            if record.being_deleted or not is_ours(record, situation.scheduler_name):
                continue
            owner = record.replica_set
            if record.released is not None:
                owner = record.released.replica_set
                self._needed[owner] = max(self._needed.get(owner, 0), record.released.needed)
            elif owner:
                self._kept[owner] += 1
            if (
                owner
                and record.ready
                and not is_unseen(situation.view.nodes.get(record.node or ""))
            ):
                self._ready[owner] += 1

    def mark(self, record: PodRecord) -> Released:
        """What is written on a pod that is released now.

        Needed are as many as are ready, and no more than the ReplicaSet keeps; while it has not
        answered an earlier release yet, what was needed then.
        """
        owner = record.replica_set
        wanted = max(self._kept[owner], self._needed.get(owner, 0))
        return Released(self._at, owner, min(self._ready[owner], wanted))

    def spare(self, record: PodRecord) -> bool:
        """Whether enough others are ready without it; if so, it is not counted any longer."""
        if record.released is None or not record.released.replica_set:
            return False
        owner = record.released.replica_set
        if self._ready[owner] - record.ready < record.released.needed:
            return False
        self._ready[owner] -= record.ready
        return True
