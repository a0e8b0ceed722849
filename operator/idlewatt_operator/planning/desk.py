"""Where the planner's process plans, checks and advises; it keeps its last answer for the next."""

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.planning import kernels
from idlewatt_operator.planning.checking import Checks
from idlewatt_operator.planning.columns import columns_of
from idlewatt_operator.planning.messages import (
    Advise,
    Advised,
    Ask,
    Checked,
    Effort,
    Halted,
    Planned,
    Unable,
)
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, Stop, plan
from idlewatt_scheduler.why import Brief, brief
from idlewatt_scheduler.why.outlook import Outlook

GREEDY: Final = Params(
    exact_literals=0,
    exact_vehicles=0,
    price_rounds=0,
    polish_rounds=0,
    improve_rounds=0,
    compiled=False,
)
"""What takes the least time and memory, and always finds something."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A plan, or why there is none.

    Attributes:
        halted: None: nothing kept the solver from finishing.
        told: why, as a sentence.
    """

    plan: Plan | None
    halted: Halted | None = None
    told: str = ""


class Desk:
    """Answers one question after the other.

    Args:
        is_cancelled: whether an ask is not wanted any longer; asked while it is planned.
    """

    def __init__(self, is_cancelled: Callable[[int], bool]) -> None:
        self._is_cancelled = is_cancelled
        self._checks = Checks()
        self._asked: tuple[Snapshot, Plan] | None = None

    def plan(self, ask: Ask, snapshot: Snapshot) -> Planned | Unable:
        """The best plan that there is time and memory for."""
        started = time.monotonic()
        is_warm = kernels.is_warm()
        found = _Attempt(None)
        if self._is_cancelled(ask.ask):
            found = _Attempt(None, Halted.CANCELLED, "It was cancelled before it was begun.")
        elif ask.effort is Effort.FULL:
            found = self._attempt(ask, snapshot, Params(compiled=is_warm), started)
        if found.plan is None:
            failed, found = found, self._attempt(ask, snapshot, GREEDY, started)
            if failed.halted is not None and found.plan is not None:
                found = _Attempt(found.plan, failed.halted, failed.told)
        if found.plan is None:
            return Unable(ask.ask, found.halted or Halted.FAILED, found.told)
        planned = time.monotonic()
        self._asked = snapshot, found.plan
        faults = self._checks.at_once(ask.ask, snapshot, found.plan, ask.check_seconds)
        return Planned(
            ask.ask,
            columns_of(found.plan, snapshot),
            faults,
            found.halted,
            found.told,
            planned - started,
            time.monotonic() - planned,
            is_warm,
        )

    def advise(self, advise: Advise) -> Advised:
        """What would place these pods; of the snapshot that was planned last."""
        if self._asked is None:
            return Advised(advise.ask, [None for _ in advise.pending])
        snapshot, made = self._asked
        outlook = Outlook(snapshot, made, assemble(snapshot))
        return Advised(advise.ask, [_brief(outlook, snapshot, row) for row in advise.pending])

    @property
    def idle_seconds(self) -> float | None:
        """How long to wait for a message before more is checked; None: nothing is left to check."""
        return self._checks.due_in_seconds

    def check_more(self) -> Checked:
        """Look at every rule of the last plan."""
        return self._checks.later()

    def _attempt(self, ask: Ask, snapshot: Snapshot, params: Params, started: float) -> _Attempt:
        """A plan, or what kept it from being made; what it began from is not trusted then."""
        deadline = started + ask.seconds

        def expired() -> bool:
            return self._is_cancelled(ask.ask) or time.monotonic() >= deadline

        stop = Stop(ask.work, expired, time.perf_counter)
        previous = None if self._asked is None else self._asked[1]
        try:
            made = plan(snapshot, params, stop, previous=previous)
        except MemoryError:
            self._asked = None
            sentence = "The planner's process has no memory left for the solver."
            return _Attempt(None, Halted.OUT_OF_MEMORY, sentence)
        except Exception:  # noqa: BLE001 - whatever it was, there has to be an answer
            self._asked = None
            sentence = f"The planner failed: {traceback.format_exc()}"
            return _Attempt(None, Halted.FAILED, sentence)
        if made.halted is None:
            return _Attempt(made)
        return _Attempt(made, self._why_halted(ask, params, deadline), made.halted)

    def _why_halted(self, ask: Ask, params: Params, deadline: float) -> Halted:
        if self._is_cancelled(ask.ask):
            return Halted.CANCELLED
        if time.monotonic() >= deadline:
            return Halted.DEADLINE
        return Halted.SOLVER if params.compiled else Halted.COMPILING


def _brief(outlook: Outlook, snapshot: Snapshot, row: int) -> Brief:
    """No fault in what is only said may keep a plan from being made."""
    try:
        return brief(outlook, snapshot.pending[row])
    except Exception:  # noqa: BLE001 - whatever it was, it is only about words
        traceback.print_exc()
        return Brief()
