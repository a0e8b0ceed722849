"""There is an answer in time: late plans, lost processes, restarts, and how they are told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from idlewatt_operator.planning.columns import columns_of
from idlewatt_operator.planning.guard import (
    GuardedPlanner,
    Losses,
    Patience,
    StillPlanningError,
)
from idlewatt_operator.planning.messages import Checked, Effort, Fault, Halted, Planned
from idlewatt_operator.planning.process import Order, ProcessLostError, UnansweredError
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.testing import AT, a_pod
from idlewatt_scheduler.why import Brief

ORDER = Order(seconds=0.05, work=0.2, check_seconds=0.05)
QUICK = Patience(seconds=0.05, first_seconds=0.05)
EMPTY = Snapshot(AT)


@dataclass
class FakeProcess:
    """Answers as it is told to; None: never."""

    answers: list[Planned | Exception | None]
    on_checked: Callable[[Checked], None] = lambda _: None
    is_lost: bool = False
    asked: list[Order] = field(default_factory=list)
    ended: bool = False
    cancelled: int = 0

    async def plan(self, snapshot: Snapshot, order: Order) -> tuple[Plan, Planned]:
        """The next answer."""
        self.asked.append(order)
        answer = self.answers.pop(0)
        if answer is None:
            await asyncio.sleep(3_600)
        if isinstance(answer, ProcessLostError):
            self.is_lost = True
        if isinstance(answer, Exception):
            raise answer
        assert answer is not None
        return Plan(snapshot.at), answer

    async def advise(self, rows: list[int]) -> list[Brief | None]:
        """Something of every pod."""
        return [Brief(stay_seconds=900 + row) for row in rows]

    def resident_bytes(self) -> int:
        """A figure."""
        return 42

    def cancel(self) -> None:
        """Count it."""
        self.cancelled += 1

    def lose(self, halted: Halted, sentence: str) -> None:
        """It is lost."""
        assert halted
        assert sentence
        self.is_lost = True

    async def end(self) -> None:
        """It has ended."""
        self.ended = True


def planned(halted: Halted | None = None, told: str = "", *faults: Fault) -> Planned:
    """An answer about a plan that places nobody."""
    columns = columns_of(Plan(AT), EMPTY)
    return Planned(1, columns, list(faults), halted, told, 0.1, 0.1, is_warm=True)


def lost() -> ProcessLostError:
    """The kernel ended it."""
    return ProcessLostError(Halted.KILLED, "It was killed.")


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def guarded(
    *processes: FakeProcess, patience: Patience = QUICK, clock: Clock | None = None
) -> tuple[GuardedPlanner, list[str]]:
    """A planner with these processes, one after the other; what it told of late plans."""
    waiting, told = list(processes), list[str]()

    async def start(on_checked: Callable[[Checked], None]) -> FakeProcess:
        await asyncio.sleep(0)
        process = waiting.pop(0)
        process.on_checked = on_checked
        return process

    made: Callable[[Callable[[Checked], None]], Awaitable[FakeProcess]] = start
    planner = GuardedPlanner(made, ORDER, patience, lambda: told.append("done"), clock or Clock())
    return planner, told


async def test_a_plan_in_time_is_the_cycles() -> None:
    """And nobody is told of it beside."""
    planner, told = guarded(FakeProcess([planned()]))
    answer = await planner.plan(EMPTY)
    assert (answer.plan, answer.halted, told) == (Plan(AT), None, [])
    assert planner.tallies.started == 1
    assert planner.tallies.resident_bytes() == 42


async def test_a_late_plan_is_told_of_and_given_to_a_later_cycle() -> None:
    """The cycle goes on; the next one gets the plan of the earlier snapshot."""
    process = FakeProcess([planned(), planned()])
    planner, told = guarded(process, patience=Patience(0.0, 0.0))
    with pytest.raises(StillPlanningError):
        await planner.plan(EMPTY)
    await asyncio.sleep(0.01)
    assert told == ["done"]
    later = await planner.plan(replace(EMPTY, at=AT + 5_000))
    assert later.plan.at == AT
    assert len(process.asked) == 1
    with pytest.raises(StillPlanningError):
        await planner.plan(replace(EMPTY, at=AT + 6_000))
    await asyncio.sleep(0.01)
    assert (await planner.plan(EMPTY)).plan.at == AT + 6_000


async def test_a_process_that_was_lost_is_started_anew_and_greedy_for_a_while() -> None:
    """At once the first time, so that the next cycle has a plan; at its best again after that."""
    clock = Clock()
    second = FakeProcess([planned(), planned()])
    planner, _ = guarded(FakeProcess([lost()]), second, clock=clock)
    with pytest.raises(ProcessLostError, match="killed"):
        await planner.plan(EMPTY)
    await planner.plan(EMPTY)
    clock.now = 31.0
    await planner.plan(EMPTY)
    assert [order.effort for order in second.asked] == [Effort.GREEDY, Effort.FULL]
    assert planner.tallies.halted == {Halted.KILLED: 1}
    assert planner.tallies.started == 2


async def test_one_that_is_lost_again_and_again_is_started_less_and_less_often() -> None:
    """Between two starts cycles go on without a plan, and are not told the same again."""
    clock = Clock()
    planner, _ = guarded(*(FakeProcess([lost()]) for _ in range(4)), clock=clock)
    for wait in (0.0, 0.0, 1.0, 2.0):
        if wait:
            with pytest.raises(StillPlanningError):
                await planner.plan(EMPTY)
        clock.now += wait
        with pytest.raises(ProcessLostError):
            await planner.plan(EMPTY)
    assert planner.tallies.halted == {Halted.KILLED: 4}


def test_waits_double_and_end_somewhere() -> None:
    """A minute between two starts, ten minutes of greedy plans; a whole plan ends it."""
    losses = Losses()
    assert losses.effort(0.0) is Effort.FULL
    for _ in range(40):
        losses.note(0.0)
    assert losses.start_in(0.0) == 60.0
    assert losses.effort(599.0) is Effort.GREEDY
    assert losses.effort(600.0) is Effort.FULL
    losses.forget()
    assert losses.effort(0.0) is Effort.FULL


async def test_a_process_that_says_nothing_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long after its deadline; another one is started then."""
    monkeypatch.setattr("idlewatt_operator.planning.guard.SILENT_SECONDS", 0.05)
    silent = FakeProcess([None])
    planner, _ = guarded(silent, FakeProcess([planned()]), patience=Patience(1.0, 1.0))
    with pytest.raises(ProcessLostError, match="said nothing"):
        await planner.plan(EMPTY)
    assert silent.is_lost
    assert planner.tallies.halted == {Halted.SILENT: 1}
    assert (await planner.plan(EMPTY)).plan == Plan(AT)


