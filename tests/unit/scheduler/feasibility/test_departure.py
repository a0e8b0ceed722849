"""What was learned of departures, read a second time."""

from fractions import Fraction

import pytest

from idlewatt_scheduler.feasibility.departure import learned_departure, percent_at, quantile
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import DepartureSource
from idlewatt_scheduler.testing import AT, a_site, a_vehicle, even_quantiles

STATED = even_quantiles(0, 1_000_000)
LENGTHS = even_quantiles(0, 36_000, stated=False)
SINCE = AT - 5 * HOUR


def learned(
    *entries: DepartureQuantiles, missed: int = 1, expected: int | None = None, **seen: object
) -> int | None:
    """Minutes after `AT`, rounded down, of a car that parked five hours ago."""
    vehicle = a_vehicle(observed__departure_expected_at=expected, **seen)
    model = DepartureModel(entries)
    found = learned_departure(model, missed, vehicle, a_site(), AT)
    return None if found is None else (found - AT) // MINUTE


def test_a_distribution_is_linear_between_whole_percents() -> None:
    """0 up to the first quantile, 100 beyond the last; of a flat stretch the least percentage."""
    flat = DepartureQuantiles(stated=True, points=(0, *[100] * 50, *[200] * 50))
    assert [percent_at(flat, Fraction(value)) for value in (-1, 0, 50, 100, 150, 200, 201)] == [
        0, 0, Fraction(1, 2), 1, Fraction(101, 2), 51, 100,
    ]  # fmt: skip
    assert [quantile(flat, Fraction(value)) for value in (0, Fraction(1, 2), 1, 50, 100)] == [
        0, 50, 100, 100, 200,
    ]  # fmt: skip


def test_a_stated_departure_is_moved_by_its_early_quantile() -> None:
    """Ten hours are stated; five are left, half of all left earlier: 99 % of the other half."""
    expected = AT + 5 * HOUR
    # F(500000) is 50 %; the quantile at 49.5 % is 495,000 millionths of ten hours: 297 minutes.
    assert learned(STATED, expected=expected) == 3
    assert learned(STATED, missed=0, expected=expected) == 0
    assert learned(STATED, missed=100, expected=expected) == 300


def test_a_departure_that_was_never_that_late_is_now() -> None:
    """Where everybody leaves by half of the stated stay, and that is past."""
    assert learned(even_quantiles(600_000, 900_000), expected=AT + 5 * HOUR) == 0


def test_nobody_is_believed_to_stay_longer_than_stated() -> None:
    """A negative quantile takes nothing off."""
    late = even_quantiles(-900_000, -1)
    assert learned(late, expected=AT + HOUR) == 60


def test_a_stay_of_unknown_end_ends_with_the_early_quantile_of_lengths() -> None:
    """Five of at most ten hours have passed; 1 % of the others leave within three minutes."""
    assert learned(LENGTHS) == 3
    assert learned(LENGTHS, missed=50) == 150
    assert learned(even_quantiles(0, 3_600, stated=False)) == 0


@pytest.mark.parametrize(
    ("source", "minutes"),
    [
        (DepartureSource.OWNER, 3),
        (DepartureSource.CHARGER, 3),
        (None, 3),
        (DepartureSource.LEARNED, None),
        (DepartureSource.PARKING_WINDOW, None),
    ],
)
def test_only_what_people_state_counts_as_stated(
    source: DepartureSource | None, minutes: int | None
) -> None:
    """A window is no statement, and on what was learned nothing is learned."""
    expected = AT + 5 * HOUR
    assert learned(STATED, expected=expected, observed__departure_source=source) == minutes


def test_nothing_is_learned_without_an_arrival_or_after_the_end() -> None:
    """A missing or future `since`; a departure that is past; no entry of this kind."""
    for since in (None, AT + SECOND):
        assert learned(LENGTHS, observed__parking__since=since) is None
    assert learned(STATED, expected=AT) is None
    assert learned(STATED) is None
    assert learned() is None


def test_the_entry_that_tells_most_counts() -> None:
    """Vehicle before site before hour before weekday, then the first that is listed."""

    def told(hours: int, **keys: object) -> DepartureQuantiles:
        return even_quantiles(hours * 3_600, hours * 3_600, stated=False, **keys)

    entries = [
        told(6, vehicle="v-1"),
        told(7, site="depot-7", hour=18, weekday=3),
        told(8, hour=18, weekday=3),
        told(9, hour=18),
        told(10, weekday=3),
        told(11),
        told(12),
    ]
    for first, hours in enumerate(range(6, 12)):
        entry = entries[first:]
        assert learned(*entry[::-1] if hours < 11 else entry) == (hours - 5) * 60
    assert learned(told(6, vehicle="v-2"), told(7, site="x"), told(8, hour=17)) is None
