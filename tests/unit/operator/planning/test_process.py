"""The planner's process: asked, cancelled, killed, out of memory, out of its mind."""

import asyncio
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.operator.planning.processes import (
    FOR_EVER,
    LONG,
    QUICK,
    SLOW,
    a_command,
    a_process,
    until_stopped,
)

from idlewatt_operator.planning.messages import Halted
from idlewatt_operator.planning.process import (
    Command,
    PlannerProcess,
    ProcessLostError,
    UnansweredError,
)
from idlewatt_scheduler.model.shadow import Prices
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import a_node, a_pod, a_snapshot, a_vehicle

NAMES = tuple(f"v-{index}" for index in range(4))
FLEET = a_snapshot(
    vehicles=tuple(a_vehicle(name=name) for name in NAMES),
    nodes={name: a_node(name=name) for name in NAMES},
    pending=tuple(a_pod(name=f"pod-{index}", uid=f"uid-{index}") for index in range(3)),
)


async def test_it_plans_what_the_planner_would() -> None:
    """The plan is the core's own; the second time it begins from the first, and nothing moves.

    But for the prices: until its kernels are compiled the process cannot tell any.
    """
    async with a_process() as process:
        made, planned = await process.plan(FLEET, QUICK)
        assert replace(made, prices=Prices()) == replace(plan(FLEET), prices=Prices())
        assert planned.faults == []
        assert planned.halted is None
        again, _ = await process.plan(FLEET, QUICK)
    expected = plan(FLEET, previous=made)
    assert replace(again, prices=Prices()) == replace(expected, prices=Prices())
    assert again.moved == 0


async def test_it_advises_what_would_place_a_pod() -> None:
    """Of the snapshot that it planned last."""
    waits = a_pod(name="long", uid="uid-long", demand__expected_runtime=20 * 3_600_000)
    snapshot = a_snapshot(vehicles=FLEET.vehicles, nodes=FLEET.nodes, pending=(waits,))
    async with a_process() as process:
        made, _ = await process.plan(snapshot, QUICK)
        assert len(made.waiting) == 1
        (brief,) = await process.advise([0])
    assert brief is not None
    assert brief.stay_seconds


async def test_at_its_deadline_the_best_so_far_is_answered(tmp_path: Path) -> None:
    """A planner that asks whether time is over finds that it is."""
    async with a_process(a_command(until_stopped(tmp_path / "begun"))) as process:
        made, planned = await process.plan(FLEET, SLOW)
    assert planned.halted is Halted.DEADLINE
    assert planned.told == "It was stopped."
    assert len(made.placements) == 3


async def test_cancelled_it_answers_at_once(tmp_path: Path) -> None:
    """Long before its deadline; and it can be asked again afterwards."""
    begun = tmp_path / "begun"
    async with a_process(a_command(until_stopped(begun))) as process:
        asked = asyncio.create_task(process.plan(FLEET, LONG))
        while not begun.exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        process.cancel()
        _, planned = await asked
        assert planned.halted is Halted.CANCELLED
        assert planned.told == "It was stopped."
        _, planned = await process.plan(FLEET, SLOW)
        assert planned.halted is Halted.DEADLINE


async def test_cancelled_before_it_is_begun_it_is_greedy(tmp_path: Path) -> None:
    """What is cancelled is known by its number, though the process was not asked for it yet."""
    begun = tmp_path / "begun"
    async with a_process(a_command(until_stopped(begun))) as process:
        answer = process.plan(FLEET, LONG)
        process.cancel()
        made, planned = await answer
        assert planned.halted is Halted.CANCELLED
        assert len(made.placements) == 3
        assert not begun.exists()
        _, planned = await process.plan(FLEET, SLOW)
        assert planned.halted is Halted.DEADLINE


async def test_a_cancellation_is_not_of_the_next_plan(tmp_path: Path) -> None:
    """One that comes when everything was answered changes nothing."""
    async with a_process(a_command(until_stopped(tmp_path / "begun"))) as process:
        process.cancel()
        for _ in range(2):
            _, planned = await process.plan(FLEET, SLOW)
            assert planned.halted is Halted.DEADLINE
            process.cancel()


