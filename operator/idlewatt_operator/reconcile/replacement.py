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
from idlewatt_operator.reconcile.fence import FENCE_MARGIN_SECONDS, fence_of
from idlewatt_operator.reconcile.lost import is_lost
from idlewatt_operator.reconcile.situation import Situation, is_ours, is_unseen
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_scheduler.model.reasons import MoveReason
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds
from idlewatt_scheduler.stay import grace_of, lead_of

REPLACED: Final = "Replaced"
OVERDUE: Final = "NotReplacedInTime"

_ANSWERED_WITHIN: Final = 30 * SECOND
"""A ReplicaSet answers within a second or two; until then the pods it lacks say nothing."""

_BEFORE_FENCE: Final[Milliseconds] = BEFORE_LAST_SAFE - FENCE_MARGIN_SECONDS * SECOND
"""The same moment as for a departure: a fence is set ten seconds before the last safe time."""


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
    to_leave = {each.record.pod.uid: each for each in drains if not _can_wait_for_ever(each)}
    waiting = _released(situation)
    if not waiting and not any(each.seen_ahead for each in to_leave.values()):
        return [], list(to_leave.values())
    replicas = _Replicas(situation)
    releases = [
        Release(each, replicas.mark(each.record))
        for each in to_leave.values()
        if each.seen_ahead and each.record.may_be_released
    ]
    go_on = {each.drain.record.pod.uid for each in releases} | {each.pod.uid for each in waiting}
    evicted = [each for uid, each in to_leave.items() if uid not in go_on or not each.seen_ahead]
    for each in evicted:
        replicas.leave(each.record)
    at_once = {each.record.pod.uid for each in evicted}
    for record in waiting:
        reason = None if record.pod.uid in at_once else _why_now(situation, replicas, record)
        if reason is not None:
            replicas.leave(record)
            evicted.append(to_leave.get(record.pod.uid) or _without_reason(record, reason))
    return releases, evicted


def _why_now(situation: Situation, replicas: "_Replicas", record: PodRecord) -> str | None:
    """Why a released pod leaves now; None: it waits for its replacement."""
    if replicas.is_replaced(record):
        return REPLACED
    return OVERDUE if _is_overdue(situation, record) else None


def _can_wait_for_ever(each: Drain) -> bool:
    """It would leave to save money, and nothing can be ready in its place before it goes."""
    moves = each.reason == MoveReason.CHEAPER_ELSEWHERE
    return moves and not (each.seen_ahead and each.record.may_be_released)


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
    """It had what its lead leaves for a replacement; a time that lies ahead was another clock's.

    Where it was released late, its fence leaves less than that.
    """
    fence = fence_of(record)
    if fence is not None and situation.at + _BEFORE_FENCE >= fence:
        return True
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
            owner = _owner_of(record)
            if record.released is not None:
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

    def leave(self, record: PodRecord) -> None:
        """It is evicted now, and counted no longer."""
        if record.ready:
            self._ready[_owner_of(record)] -= 1

    def is_replaced(self, record: PodRecord) -> bool:
        """Whether enough others are ready without it.

        Once the ReplicaSet has had time to answer, it may be seen to want fewer: it was scaled
        down, or another one of a newer template has taken its place.
        """
        mark = record.released
        if mark is None or not mark.replica_set:
            return False
        needed = mark.needed
        if self._at - mark.at >= _ANSWERED_WITHIN:
            needed = min(needed, self._kept[mark.replica_set])
        return self._ready[mark.replica_set] - record.ready >= needed


def _owner_of(record: PodRecord) -> str:
    """The ReplicaSet that keeps a pod, or the one it was taken from."""
    return record.replica_set if record.released is None else record.released.replica_set
