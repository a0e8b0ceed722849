"""What was learned of departures: how early people leave, as quantiles."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DepartureQuantiles:
    """The distribution of a duration, for the departures that its keys tell.

    A key that is None tells any.

    Attributes:
        stated: the duration is the stated departure less the actual one; otherwise a stay.
        site: of the departure.
        vehicle: of the departure.
        weekday: of the arrival, local to the site, Monday is 0.
        hour: of the arrival, local to the site.
        seconds: the quantiles at 0, 1, ..., 100 %, never falling.
    """

    stated: bool
    seconds: tuple[int, ...]
    site: str | None = None
    vehicle: str | None = None
    weekday: int | None = None
    hour: int | None = None


@dataclass(frozen=True, slots=True)
class DepartureModel:
    """All that was learned; the most telling entry counts."""

    quantiles: tuple[DepartureQuantiles, ...] = ()
