"""Whether what was promised holds: learned departures of stays that taught nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from idlewatt_operator.learning.asking import (
    Questions,
    learned_seconds,
    on_arrival,
    pinball_seconds,
    while_there,
)
from idlewatt_operator.learning.fit import MISS_PERCENTS
from idlewatt_operator.learning.past import Columns, Floats, Ints
from idlewatt_scheduler.departures import LearnedDepartures, learned_departures
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND

CURVE_PERCENTS: Final = (*range(1, 31),)
"""Where the calibration is plotted."""

_EVERY_SECONDS: Final = 30 * MINUTE / SECOND
_SECONDS_PER_HOUR: Final = HOUR / SECOND


@dataclass(frozen=True, slots=True)
class Answer:
    """How one way of answering did, at one probability.

    Attributes:
        percent: the share of departures that may come before the answer.
        missed_percent: the share that did.
        pinball_hours: the mean loss; less is sharper.
        spare_hours: how long before the departure the answer was, on the average, 0 where missed.
    """

    percent: float
    missed_percent: float
    pinball_hours: float
    spare_hours: float


@dataclass(frozen=True, slots=True)
class Checked:
    """One kind of departure, asked in one way.

    Attributes:
        stated: the kind.
        arriving: asked once as each car comes; else every half hour on the clock while it stands.
        stays: how many.
        asked: how many questions.
        learned: by the entries that count, for each of `MISS_PERCENTS`.
        pooled: by the one entry without keys.
        plain: by the stated departure itself; empty where nobody stated one.
        curve: missed percent for each of `CURVE_PERCENTS`.
    """

    stated: bool
    arriving: bool
    stays: int
    asked: int
    learned: tuple[Answer, ...]
    pooled: tuple[Answer, ...]
    plain: tuple[Answer, ...]
    curve: tuple[float, ...]


def check(model: DepartureModel, stays: Columns) -> tuple[Checked, ...]:
    """Ask a model about stays, on arrival and while they stand there.

    Args:
        model: what was learned.
        stays: all of one kind; nothing comes of them where the model says nothing of this kind.
    """
    index = learned_departures(model)
    entries = _entries(index, stays)
    pooled = index.entries.get((stays.stated, None, None, None, None))
    if not len(stays) or pooled is None:
        return ()
    ways = ((True, on_arrival(stays)), (False, while_there(stays, _EVERY_SECONDS)))
    return tuple(
        _checked(asked, entries, pooled, arriving=arriving)
        for arriving, asked in ways
        if asked.stay.size
    )


def _entries(index: LearnedDepartures, stays: Columns) -> list[DepartureQuantiles | None]:
    return [
        index.entry(
            stated=stays.stated, vehicle=stay.vehicle or "", site=stay.site, arrived=stay.arrived
        )
        for stay in stays.rows
    ]


def _checked(
    asked: Questions,
    entries: Sequence[DepartureQuantiles | None],
    pooled: DepartureQuantiles,
    *,
    arriving: bool,
) -> Checked:
    groups = _groups(asked, entries, pooled)
    stays = len(entries)
    return Checked(
        stated=asked.stated,
        arriving=arriving,
        stays=stays,
        asked=int(asked.stay.size),
        learned=tuple(_answer(asked, _learned(asked, groups, p), p) for p in MISS_PERCENTS),
        pooled=tuple(
            _answer(asked, learned_seconds(_points(pooled), asked, p), p) for p in MISS_PERCENTS
        ),
        plain=tuple(_answer(asked, asked.stated_seconds, p) for p in MISS_PERCENTS)
        if asked.stated
        else (),
        curve=tuple(
            _answer(asked, _learned(asked, groups, p), p).missed_percent for p in CURVE_PERCENTS
        ),
    )


def _groups(
    asked: Questions, entries: Sequence[DepartureQuantiles | None], pooled: DepartureQuantiles
) -> list[tuple[Floats, Ints]]:
    """Entries and the questions they answer."""
    numbers: dict[int, int] = {}
    chosen = [entry or pooled for entry in entries]
    of_stay = np.array([numbers.setdefault(id(each), len(numbers)) for each in chosen])
    known = {numbers[id(each)]: each for each in chosen}
    of_question = of_stay[asked.stay]
    return [
        (_points(entry), np.flatnonzero(of_question == number).astype(np.int64))
        for number, entry in known.items()
    ]


def _learned(
    asked: Questions,
    groups: Sequence[tuple[Floats, Ints]],
    percent: float,
) -> Floats:
    answers = np.zeros(asked.stay.size)
    for points, rows in groups:
        answers[rows] = learned_seconds(points, asked.where(rows), percent)
    return answers


def _points(entry: DepartureQuantiles) -> Floats:
    return np.array(entry.points, dtype=np.float64)


def _answer(asked: Questions, answers: Floats, percent: float) -> Answer:
    spare = asked.stay_seconds - answers
    return Answer(
        percent=percent,
        missed_percent=float(100.0 * (spare < 0).mean()),
        pinball_hours=float(pinball_seconds(answers, asked, percent).mean() / _SECONDS_PER_HOUR),
        spare_hours=float(np.maximum(spare, 0.0).mean() / _SECONDS_PER_HOUR),
    )
