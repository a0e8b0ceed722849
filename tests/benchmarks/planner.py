"""How long a plan takes and how good it is: `make bench`, or `python -m tests.benchmarks.planner`.

Measured is `plan()` on synthetic fleets, as the cycle calls it, the median of several runs.
`greedy` and `exact` are its two ways. `repaired` is no way of the planner yet: a greedy plan in
which neighbourhoods of a few vehicles on one site are solved exactly, one after the other; it says
what exact repair would gain. Nothing here passes or fails; what a machine can do in a time
belongs in no test.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from tests.benchmarks.fleets import Size, a_fleet

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, plan
from idlewatt_scheduler.solvers.bounds import bound
from idlewatt_scheduler.solvers.exact import solve
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.templates import templates_of

DEFAULT_SIZES = ("8x14", "20x40", "200x500", "1000x2000")
NEIGHBOURHOOD_VEHICLES = 4
NEIGHBOURHOOD_LITERALS = 200
NEIGHBOURHOOD_WORK = 0.3
REPAIR_SECONDS_AT_MOST = 10.0
CHECKED_VEHICLES_AT_MOST = 200
SEED = 1

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row: what was planned how, how long it took, and how good it is.

    Attributes:
        seconds: of each run.
        broken: rules broken by the plan; None: it was not checked.
        note: what cannot be told in a figure.
    """

    fleet: str
    way: str
    seconds: tuple[float, ...]
    placed: int
    weight: int
    bound: int
    cost: float
    proven: bool = False
    broken: int | None = None
    note: str = ""

    @property
    def gap_percent(self) -> float:
        """How far the weight may be from the best."""
        return 100 * (self.bound - self.weight) / self.bound if self.bound else 0.0


class Patience:
    """How many seconds are left of those that were given."""

    def __init__(self, seconds: float) -> None:
        self._end = perf_counter() + seconds

    def left(self) -> float:
        """Seconds; negative once they are over."""
        return self._end - perf_counter()


@dataclass(frozen=True, slots=True)
class Bench:
    """How often is measured, for how long at the most, and whom to tell what is being done."""

    repeat: int
    patience: Patience
    say: Say

    def rows(self, sizes: Sequence[Size]) -> Iterator[Measurement]:
        """Every fleet in every way, until the time is over."""
        for size in sizes:
            self.say(f"{size}: making the fleet")
            snapshot = a_fleet(size, SEED)
            rough = self._planned(size, "greedy", snapshot, Params(exact_literals=0))
            if rough is None:
                return
            yield rough
            # Beyond what the exact solver takes, planning "exactly" is planning greedily.
            once = plan(snapshot)
            if once.proven or (once.weight, float(once.cost)) != (rough.weight, rough.cost):
                best = self._planned(size, "exact", snapshot, Params())
                if best is not None:
                    yield best
            if self.patience.left() > 0:
                yield self._repaired(size, snapshot)

    def _planned(
        self, size: Size, way: str, snapshot: Snapshot, params: Params
    ) -> Measurement | None:
        """As many runs as there is time for; None if there is none for the first."""
        seconds: list[float] = []
        found = Plan(at=snapshot.at)
        while len(seconds) < self.repeat and self.patience.left() > max(seconds, default=0):
            self.say(f"{size}: {way}, run {len(seconds) + 1} of {self.repeat}")
            began = perf_counter()
            found = plan(snapshot, params)
            seconds.append(perf_counter() - began)
        if not seconds:
            return None
        broken = None
        if size.vehicles <= CHECKED_VEHICLES_AT_MOST:
            self.say(f"{size}: {way}, checking the plan")
            broken = len(violations(snapshot, found))
        return Measurement(
            fleet=str(size),
            way=way,
            seconds=tuple(seconds),
            placed=len(found.placements),
            weight=found.weight,
            bound=found.bound,
            cost=float(found.cost),
            proven=found.proven,
            broken=broken,
            note="" if len(seconds) == self.repeat else f"{len(seconds)} of {self.repeat} runs",
        )

    def _repaired(self, size: Size, snapshot: Snapshot) -> Measurement:
        """A greedy plan, then neighbourhood after neighbourhood, once each."""
        began = perf_counter()
        board = Board(assemble(snapshot), templates_of(snapshot.pending))
        most = bound(board)
        greedy(board)
        neighbourhoods = list(_neighbourhoods(board))
        tried = 0
        start = perf_counter()
        for candidates in neighbourhoods:
            if perf_counter() - start > REPAIR_SECONDS_AT_MOST or self.patience.left() < 0:
                break
            tried += 1
            self.say(f"{size}: repairing, part {tried} of {len(neighbourhoods)}")
            solve(board, candidates, NEIGHBOURHOOD_LITERALS, NEIGHBOURHOOD_WORK, SEED)
        return Measurement(
            fleet=str(size),
            way="repaired",
            seconds=(perf_counter() - began,),
            placed=sum(len(t.pods) for t in board.templates) - sum(board.left),
            weight=board.weight,
            bound=most,
            cost=float(board.money),
            note=f"once, {tried} of {len(neighbourhoods)} parts",
        )


def _neighbourhoods(board: Board) -> Iterator[list[int]]:
    """A few vehicles each that take pods, of one site, so that they share circuits."""
    by_site: dict[str, list[int]] = {}
    for index, candidate in enumerate(board.candidates):
        parked = candidate.parked
        if candidate.refusal is None and parked is not None and parked.case.site is not None:
            by_site.setdefault(parked.case.site.name, []).append(index)
    for there in by_site.values():
        for first in range(0, len(there), NEIGHBOURHOOD_VEHICLES):
            yield there[first : first + NEIGHBOURHOOD_VEHICLES]


def table_of(rows: Sequence[Measurement], repeat: int) -> Table:
    """The rows, for a terminal."""
    table = Table(title=f"Plans of synthetic fleets, seed {SEED}, median of {repeat} runs")
    for name in ("vehicles x pods", "way"):
        table.add_column(name)
    for name in ("seconds", "placed", "weight", "gap", "EUR", "proven", "rules broken"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(
            row.fleet,
            row.way,
            f"{median(row.seconds):.3f}",
            str(row.placed),
            str(row.weight),
            f"{row.gap_percent:.2f} %",
            f"{row.cost:.2f}",
            "yes" if row.proven else "",
            "" if row.broken is None else str(row.broken),
            row.note,
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show progress, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.planner", description=__doc__)
    parser.add_argument("sizes", nargs="*", default=DEFAULT_SIZES, metavar="VEHICLESxPODS")
    parser.add_argument("--repeat", type=int, default=5, help="runs of which the median is shown")
    parser.add_argument("--seconds", type=float, default=110.0, help="to be done by, about")
    given = parser.parse_args(arguments)
    try:
        sizes = [Size.read(text) for text in given.sizes]
    except ValueError as mistake:
        parser.error(str(mistake))
    if given.repeat < 1:
        parser.error("--repeat counts runs: there has to be one.")
    console = Console(stderr=True)
    rows: list[Measurement] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("")

        def say(what: str) -> None:
            progress.update(task, description=what)

        for row in Bench(given.repeat, Patience(given.seconds), say).rows(sizes):
            rows.append(row)
            console.print(f"{row.fleet}, {row.way}: {median(row.seconds):.3f} s")
    Console(width=120 if not sys.stdout.isatty() else None).print(table_of(rows, given.repeat))
    missing = [str(size) for size in sizes if str(size) not in {row.fleet for row in rows}]
    if missing:
        console.print(f"No time was left for {', '.join(missing)}: give more with --seconds.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
