"""The planner in a process of its own, put together; see `planning`."""

import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from idlewatt_operator.planning.guard import GuardedPlanner, Patience
from idlewatt_operator.planning.process import Command, Order, PlannerProcess
from idlewatt_operator.reconcile.checked import without_faults
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.feasibility import Violation
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import SECOND

_EXACT_WORK: Final = 0.2
"""A plan that is a little better is not worth a cycle that is late."""


@contextlib.asynccontextmanager
async def planning(
    settings: Settings, memory_bytes: int, on_done: Callable[[], None]
) -> AsyncIterator[GuardedPlanner]:
    """The planner; its process is started when something is to be planned, and ended here.

    Args:
        settings: how long a plan is awaited, and looked for.
        memory_bytes: the most that the process may have; 0: all there is.
        on_done: told when a plan that no cycle waited for is there.
    """
    order = Order(
        seconds=settings.plan_deadline / SECOND,
        work=_EXACT_WORK,
        check_seconds=settings.check_at_once / SECOND,
    )
    start = partial(PlannerProcess.start, Command.of(memory_bytes))
    patience = Patience(
        settings.plan_awaited_for / SECOND, settings.first_plan_awaited_for / SECOND
    )
    planner = GuardedPlanner(start, order, patience, on_done)
    try:
        yield planner
    finally:
        await planner.end()


async def plan_and_check(planner: GuardedPlanner, snapshot: Snapshot) -> Plan:
    """A plan without the placements and charging profiles that the check objects to."""
    answer = await planner.plan(snapshot)
    faults = [Violation(each.rule, each.subject, each.sentence) for each in answer.faults]
    return without_faults(answer.plan, faults)
