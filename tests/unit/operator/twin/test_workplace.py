"""A workplace's day is the day as it was measured."""

from datetime import date

import pytest

from idlewatt_operator.twin.datasets import CALIFORNIA, CaltechSession, caltech_sessions
from idlewatt_operator.twin.places import DataError, local_time
from idlewatt_operator.twin.quarters import quarters
from idlewatt_operator.twin.workplace import a_day
from idlewatt_scheduler.calendar import instant_of

THURSDAY = date(2019, 7, 25)


def test_every_session_of_the_day_is_played_at_its_own_time() -> None:
    """Arrivals and departures are the file's, to the second; none is left out."""
    stays = a_day(THURSDAY, 20, 1).stays
    own = [
        each
        for each in caltech_sessions()
        if each.arrival.astimezone(CALIFORNIA).date() == THURSDAY
    ]
    assert [(stay.arrives_at, stay.leaves_at) for stay in stays] == [
        (instant_of(each.arrival), instant_of(each.departure)) for each in own
    ]


def test_a_session_takes_the_energy_that_it_took() -> None:
    """Charged at once, each stay ends with what was delivered, less the charger's loss."""
    for stay, session in zip(a_day(THURSDAY, 20, 1).stays, _own(), strict=True):
        gained = stay.alone_watt_hours(stay.leaves_at) - stay.arrival_watt_hours
        assert gained == pytest.approx(session.delivered_kwh * 900, rel=0.001)


def _own() -> list[CaltechSession]:
    return [
        each
        for each in caltech_sessions()
        if each.arrival.astimezone(CALIFORNIA).date() == THURSDAY
    ]


def test_who_claimed_nothing_has_no_window() -> None:
    """A stated departure only means something where a driver made it."""
    scenario = a_day(THURSDAY, 20, 1)
    for vehicle, session in zip(scenario.vehicles, _own(), strict=True):
        assert bool(vehicle.windows) is (session.stated is not None)


def test_the_tariff_is_the_days_own() -> None:
    """On a summer weekday noon is dear, the morning is not, and the night is cheapest."""
    scenario = a_day(THURSDAY, 20, 1)
    prices = {
        local_time(each.start, scenario.zone).hour: float(each.price or 0)
        for each in quarters(scenario)
    }
    assert (prices[7], prices[9], prices[13], prices[19], prices[23]) == (
        0.05623, 0.0925, 0.26668, 0.0925, 0.05623,
    )  # fmt: skip


def test_a_winter_day_has_the_winters_prices() -> None:
    """SCE's winter lasts until the end of May."""
    prices = {float(each.price or 0) for each in quarters(a_day(date(2019, 5, 7), 20, 1))}
    assert prices == {0.06087, 0.07492, 0.0869}


@pytest.mark.parametrize("day", [date(2019, 4, 30), date(2019, 9, 1), date(2022, 7, 12)])
def test_a_day_without_sessions_is_a_sentence(day: date) -> None:
    """It names the days that there are."""
    with pytest.raises(DataError, match="from 2019-05-01 to 2019-08-31, and none on"):
        a_day(day, 20, 1)
