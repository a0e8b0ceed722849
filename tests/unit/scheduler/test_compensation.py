"""What was measured, as money: to whom, how much, rounded once, added up exactly."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from idlewatt_scheduler.compensation import (
    Entry,
    Payee,
    PriceAt,
    Term,
    Terms,
    UnknownCurrencyError,
    Use,
    earned_in_month,
    entries,
    in_one_currency,
    money,
)
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.policy import ExchangeRate, FleetPolicy
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import DAY, HOUR, MILLIWATT_MILLISECONDS_PER_KWH
from idlewatt_scheduler.testing import AT, a_vehicle

KWH = MILLIWATT_MILLISECONDS_PER_KWH
CAR = a_vehicle(
    compensation__availability_per_hour=Decimal("0.10"),
    compensation__energy_per_kwh=Decimal("0.30"),
    compute__wake_energy_watt_hours=20,
)
AN_HOUR = Use(AT, AT + HOUR, busy=HOUR, ac_energy=2 * KWH, dc_energy=KWH)
FROM_BATTERY = replace(AN_HOUR, from_battery=True)


def terms(
    bearer: EnergyBearer, price: PriceAt | None = None, efficiency: int | None = None
) -> Terms:
    """By what the car is paid, wear at five cents."""
    car = replace(CAR, battery=replace(CAR.battery, round_trip_efficiency_percent=efficiency))
    return Terms(car, bearer, Fraction("0.05"), price, "NOK" if price else None)


def amounts(found: tuple[Entry, ...]) -> dict[Term, tuple[Payee, str, Decimal | None]]:
    """Payee, currency and amount of each term."""
    return {entry.term: (entry.payee, entry.currency, entry.amount) for entry in found}


@pytest.mark.parametrize(
    ("bearer", "payee"),
    [(EnergyBearer.OWNER, Payee.OWNER), (EnergyBearer.SITE_HOST, Payee.SITE_HOST)],
)
def test_each_term_goes_to_the_one_who_bears_it(bearer: EnergyBearer, payee: Payee) -> None:
    """Hours and wear to the owner, electricity to whoever buys it, waking as electricity."""
    assert amounts(entries(terms(bearer), AN_HOUR, wakings=2)) == {
        Term.AVAILABILITY: (Payee.OWNER, "EUR", Decimal("0.100000")),
        Term.ENERGY: (payee, "EUR", Decimal("0.600000")),
        Term.WEAR: (Payee.OWNER, "EUR", Decimal("0.050000")),
        Term.WAKING: (payee, "EUR", Decimal("0.012000")),
    }


def test_the_fleet_s_own_bill_is_at_the_tariff_s_price_and_in_its_currency() -> None:
    """Nobody earns what the fleet buys itself."""
    found = amounts(entries(terms(EnergyBearer.FLEET, lambda *_: Fraction(4)), AN_HOUR))
    assert found[Term.ENERGY] == (Payee.FLEET, "NOK", Decimal("8.000000"))


def test_a_price_that_is_not_known_yet_is_not_guessed() -> None:
    """The entry stands there without an amount."""
    found = amounts(entries(terms(EnergyBearer.FLEET, lambda *_: None), AN_HOUR))
    assert found[Term.ENERGY] == (Payee.FLEET, "NOK", None)


def test_what_the_battery_gave_is_owed_to_the_owner_over_the_round_trip() -> None:
    """Even at a host's site, the owner bought it: 1 kWh DC at 80 % takes 1.25 kWh to put back."""
    found = amounts(entries(terms(EnergyBearer.SITE_HOST, efficiency=80), FROM_BATTERY))
    assert found[Term.ENERGY] == (Payee.OWNER, "EUR", Decimal("0.375000"))
    plain = amounts(entries(terms(EnergyBearer.SITE_HOST), FROM_BATTERY))
    assert plain[Term.ENERGY] == (Payee.OWNER, "EUR", Decimal("0.600000"))


def test_nothing_is_owed_for_nothing() -> None:
    """An idle hour makes no entries."""
    assert entries(terms(EnergyBearer.OWNER), Use(AT, AT + HOUR, 0, 0, 0)) == ()


def test_an_entry_is_rounded_once_half_to_even() -> None:
    """Two and a half micro-units are two, three and a half are four."""
    for micros, rounded in ((Fraction(5, 2), 2), (Fraction(7, 2), 4)):
        dc = int(micros * KWH / 50_000)
        wear = entries(terms(EnergyBearer.OWNER), Use(AT, AT + HOUR, 0, 0, dc))
        assert [entry.micros for entry in wear] == [rounded]


def test_a_month_is_the_site_s() -> None:
    """An entry that starts at 23:30 UTC on the last of the month is next month's in Berlin."""
    berlin = ZoneInfo("Europe/Berlin")
    end_of_january = 1_769_902_200_000  # 2026-01-31T23:30:00Z
    found = [
        Entry("v-1", start, start + HOUR, Term.WEAR, payee, "EUR", micros)
        for start, payee, micros in (
            (end_of_january, Payee.OWNER, 1),
            (end_of_january - HOUR, Payee.OWNER, 10),
            (end_of_january + DAY, Payee.OWNER, 100),
            (end_of_january + DAY, Payee.SITE_HOST, 1_000),
        )
    ]
    assert earned_in_month(found, "v-1", berlin, end_of_january) == {"EUR": 101}
    assert earned_in_month(found, "v-1", ZoneInfo("UTC"), end_of_january) == {"EUR": 11}
    assert earned_in_month(found, "v-2", berlin, end_of_january) == {}


def test_currencies_are_exchanged_and_an_unknown_one_is_an_error() -> None:
    """What cannot be compared is said, not left out."""
    found = [
        Entry("v-1", AT, AT + HOUR, Term.WEAR, Payee.OWNER, currency, 1_000_000)
        for currency in ("EUR", "NOK")
    ]
    rates = FleetPolicy(exchange_rates=(ExchangeRate("NOK", "EUR", Decimal("0.086")),))
    assert in_one_currency(found, "EUR", Exchange(rates, ())) == 1_086_000
    assert money(1_086_000) == Decimal("1.086000")
    with pytest.raises(UnknownCurrencyError, match="no exchange rate from NOK to EUR"):
        in_one_currency(found, "EUR", Exchange(FleetPolicy(), ()))


def test_a_sum_with_an_amount_that_is_not_known_yet_is_not_known() -> None:
    """It would look like a final statement that is too low."""
    entry = Entry("v-1", AT, AT + HOUR, Term.ENERGY, Payee.FLEET, "EUR", None)
    known = replace(entry, micros=5)
    assert in_one_currency([known, known], "EUR", Exchange(FleetPolicy(), ())) == 10
    assert in_one_currency([known, entry], "EUR", Exchange(FleetPolicy(), ())) is None
