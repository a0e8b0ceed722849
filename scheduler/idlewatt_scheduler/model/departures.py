"""What was learned of departures: how early people leave, as quantiles."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DepartureQuantiles:
    """A distribution, for the departures that its keys tell.

    A key that is None tells any.

    Attributes:
        stated: it is of the stated departure less the actual one, in millionths of the stated stay;
            otherwise of the length of a stay, in seconds.
        points: the quantiles at 0, 1, ..., 100 %, whole numbers that never fall.
        site: of the departure.
        vehicle: of the departure.
        weekday: of the arrival, local to the site, Monday is 0.
        hour: of the arrival, local to the site.
    """

    stated: bool
    points: tuple[int, ...]
    site: str | None = None
    vehicle: str | None = None
    weekday: int | None = None
    hour: int | None = None


@dataclass(frozen=True, slots=True)
class DepartureModel:
    """All that was learned; the most telling entry counts."""

    quantiles: tuple[DepartureQuantiles, ...] = ()
