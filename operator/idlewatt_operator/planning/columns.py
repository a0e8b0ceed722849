"""A plan as columns: pods by their row in the snapshot, fractions as text, reasons by name."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import groupby
from typing import Final

import msgspec

from idlewatt_operator.planning.wire import fraction, fraction_text
from idlewatt_scheduler.model.plan import Charging, Leaving, Placement, Plan, Solver, Waiting
from idlewatt_scheduler.model.reasons import (
    MoveReason,
    PodReason,
    Reason,
    VehicleReason,
    WaitingCondition,
)
from idlewatt_scheduler.model.shadow import Prices
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod

PODS_AT_ONCE: Final = 1_000

_REASONS: Final[dict[str, Reason]] = {
    str(reason): reason for kind in (VehicleReason, PodReason, MoveReason) for reason in kind
}


class Placements(msgspec.Struct, frozen=True, array_like=True):
    """The placements, one to each row; `pending` are rows of the snapshot's pending pods."""

    pending: list[int]
    node: list[str]
    start: list[int]
    ready_at: list[int]
    until: list[int]
    power: list[int]
    cost: list[str]
    energy_watt_hours: list[str]


class WaitingAlike(msgspec.Struct, frozen=True, array_like=True):
    """Pods that wait for the same reasons."""

    pending: list[int]
    condition: WaitingCondition
    reasons: dict[str, int]


class PlanColumns(msgspec.Struct, frozen=True, array_like=True):
    """All of a plan but the planner's memory."""

    at: int
    placements: Placements
    waiting: list[WaitingAlike]
    leaving: list[tuple[int, str, str]]
    weight: str
    bound: str
    cost: str
    currency: str | None
    proven: bool
    charging: list[Charging]
    cost_bound: str | None
    prices: Prices
    solver: Solver
    halted: str | None
    moved: int | None
    step_seconds: dict[str, float]


def columns_of(plan: Plan, snapshot: Snapshot) -> PlanColumns:
    """The plan that was made for this snapshot.

    Raises:
        KeyError: it is about a pod that the snapshot does not have.
    """
    pending = {id(pod): row for row, pod in enumerate(snapshot.pending)}
    running = {id(each.pod): row for row, each in enumerate(snapshot.running)}
    placed = plan.placements
    return PlanColumns(
        at=plan.at,
        placements=Placements(
            pending=[pending[id(each.pod)] for each in placed],
            node=[each.node for each in placed],
            start=[each.start for each in placed],
            ready_at=[each.ready_at for each in placed],
            until=[each.until for each in placed],
            power=[each.power for each in placed],
            cost=[fraction_text(Fraction(each.cost)) for each in placed],
            energy_watt_hours=[fraction_text(Fraction(each.energy_watt_hours)) for each in placed],
        ),
        waiting=list(_alike(plan.waiting, pending)),
        leaving=[(running[id(each.pod)], each.node, str(each.reason)) for each in plan.leaving],
        weight=f"{plan.weight:x}",
        bound=f"{plan.bound:x}",
        cost=fraction_text(Fraction(plan.cost)),
        currency=plan.currency,
        proven=plan.proven,
        charging=list(plan.charging),
        cost_bound=None if plan.cost_bound is None else fraction_text(Fraction(plan.cost_bound)),
        prices=plan.prices,
        solver=plan.solver,
        halted=plan.halted,
        moved=plan.moved,
        step_seconds=dict(plan.step_seconds),
    )


def _alike(waiting: Iterable[Waiting], pending: dict[int, int]) -> Iterator[WaitingAlike]:
    """Neighbours that wait for the same reasons, together: the order stays as it is."""
    for _, group in groupby(waiting, key=lambda each: (each.condition, id(each.reasons))):
        pods = list(group)
        reasons = {str(reason): count for reason, count in pods[0].reasons.items()}
        yield WaitingAlike([pending[id(each.pod)] for each in pods], pods[0].condition, reasons)


class PlanReader:
    """Puts a plan together again, a few pods at a time.

    Raises:
        IndexError, KeyError, ValueError: the columns are not of a plan for this snapshot.
    """

    def __init__(self, columns: PlanColumns, snapshot: Snapshot) -> None:
        self._columns = columns
        self._snapshot = snapshot
        self._placements: list[Placement] = []
        self._waiting: list[Waiting] = []

    def steps(self) -> Iterator[None]:
        """Go through it to its end; between two steps there is time for other things."""
        pending = self._snapshot.pending
        placed = self._columns.placements
        rows = zip(
            placed.pending,
            placed.node,
            placed.start,
            placed.ready_at,
            placed.until,
            placed.power,
            placed.cost,
            placed.energy_watt_hours,
            strict=True,
        )
        for count, (row, node, start, ready_at, until, power, cost, energy) in enumerate(rows):
            self._placements.append(
                Placement(
                    pending[row],
                    node,
                    start,
                    ready_at,
                    until,
                    power,
                    fraction(cost),
                    fraction(energy),
                )
            )
            if count % PODS_AT_ONCE == 0:
                yield
        for alike in self._columns.waiting:
            yield from self._wait(alike, pending)

    def _wait(self, alike: WaitingAlike, pending: tuple[Pod, ...]) -> Iterator[None]:
        reasons = {_REASONS[name]: count for name, count in alike.reasons.items()}
        for count, row in enumerate(alike.pending):
            self._waiting.append(Waiting(pending[row], alike.condition, reasons))
            if count % PODS_AT_ONCE == 0:
                yield

    def plan(self) -> Plan:
        """The plan, once all steps were gone through."""
        columns, running = self._columns, self._snapshot.running
        bound = columns.cost_bound
        return Plan(
            at=columns.at,
            placements=tuple(self._placements),
            waiting=tuple(self._waiting),
            leaving=tuple(
                Leaving(running[row].pod, node, _REASONS[reason])
                for row, node, reason in columns.leaving
            ),
            weight=int(columns.weight, 16),
            bound=int(columns.bound, 16),
            cost=fraction(columns.cost),
            currency=columns.currency,
            proven=columns.proven,
            charging=tuple(columns.charging),
            cost_bound=None if bound is None else fraction(bound),
            prices=columns.prices,
            solver=columns.solver,
            halted=columns.halted,
            moved=columns.moved,
            step_seconds=columns.step_seconds,
        )


def plan_of(columns: PlanColumns, snapshot: Snapshot) -> Plan:
    """The plan at once."""
    reader = PlanReader(columns, snapshot)
    for _ in reader.steps():
        pass
    return reader.plan()
