"""Telling a waiting pod why: an event now and then, a condition that changes when the reason does.

Counts change with every report of every vehicle. Were each change told, events would drown the
cluster and the condition would be patched for ever. So an event comes when the leading reason
changes, or every five minutes; the condition is patched with it, and otherwise left alone.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from idlewatt_operator.gateways.protocols import EventNote
from idlewatt_operator.reconcile.advising import Advisor
from idlewatt_operator.reconcile.phrases import leading_reason, waiting_message
from idlewatt_operator.reconcile.situation import Situation, is_awake
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.model.plan import Plan, Waiting
from idlewatt_scheduler.model.reasons import WaitingCondition
from idlewatt_scheduler.model.units import Instant, Milliseconds
from idlewatt_scheduler.model.workload import Pod

SCHEDULED = "Scheduled"
FAILED_SCHEDULING = "FailedScheduling"
DRAINING = "Draining"

BEING_WOKEN = "An asleep vehicle was chosen for it and is being woken."


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a waiting pod is told now.

    Attributes:
        event: None: the same was said a moment ago.
        what: by which it is known whether the next one says the same.
        reason, message: of the condition.
        patch: the condition does not say so yet.
    """

    record: PodRecord
    event: EventNote | None
    what: str
    reason: str
    message: str
    patch: bool


@dataclass
class Said:
    """What was said about a pod last, by topic; bounded by the pods there are."""

    again_after: Milliseconds
    _last: dict[tuple[str, str], tuple[str, Instant]] = field(default_factory=dict)

    def is_due(self, uid: str, topic: str, what: str, at: Instant) -> bool:
        """Whether it is new, or was said so long ago that it is said again."""
        last = self._last.get((uid, topic))
        return last is None or last[0] != what or not 0 <= at - last[1] < self.again_after

    def knows(self, uid: str, topic: str) -> bool:
        """Whether anything was said on this topic."""
        return (uid, topic) in self._last

    def note(self, uid: str, topic: str, what: str, at: Instant) -> None:
        """It is said now."""
        self._last[uid, topic] = what, at

    def keep_only(self, uids: Container[str]) -> None:
        """Forget the pods that are no more."""
        self._last = {key: last for key, last in self._last.items() if key[0] in uids}

    def __len__(self) -> int:
        return len(self._last)


def to_explain(situation: Situation, plan: Plan, said: Said, advisor: Advisor) -> list[Explanation]:
    """What the waiting pods are told now; those with nothing new to hear are left out."""
    noun = "nodes" if situation.snapshot.policy.plain_nodes_allowed else "vehicles"
    explanations = []
    for waiting in plan.waiting:
        record = situation.view.pods.get(waiting.pod.uid)
        if record is None or record.node is not None:
            continue
        advice = advisor.words(waiting.pod, situation.at)
        reasons = waiting_message(waiting, noun)
        told = Told(reasons, advice, advisor.scarcity(waiting.pod))
        explanation = _explanation(situation.at, record, waiting, told, said)
        if explanation.event is not None or explanation.patch:
            explanations.append(explanation)
    explanations.extend(_waiting_for_a_wake(situation, plan))
    return explanations


def _waiting_for_a_wake(situation: Situation, plan: Plan) -> Iterator[Explanation]:
    """Pods that are placed on a vehicle that still sleeps wait as well, and are told so."""
    reason = str(WaitingCondition.WAITING_FOR_ENERGY)
    for placement in plan.placements:
        record = situation.view.pods.get(placement.pod.uid)
        vehicle = situation.vehicle(placement.node)
        if record is None or record.node is not None or vehicle is None or is_awake(vehicle):
            continue
        if (record.waiting_reason, record.waiting_message) != (reason, BEING_WOKEN):
            yield Explanation(
                record, event=None, what=BEING_WOKEN, reason=reason, message=BEING_WOKEN, patch=True
            )


def scheduled(pod: Pod, node: str) -> EventNote:
    """The pod was bound."""
    return EventNote(
        pod.namespace,
        pod.name,
        pod.uid,
        SCHEDULED,
        f"Successfully assigned {pod.key} to {node}.",
        action="Binding",
    )


def failed(pod: Pod, message: str, action: str = "Binding") -> EventNote:
    """The pod waits, and this is why."""
    return EventNote(
        pod.namespace, pod.name, pod.uid, FAILED_SCHEDULING, message, action, warning=True
    )


def drained(pod: Pod, message: str, *, warning: bool = False) -> EventNote:
    """The pod has to leave, or would have to and cannot."""
    return EventNote(
        pod.namespace, pod.name, pod.uid, DRAINING, message, "Draining", warning=warning
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What is said to a pod.

    Attributes:
        reasons: why it waits.
        advice: what would place it; None: nobody has looked yet.
        scarcity: how scarce its places are; empty: they are not, or nobody knows.
    """

    reasons: str
    advice: str | None
    scarcity: str = ""

    @property
    def message(self) -> str:
        """All of it."""
        return ". ".join(filter(None, (self.reasons, self.scarcity, self.advice)))


def _explanation(
    at: Instant, record: PodRecord, waiting: Waiting, told: Told, said: Said
) -> Explanation:
    reason, message = str(waiting.condition), told.message
    what = f"{reason}/{leading_reason(waiting.reasons)}"
    if told.advice is None:
        what += "/unadvised"
    uid = waiting.pod.uid
    before = record.waiting_message == message or (
        told.advice is None and record.waiting_message.startswith(message)
    )
    if not said.knows(uid, FAILED_SCHEDULING) and before:
        said.note(uid, FAILED_SCHEDULING, what, at)  # said before a restart
    due = said.is_due(uid, FAILED_SCHEDULING, what, at)
    stands = record.waiting_reason == reason and before
    return Explanation(
        record=record,
        event=failed(waiting.pod, message, action="Scheduling") if due else None,
        what=what,
        reason=reason,
        message=message,
        patch=not stands and (due or record.waiting_reason != reason),
    )
