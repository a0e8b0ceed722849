"""There is an answer in time, whatever becomes of the planner's process.

    a plan in time          it is the cycle's
    none yet                `StillPlanningError`: the cycle goes on, drains do not wait for it
    late                    a later cycle gets it, and judges it anew before anything is bound
    past its deadline       the process answers with its best; if it says nothing it is killed
    killed, ended, garbled  another one is started, which plans greedily until some time passed

Every loss doubles the time until the next attempt at a whole plan, so that a fleet that takes more
memory than there is gets greedy plans, and not a process that is killed again and again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from idlewatt_operator.planning.messages import Checked, Effort, Fault, Halted, Planned
from idlewatt_operator.planning.process import (
    Order,
    PlanningError,
    ProcessLostError,
)
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.why import Brief

_log: Final = logging.getLogger(__name__)

SILENT_SECONDS: Final = 10.0
"""What the process may take to answer once its time is over: it has to be checked and written."""

_RESTARTED_AT_MOST_AFTER_SECONDS: Final = 60.0
_GREEDY_FIRST_SECONDS: Final = 30.0
_GREEDY_MOST_SECONDS: Final = 600.0
_ADVICE_SECONDS: Final = 5.0


class StillPlanningError(Exception):
    """The plan is being made; there is none yet."""


class Process(Protocol):
    """What is asked of a planner's process; see `PlannerProcess`."""

    @property
    def is_lost(self) -> bool:
        """Whether another one has to be started."""

    def plan(self, snapshot: Snapshot, order: Order) -> Coroutine[Any, Any, tuple[Plan, Planned]]:
        """The plan of a snapshot."""

    async def advise(self, rows: list[int]) -> list[Brief | None]:
        """What would place pods."""

    def resident_bytes(self) -> int:
        """Its memory; 0 where that is not known."""

    def cancel(self) -> None:
        """Have what is being planned answered at once."""

    def lose(self, halted: Halted, sentence: str) -> None:
        """Give it up."""

    async def end(self) -> None:
        """End it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan, and what is to be known of it.

    Attributes:
        faults: what the check objects to.
        halted: None: the solver finished.
    """

    plan: Plan
    faults: tuple[Fault, ...]
    halted: Halted | None
    plan_seconds: float
    check_seconds: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a cycle waits for its plan; longer for the first, as the process has to start."""

    seconds: float
    first_seconds: float

    def of(self, planned: Snapshot | None) -> float:
        """By what was planned last, if anything was."""
        return self.first_seconds if planned is None else self.seconds


@dataclass
class Losses:
    """When a process may be started again, and when it may try its best again.

    Attributes:
        in_a_row: processes that were lost since a whole plan was made.
    """

    in_a_row: int = 0
    _start_at: float = 0.0
    _whole_at: float = 0.0

    def note(self, now: float) -> None:
        """One more was lost."""
        self.in_a_row += 1
        if self.in_a_row > 1:
            wait = min(2.0 ** (self.in_a_row - 2), _RESTARTED_AT_MOST_AFTER_SECONDS)
            self._start_at = now + wait
        greedy = min(_GREEDY_FIRST_SECONDS * 2.0 ** (self.in_a_row - 1), _GREEDY_MOST_SECONDS)
        self._whole_at = now + greedy

    def forget(self) -> None:
        """A whole plan was made."""
        self.in_a_row = 0

    def start_in(self, now: float) -> float:
        """Seconds until another process may be started."""
        return max(0.0, self._start_at - now)

    def effort(self, now: float) -> Effort:
        """How hard the next plan may be looked for."""
        return Effort.GREEDY if self.in_a_row and now < self._whole_at else Effort.FULL


@dataclass
class Tallies:
    """What is counted, for metrics.

    Attributes:
        halted: plans that are not what they might have been, or were not made.
        faults: what the check found, by the rule.
        started: processes.
        resident_bytes: asks for the memory of the process that runs; 0 without one.
    """

    halted: Counter[Halted] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    started: int = 0
    resident_bytes: Callable[[], int] = lambda: 0


class GuardedPlanner:
    """Plans in a process of its own, one snapshot at a time.

    Args:
        start: makes a process.
        order: how long and how hard a plan is looked for.
        patience: how long a cycle waits for its plan.
        on_done: told when a plan that no cycle waited for is there.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        start: Callable[[Callable[[Checked], None]], Awaitable[Process]],
        order: Order,
        patience: Patience,
        on_done: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tallies = Tallies()
        self._start = start
        self._order = order
        self._patience = patience
        self._on_done = on_done
        self._clock = clock
        self._losses = Losses()
        self._process: Process | None = None
        self._making: asyncio.Task[Answer] | None = None
        self._is_awaited = True
        self._is_cancelled = False
        self._planned: Snapshot | None = None
        self._told: Halted | None = None

    async def plan(self, snapshot: Snapshot) -> Answer:
        """The plan of this snapshot, or of an earlier one: its `at` says of which.

        Raises:
            StillPlanningError: none is ready in time; ask again with the next cycle's snapshot.
            PlanningError: none could be made.
        """
        if self._making is None:
            if self._has_to_rest:
                raise StillPlanningError
            self._is_cancelled = False
            self._making = asyncio.create_task(self._made(snapshot))
            self._making.add_done_callback(self._done)
        making = self._making
        await asyncio.wait({making}, timeout=self._patience.of(self._planned))
        if not making.done():
            self._is_awaited = False
            raise StillPlanningError
        self._making, self._is_awaited = None, True
        return making.result()

    async def briefs(self, pods: Sequence[Pod]) -> list[Brief | None]:
        """What would place pods that waited in the plan of the last snapshot; None: unknown."""
        process, planned = self._process, self._planned
        nothing: list[Brief | None] = [None for _ in pods]
        if process is None or process.is_lost or self._making is not None or planned is None:
            return nothing
        rows = {id(pod): row for row, pod in enumerate(planned.pending)}
        if not all(id(pod) in rows for pod in pods):
            return nothing
        try:
            asked = process.advise([rows[id(pod)] for pod in pods])
            return await asyncio.wait_for(asked, _ADVICE_SECONDS)
        except (TimeoutError, PlanningError):
            return nothing

    def cancel(self) -> None:
        """Have what is being planned answered at once, with the best plan so far."""
        self._is_cancelled = self._making is not None
        if self._process is not None and self._is_cancelled:
            self._process.cancel()

    async def end(self) -> None:
        """End the process; whatever is being planned is not wanted any longer."""
        making, self._making = self._making, None
        if making is not None:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
        if self._process is not None:
            await self._process.end()
            self._process = None

    @property
    def _has_to_rest(self) -> bool:
        """Whether a process was lost, and it is too soon for another one."""
        is_lost = self._process is None or self._process.is_lost
        return is_lost and self._losses.start_in(self._clock()) > 0

    def _done(self, making: "asyncio.Task[Answer]") -> None:
        if making is self._making and not self._is_awaited:
            self._on_done()
        if not making.cancelled():
            making.exception()  # whoever asks for the plan is told

    async def _made(self, snapshot: Snapshot) -> Answer:
        try:
            process = await self._running()
            order = replace(self._order, effort=self._losses.effort(self._clock()))
            plan, planned = await self._in_time(process, snapshot, order)
        except PlanningError as error:
            self._note_failure(error)
            raise
        if order.effort is Effort.FULL:
            self._losses.forget()
        self._note(planned)
        self._planned = snapshot
        return Answer(
            plan,
            tuple(planned.faults),
            planned.halted,
            planned.plan_seconds,
            planned.check_seconds,
        )

    async def _running(self) -> Process:
        """The process; another one where it was lost.

        Raises:
            ProcessLostError: it cannot be started.
        """
        if self._process is None or self._process.is_lost:
            self._process = await self._start(self._note_checked)
            self.tallies.started += 1
            self.tallies.resident_bytes = self._process.resident_bytes
        return self._process

    async def _in_time(
        self, process: Process, snapshot: Snapshot, order: Order
    ) -> tuple[Plan, Planned]:
        """The answer; a process that says nothing long after its deadline is killed."""
        patience = order.seconds + order.check_seconds + SILENT_SECONDS
        answer = process.plan(snapshot, order)
        if self._is_cancelled:  # while the process was being started
            process.cancel()
        try:
            return await asyncio.wait_for(answer, patience)
        except TimeoutError:
            sentence = f"The planner's process said nothing for {patience:.0f} s and was killed."
            process.lose(Halted.SILENT, sentence)
            raise ProcessLostError(Halted.SILENT, sentence) from None

    def _note_failure(self, error: PlanningError) -> None:
        self.tallies.halted[error.halted] += 1
        if isinstance(error, ProcessLostError):
            self._losses.note(self._clock())
        _log.error("%s Nobody is placed in this cycle; drains go on.", error)

    def _note(self, planned: Planned) -> None:
        for fault in planned.faults:
            self.tallies.faults[fault.rule] += 1
        told, self._told = self._told, planned.halted
        if planned.halted is None:
            return
        self.tallies.halted[planned.halted] += 1
        if planned.halted is Halted.FAILED:
            _log.error("%s The greedy plan is carried out.", planned.told)
        elif planned.halted is not told:
            _log.warning("%s The best plan so far is carried out.", planned.told)

    def _note_checked(self, checked: Checked) -> None:
        """What was found once the plan was carried out: about anything but what was placed."""
        for fault in checked.faults:
            self.tallies.faults[fault.rule] += 1
        for fault in checked.faults[:10]:
            _log.error(
                "The last plan breaks the rule %s (%s: %s); please report it.",
                fault.rule,
                fault.subject,
                fault.sentence,
            )
