"""Compensation: what was measured, as money, to the one who bears it.

    availability   hours in which our pods were there      to the owner
    energy         AC kWh, or DC kWh over the round trip   to who buys it: owner, host or fleet
    wear           DC kWh                                  to the owner
    waking         AC kWh of each waking                   to who buys the energy

A plan's cost is what these are expected to be; this is what they were. Every entry is rounded once,
half to even, to a millionth of its currency, and kept as a whole number of these: sums of entries
are exact, and anybody with the same readings comes to the same statement. Electricity that the
fleet buys itself is nobody's earning: it is the fleet's own bill, and shown apart.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import (
    HOUR,
    MILLIWATT_MILLISECONDS_PER_KWH,
    Instant,
    Milliseconds,
)
from idlewatt_scheduler.model.vehicle import Vehicle

MICROS: Final = 1_000_000
"""Micro-units of a currency in one unit."""

PriceAt = Callable[[Instant, Instant], Fraction | None]
"""The mean price per kWh over a stretch, in the tariff's currency; None where it is not known."""


class Payee(StrEnum):
    """Who receives an amount; `FLEET`: nobody, it is the fleet's own bill."""

    OWNER = "Owner"
    SITE_HOST = "SiteHost"
    FLEET = "Fleet"


class Term(StrEnum):
    """What an amount is for."""

    AVAILABILITY = "Availability"
    ENERGY = "Energy"
    WEAR = "Wear"
    WAKING = "Waking"


@dataclass(frozen=True, slots=True)
class Use:
    """What was measured of a vehicle's computing over `[start, end)`.

    Attributes:
        busy: milliseconds in which pods of ours were there.
        ac_energy: milliwatts times milliseconds at the plug, standby included.
        dc_energy: the same at the computer.
        from_battery: the battery gave it.
    """

    start: Instant
    end: Instant
    busy: Milliseconds
    ac_energy: int
    dc_energy: int
    from_battery: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a vehicle is paid, where it stands.

    Attributes:
        energy_borne_by: who buys the electricity of the site.
        wear_per_kwh: DC, in the compensation's currency; the agreed rate, or the model's floor.
        price: of the site's tariff; asked where the fleet pays.
        tariff_currency: of that price.
    """

    vehicle: Vehicle
    energy_borne_by: EnergyBearer
    wear_per_kwh: Fraction
    price: PriceAt | None = None
    tariff_currency: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One amount, to one payee, for one stretch.

    Attributes:
        micros: millionths of `currency`; None: the price is not known yet, and nothing is guessed.
    """

    vehicle: str
    start: Instant
    end: Instant
    term: Term
    payee: Payee
    currency: str
    micros: int | None

    @property
    def amount(self) -> Decimal | None:
        """The same as it is written down: a decimal with six places."""
        return None if self.micros is None else money(self.micros)


class UnknownCurrencyError(ValueError):
    """An amount cannot be compared: there is no exchange rate."""


def entries(terms: Terms, use: Use, *, wakings: int = 0) -> tuple[Entry, ...]:
    """What is owed for one stretch, in the order of the terms; what is nothing is left out.

    Args:
        terms: by what is paid.
        use: what was measured.
        wakings: how often the vehicle was woken in the stretch.
    """
    pay = terms.vehicle.compensation
    hours, dc = Fraction(use.busy, HOUR), Fraction(use.dc_energy, MILLIWATT_MILLISECONDS_PER_KWH)
    owed: list[tuple[Term, Payee, str, Fraction | None]] = [
        (
            Term.AVAILABILITY,
            Payee.OWNER,
            pay.currency,
            hours * Fraction(pay.availability_per_hour),
        ),
        (Term.ENERGY, *_energy(terms, use)),
        (Term.WEAR, Payee.OWNER, pay.currency, dc * terms.wear_per_kwh),
    ]
    if wakings:
        owed.append((Term.WAKING, *_waking(terms, use, wakings)))
    return tuple(
        Entry(terms.vehicle.name, use.start, use.end, term, payee, currency, _micros(amount))
        for term, payee, currency, amount in owed
        if amount is None or amount
    )


