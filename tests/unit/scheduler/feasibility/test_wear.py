"""The second evaluation of the wear model."""

from decimal import Decimal
from fractions import Fraction

import pytest

from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.wear import wear_rate
from idlewatt_scheduler.model.units import DAY
from idlewatt_scheduler.model.vehicle import EnergySource
from idlewatt_scheduler.testing import AT, a_snapshot, a_vehicle

FOUR_YEARS = AT - 4 * 365 * DAY


def rate(**overrides: object) -> Fraction | None:
    """Of an LFP pack at 25 °C and 70 %, four years old, 5 K warmer in use, at the wall."""
    known: dict[str, object] = {
        "battery__chemistry": "LFP",
        "battery__replacement_cost_per_kwh": Decimal(100),
        "battery__net_capacity_watt_hours": 75_000,
        "battery__compute_rise_kelvin": 5,
        "battery__in_service_since": FOUR_YEARS,
        "observed__battery__temperature_celsius": 25,
        "observed__battery__state_of_charge_percent": 70,
    }
    snapshot = a_snapshot(vehicles=(a_vehicle(**{**known, **overrides}),))
    return wear_rate(Reading(snapshot).vehicles["v-1"], AT)


ON_BATTERY = {
    "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
    "battery__compute_rise_kelvin": 0,
}


def test_the_nights_worked_out_in_the_explanation() -> None:
    """0.67 and 0.77 cents."""
    assert rate() == Fraction("0.006732")
    assert rate(**ON_BATTERY) == Fraction("0.007670")


@pytest.mark.parametrize(
    "unknown",
    [
        {"battery__chemistry": None},
        {"battery__chemistry": "Sodium"},
        {"battery__replacement_cost_per_kwh": None},
    ],
)
def test_of_some_batteries_nothing_is_known(unknown: dict[str, object]) -> None:
    """Then the agreed rate stands alone."""
    assert rate(**unknown) is None


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("observed__battery__temperature_celsius", 45),
        ("battery__compute_rise_kelvin", 10),
        ("observed__battery__state_of_charge_percent", 100),
        ("battery__in_service_since", AT - 365 * DAY),
    ],
)
def test_what_is_not_known_is_the_dearest_it_can_be(field: str, known: object) -> None:
    """On wall power: hot, much warmer, full, and young."""
    unknown, dearest, usual = rate(**{field: None}), rate(**{field: known}), rate()
    assert unknown is not None
    assert dearest is not None
    assert usual is not None
    assert unknown == dearest > usual


def test_wear_is_never_below_zero() -> None:
    """NCA at the wall without a rise wears nothing, and gives nothing back."""
    assert rate(battery__compute_rise_kelvin=0) == 0


def test_age_is_counted_from_one_year_to_eight() -> None:
    """Younger packs are one year old, older ones eight."""

    def aged(days: int) -> Fraction | None:
        return rate(battery__in_service_since=AT - days * DAY)

    assert aged(-5) == aged(10) == aged(365)
    assert aged(8 * 365) == aged(20 * 365) != aged(7 * 365)
