"""One measurement of planning at scale, in a process of its own, whose peak of memory is its own.

    python -m tests.benchmarks.measuring 1000x2000 scarce 7

prints one line of JSON: a `Measured`.
"""

import gc
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Final, TypeVar

import msgspec
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, a_changed, an_instance
from tests.benchmarks.one_at_a_time import one_at_a_time

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, Stop, plan
from idlewatt_scheduler.solvers.warming import warm
from idlewatt_scheduler.tables import Tables, tabulate
from idlewatt_scheduler.templates import templates_of

GREEDY: Final = Params(
    exact_literals=0, exact_vehicles=0, price_rounds=0, polish_rounds=0, improve_rounds=0
)
CHANGED_SHARE: Final = 0.03
MEBIBYTE_IN_KIB: Final = 1_024
_FORGET_THE_PEAK: Final = "5"

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Way:
    """What one way of planning made, and what it took.

    Attributes:
        seconds: by the clock on the wall.
        cpu_seconds: of all threads together.
        steps: seconds of each step by name; empty where nothing is told.
        broken: rules that the plan breaks; None: it was not checked.
    """

    seconds: float
    cpu_seconds: float
    placed: int
    weight: int
    cost: float
    steps: Mapping[str, float]
    solver: str = ""
    moved: int | None = None
    broken: int | None = None
    bound: int | None = None
    cost_bound: float | None = None
    proven: bool = False
    halted: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One instance planned in all ways.

    Attributes:
        peak_mebibytes: the most memory while the first plan was made, the instance included.
        held_mebibytes: before it, the instance made and the code loaded.
        cold: without a previous plan, with compiled kernels.
        changed: 3 % of vehicles and pods are not what they were; given the previous plan.
        same: nothing is; given the previous plan.
    """

    vehicles: int
    pods: int
    plenty: str
    seed: int
    peak_mebibytes: float
    held_mebibytes: float
    compile_seconds: float
    cold: Way
    changed: Way
    same: Way
    greedy: Way | None = None
    one_at_a_time: Way | None = None


def measure(size: Size, plenty: Plenty, seed: int, *, beside: bool, checked: bool) -> Measured:
    """Make an instance and plan it: cold, again, changed; and, `beside` that, in the other ways."""
    snapshot = an_instance(size, plenty, seed)
    compile_seconds = _warm()
    held, peak = _forget_peak(), 0.0
    first, cold = _planned(lambda: plan(snapshot, Params(), Stop(clock=perf_counter), seed))
    peak = _kibibytes("VmHWM") / MEBIBYTE_IN_KIB
    if checked:
        cold = replace(cold, broken=len(violations(snapshot, first)))
    _, same = _planned(
        lambda: plan(snapshot, Params(), Stop(clock=perf_counter), seed, previous=first)
    )
    later = a_changed(snapshot, CHANGED_SHARE, seed)
    _, changed = _planned(
        lambda: plan(later, Params(), Stop(clock=perf_counter), seed, previous=first)
    )
    greedy = alone = None
    if beside:
        _, greedy = _planned(lambda: plan(snapshot, GREEDY, Stop(clock=perf_counter), seed))
        alone = _one_at_a_time(snapshot)
    return Measured(
        vehicles=size.vehicles,
        pods=size.pods,
        plenty=plenty.value,
        seed=seed,
        peak_mebibytes=peak,
        held_mebibytes=held,
        compile_seconds=compile_seconds,
        cold=cold,
        changed=changed,
        same=same,
        greedy=greedy,
        one_at_a_time=alone,
    )


def _warm() -> float:
    """Compile or load all code, and plan something small twice; how long that took."""
    began = perf_counter()
    warm()
    small = an_instance(Size(120, 360), Plenty.SCARCE, 0)
    before = plan(small)
    plan(a_changed(small, 0.1), previous=before)
    return perf_counter() - began


def _planned(make: Callable[[], Plan]) -> tuple[Plan, Way]:
    made, seconds, cpu_seconds = _timed(make)
    return made, Way(
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        placed=len(made.placements),
        weight=made.weight,
        cost=float(made.cost),
        steps=dict(made.step_seconds),
        solver=made.solver.value,
        moved=made.moved,
        bound=made.bound,
        cost_bound=None if made.cost_bound is None else float(made.cost_bound),
        proven=made.proven,
        halted=made.halted,
    )


def tables_of(snapshot: Snapshot) -> Tables:
    """The tables of a snapshot, as a plan is made on them."""
    fleet = assemble(snapshot)
    return tabulate(fleet, templates_of(snapshot.pending), leaving(fleet))


def _one_at_a_time(snapshot: Snapshot) -> Way:
    """Kube-scheduler's rule; the tables it looks its clauses up in are not counted."""
    fleet, templates = assemble(snapshot), templates_of(snapshot.pending)
    tables = tables_of(snapshot)
    chosen, seconds, cpu_seconds = _timed(lambda: one_at_a_time(tables, fleet, templates))
    return Way(seconds, cpu_seconds, chosen.placed, chosen.weight, chosen.cost, {})


def _timed(make: Callable[[], _Made]) -> tuple[_Made, float, float]:
    gc.collect()
    cpu, wall = process_time(), perf_counter()
    made = make()
    return made, perf_counter() - wall, process_time() - cpu


def _forget_peak() -> float:
    """Let the peak of memory begin anew where the system allows it; MiB held now."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text(_FORGET_THE_PEAK, encoding="ascii")
    except OSError:
        sys.stderr.write("The peak of memory counts from the start: it cannot be reset here.\n")
    return _kibibytes("VmRSS") / MEBIBYTE_IN_KIB


def _kibibytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def main(arguments: Sequence[str]) -> int:
    """Measure what the arguments say, and print it."""
    size, plenty, seed, *more = arguments
    measured = measure(
        Size.read(size),
        Plenty(plenty),
        int(seed),
        beside="beside" in more,
        checked="checked" in more,
    )
    sys.stdout.write(msgspec.json.encode(measured).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
