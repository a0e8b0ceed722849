"""The accounts as text, with us and without: the closing table and the report print the same."""

from dataclasses import dataclass
from fractions import Fraction

from idlewatt_operator.twin.accounts import Accounts
from idlewatt_scheduler.model.units import SECOND


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the accounts: a figure with us, and the same without.

    Attributes:
        heading: begins a group.
        bad: it is a figure that should not be there.
    """

    what: str
    with_us: str
    without: str = ""
    note: str = ""
    heading: bool = False
    bad: bool = False


def rows(accounts: Accounts) -> tuple[Row, ...]:
    """Every figure of the accounts as text; the table and the report print the same."""
    return (*_money(accounts), *_energy(accounts), *_work(accounts), *_promises(accounts))


def _money(accounts: Accounts) -> tuple[Row, ...]:
    paid = accounts.paid
    return (
        Row("Paid for computing", money(paid.total), money(Fraction(0)), heading=True),
        Row("availability", money(paid.availability), note=f"{accounts.vehicles_paid} vehicles"),
        Row("energy", money(paid.energy)),
        Row("wear", money(paid.wear)),
        Row("waking", money(paid.waking), note=f"{accounts.wakes} wakes"),
        Row(
            "to owners and hosts",
            money(paid.earned),
            note="the rest: own electricity",
        ),
    )


def _energy(accounts: Accounts) -> tuple[Row, ...]:
    computing, charging, alone = accounts.computing, accounts.charging, accounts.charging_alone
    share = computing.off_peak_kwh / computing.kwh if computing.kwh else Fraction(0)
    return (
        Row(
            "Electricity at the plug",
            kwh(computing.kwh + charging.kwh),
            kwh(alone.kwh),
            heading=True,
        ),
        Row("charging", kwh(charging.kwh), kwh(alone.kwh), f"{money(charging.cost)} at the tariff"),
        Row(
            "mean price of charging",
            _price(charging.mean_price),
            _price(alone.mean_price),
            "planned cars to the departure charge",
        ),
        Row(
            "computing",
            kwh(computing.kwh),
            kwh(Fraction(0)),
            f"{money(computing.cost)} at the tariff",
        ),
        Row("of it off-peak", f"{float(share):.0%}"),
        Row(
            "mean price of computing",
            _price(computing.mean_price),
            note=f"{_price(accounts.mean_price)} over all hours",
        ),
        Row(
            "Carbon, marginal",
            kilograms(computing.kilograms + charging.kilograms),
            kilograms(alone.kilograms),
            heading=True,
        ),
        Row("of it computing", kilograms(computing.kilograms), kilograms(Fraction(0))),
    )


def _work(accounts: Accounts) -> tuple[Row, ...]:
    computed = accounts.computed
    return (
        Row(
            "Pod hours delivered", hours(computed.delivered_hours), hours(Fraction(0)), heading=True
        ),
        Row("services", hours(computed.service_hours)),
        Row(
            "jobs done",
            hours(computed.job_hours),
            note=f"{computed.jobs_done} of {computed.jobs_asked} pods",
        ),
        Row(
            "jobs to be repeated",
            hours(computed.lost_hours),
            note=f"{computed.drained} drains",
        ),
        Row("loading images, models", hours(computed.loading_hours)),
    )


def _promises(accounts: Accounts) -> tuple[Row, ...]:
    promises = accounts.promises
    broken = promises.times_broken
    result = [Row("Promises broken", str(broken), heading=True, bad=broken > 0)]
    without = {"owner": "0", "grid": str(promises.over_alone)}
    for each in promises.each():
        kept = f"{each.kept:,} of {each.chances:,} {each.of} kept"
        bad = each.times > 0
        result.append(
            Row(
                f"to the {each.to_whom}",
                str(each.times),
                without.get(each.to_whom, ""),
                kept,
                bad=bad,
            )
        )
    if promises.reactions:
        slowest = max(promises.reactions) / SECOND
        result.append(
            Row("curtailments acted on", f"{slowest:.1f} s", note="the slowest; 5 s are promised")
        )
    return tuple(result)


def money(amount: Fraction) -> str:
    """Dollars and cents."""
    return f"${float(amount):,.2f}"


def kwh(amount: Fraction) -> str:
    """Kilowatt-hours with one place."""
    return f"{float(amount):,.1f} kWh"


def kilograms(amount: Fraction) -> str:
    """Kilograms with one place."""
    return f"{float(amount):,.1f} kg"


def hours(amount: Fraction) -> str:
    """Hours with one place."""
    return f"{float(amount):,.1f} h"


def _price(price: Fraction | None) -> str:
    return "unknown" if price is None else f"${float(price):.3f}"
