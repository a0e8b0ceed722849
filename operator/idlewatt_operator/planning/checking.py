"""The check of every plan: before it is answered where that is quick, else right after.

Placements and charging profiles are always checked before anything is carried out: they are what
could harm an owner or the grid. The rest of a large plan, such as whether every waiting pod names
the right reasons, is looked at while nobody waits, and no more than a tenth of the time.
"""

import time
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.planning.messages import Checked, Fault
from idlewatt_scheduler.feasibility import Violation, profile_violations, violations
from idlewatt_scheduler.feasibility import placement_violations as placing
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot

FAULTS_AT_MOST: Final = 1_000
"""A planner that is wrong about more than that is wrong about all."""

_SHARE_OF_TIME: Final = 0.1
_GUESSED_SECONDS: Final = 0.001
"""What one vehicle or pod takes, before anything was measured."""


@dataclass(frozen=True, slots=True)
class _Unchecked:
    """A plan of which not every rule was looked at."""

    ask: int
    snapshot: Snapshot
    plan: Plan

    @property
    def size(self) -> int:
        """How many things there are to look at."""
        return len(self.snapshot.vehicles) + len(self.snapshot.pending) + 1


class Checks:
    """Which rules of which plan are looked at when."""

    def __init__(self) -> None:
        self._seconds_each = _GUESSED_SECONDS
        self._rest_until = 0.0
        self._unchecked: _Unchecked | None = None

    def at_once(self, ask: int, snapshot: Snapshot, plan: Plan, seconds: float) -> list[Fault]:
        """What is wrong with what would be carried out, or with all of it if that is quick.

        Of a plan that places nothing only the profiles are checked: nothing else in it can overload
        or overstay.
        """
        self._unchecked = None
        if not plan.placements:
            return _faults(profile_violations(snapshot, plan)) if plan.charging else []
        whole = _Unchecked(ask, snapshot, plan)
        if whole.size * self._seconds_each <= seconds:
            return self._all(whole)
        self._unchecked = whole
        return _faults(placing(snapshot, plan))

    @property
    def due_in_seconds(self) -> float | None:
        """When the rest is to be looked at, if nobody waits then; None: there is no rest."""
        if self._unchecked is None:
            return None
        return max(0.0, self._rest_until - time.monotonic())

    def later(self) -> Checked:
        """Look at the rest.

        Raises:
            LookupError: there is nothing that was not looked at.
        """
        if self._unchecked is None:
            message = "There is no plan that was not checked."
            raise LookupError(message)
        whole, self._unchecked = self._unchecked, None
        started = time.monotonic()
        faults = self._all(whole)
        took = time.monotonic() - started
        self._rest_until = started + took / _SHARE_OF_TIME
        return Checked(whole.ask, faults, took)

    def _all(self, whole: _Unchecked) -> list[Fault]:
        started = time.monotonic()
        faults = _faults(violations(whole.snapshot, whole.plan))
        self._seconds_each = (time.monotonic() - started) / whole.size
        return faults


def _faults(found: tuple[Violation, ...]) -> list[Fault]:
    told = found[:FAULTS_AT_MOST]
    return [Fault(each.rule, each.subject, each.sentence) for each in told]
