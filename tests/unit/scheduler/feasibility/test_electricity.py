"""Prices and off-peak, test by test: on peak, off-peak, or not known."""

from dataclasses import replace
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
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
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


def grams(tariff: Tariff, **others: Tariff) -> Fraction | None:
    """The grams at `AT`."""
    return tariff_over_time(tariff, Published(AT, HOUR, others)).at(AT).grams


def published(*said: tuple[int, int | None, str], forecast: bool = False) -> Tariff:
    """Intervals of two hours that start minutes after `AT`, with when they were published."""
    intervals = tuple(
        TariffInterval(
            AT + start * MINUTE,
            2 * HOUR,
            Decimal(price),
            created_at=None if created is None else AT + created,
            forecast=forecast,
        )
        for start, created, price in said
    )
    return a_tariff(zones=(), intervals=intervals)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(-60, -HOUR, "1"), (0, -2 * HOUR, "2")], 1),
        ([(-60, None, "1"), (-90, -2 * HOUR, "2")], 2),
        ([(-60, -HOUR, "1"), (0, -HOUR, "2")], 2),
        ([(0, -HOUR, "1"), (0, -HOUR, "2")], 2),
        ([(0, None, "1"), (-1, None, "2")], 1),
        ([(0, 5 * SECOND, "1"), (0, None, "2")], 1),
        ([(0, 5 * SECOND + 1, "1"), (0, None, "2")], 2),
    ],
)
def test_what_was_published_last_is_in_force(
    said: list[tuple[int, int | None, str]], expected: int
) -> None:
    """Then what starts last, then what is listed last; nothing from the future."""
    assert price(published(*said)) == expected


def test_an_interval_that_says_less_hides_what_it_revises() -> None:
    """With all of its payloads."""
    old = TariffInterval(AT, HOUR, Decimal(1), created_at=AT - 2)
    new = TariffInterval(AT, HOUR, band="Peak", created_at=AT - 1)
    assert price(a_tariff(zones=(), intervals=(new, old))) is None


@pytest.mark.parametrize(
    ("created", "expected"), [(-HOUR, 1), (-HOUR - 1, None), (0, 1), (None, None)]
)
def test_a_forecast_is_used_while_it_is_young(created: int | None, expected: int | None) -> None:
    """One that does not say when it was made is never used."""
    assert price(published((0, created, "1"), forecast=True)) == expected


@pytest.mark.parametrize(
    ("refreshed", "expected"), [(AT - HOUR, 1), (AT - HOUR - 1, None), (None, None)]
)
def test_a_stale_source_says_nothing(refreshed: int | None, expected: int | None) -> None:
    """What it once said is unknown, not cheap."""
    tariff = replace(hourly("1"), max_age=HOUR, refreshed_at=refreshed)
    assert price(tariff) == expected


def test_grams_may_be_those_of_another_tariff() -> None:
    """Where the interval in force says none; of that tariff's intervals alone, and not further."""
    clean = TariffInterval(AT, HOUR, grams_per_kwh=Decimal(30))
    cleaner = a_tariff(name="co2", zones=(), intervals=(clean,))
    own = a_tariff(carbon="co2")
    assert grams(own) is None
    assert grams(own, co2=cleaner) == 30
    dirty = replace(clean, grams_per_kwh=Decimal(900))
    assert grams(a_tariff(zones=(), intervals=(dirty,), carbon="co2"), co2=cleaner) == 900
    further = a_tariff(name="co2", carbon="more")
    assert grams(own, co2=further, more=cleaner) is None
    stale = replace(cleaner, max_age=HOUR)
    assert grams(own, co2=stale) is None


def test_the_export_price_is_as_published() -> None:
    """Neither adders nor tax touch it, and a wholesale tariff has one, too."""
    interval = TariffInterval(AT, HOUR, Decimal(1), export_price_per_kwh=Decimal("0.07"))
    tariff = a_tariff(zones=(), intervals=(interval,), wholesale=True, tax_percent=Decimal(19))
    said = tariff_over_time(tariff, Published(AT, HOUR)).at(AT)
    assert (said.price, said.export) == (None, Fraction("0.07"))
    zone = replace(a_tariff().zones[0], export_price_per_kwh=Decimal("0.08"))
    by_zone = tariff_over_time(a_tariff(zones=(zone,)), Published(AT, HOUR)).at(AT)
    assert by_zone.export == Fraction("0.08")


def test_the_cleanest_hours_are_told_as_the_cheapest_are() -> None:
    """Half of three known hours is two of them; what says nothing is unknown."""
    said = (100, 300, 200, None)
    intervals = tuple(
        TariffInterval(AT + n * HOUR, HOUR, grams_per_kwh=None if g is None else Decimal(g))
        for n, g in enumerate(said)
    )
    tariff = a_tariff(zones=(), intervals=intervals)
    found = verdicts(tariff, 4, cleanest_percent_of_next_24_hours=50)
    assert found == [OFF, ON, OFF, UNKNOWN]
    assert verdicts(tariff, 4, cleanest_percent_of_next_24_hours=33)[2] is ON
