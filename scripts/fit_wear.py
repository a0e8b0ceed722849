"""Fit the wear model to NREL's published cell models, and write what it is compared with.

    python scripts/fit_wear.py fit          # scheduler/idlewatt_scheduler/wear_coefficients.py
    python scripts/fit_wear.py reference    # tests/unit/scheduler/wear_{grid,beside}.csv
    python scripts/fit_wear.py check 20 7   # prints 20 more points, drawn with the seed 7

`make wear` runs the first two in an environment of its own: blast-lite needs a numpy that the
planner does not run with, and nothing else needs blast-lite. `fit` takes half a minute,
`reference` some ten minutes on one core.

The cell models are simulated, never read: every coefficient follows from the fade they predict.
"""

import csv
import itertools
import math
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from blast import models

ROOT: Final = Path(__file__).resolve().parents[1]
COEFFICIENTS: Final = ROOT / "scheduler" / "idlewatt_scheduler" / "wear_coefficients.py"
GRID: Final = ROOT / "tests" / "unit" / "scheduler" / "wear_grid.csv"
BESIDE: Final = ROOT / "tests" / "unit" / "scheduler" / "wear_beside.csv"

CELLS: Final = {
    "NCA": ("Nca_Gr_Panasonic3Ah_Battery", "10.1149/2.0411609jes, 10.1149/1945-7111/abae37"),
    "LFP": ("Lfp_Gr_250AhPrismatic", "10.1016/j.est.2023.109042"),
    "NMC811": ("Nmc811_GrSi_LGMJ1_4Ah_Battery", "EVERLASTING project, report D2.3 (2020)"),
}
"""Of each chemistry the model that stands for it, and where its ageing tests were published."""

YEARS: Final = range(1, 9)
DAY_HOURS: Final = 24
STEP_HOURS: Final = 0.1
KELVIN: Final = 273.15
FADE_AT_END_OF_LIFE: Final = 0.3
CHARGES: Final = tuple(range(0, 101, 5))
MIDDLE: Final = CHARGES.index(50)
CENTS_PER_EUR: Final = 100
COST_PER_KWH: Final = 100


@dataclass(frozen=True)
class Point:
    """One row of the tables: a pack, a night of computing, and how many years of such nights."""

    chemistry: str
    ambient_celsius: float
    rise_kelvin: float
    source: str
    charge_percent: float
    years: int
    capacity_kwh: float = 75.0
    driven_kwh: float = 7.0
    computing_kw: float = 1.0
    hours: float = 8.0

    @property
    def kwh(self) -> float:
        """What one night computes with."""
        return self.computing_kw * self.hours


def cell(chemistry: str) -> Any:  # noqa: ANN401 # blast-lite has no types
    """A new cell of the model that stands for the chemistry."""
    return getattr(models, CELLS[chemistry][0])()


# What the cell models say


def day(point: Point, *, computing: bool) -> dict[str, Any]:
    """One day as the cell models take it, in steps of a tenth of an hour.

    The night begins at the charge that was observed. A pod computes for some hours; on the battery
    the charge falls meanwhile. Then the car is driven, and charged at once to what it had,
    a tenth of an hour each. So it stands until the next night.
    """
    hours = np.arange(round(DAY_HOURS / STEP_HOURS) + 1) * STEP_HOURS
    driven = point.driven_kwh / point.capacity_kwh
    drawn = point.kwh / point.capacity_kwh if computing and point.source == "battery" else 0.0
    passed = np.clip(hours / point.hours, 0, 1)
    left = np.clip((hours - point.hours) / STEP_HOURS, 0, 1)
    back = np.clip((hours - point.hours) / STEP_HOURS - 1, 0, 1)
    warm = np.where(hours < point.hours - STEP_HOURS / 2, 1.0, 0.0)
    # Half a step at the edge: the trapezoids of the cell models then hold exactly so many hours.
    warm = np.where(np.abs(hours - point.hours) <= STEP_HOURS / 2, 0.5, warm)
    charge = point.charge_percent / 100 - drawn * passed - driven * left + (driven + drawn) * back
    rise = point.rise_kelvin if computing else 0.0
    return {
        "Time_s": hours * 3600,
        "SOC": charge,
        "Temperature_C": point.ambient_celsius + rise * warm,
    }


@cache
def fade(point: Point, *, computing: bool, quick: bool) -> Any:  # noqa: ANN401
    """The share of its capacity a cell has lost after each of `point.years` years of such days.

    Quick: what a day does is worked out on the first alone, not on each as the cell has become.
    """
    simulated = cell(point.chemistry)
    simulated.simulate_battery_life(
        day(point, computing=computing),
        threshold_time=point.years + 0.01,
        is_constant_input=quick,
    )
    years = np.arange(1, point.years + 1)
    return np.interp(years, simulated.stressors["t_days"] / 365, 1 - simulated.outputs["q"])


