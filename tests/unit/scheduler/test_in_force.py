"""What of a tariff is in force: compiled when it has to be, and exact."""

import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from idlewatt_scheduler.in_force import timeline
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import DAY, FOREVER, HOUR, MINUTE
from idlewatt_scheduler.testing import AT, a_tariff

MAX_AGE = 6 * HOUR


def of(*intervals: TariffInterval, **more: object) -> Tariff:
    """A tariff of intervals."""
    return a_tariff(zones=(), intervals=intervals, **more)


def test_the_same_intervals_are_compiled_once_a_day() -> None:
    """A cycle later, and for a tariff that was read anew around them; not the next day."""
    tariff = of(TariffInterval(AT, 3 * DAY, Decimal(1)))
    first = timeline(tariff, None, AT, MAX_AGE)
    assert timeline(tariff, None, AT + MINUTE, MAX_AGE) is first
    assert timeline(replace(tariff, refreshed_at=AT), None, AT, MAX_AGE) is first
    assert timeline(tariff, None, AT + DAY, MAX_AGE) is not first


def test_what_a_source_said_before_is_let_go() -> None:
    """A month of carbon is a hundred megabytes, and it may be asked for every minute."""
    before, after = ((TariffInterval(AT, HOUR, Decimal(n)),) for n in range(2))
    held = sys.getrefcount(before)
    tariff = replace(of(), intervals=before)
    timeline(tariff, None, AT, MAX_AGE)
    assert sys.getrefcount(before) > held
    tariff = replace(tariff, intervals=after)
    timeline(tariff, None, AT, MAX_AGE)
    assert sys.getrefcount(before) == held


def test_zones_are_compiled_once_a_day_by_what_they_say() -> None:
    """Two tariffs that say the same share it; another tax makes another one."""
    first = timeline(a_tariff(), None, AT, MAX_AGE)
    assert timeline(a_tariff(name="other"), None, AT, MAX_AGE) is first
    assert timeline(a_tariff(tax_percent=Decimal(19)), None, AT, MAX_AGE) is not first


@pytest.mark.parametrize(
    ("created", "turns_at"),
    [
        pytest.param({"created_at": AT + HOUR}, AT + HOUR - 5_000, id="it is published"),
        pytest.param(
            {"created_at": AT, "forecast": True}, AT + MAX_AGE + 1, id="a forecast grows too old"
        ),
    ],
)
def test_it_is_compiled_again_when_what_is_believed_changes(
    created: dict[str, int], turns_at: int
) -> None:
    """To the millisecond, and not before."""
    tariff = of(
        TariffInterval(AT, DAY, Decimal(1)),
        TariffInterval(AT, DAY, Decimal(2), **created),  # type: ignore[arg-type]
    )
    first = timeline(tariff, None, AT, MAX_AGE)
    before = timeline(tariff, None, turns_at - 1, MAX_AGE)
    after = timeline(tariff, None, turns_at, MAX_AGE)
    index = first.index(AT + HOUR)
    assert before.price(index) == first.price(index)
    assert after.price(after.index(AT + HOUR)) != first.price(index)


def test_what_is_in_force_is_compiled_as_far_as_anybody_looks() -> None:
    """Fifteen days ahead of any instant of the day, and not the year that a source may give."""
    year = tuple(TariffInterval(AT + n * HOUR, HOUR, Decimal(n)) for n in range(24 * 365))
    found = timeline(of(*year), None, AT, MAX_AGE)
    assert found.price(found.index(AT + 15 * DAY)) == 15 * 24
    assert len(found.starts) < 17 * 24


def test_prices_are_parts_of_one_unit_and_stay_exact() -> None:
    """Seventeen decimals beside none, adders and tax on both."""
    tariff = of(
        TariffInterval(AT, HOUR, Decimal("0.08123456789012345")),
        TariffInterval(AT + HOUR, HOUR, Decimal(-3)),
        adders=(Decimal("0.09"),),
        tax_percent=Decimal("7.5"),
    )
    found = timeline(tariff, None, AT, MAX_AGE)
    first, second = found.price(found.index(AT)), found.price(found.index(AT + HOUR))
    assert first == (Fraction("0.08123456789012345") + Fraction("0.09")) * Fraction("1.075")
    assert second == Fraction("-2.91") * Fraction("1.075")
    paid = Fraction(found.paid_before(AT + 2 * HOUR) - found.paid_before(AT), found.scale)
    assert first is not None
    assert second is not None
    assert paid == (first + second) * HOUR


def test_before_and_after_all_that_is_listed_nothing_is_known() -> None:
    """The first step has always begun, the last one never ends."""
    found = timeline(of(TariffInterval(AT, HOUR, Decimal(1))), None, AT, MAX_AGE)
    assert (found.starts[0], found.end(len(found.starts) - 1)) == (-FOREVER, FOREVER)
    assert found.price(found.index(AT - 1)) is None
    assert found.price(found.index(AT + HOUR)) is None
    assert found.known_before(AT + DAY) - found.known_before(AT - DAY) == HOUR


def test_a_gap_of_no_length_is_none() -> None:
    """Intervals that touch follow each other directly."""
    found = timeline(
        of(TariffInterval(AT, HOUR, Decimal(1)), TariffInterval(AT + HOUR, HOUR, Decimal(2))),
        None,
        AT,
        MAX_AGE,
    )
    assert found.starts == (-FOREVER, AT, AT + HOUR, AT + 2 * HOUR)


def test_carbon_that_is_not_there_changes_nothing() -> None:
    """The tariff it names is missing, or stale: the very same timeline."""
    tariff = a_tariff(carbon="grid")
    alone = timeline(a_tariff(), None, AT, MAX_AGE)
    stale = of(TariffInterval(AT, HOUR, grams_per_kwh=Decimal(9)), name="grid", max_age=HOUR)
    assert timeline(tariff, None, AT, MAX_AGE) is alone
    assert timeline(tariff, stale, AT, MAX_AGE) is alone
