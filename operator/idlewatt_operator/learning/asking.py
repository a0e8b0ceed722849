"""The rule of learned departures on columns of questions: docs/reference/rules.md, but in floats.

Fitting asks it hundreds of thousands of times; plans use the exact one of the core. A test holds
the two together.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from idlewatt_operator.learning.past import WHOLE, Columns, Floats, Ints

_LEVELS: Final = np.arange(101.0)


@dataclass(frozen=True, slots=True)
class Questions:
    """Instants at which cars stood there, and what became of them.

    Attributes:
        stated: of which kind the quantiles are.
        stay: number of the row in the columns that were asked about.
        age_seconds: since the arrival.
        stay_seconds: from the arrival until it left, at least `age_seconds`.
        stated_seconds: from the arrival until the stated departure, more than `age_seconds`.
    """

    stated: bool
    stay: Ints
    age_seconds: Floats
    stay_seconds: Floats
    stated_seconds: Floats

    def where(self, chosen: Ints) -> "Questions":
        """The chosen ones."""
        return Questions(
            stated=self.stated,
            stay=self.stay[chosen],
            age_seconds=self.age_seconds[chosen],
            stay_seconds=self.stay_seconds[chosen],
            stated_seconds=self.stated_seconds[chosen],
        )


def on_arrival(stays: Columns) -> Questions:
    """One question for each stay, as the car comes."""
    numbers = np.arange(len(stays), dtype=np.int64)
    return _questions(stays, numbers, np.zeros(len(stays)))


def while_there(stays: Columns, every_seconds: float) -> Questions:
    """Questions on the clock for as long as a car stands there, and no longer than was stated.

    Whoever asks by the clock asks long stays more often; that is what a plan does.
    """
    until = np.minimum(stays.stay_seconds, stays.stated_seconds) if stays.stated else None
    until = stays.stay_seconds if until is None else until
    first = -stays.arrived % every_seconds
    counts = np.maximum(0, np.ceil((until - first) / every_seconds)).astype(np.int64)
    numbers = np.repeat(np.arange(len(stays), dtype=np.int64), counts)
    nth = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return _questions(stays, numbers, first[numbers] + nth * every_seconds)


def merged(first: Questions, second: Questions) -> Questions:
    """Both, in order of the stays they are about."""
    order = np.argsort(np.concatenate((first.stay, second.stay)), kind="stable")
    both = Questions(
        stated=first.stated,
        stay=np.concatenate((first.stay, second.stay)),
        age_seconds=np.concatenate((first.age_seconds, second.age_seconds)),
        stay_seconds=np.concatenate((first.stay_seconds, second.stay_seconds)),
        stated_seconds=np.concatenate((first.stated_seconds, second.stated_seconds)),
    )
    return both.where(order)


def _questions(stays: Columns, numbers: Ints, ages: Floats) -> Questions:
    return Questions(
        stated=stays.stated,
        stay=numbers,
        age_seconds=ages,
        stay_seconds=stays.stay_seconds[numbers],
        stated_seconds=stays.stated_seconds[numbers],
    )


def learned_seconds(points: Floats, asked: Questions, miss_percent: float) -> Floats:
    """The learned departure in seconds since the arrival, of one entry."""
    return from_reached(points, asked, reached_percent(points, asked), miss_percent)


def reached_percent(points: Floats, asked: Questions) -> Floats:
    """How much of the distribution is left (stated), or has passed, at each instant."""
    if asked.stated:
        left = asked.stated_seconds - asked.age_seconds
        return share_below(points, left / asked.stated_seconds * WHOLE)
    return share_below(points, asked.age_seconds)


def from_reached(points: Floats, asked: Questions, reached: Floats, miss_percent: float) -> Floats:
    """The learned departure, `reached` being known."""
    age = asked.age_seconds
    if asked.stated:
        early = np.interp(reached * (100.0 - miss_percent) / 100.0, _LEVELS, points)
        learned = asked.stated_seconds * (1.0 - np.maximum(0.0, early) / WHOLE)
        learned = np.where(reached == 0.0, age, learned)
    else:
        learned = np.interp(reached + (100.0 - reached) * miss_percent / 100.0, _LEVELS, points)
        learned = np.where(reached == 100.0, age, learned)  # noqa: PLR2004 - percent
    return np.maximum(age, learned)


def share_below(points: Floats, values: Floats) -> Floats:
    """The percentage of a distribution below each value; see the core's function of this name."""
    above = np.searchsorted(points, values, side="left")
    inside = np.clip(above, 1, points.size - 1)
    low, high = points[inside - 1], points[inside]
    with np.errstate(divide="ignore", invalid="ignore"):
        linear = inside - 1 + (values - low) / (high - low)
    shares = np.where(above == 0, 0.0, np.where(above == points.size, 100.0, linear))
    return np.asarray(shares, dtype=np.float64)


def pinball_seconds(learned: Floats, asked: Questions, miss_percent: float) -> Floats:
    """What an answer costs: an hour too early `p` %, an hour too late the rest of an hour."""
    spare = asked.stay_seconds - learned
    share = miss_percent / 100.0
    return np.where(spare >= 0.0, share * spare, (share - 1.0) * spare)
