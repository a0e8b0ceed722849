"""The night of homes: what is drawn belongs to its seed, and what is real is left as it is."""

from datetime import date
from decimal import Decimal

import pytest

from idlewatt_operator.twin.homes import a_night, day_ahead
from idlewatt_operator.twin.places import DataError
from idlewatt_operator.twin.quarters import quarters
from idlewatt_scheduler.model.units import HOUR

TUESDAY = date(2022, 7, 12)


def test_the_same_seed_is_the_same_night() -> None:
    """Two scenarios of one seed are equal, those of two seeds are not."""
    one, again, other = (a_night(TUESDAY, 12, 20, seed) for seed in (3, 3, 4))
    assert (one.stays, one.vehicles, one.sleepers) == (again.stays, again.vehicles, again.sleepers)
    assert one.stays != other.stays


def test_another_car_changes_none_of_the_others() -> None:
    """The stays of the first ten cars are the same among ten and among eleven."""
    ten, eleven = (a_night(TUESDAY, count, 20, 3).stays for count in (10, 11))
    assert [stay.leaves_at for stay in ten] == [stay.leaves_at for stay in eleven[:10]]


def test_a_night_without_prices_is_a_sentence() -> None:
    """It names the evenings that there are."""
    with pytest.raises(DataError, match="2022-07-01 to 2022-07-30, not 2022-07-31"):
        a_night(date(2022, 7, 31), 5, 5, 1)


def test_prices_are_the_markets_with_what_completes_them() -> None:
    """The price from 15:00 on is (0.30554 + delivery) and tax."""
    first = quarters(a_night(TUESDAY, 3, 9, 1))[0]
    assert first.price is not None
    assert float(first.price) == pytest.approx((0.30554 + 0.048) * 1.02)


def test_the_tariff_covers_two_days_and_not_an_hour_more() -> None:
    """What is not published that afternoon is not known."""
    scenario = a_night(TUESDAY, 3, 9, 1)
    tariff = day_ahead(TUESDAY, 2, scenario.zone)
    assert sum(interval.duration for interval in tariff.intervals) == 48 * HOUR
    assert tariff.wholesale
    assert tariff.adders == (Decimal("0.048"),)


def test_every_stay_is_consistent() -> None:
    """Cars arrive before they leave, board before they drive, and no battery is over-full."""
    for stay in a_night(TUESDAY, 200, 9, 5).stays:
        assert stay.arrives_at < stay.leaves_at
        assert stay.boards_at < stay.leaves_at
        assert stay.stated_leave_at is not None
        assert stay.stated_leave_at > stay.arrives_at
        assert 0 < stay.arrival_watt_hours <= stay.full_watt_hours
        assert stay.notice_at is None or stay.arrives_at <= stay.notice_at < stay.leaves_at


def test_some_leave_early_as_often_as_is_said() -> None:
    """About 22 % leave more than 15 minutes before their word, and only such tell of it."""
    stays = a_night(TUESDAY, 400, 9, 5).stays
    early = [stay for stay in stays if (stay.stated_leave_at or 0) - stay.leaves_at > 15 * 60_000]
    assert len(early) / len(stays) == pytest.approx(0.22, abs=0.05)
    assert all(stay.leaves_early for stay in stays if stay.notice_at is not None)