def cents_per_kwh(points: Sequence[Point], *, quick: bool) -> Iterator[float]:
    """What the cell model says of points that differ in nothing but their years."""
    last = max(points, key=lambda point: point.years)
    idle = replace(last, rise_kelvin=0.0, source="wall", computing_kw=0.0)
    lost = fade(last, computing=True, quick=quick) - fade(idle, computing=False, quick=quick)
    for point in points:
        share = lost[point.years - 1]
        worth = COST_PER_KWH * CENTS_PER_EUR * point.capacity_kwh / FADE_AT_END_OF_LIFE
        yield float(share * worth / (365 * point.years * point.kwh))


# The fit


def ageing(chemistry: str, days: dict[str, Any], output: str) -> tuple[Any, Any]:
    """Days, and the loss of one kind, at the end of each year of a cell that has such days."""
    simulated = cell(chemistry)
    simulated.simulate_battery_life(days, threshold_time=max(YEARS) + 0.01, is_constant_input=True)
    at = np.array(YEARS) * 365.0
    return at, np.interp(at, simulated.stressors["t_days"], 1 - simulated.outputs[output])


def power_law(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, Any]:
    """The one exponent, and the factor of each row, of rows y = factor x^exponent."""
    slopes = [np.polyfit(np.log(x), np.log(y), 1)[0] for x, y in zip(xs, ys, strict=True)]
    exponent = float(np.mean(slopes))
    factors = [
        math.exp(float(np.mean(np.log(y) - exponent * np.log(x))))
        for x, y in zip(xs, ys, strict=True)
    ]
    return exponent, np.array(factors)


def standing(chemistry: str) -> dict[str, Any]:
    """The loss by standing: ln of the factor = log - (kelvin - charge_kelvin) / T."""
    temperatures = np.arange(-10.0, 51.0, 10.0)
    conditions = list(itertools.product(temperatures, CHARGES))
    hours = np.arange(0, DAY_HOURS + 1.0)
    runs = [
        ageing(
            chemistry,
            {
                "Time_s": hours * 3600,
                "SOC": np.full(len(hours), charge / 100),
                "Temperature_C": np.full(len(hours), temperature),
            },
            "q_t",
        )
        for temperature, charge in conditions
    ]
    exponent, factors = power_law([x for x, _ in runs], [y for _, y in runs])
    logs = np.log(factors)
    rows = [
        [1.0, *(charge == node and 1 / (temperature + KELVIN) for node in CHARGES)]
        for temperature, charge in conditions
    ]
    log, *per_node = np.linalg.lstsq(np.array(rows), logs, rcond=None)[0]
    middle = per_node[MIDDLE]
    return {
        "standing_log": log,
        "standing_kelvin": -middle,
        "charge_kelvin": [node - middle for node in per_node],
        "standing_exponent": exponent,
    }


def cycling(chemistry: str) -> dict[str, Any]:
    """The loss by throughput: factor = (fixed + depth x + rate y) exp(kelvin / T)."""
    temperatures = (0.0, 10.0, 25.0, 35.0, 45.0)
    swings = list(itertools.product((0.05, 0.1, 0.2, 0.4, 0.8), (1, 2, 3)))
    conditions = list(itertools.product(temperatures, swings))
    runs = []
    for temperature, (depth, times) in conditions:
        hours = np.arange(0, DAY_HOURS + 0.01, 0.5)
        phase = hours * times % DAY_HOURS / DAY_HOURS
        at, lost = ageing(
            chemistry,
            {
                "Time_s": hours * 3600,
                "SOC": 0.9 - depth * (1 - np.abs(1 - 2 * phase)),
                "Temperature_C": np.full(len(hours), temperature),
            },
            "q_EFC",
        )
        runs.append((at * depth * times, lost))
    exponent, factors = power_law([x for x, _ in runs], [y for _, y in runs])
    columns = len(swings)
    inverse = np.repeat([1 / (t + KELVIN) for t in temperatures], columns)
    # Every swing has a level of its own, and all have one temperature.
    own = (np.tile(row, len(temperatures)) for row in np.eye(columns))
    design = np.column_stack([inverse, *own])
    kelvin, *levels = np.linalg.lstsq(design, np.log(factors), rcond=None)[0]
    level = np.exp(levels)
    terms = np.array([[1.0, depth, depth * times / 12] for depth, times in swings])
    relative = np.linalg.lstsq(terms / level[:, None], np.ones(columns), rcond=None)[0]
    fixed, per_depth, per_rate = relative
    return {
        "cycling_fixed": fixed,
        "cycling_per_depth": per_depth,
        "cycling_per_rate": per_rate,
        "cycling_kelvin": kelvin,
        "cycling_exponent": exponent,
    }