async def test_killed_in_the_middle_of_a_plan() -> None:
    """Whoever waits is told at once, and so is whoever asks afterwards."""
    async with a_process(a_command(FOR_EVER)) as process:
        asked = asyncio.create_task(process.plan(FLEET, QUICK))
        await asyncio.sleep(0.5)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(ProcessLostError, match="was killed") as lost:
            await asyncio.wait_for(asked, 5.0)
        assert lost.value.halted is Halted.KILLED
        assert process.is_lost
        with pytest.raises(ProcessLostError, match="was killed"):
            await process.plan(FLEET, QUICK)


async def test_without_memory_for_a_good_plan_there_is_a_greedy_one() -> None:
    """The limit is the process's own: it fails there and nowhere else."""
    command = a_command("return bytearray(4 * 2**30)", memory_bytes=2 * 2**30)
    async with a_process(command) as process:
        made, planned = await process.plan(FLEET, QUICK)
        assert planned.halted is Halted.OUT_OF_MEMORY
        assert "memory" in planned.told
        assert len(made.placements) == 3


async def test_a_planner_that_fails_leaves_a_greedy_plan_and_its_trace() -> None:
    """What went wrong is told, with the trace that a report needs."""
    async with a_process(a_command("raise ZeroDivisionError('no such price')")) as process:
        made, planned = await process.plan(FLEET, QUICK)
    assert planned.halted is Halted.FAILED
    assert "no such price" in planned.told
    assert "Traceback" in planned.told
    assert len(made.placements) == 3


async def test_where_even_the_greedy_planner_fails_nothing_is_placed() -> None:
    """The process goes on: it had no answer to this alone."""
    script = (
        "from idlewatt_operator.planning import desk, worker\n"
        "def plan(*_, **__): raise ZeroDivisionError\n"
        "desk.plan = plan\n"
        "worker.main()\n"
    )
    async with a_process(Command((sys.executable, "-P", "-c", script))) as process:
        with pytest.raises(UnansweredError) as error:
            await process.plan(FLEET, QUICK)
        assert error.value.halted is Halted.FAILED
        assert not process.is_lost


@pytest.mark.parametrize(
    "said",
    [
        "import sys; sys.stdout.write('Welcome to the solver!' * 9)",
        "import sys; sys.stdout.buffer.write(b'iwP1' + b'\\xff' * 4)",
        "import sys; sys.stdout.buffer.write(b'iwP1\\0\\0\\0\\3abc')",
        "import sys; sys.stdout.buffer.write(b'iwP1\\0\\0\\0\\x09abc')",
    ],
    ids=["text", "endless", "noise", "cut short"],
)
async def test_garbage_on_the_pipe_ends_it(said: str) -> None:
    """What is no message is never read as one, and the process is not trusted any longer."""
    script = f"{said}; sys.stdout.flush(); import time; time.sleep(60)"
    if said.endswith("x09abc')"):
        script = said
    async with a_process(Command((sys.executable, "-c", script))) as process:
        with pytest.raises(ProcessLostError) as lost:
            await asyncio.wait_for(process.plan(FLEET, QUICK), 10.0)
        assert lost.value.halted is Halted.GARBLED


async def test_what_a_library_prints_does_not_disturb_the_answers() -> None:
    """Standard output is the pipe: whatever else is written there goes to standard error."""
    body = "print('Solved!', flush=True)\nreturn real(snapshot, params, stop)"
    async with a_process(a_command(body)) as process:
        made, _ = await process.plan(FLEET, QUICK)
    assert len(made.placements) == 3


async def test_one_that_cannot_be_started_is_told_in_a_sentence() -> None:
    """There is no such program."""
    with pytest.raises(ProcessLostError, match="cannot be started") as lost:
        await PlannerProcess.start(Command(("/nowhere/python",)), lambda _: None)
    assert lost.value.halted is Halted.NOT_STARTED


async def test_it_ends_with_the_operator() -> None:
    """Once its pipe is closed it is gone, even from the middle of a plan."""
    process = await PlannerProcess.start(a_command(FOR_EVER), lambda _: None)
    asked = asyncio.create_task(process.plan(FLEET, QUICK))
    await asyncio.sleep(0.5)
    started = time.monotonic()
    await process.end()
    assert time.monotonic() - started < 5.0
    with pytest.raises(ProcessLostError):
        await asked
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
