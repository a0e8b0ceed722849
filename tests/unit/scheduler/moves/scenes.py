"""Scenes of making room: cars of one site, what runs on them, what waits."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.policy import Preemption
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod, RunningPod
from idlewatt_scheduler.moves import moves
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.stability import settle
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import (
    a_pod,
    a_policy,
    a_running_pod,
    a_snapshot,
    a_vehicle,
    changed,
)

ROOM = {"preemption": Preemption.LOWER_PRIORITY}
MONEY = {"migration_cost": Decimal("0.01")}


def cars(*names: str, **overrides: object) -> tuple[Vehicle, ...]:
    """Healthy cars of 16 cores, all with these overrides."""
    return tuple(a_vehicle(name=name, **overrides) for name in names)


def runs(name: str, node: str, cores: int = 8, **overrides: object) -> RunningPod:
    """A service that runs on a car and has stayed as long as was promised."""
    pod: dict[str, Any] = {
        "pod__name": name,
        "pod__uid": name,
        "pod__requests": {"cpu": 1_000 * cores, "pods": 1_000},
        "node": node,
    }
    return a_running_pod(**{**pod, **overrides})


def waits(name: str, cores: int = 8, **overrides: object) -> Pod:
    """A pod that waits, of priority 10."""
    pod: dict[str, Any] = {
        "name": name,
        "requests": {"cpu": 1_000 * cores, "pods": 1_000},
        "priority": 10,
    }
    return a_pod(**{**pod, **overrides})


def a_plan(
    vehicles: tuple[Vehicle, ...],
    running: Iterable[RunningPod],
    pending: Iterable[Pod] = (),
    policy: dict[str, Any] | None = None,
    **overrides: object,
) -> tuple[Board, tuple[Leaving, ...]]:
    """A stable plan on its board, and who leaves for the ordinary reasons."""
    snapshot = a_snapshot(
        vehicles=vehicles,
        running=tuple(running),
        pending=tuple(pending),
        policy=a_policy(**(ROOM if policy is None else policy)),
    )
    fleet = assemble(changed(snapshot, **overrides))
    leavers = leaving(fleet)
    board = Board(fleet, templates_of(fleet.snapshot.pending), leavers)
    greedy(board)
    settle(board)
    return board, leavers


def who_moves(*arguments: Any, **overrides: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401
    """The name, the node and the reason of each; arguments as for `a_plan`."""
    board, leavers = a_plan(*arguments, **overrides)
    return [(each.pod.name, each.node, str(each.reason)) for each in moves(board, leavers)]
