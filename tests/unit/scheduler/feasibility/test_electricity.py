"""Prices and off-peak, test by test: on peak, off-peak, or not known."""

from decimal import Decimal
from fractions import Fraction

import pytest

from idlewatt_scheduler.feasibility.electricity import (
    Peak,
    Published,
    peak_over_time,
    rate_between,
    tariff_over_time,
)
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import ExchangeRate, OffPeakTest
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import HOUR, SECOND
from idlewatt_scheduler.testing import AT, a_policy, a_tariff

OFF, ON, UNKNOWN = Peak.OFF, Peak.ON, Peak.UNKNOWN
NOK = (ExchangeRate("NOK", "EUR", Decimal("0.1")), ExchangeRate("NOK", "EUR", Decimal(9)))


def hourly(*prices: str | None, **overrides: object) -> Tariff:
    """One-hour intervals from `AT` on."""
    intervals = tuple(
        TariffInterval(AT + n * HOUR, HOUR, None if price is None else Decimal(price))
        for n, price in enumerate(prices)
    )
    return a_tariff(zones=(), intervals=intervals, **overrides)


def verdicts(tariff: Tariff | None, hours: int, **tests: object) -> list[Peak]:
    """What the tests say at the start of each hour from `AT` on."""
    policy = a_policy(off_peak=OffPeakTest(**tests), exchange_rates=NOK)  # type: ignore[arg-type]
    published = Published(AT, policy.forecast_max_age_seconds * SECOND)
    prices = tariff_over_time(tariff, published) if tariff else None
    over_time = peak_over_time(policy, tariff, prices, AT)
    return [over_time.at(AT + n * HOUR) for n in range(hours)]


def price(tariff: Tariff) -> Fraction | None:
    """The price at `AT`."""
    return tariff_over_time(tariff, Published(AT, HOUR)).at(AT).price


def test_price_is_the_sum_with_adders_times_tax() -> None:
    """(0.10 + 0.09 + 0.01) x 1.19."""
    tariff = hourly("0.10", adders=(Decimal("0.09"), Decimal("0.01")), tax_percent=Decimal(19))
    assert price(tariff) == Fraction("0.238")


def test_wholesale_alone_is_no_price() -> None:
    """Until adders complete it nobody knows what is paid."""
    assert price(hourly("0.10", wholesale=True)) is None
    assert price(hourly("0.10", wholesale=True, adders=(Decimal(0),))) == Fraction("0.1")
    assert price(hourly(None, adders=(Decimal(1),))) is None


def test_of_overlapping_zones_the_first_listed_wins_whole() -> None:
    """Even where it says less than the other."""
    all_day = Recurrence(EVERY_DAY, 0, 0)
    first = TariffZone("first", all_day, "OffPeak", None)
    second = TariffZone("second", all_day, "Peak", Decimal(1))
    assert verdicts(a_tariff(zones=(first, second)), 1, band="OffPeak") == [OFF]
    assert verdicts(a_tariff(zones=(second, first)), 1, band="OffPeak") == [ON]
    assert price(a_tariff(zones=(first, second))) is None


def test_of_overlapping_intervals_the_latest_start_wins_whole() -> None:
    """Of the same start the last listed; what it does not say is not taken from another."""
    long = TariffInterval(AT - HOUR, 9 * HOUR, Decimal(1), "Peak", Decimal(100))
    late = TariffInterval(AT, HOUR, Decimal(2), "OffPeak")
    again = TariffInterval(AT, HOUR, None, "Other")
    for intervals, expected in (
        ((late, long), Fraction(2)),
        ((long, late, again), None),
        ((long, again, late), Fraction(2)),
    ):
        assert price(a_tariff(zones=(), intervals=intervals)) == expected
    later = a_tariff(zones=(), intervals=(late, long))
    assert verdicts(later, 2, max_grams_per_kwh=Decimal(100)) == [UNKNOWN, OFF]


@pytest.mark.parametrize(("band", "expected"), [("OffPeak", OFF), ("Peak", ON), (None, UNKNOWN)])
def test_band(band: str | None, expected: Peak) -> None:
    """The band in force has to be the policy's; without one nobody knows."""
    tariff = a_tariff(zones=(), intervals=(TariffInterval(AT, HOUR, band=band),))
    assert verdicts(tariff, 2, band="OffPeak") == [expected, UNKNOWN]


def test_highest_price_is_converted() -> None:
    """The first listed direct rate counts; without one nobody knows."""
    tests = {"max_price_per_kwh": Decimal("0.20"), "currency": "EUR"}
    assert verdicts(hourly("0.20", "0.21", None), 3, **tests) == [OFF, ON, UNKNOWN]
    assert verdicts(hourly("2.0", "2.1", currency="NOK"), 2, **tests) == [OFF, ON]
    assert verdicts(hourly("0.01", currency="SEK"), 1, **tests) == [UNKNOWN]


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (25, [OFF, ON, ON, ON, UNKNOWN]),
        (26, [OFF, OFF, ON, ON, UNKNOWN]),
        (75, [OFF, OFF, OFF, ON, UNKNOWN]),
        (100, [OFF, OFF, OFF, OFF, UNKNOWN]),
    ],
)
def test_cheapest_of_what_is_known(percent: int, expected: list[Peak]) -> None:
    """The threshold is the least price at or below which so much of the known time lies."""
    tariff = hourly("1", "2", "3", "4", None)
    assert verdicts(tariff, 5, cheapest_percent_of_next_24_hours=percent) == expected


def test_only_the_next_24_hours_make_the_threshold() -> None:
    """The 25th hour is judged by it, and does not move it."""
    prices = ["2"] * 24 + ["1", "3"]
    got = verdicts(hourly(*prices), 26, cheapest_percent_of_next_24_hours=1)
    assert got == [OFF] * 25 + [ON]
    assert verdicts(hourly(None), 1, cheapest_percent_of_next_24_hours=50) == [UNKNOWN]


def test_all_tests_must_hold() -> None:
    """A test that fails on known data decides; else one without its data does."""
    known = TariffInterval(AT, HOUR, Decimal("0.5"), "Peak", None)
    fine = TariffInterval(AT + HOUR, HOUR, Decimal("0.5"), "OffPeak", None)
    tariff = a_tariff(zones=(), intervals=(known, fine))
    assert verdicts(tariff, 2, band="OffPeak", max_grams_per_kwh=Decimal(1)) == [ON, UNKNOWN]


def test_without_a_tariff_nothing_is_known_and_without_tests_everything_is_fine() -> None:
    """No test lacks data that it does not ask for."""
    assert verdicts(None, 1, band="OffPeak") == [UNKNOWN]
    assert verdicts(None, 1) == [OFF]


def test_rates_are_direct() -> None:
    """No inverses, no chains; a currency is worth itself."""
    assert rate_between(NOK, "NOK", "EUR") == Fraction("0.1")
    assert rate_between(NOK, "EUR", "NOK") is None
    assert rate_between((), "EUR", "EUR") == 1
