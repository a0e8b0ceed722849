"""Planner's processes that are slow, hungry or mad: the real one, with another planner in it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from idlewatt_operator.planning.messages import Checked
from idlewatt_operator.planning.process import Command, Order, PlannerProcess

QUICK = Order(seconds=30.0, work=0.2, check_seconds=2.0)
LONG = Order(seconds=3_600.0, work=0.2, check_seconds=2.0)
SLOW = Order(seconds=0.5, work=0.2, check_seconds=2.0)

_WITH = """
import sys, time
from idlewatt_operator.planning import desk, worker
from idlewatt_scheduler.planner import plan as real
from dataclasses import replace

def plan(snapshot, params, stop, previous=None):
    if not params.exact_vehicles:
        return real(snapshot, params, stop, previous=previous)
{body}

desk.plan = plan
worker.main()
"""


_UNTIL_STOPPED = """
with open({begun!r}, "w"): pass
while not stop.is_over:
    time.sleep(0.01)
return replace(real(snapshot, params, stop), halted='It was stopped.')
"""


def until_stopped(begun: Path) -> str:
    """Plans until it is told to stop; the file is there once it has begun."""
    return _UNTIL_STOPPED.format(begun=str(begun))


def a_command(body: str, memory_bytes: int = 0) -> Command:
    """The process with this as its planner; a greedy plan is the real one's."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    script = _WITH.format(body=indented)
    return Command((sys.executable, "-P", "-c", script, str(memory_bytes)))


FOR_EVER = "time.sleep(3600)"


@asynccontextmanager
async def a_process(command: Command | None = None) -> AsyncIterator[PlannerProcess]:
    """One that is ended with the test."""
    process = await PlannerProcess.start(command or Command.of(), _ignore)
    try:
        yield process
    finally:
        await process.end()


def _ignore(_: Checked) -> None:
    pass