def earned_in_month(
    found: Iterable[Entry], vehicle: str, zone: tzinfo, at: Instant
) -> dict[str, int]:
    """What the owner of a vehicle earned in `at`'s calendar month, in micro-units by currency.

    An entry belongs to the month in which it starts, in the time zone of its site. This is what is
    held against `monthlyCap`: once it is reached no new pods come; what runs is still paid.
    """
    month = _month(at, zone)
    sums: dict[str, int] = {}
    for entry in found:
        owner = entry.vehicle == vehicle and entry.payee is Payee.OWNER
        if owner and entry.micros is not None and _month(entry.start, zone) == month:
            sums[entry.currency] = sums.get(entry.currency, 0) + entry.micros
    return sums


def in_one_currency(found: Iterable[Entry], currency: str, exchange: Exchange) -> int | None:
    """The sum of entries in micro-units of `currency`, rounded once.

    None where the price of one of them is not known yet: a sum without it would be a guess.

    Raises:
        UnknownCurrencyError: there is no rate from the currency of an entry.
    """
    sums: dict[str, int] = {}
    for entry in found:
        if entry.micros is None:
            return None
        sums[entry.currency] = sums.get(entry.currency, 0) + entry.micros
    return round(sum(_converted(sums, currency, exchange), Fraction(0)))


def money(micros: int) -> Decimal:
    """Micro-units as a decimal with six places, as it is stored and shown."""
    return Decimal(micros).scaleb(-6)


def _converted(sums: dict[str, int], currency: str, exchange: Exchange) -> Iterator[Fraction]:
    for held, micros in sums.items():
        rate = exchange.rate(held, currency)
        if rate is None:
            message = (
                f"There is no exchange rate from {held} to {currency}: add one to the policy's "
                "exchangeRates."
            )
            raise UnknownCurrencyError(message)
        yield micros * rate


def _energy(terms: Terms, use: Use) -> tuple[Payee, str, Fraction | None]:
    """Who is paid for the electricity of computing, in what currency, and how much."""
    efficiency = terms.vehicle.battery.round_trip_efficiency_percent
    kwh = Fraction(use.ac_energy, MILLIWATT_MILLISECONDS_PER_KWH)
    if use.from_battery and efficiency is not None:
        kwh = Fraction(use.dc_energy, MILLIWATT_MILLISECONDS_PER_KWH) * 100 / efficiency
    return _bought(terms, use, kwh)


def _waking(terms: Terms, use: Use, wakings: int) -> tuple[Payee, str, Fraction | None]:
    per_waking = Fraction(terms.vehicle.compute.wake_energy_watt_hours, 1_000)
    return _bought(terms, use, wakings * per_waking)


def _bought(terms: Terms, use: Use, kwh: Fraction) -> tuple[Payee, str, Fraction | None]:
    """So much electricity, at the rate of the one who buys it.

    What the battery gave was bought by its owner before, wherever the car stands now; only where
    the fleet pays is it put back at the fleet's expense.
    """
    pay = terms.vehicle.compensation
    if terms.energy_borne_by is EnergyBearer.FLEET and terms.tariff_currency is not None:
        price = terms.price(use.start, use.end) if terms.price else None
        owed = None if price is None and kwh else (price or 0) * kwh
        return Payee.FLEET, terms.tariff_currency, owed
    to_host = terms.energy_borne_by is EnergyBearer.SITE_HOST and not use.from_battery
    payee = Payee.SITE_HOST if to_host else Payee.OWNER
    return payee, pay.currency, Fraction(pay.energy_per_kwh) * kwh


def _micros(amount: Fraction | None) -> int | None:
    return None if amount is None else round(amount * MICROS)


def _month(instant: Instant, zone: tzinfo) -> tuple[int, int]:
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)).astimezone(zone)
    return local.year, local.month