HEAD: Final = '''\
"""The coefficients of the wear model. Generated by `make wear`; do not edit.

Data only: the planner and the check of its plans each have an evaluation of their own, as
docs/explanation/wear.md says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Cell:
    """How cells of one chemistry fade.

    Attributes:
        model: the cell model of blast-lite that they were fitted to.
        published: where the ageing tests behind it were published.
        standing_log: ln of the share lost per day^standing_exponent, were 1/T 0.
        standing_kelvin: its fall with 1/T, at a charge of 50 %.
        charge_kelvin: what a charge of 0, 5, ... 100 % takes off that.
        standing_exponent: of the days.
        cycling_fixed: share lost per full cycle^cycling_exponent.
        cycling_per_depth: the same, per depth of the day's cycle, 0 to 1.
        cycling_per_rate: the same, per mean rate of the day, in capacities per hour.
        cycling_kelvin: its rise with 1/T.
        cycling_exponent: of the full cycles.
    """

    model: str
    published: str
    standing_log: Decimal
    standing_kelvin: Decimal
    charge_kelvin: tuple[Decimal, ...]
    standing_exponent: Decimal
    cycling_fixed: Decimal
    cycling_per_depth: Decimal
    cycling_per_rate: Decimal
    cycling_kelvin: Decimal
    cycling_exponent: Decimal


CELLS: Final[Mapping[str, Cell]] = MappingProxyType(
    {
'''
TAIL: Final = '''\
    }
)
"""By chemistry, as a vehicle's `battery.chemistry` names it."""
'''


def rounded(name: str, value: float) -> str:
    """Hundredths of a kelvin; of everything else six digits."""
    return (
        f'Decimal("{round(value, 2) + 0:.2f}")' if "kelvin" in name else f'Decimal("{value:.6g}")'
    )


def written(chemistry: str) -> Iterator[str]:
    """The lines of one cell."""
    model, published = CELLS[chemistry]
    yield f'        "{chemistry}": Cell('
    yield f'            model="{model}",'
    yield f'            published="{published}",'
    for name, value in (standing(chemistry) | cycling(chemistry)).items():
        if isinstance(value, list):
            yield f"            {name}=("
            yield from (f"                {rounded(name, node)}," for node in value)
            yield "            ),"
        else:
            yield f"            {name}={rounded(name, value)},"
    yield "        ),"


def fit() -> None:
    """Write the coefficients."""
    lines = [line for chemistry in CELLS for line in written(chemistry)]
    COEFFICIENTS.write_text(HEAD + "\n".join(lines) + "\n" + TAIL, encoding="utf-8")


# The tables


def grid() -> Iterator[list[Point]]:
    """The whole grid; each list differs in its years only."""
    for chemistry, ambient, rise, source, charge in itertools.product(
        CELLS, (0, 10, 25, 35), (0, 2, 5, 10), ("battery", "wall"), (50, 60, 70, 80, 90)
    ):
        yield [Point(chemistry, ambient, rise, source, charge, years) for years in YEARS]


def beside(count: int, seed: int) -> Iterator[list[Point]]:
    """Points beside the grid, of each chemistry and source: other packs, days and nights."""
    draw = random.Random(seed)  # noqa: S311 # points to look at, not secrets
    kinds = itertools.cycle(itertools.product(CELLS, ("battery", "wall")))
    for chemistry, source in itertools.islice(kinds, count):
        point = Point(
            chemistry,
            ambient_celsius=round(draw.uniform(0, 35), 1),
            rise_kelvin=round(draw.uniform(0, 10), 1),
            source=source,
            charge_percent=round(draw.uniform(50, 90), 1),
            years=draw.randint(1, 8),
            capacity_kwh=round(draw.uniform(40, 100), 1),
            driven_kwh=round(draw.uniform(0, 20), 1),
            computing_kw=round(draw.uniform(0.3, 1), 2),
            hours=draw.randint(8, 20) / 2,
        )
        # As much is driven as is there; the cell models have no answer below an empty cell.
        spare = point.charge_percent / 100 * point.capacity_kwh - point.kwh
        yield [replace(point, driven_kwh=min(point.driven_kwh, round(0.9 * spare, 1)))]


def table(rows: Iterable[list[Point]], *, quick: bool) -> Iterator[list[str]]:
    """The points with what the cell model says of each, in cents per kWh."""
    for points in rows:
        for point, cents in zip(points, cents_per_kwh(points, quick=quick), strict=True):
            yield [*(f"{value}" for value in astuple(point)), f"{cents:.4f}"]


def reference() -> None:
    """Write both tables."""
    for path, rows, quick in ((GRID, grid(), True), (BESIDE, beside(150, 1), False)):
        with path.open("w", encoding="utf-8", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow([*(column.name for column in fields(Point)), "cents_per_kwh"])
            out.writerows(table(rows, quick=quick))


def check(count: int, seed: int) -> None:
    """Print points beside the grid and what the cell models say of them, as in the tables."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([*(column.name for column in fields(Point)), "cents_per_kwh"])
    out.writerows(table(beside(count, seed), quick=False))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fit"]:
            fit()
        case ["reference"]:
            reference()
        case ["check", count, seed]:
            check(int(count), int(seed))
        case _:
            sys.exit(__doc__)