async def test_what_had_no_answer_costs_a_plan_and_no_process() -> None:
    """The process goes on, and the next snapshot is planned as if nothing had been."""
    process = FakeProcess([UnansweredError(Halted.FAILED, "It failed."), planned()])
    planner, _ = guarded(process)
    with pytest.raises(UnansweredError):
        await planner.plan(EMPTY)
    await planner.plan(EMPTY)
    assert [order.effort for order in process.asked] == [Effort.FULL, Effort.FULL]
    assert planner.tallies.started == 1


async def test_why_a_plan_was_halted_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A sentence in the log when it begins, and a count of every time."""
    halted = planned(Halted.COMPILING, "The kernels are being compiled.")
    planner, _ = guarded(FakeProcess([halted, halted, planned(), halted]))
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            await planner.plan(EMPTY)
    told = [each.message for each in caplog.records]
    assert told == ["The kernels are being compiled. The best plan so far is carried out."] * 2
    assert planner.tallies.halted == {Halted.COMPILING: 3}


async def test_faults_are_counted_now_and_later(caplog: pytest.LogCaptureFixture) -> None:
    """Those of the answer go with it; those that are found afterwards are told in the log."""
    process = FakeProcess([planned(None, "", Fault("CircuitFull", "a/b", "Over."))])
    planner, _ = guarded(process)
    answer = await planner.plan(EMPTY)
    assert answer.faults == (Fault("CircuitFull", "a/b", "Over."),)
    with caplog.at_level(logging.ERROR):
        process.on_checked(Checked(1, [Fault("Stability", "a/c", "It waits.")], 0.1))
    assert planner.tallies.faults == {"CircuitFull": 1, "Stability": 1}
    assert "Stability (a/c: It waits.); please report it" in caplog.text


async def test_advice_is_asked_of_the_snapshot_that_was_planned() -> None:
    """By rows; of pods that it does not have nothing is known, nor while it plans."""
    first, second, stranger = (a_pod(name=name, uid=name) for name in ("a", "b", "c"))
    process = FakeProcess([planned(), None])
    planner, _ = guarded(process)
    nothing: list[Pod] = [second]
    assert await planner.briefs(nothing) == [None]
    await planner.plan(replace(EMPTY, pending=(first, second)))
    assert await planner.briefs([second]) == [Brief(stay_seconds=901)]
    assert await planner.briefs([second, stranger]) == [None, None]
    with pytest.raises(StillPlanningError):
        await planner.plan(EMPTY)
    assert await planner.briefs([second]) == [None]
    await planner.end()


async def test_what_is_cancelled_while_its_process_starts_is_cancelled() -> None:
    """The process is told as soon as it is there; and not of the plan after that."""
    process = FakeProcess([planned(Halted.CANCELLED), planned()])
    planner, _ = guarded(process)
    asked = asyncio.create_task(planner.plan(EMPTY))
    await asyncio.sleep(0)
    planner.cancel()
    assert process.cancelled == 0
    assert (await asked).halted is Halted.CANCELLED
    assert process.cancelled == 1
    await planner.plan(EMPTY)
    assert process.cancelled == 1


async def test_it_is_cancelled_and_ended_with_the_operator() -> None:
    """Whatever is being planned then."""
    process = FakeProcess([None])
    planner, told = guarded(process)
    planner.cancel()
    assert process.cancelled == 0
    with pytest.raises(StillPlanningError):
        await planner.plan(EMPTY)
    planner.cancel()
    assert process.cancelled == 1
    await planner.end()
    assert process.ended
    assert told == []
