"""Stays of the past, as rows and as the columns that fitting works on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

WHOLE: Final = 1_000_000
"""The stated stay, in the unit of a stated entry's quantiles."""

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PastStay:
    """A car that came and left.

    Attributes:
        line: of the file it was read from.
        site: where it stood.
        vehicle: which it was; None where the file does not tell.
        arrived: local to the site, with its zone.
        stay_seconds: until it left, more than 0.
        stated_seconds: from the arrival until when its driver had said it would leave, more than
            0; None where nobody had said.
    """

    line: int
    site: str
    vehicle: str | None
    arrived: datetime
    stay_seconds: float
    stated_seconds: float | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Stays of one kind in order of arrival, a value of each in every column.

    Attributes:
        stated: whether the values are of stated departures.
        rows: the stays themselves; of a part of them still those of the whole.
        values: stated less actual departure in millionths of the stated stay, or seconds stayed.
        stay_seconds: until it left.
        stated_seconds: the stated stay; the whole of it is `WHOLE`. 1 where the kind is stays.
        site: number of the site's name in `sites`.
        vehicle: number of the vehicle's name in `vehicles`, -1 where it is unknown.
        hour: of the arrival, local.
        weekday: of the arrival, local, Monday is 0.
        arrived: seconds since the epoch.
    """

    stated: bool
    rows: tuple[PastStay, ...]
    sites: tuple[str, ...]
    vehicles: tuple[str, ...]
    values: Floats
    stay_seconds: Floats
    stated_seconds: Floats
    site: Ints
    vehicle: Ints
    hour: Ints
    weekday: Ints
    arrived: Floats

    def __len__(self) -> int:
        return int(self.values.size)

    def where(self, chosen: Flags | Ints) -> "Columns":
        """The chosen rows, or rows in this order."""
        return Columns(
            stated=self.stated,
            rows=self.rows,
            sites=self.sites,
            vehicles=self.vehicles,
            values=self.values[chosen],
            stay_seconds=self.stay_seconds[chosen],
            stated_seconds=self.stated_seconds[chosen],
            site=self.site[chosen],
            vehicle=self.vehicle[chosen],
            hour=self.hour[chosen],
            weekday=self.weekday[chosen],
            arrived=self.arrived[chosen],
        )


def columns(stays: Sequence[PastStay], *, stated: bool) -> Columns:
    """Stays as columns.

    Args:
        stays: any; of `stated` ones all have a stated departure.
        stated: which value is looked at.
    """
    rows = sorted(stays, key=lambda stay: stay.arrived.timestamp())
    sites = tuple(sorted({stay.site for stay in rows}))
    vehicles = tuple(sorted({stay.vehicle for stay in rows if stay.vehicle is not None}))
    stay = np.array([row.stay_seconds for row in rows], dtype=np.float64)
    said = np.array(
        [(row.stated_seconds or 1.0) if stated else 1.0 for row in rows], dtype=np.float64
    )
    numbers = {name: index for index, name in enumerate(sites)}
    cars = {name: index for index, name in enumerate(vehicles)}
    return Columns(
        stated=stated,
        rows=tuple(rows),
        sites=sites,
        vehicles=vehicles,
        values=(said - stay) / said * WHOLE if stated else stay,
        stay_seconds=stay,
        stated_seconds=said,
        site=np.array([numbers[row.site] for row in rows], dtype=np.int64),
        vehicle=np.array([cars.get(row.vehicle or "", -1) for row in rows], dtype=np.int64),
        hour=np.array([row.arrived.hour for row in rows], dtype=np.int64),
        weekday=np.array([row.arrived.weekday() for row in rows], dtype=np.int64),
        arrived=np.array([row.arrived.timestamp() for row in rows], dtype=np.float64),
    )


def stated_columns(stays: Sequence[PastStay]) -> Columns:
    """The stays whose departure was stated."""
    return columns([stay for stay in stays if stay.stated_seconds is not None], stated=True)


def unstated_columns(stays: Sequence[PastStay]) -> Columns:
    """The stays of which nobody said when they would end."""
    return columns([stay for stay in stays if stay.stated_seconds is None], stated=False)


ENOUGH_UNSTATED: Final = 100
"""So many stays without a stated departure tell more of such stays than all stays together."""


def stay_columns(stays: Sequence[PastStay]) -> Columns:
    """The stays that lengths are learned from: those of which nobody said when they would end.

    Where these are fewer than `ENOUGH_UNSTATED`, all of them: a driver who says nothing today
    may have said it yesterday.
    """
    unstated = unstated_columns(stays)
    return unstated if len(unstated) >= ENOUGH_UNSTATED else columns(stays, stated=False)
