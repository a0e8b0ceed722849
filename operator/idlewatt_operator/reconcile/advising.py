"""The short advice in a waiting pod's event: looked up for a few kinds of pods in each cycle.

It is the same for all pods that no clause can tell apart, and kept for as long as an event stands.
What a cycle has no time for, the next one does; such a pod is told its reasons at once, and the
advice when it is there.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from idlewatt_operator.reconcile.advice import in_short
from idlewatt_operator.reconcile.scarcity import in_few_words, priced_kinds
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.shadow import PodPrice
from idlewatt_scheduler.model.units import Instant, Milliseconds
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.why import Brief, brief
from idlewatt_scheduler.why.outlook import Outlook

_log: Final = logging.getLogger(__name__)


Briefs: TypeAlias = Callable[[Sequence[Pod]], Awaitable[Sequence[Brief | None]]]
"""Looks up what would place pods that wait in the last plan; None where it cannot be told now."""


Apart: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls what it is given with the rest, beside the event loop or not, and answers what it does."""


@dataclass(frozen=True, slots=True)
class Advised:
    """What a kind of pod was advised, and when that was looked up."""

    brief: Brief
    at: Instant


@dataclass
class Advisor:
    """Advice by pod.

    Attributes:
        kinds_at_most: so many kinds of pods are looked up in one cycle.
        again_after: advice that is older is looked up anew.
    """

    kinds_at_most: int
    again_after: Milliseconds
    _known: dict[str, Advised] = field(default_factory=dict)
    _prices: dict[str, PodPrice] = field(default_factory=dict)

    async def advise(
        self, situation: Situation, plan: Plan, briefs: Briefs | None, apart: Apart
    ) -> None:
        """Look up what is missing or old, the oldest first, as far as one cycle goes.

        Args:
            situation: of this cycle.
            plan: in which the pods wait.
            briefs: who looks it up; None: it is done here.
            apart: does work that takes long where nobody waits for it.
        """
        waiting = [waiting.pod for waiting in plan.waiting]
        self._known = {pod.uid: self._known[pod.uid] for pod in waiting if pod.uid in self._known}
        priced = await apart(priced_kinds, plan, waiting)
        self._prices = {pod.uid: price for kind, price in priced if price for pod in kind.pods}
        kinds = [kind.pods for kind, _ in priced]
        due = sorted((each for each in kinds if self._is_due(each, situation.at)), key=self._age)
        if not due or self.kinds_at_most < 1:
            return
        asked = due[: self.kinds_at_most]
        samples = [pods[0] for pods in asked]
        found = _here(situation, plan, samples) if briefs is None else await briefs(samples)
        for pods, advice in zip(asked, found, strict=True):
            if advice is not None:
                advised = Advised(advice, situation.at)
                self._known.update((pod.uid, advised) for pod in pods)

    def words(self, pod: Pod, at: Instant) -> str | None:
        """What a pod is advised; empty: nothing would help; None: it is not looked up yet."""
        known = self._known.get(pod.uid)
        return None if known is None else in_short(known.brief, pod, at)

    def scarcity(self, pod: Pod) -> str:
        """How scarce its places are in the last plan; empty: they are not, or nobody knows."""
        return in_few_words(self._prices.get(pod.uid))

    def __len__(self) -> int:
        return len(self._known)

    def _is_due(self, pods: Iterable[Pod], at: Instant) -> bool:
        """Some of them have none, or all have what is old."""
        return any(
            (known := self._known.get(pod.uid)) is None or at - known.at >= self.again_after
            for pod in pods
        )

    def _age(self, pods: Iterable[Pod]) -> Instant:
        return min((self._known[pod.uid].at if pod.uid in self._known else 0) for pod in pods)


def _here(situation: Situation, plan: Plan, pods: Sequence[Pod]) -> list[Brief | None]:
    outlook = Outlook(situation.snapshot, plan, situation.fleet)
    return [_brief(outlook, pod) for pod in pods]


def _brief(outlook: Outlook, pod: Pod) -> Brief:
    """No fault in what is only said may keep a cycle from what it has to do."""
    try:
        return brief(outlook, pod)
    except Exception:  # noqa: BLE001 - whatever it was, it is only about words
        _log.exception("What would place %s could not be looked up.", pod.key)
        return Brief()
