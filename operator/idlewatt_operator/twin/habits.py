"""What earlier stays at the same homes tell of departures: word and deed, counted once."""

from typing import Final

from idlewatt_operator.resources.learned import Learned, Named
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.departures import WHOLE
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles

_PERCENTS: Final = 100


def learned(stays: list[Stay]) -> Learned:
    """A model of one entry: stated less actual departure, as a share of the stated stay.

    Args:
        stays: of other days than those that it is used on; at least one with a stated departure.
    """
    shares = sorted(
        (stay.stated_leave_at - stay.leaves_at) * WHOLE // (stay.stated_leave_at - stay.arrives_at)
        for stay in stays
        if stay.stated_leave_at is not None and stay.stated_leave_at > stay.arrives_at
    )
    last = len(shares) - 1
    points = tuple(shares[percent * last // _PERCENTS] for percent in range(_PERCENTS + 1))
    model = DepartureModel((DepartureQuantiles(stated=True, points=points),))
    return Learned(Named("idlewatt-system", "departures"), model)
