"""Planning at scale, measured: `make bench-planner`, or `python -m tests.benchmarks.at_scale`.

Every instance is planned in a process of its own, by `plan()` as the cycle calls it: cold (no
previous plan, kernels compiled), again unchanged, and with 3 % of vehicles and pods changed. Beside
that stand greedy planning alone and kube-scheduler's rule, one pod at a time. Shown are medians
over fresh seeds. Without sizes all cases are measured, and the tables and the picture of the page
docs/reference/benchmarks.md are written. Nothing here passes or fails.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Final

import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from tests.benchmarks.at_scale_page import Report, tables, write_page
from tests.benchmarks.fleets import Size
from tests.benchmarks.from_files import FromFiles, from_files
from tests.benchmarks.instances import Plenty
from tests.benchmarks.manifests import FORMATS
from tests.benchmarks.measuring import Measured

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "reference" / "benchmarks.md"
PICTURE: Final = ROOT / "docs" / "images" / "planner.svg"
CASES: Final = (
    "45x90/tight",
    "100x200/tight",
    "10000x10000/ample",
    "10000x30000/scarce",
    "50000x100000/scarce",
)
GROWTH: Final = ("1000x2000", "2000x4000", "5000x10000", "10000x20000", "20000x40000")
FILES: Final = Size(10_000, 10_000)
FILES_SEEDS: Final = 3
SEEDS: Final = 5
CHECKED_VEHICLES_AT_MOST: Final = 1_000
LONGEST_SECONDS: Final = 1_200
LARGE_VEHICLES: Final = 25_000
WARM: Final = "from idlewatt_scheduler.solvers.warming import warm; warm()"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A size and how much there is of what is asked for."""

    size: Size
    plenty: Plenty

    @classmethod
    def read(cls, text: str) -> "Case":
        """`1000x2000/scarce`; without a word, ample up to a pod a vehicle, else scarce.

        Raises:
            ValueError: it is no size, or nothing is that plentiful.
        """
        size_text, _, word = text.partition("/")
        size = Size.read(size_text)
        if not word:
            return cls(size, Plenty.AMPLE if size.pods <= size.vehicles else Plenty.SCARCE)
        if word not in set(Plenty):
            message = f"Supply is {', '.join(Plenty)}, not {word!r}: write 1000x2000/scarce."
            raise ValueError(message)
        return cls(size, Plenty(word))

    def __str__(self) -> str:
        return f"{self.size}, {self.plenty}"


def measured(case: Case, seed: int, *, beside: bool, check: bool) -> Measured:
    """One instance, in a fresh process.

    Raises:
        RuntimeError: the process failed; what it said is in the message.
    """
    words = ["beside"] if beside else []
    if check or case.size.vehicles <= CHECKED_VEHICLES_AT_MOST:
        words.append("checked")
    size = f"{case.size.vehicles}x{case.size.pods}"
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.measuring", size, case.plenty, str(seed), *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if done.returncode:
        message = f"Measuring {case}, seed {seed}, failed:\n{done.stderr.decode()}"
        raise RuntimeError(message)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measured)


class Records:
    """What was measured already: in a file, where one is named, so that a run can be taken up."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_bytes().splitlines() if path and path.exists() else []
        self._known = {
            (Size(one.vehicles, one.pods), one.plenty, one.seed): one
            for one in (msgspec.json.decode(line, type=Measured) for line in lines)
        }

    def measured(self, case: Case, seed: int, *, beside: bool, check: bool) -> Measured:
        """As it was recorded, or measured now."""
        known = self._known.get((case.size, case.plenty.value, seed))
        if known is not None:
            return known
        made = measured(case, seed, beside=beside, check=check)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(made) + b"\n")
        return made


def machine() -> str:
    """What this was measured on, in a line."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"


@dataclass(frozen=True, slots=True)
class Bench:
    """How to measure, and whom to tell what is being measured."""

    seeds: Sequence[int]
    large_seeds: Sequence[int]
    records: Records
    say: Say
    check: bool

    def runs(self, cases: Sequence[Case], *, beside: bool) -> Iterator[Measured]:
        """Every case with every seed, one after the other."""
        for case in cases:
            large = case.size.vehicles > LARGE_VEHICLES
            seeds = self.large_seeds if large else self.seeds
            for number, seed in enumerate(seeds, 1):
                self.say(f"{case}: seed {seed}, {number} of {len(seeds)}")
                yield self.records.measured(case, seed, beside=beside, check=self.check)

    def growth(self, cases: Sequence[Case]) -> list[Measured]:
        """Each of the sizes, with one seed."""
        one = replace(self, seeds=self.seeds[:1], large_seeds=self.seeds[:1])
        return list(one.runs(cases, beside=False))

    def files(self) -> Iterator[FromFiles]:
        """The command, from YAML and from JSON."""
        for form in FORMATS:
            for seed in self.seeds[:FILES_SEEDS]:
                self.say(f"{FILES}: from {form}, seed {seed}")
                yield from_files(FILES, form, seed)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.at_scale")
    parser.add_argument("cases", nargs="*", metavar="VEHICLESxPODS[/SUPPLY]")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="instances of each size")
    parser.add_argument("--large-seeds", type=int, help="the same of the largest sizes")
    parser.add_argument("--first-seed", type=int, help="fresh ones, unless it is given")
    parser.add_argument("--check", action="store_true", help="check the plans of large fleets, too")
    parser.add_argument("--files", action="store_true", help="measure `idlewatt plan -f`, too")
    parser.add_argument("--growth", nargs="*", metavar="SIZE", help="sizes to grow through")
    parser.add_argument("--write", action="store_true", help="write the page of these cases")
    parser.add_argument("--recorded", type=Path, help="a file of what was measured already")
    parser.add_argument("--alone", action="store_true", help="nothing beside our own plan")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show progress, print tables; write the page where everything was measured."""
    parser = _arguments()
    given = parser.parse_args(arguments)
    if given.seeds < 1:
        parser.error("--seeds counts instances: there has to be one.")
    try:
        cases = [Case.read(text) for text in given.cases or CASES]
    except ValueError as mistake:
        parser.error(str(mistake))
    sizes = given.growth if given.growth is not None else ([] if given.cases else GROWTH)
    growth = [Case(Size.read(text), Plenty.SCARCE) for text in sizes]
    first = given.first_seed
    if first is None:
        first = SystemRandom().randrange(1_000, 10**6)
    seeds = range(first, first + given.seeds)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("")

        def say(what: str) -> None:
            progress.update(task, description=what)
            if not console.is_terminal:
                console.print(what)

        say("compiling the kernels, where that was not done before")
        subprocess.run([sys.executable, "-c", WARM], cwd=ROOT, check=True)
        large = seeds[: given.large_seeds or given.seeds]
        bench = Bench(seeds, large, Records(given.recorded), say, given.check)
        report = Report(
            cases=list(bench.runs(cases, beside=not given.alone)),
            growth=bench.growth(growth),
            files=list(bench.files()) if given.files or not given.cases else [],
            machine=machine(),
            day=datetime.now(UTC).date().isoformat(),
            seeds=tuple(seeds),
        )
    for table in tables(report):
        Console(width=150 if not sys.stdout.isatty() else None).print(table)
    if given.write or not given.cases:
        write_page(report, PAGE, PICTURE)
        console.print(f"Wrote {PAGE.relative_to(ROOT)} and {PICTURE.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
