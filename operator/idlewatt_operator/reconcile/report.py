"""What one cycle saw, decided and did: for the log, for `--dry-run`, for the twin's screen."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from idlewatt_operator.reconcile.binding import Binding, Renewal
from idlewatt_operator.reconcile.charging import Sending
from idlewatt_operator.reconcile.drain import Drain, Marking
from idlewatt_operator.reconcile.fence import Lowering
from idlewatt_operator.reconcile.lost import GivingUp
from idlewatt_operator.reconcile.onward import Regret
from idlewatt_operator.reconcile.replacement import Release
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_scheduler.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Decisions:
    """All that a cycle means to write about pods and vehicles, in the order of writing.

    Attributes:
        charge: charging profiles that are sent now.
        drain: pods that are evicted now.
        release: pods that leave once another one is ready in their place.
        regret: placements that are not bound, since the next cycle would undo them.
    """

    charge: tuple[Sending, ...] = ()
    lower: tuple[Lowering, ...] = ()
    mark: tuple[Marking, ...] = ()
    drain: tuple[Drain, ...] = ()
    release: tuple[Release, ...] = ()
    give_up: tuple[GivingUp, ...] = ()
    wake: tuple[str, ...] = ()
    renew: tuple[Renewal, ...] = ()
    bind: tuple[Binding, ...] = ()
    regret: tuple[Regret, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One cycle.

    Attributes:
        outcomes: how many writes of each kind ended how: `{("bind", "Done"): 12}`.
        seconds: what the cycle took, by the step, on a steady clock.
        is_planned: false where the plan was not there in time: it says only who has to leave.
    """

    situation: Situation
    plan: Plan
    decisions: Decisions
    outcomes: Mapping[tuple[str, str], int] = field(default_factory=Counter)
    seconds: Mapping[str, float] = field(default_factory=dict)
    is_planned: bool = True

    @property
    def changed_something(self) -> bool:
        """Whether anything was decided that is worth a line."""
        decisions = self.decisions
        removed = any(each.remove or each.vanished for each in decisions.give_up)
        return bool(
            decisions.charge
            or decisions.drain
            or decisions.release
            or decisions.wake
            or decisions.bind
            or removed
        )

    def line(self) -> str:
        """The cycle in one line."""
        plan, decisions = self.plan, self.decisions
        given_up = sum(len(each.remove) + len(each.vanished) for each in decisions.give_up)
        parts = [
            f"{len(plan.placements)} placed" if self.is_planned else "no plan yet",
            f"{self.done('bind')} of {len(decisions.bind)} bound",
            f"{self.done('evict')} of {len(decisions.drain)} drained",
            f"{self.done('release')} being replaced",
            f"{given_up} given up",
            f"{len(decisions.wake)} woken",
            f"{len(decisions.charge)} profiles sent",
            f"{len(plan.waiting)} waiting",
            f"{len(self.situation.snapshot.running)} running",
            f"{sum(self.seconds.values()):.2f} s",
        ]
        return ", ".join(parts)

    def done(self, verb: str) -> int:
        """How many writes of this kind were done."""
        return self.outcomes.get((verb, "Done"), 0)
