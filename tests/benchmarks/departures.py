"""Whether learned departures hold where nothing was learned: `make bench-departures`.

Workplace sessions that are in the wheel: learned from two months, asked about the next two, and
the other way round. Homes, where IDLEWATT_HOME_SESSIONS names the published file (it is not ours
to pass on): learned from earlier months, asked about later ones; learned at three buildings, asked
about the fourth; and learned at the workplace, asked about homes. Last, what comes of charging that
is planned by a departure which recedes, beside one that was learned on arrival. Nothing here passes
or fails.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import resources
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from idlewatt_operator.cli.calibration import table
from idlewatt_operator.learning.calibration import Checked, check
from idlewatt_operator.learning.fit import MISS_PERCENTS, fit
from idlewatt_operator.learning.learned import BYTES_EVER, BYTES_MOST, learned
from idlewatt_operator.learning.past import PastStay, stated_columns, stay_columns, unstated_columns
from idlewatt_operator.learning.plot import picture
from idlewatt_operator.learning.reading import read
from idlewatt_operator.resources.departures import to_model
from idlewatt_scheduler.departures import after_a_stay, learned_departures
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.units import SECOND

HOMES = "IDLEWATT_HOME_SESSIONS"
WORKPLACE_FILE = "acn_caltech_2019-05_2019-08.csv.gz"
WORKPLACE_SPLIT = date(2019, 7, 1)
HOMES_SPLIT = date(2019, 8, 1)


@dataclass(frozen=True, slots=True)
class Trial:
    """What is learned from, and what is asked about.

    Attributes:
        heading: above its picture; empty: it is not drawn.
    """

    name: str
    taught: Sequence[PastStay]
    asked: Sequence[PastStay]
    bytes_most: int = BYTES_MOST
    heading: str = ""


def workplace() -> Sequence[PastStay]:
    """The sessions at Caltech."""
    place = resources.files("idlewatt_operator.twin") / "data" / WORKPLACE_FILE
    with resources.as_file(place) as path:
        return read(path, None, {}).stays


def homes() -> Sequence[PastStay]:
    """The sessions of the Norwegian homes; none where nobody says where they are."""
    place = os.environ.get(HOMES)
    return read(Path(place), None, {}).stays if place else ()


def trials() -> Iterator[Trial]:
    """All there is to try."""
    at_work, at_home = workplace(), homes()
    early, late = _split(at_work, lambda stay: stay.arrived.date() < WORKPLACE_SPLIT)
    yield Trial("Caltech: May and June, asked about July and August", early, late, heading="Work")
    yield Trial("Caltech: July and August, asked about May and June", late, early)
    if not at_home:
        return
    early, late = _split(at_home, lambda stay: stay.arrived.date() < HOMES_SPLIT)
    yield Trial("Homes: until July 2019, asked about later", early, late, heading="Homes")
    yield Trial("The same within 1 MB", early, late, BYTES_EVER)
    nobody = [replace(stay, vehicle=None) for stay in early]
    yield Trial("The same without vehicles", nobody, late)
    for site in sorted({stay.site for stay in at_home}):
        there, others = _split(at_home, lambda stay, site=site: stay.site == site)  # type: ignore[misc]
        yield Trial(f"Homes: the other buildings, asked about {site}", others, there)
    yield Trial("Caltech, asked about homes", at_work, at_home, heading="Homes, from work")


NEEDED_SECONDS = 7_200
QUARTER_SECONDS = 900
EVERY_NTH = 3


def put_off(stays: Sequence[PastStay], model: DepartureModel, percent: int) -> tuple[float, float]:
    """How many cars left uncharged, in percent: by a receding departure, and by that on arrival.

    A car needs two hours, and charges only in quarters in which it could not be done later. One
    that leaves within its two hours misses nothing that charging at once would have given it,
    if it charged for all of them but a quarter.
    """
    index = learned_departures(model)
    short = [0, 0]
    for stay in stays:
        entry = index.entry(
            stated=False, vehicle=stay.vehicle or "", site=stay.site, arrived=stay.arrived
        )
        if entry is not None:
            for way, receding in enumerate((True, False)):
                short[way] += _left_short(stay, entry.points, percent, receding=receding)
    return 100 * short[0] / len(stays), 100 * short[1] / len(stays)


def _left_short(stay: PastStay, points: tuple[int, ...], percent: int, *, receding: bool) -> bool:
    charged = age = 0
    by = after_a_stay(points, 0, percent, 0) / SECOND
    while age < stay.stay_seconds and charged < NEEDED_SECONDS:
        if receding:
            by = after_a_stay(points, 0, percent, age * SECOND) / SECOND
        if by - age <= NEEDED_SECONDS - charged + QUARTER_SECONDS:
            charged += QUARTER_SECONDS
        age += QUARTER_SECONDS
    could = min(NEEDED_SECONDS, stay.stay_seconds)
    return min(charged, stay.stay_seconds) < could - QUARTER_SECONDS


def told_put_off(console: Console) -> None:
    """The table of it, for homes."""
    early, late = _split(homes(), lambda stay: stay.arrived.date() < HOMES_SPLIT)
    found = learned([fit(stay_columns(early))], early, "", "local", BYTES_MOST)
    model = to_model(found.entries)
    rows = Table("May leave earlier", "uncharged: receding", "uncharged: as of the arrival")
    for percent in MISS_PERCENTS:
        receding, arrived = put_off(late[::EVERY_NTH], model, percent)
        rows.add_row(f"{percent} %", f"{receding:.1f} %", f"{arrived:.1f} %")
    console.rule("Homes: two hours of charging, as late as it may be")
    console.print(rows)


def _split(
    stays: Sequence[PastStay], first: Callable[[PastStay], bool]
) -> tuple[list[PastStay], list[PastStay]]:
    return [stay for stay in stays if first(stay)], [stay for stay in stays if not first(stay)]


def tried(trial: Trial, console: Console) -> tuple[Checked, ...]:
    """Learn and ask, and tell it."""
    began = perf_counter()
    fits = [
        fit(columns)
        for columns in (stated_columns(trial.taught), stay_columns(trial.taught))
        if len(columns)
    ]
    found = learned(fits, trial.taught, "", "local", trial.bytes_most)
    took = perf_counter() - began
    vehicles = sum(site.vehicles for site in found.provenance.sites)
    console.rule(trial.name)
    console.print(
        f"{len(trial.taught):,} stays taught {len(found.entries)} entries, {vehicles} vehicles "
        f"among them, in {took:.1f} s; {found.left_out} found no room.\n",
        highlight=False,
    )
    model = to_model(found.entries)
    checked = tuple(
        each
        for columns in (stated_columns(trial.asked), unstated_columns(trial.asked))
        for each in check(model, columns)
    )
    for each in checked:
        console.print(table(each))
    return checked


def main() -> None:
    """Try all there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", type=Path, help="draw the calibrations into this SVG")
    arguments = parser.parse_args()
    console = Console(width=120)
    drawn = []
    for trial in trials():
        checked = tried(trial, console)
        if trial.heading:
            drawn.append((trial.heading, checked))
    if os.environ.get(HOMES):
        told_put_off(console)
    else:
        console.print(f"{HOMES} is not set: homes were not tried.")
    if arguments.plot is not None:
        title = "How often cars left before their learned departure, against what was promised"
        arguments.plot.write_text(picture(title, drawn), encoding="utf-8")


if __name__ == "__main__":
    main()
