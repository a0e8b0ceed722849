"""wear: the model says what the cell models say, and is dear where something is not known."""

import csv
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal, localcontext
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idlewatt_scheduler.model.vehicle import (
    Agreement,
    EnergySource,
    ObservedBattery,
    ObservedConnection,
    Supply,
    Vehicle,
)
from idlewatt_scheduler.testing import a_vehicle
from idlewatt_scheduler.wear import (
    AGES_MONTHS,
    CHARGES_PERCENT,
    MILLISECONDS_PER_MONTH,
    RISES_KELVIN,
    TEMPERATURES_CELSIUS,
    Night,
    model_rate,
    wear_per_kwh,
)
from idlewatt_scheduler.wear_coefficients import CELLS

TABLES = Path(__file__).parent
CENT = Decimal("0.01")
PACK = Decimal(75_000)
COST = Decimal(100)
NOW = 120 * MILLISECONDS_PER_MONTH


def cents(chemistry: str, night: Night, capacity: Decimal = PACK) -> Decimal:
    """The model's rate in cents, of a pack of 100 EUR per kWh."""
    rate = wear_per_kwh(chemistry, capacity, COST, night)
    assert rate is not None
    return rate / CENT


def a_night(**changes: Decimal | bool | int) -> Night:
    """On wall power at 25 degrees and 70 %, four years on."""
    usual = Night(Decimal(25), Decimal(5), False, Decimal(70), Decimal(4))  # noqa: FBT003
    return replace(usual, **changes)  # type: ignore[arg-type] # as the test names them


def rows(table: str) -> list[dict[str, str]]:
    """A table that `scripts/fit_wear.py` wrote."""
    with (TABLES / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def modelled(row: dict[str, str]) -> Decimal:
    """What the model says of a row, in cents."""
    night = Night(
        Decimal(row["ambient_celsius"]),
        Decimal(row["rise_kelvin"]),
        row["source"] == "battery",
        Decimal(row["charge_percent"]),
        Decimal(row["years"]),
        1_000 * Decimal(row["computing_kw"]),
        Decimal(row["hours"]),
        1_000 * Decimal(row["driven_kwh"]),
    )
    return cents(row["chemistry"], night, 1_000 * Decimal(row["capacity_kwh"]))


def simulated(row: dict[str, str]) -> Decimal:
    """What the cell model says of a row, in cents; below 0 nothing is paid."""
    return max(Decimal(0), Decimal(row["cents_per_kwh"]))


def disagreement(row: dict[str, str]) -> Decimal:
    """How far the model is off, as a share of what is allowed: 15 %, or 0.05 ct."""
    said = simulated(row)
    return abs(modelled(row) - said) / max(Decimal("0.05"), Decimal("0.15") * said)


def runs_empty(row: dict[str, str]) -> bool:
    """A pack that has lost half its capacity could not do this day on one charge."""
    computed = Decimal(row["computing_kw"]) * Decimal(row["hours"])
    day = Decimal(row["driven_kwh"]) + (computed if row["source"] == "battery" else 0)
    charged = Decimal(row["charge_percent"]) / 100 * Decimal(row["capacity_kwh"])
    return day > charged / 2


def excused(row: dict[str, str]) -> bool:
    """The cell model's pack is past its end and runs empty; the model is dearer."""
    return runs_empty(row) and modelled(row) > simulated(row)


@pytest.mark.parametrize("chemistry", CELLS)
def test_the_model_agrees_with_the_cell_models_over_the_whole_grid(chemistry: str) -> None:
    """Every temperature, rise, source, charge and year of it is within 15 % or 0.05 ct."""
    grid = [row for row in rows("wear_grid.csv") if row["chemistry"] == chemistry]
    assert len(grid) == 4 * 4 * 2 * 5 * 8
    assert [row for row in grid if disagreement(row) > 1] == []


def test_the_model_agrees_beside_the_grid() -> None:
    """So are other packs, days of driving, powers and hours, but for one worn-out pack."""
    beside = rows("wear_beside.csv")
    assert len(beside) == 150
    assert [row for row in beside if disagreement(row) > 1 and not excused(row)] == []
    assert sum(disagreement(row) > 1 for row in beside) <= 1


@pytest.mark.parametrize(
    ("chemistry", "from_battery", "rise", "expected"),
    [
        ("NCA", True, 0, "0.2"),
        ("LFP", True, 0, "0.7"),
        ("NCA", False, 5, "0.9"),
        ("LFP", False, 5, "0.5"),
    ],
)
def test_over_eight_years_a_kwh_costs_what_is_known_of_it(
    chemistry: str,
    from_battery: bool,  # noqa: FBT001 # a case
    rise: int,
    expected: str,
) -> None:
    """At 25 degrees and 70 %: what the documentation says of the two chemistries."""
    night = a_night(from_battery=from_battery, rise_kelvin=Decimal(rise), age_years=Decimal(8))
    assert f"{cents(chemistry, night):.1f}" == expected


@pytest.mark.parametrize("chemistry", CELLS)
def test_wall_power_that_warms_nothing_wears_nothing(chemistry: str) -> None:
    """The same session without computing is the same session: 0, and not a millionth."""
    assert cents(chemistry, a_night(rise_kelvin=Decimal(0))) == 0


def test_what_a_lower_charge_saves_never_makes_a_rate_negative() -> None:
    """A full NCA pack ages less where computing draws it down; nobody pays for that."""
    night = a_night(
        from_battery=True, rise_kelvin=Decimal(0), charge_percent=Decimal(95), age_years=Decimal(1)
    )
    assert cents("NCA", night) == 0


def test_of_an_unknown_chemistry_nothing_is_said() -> None:
    """There is no rate rather than a guess."""
    assert wear_per_kwh("LTO", PACK, COST, a_night()) is None


nights = st.builds(
    Night,
    temperature_celsius=st.integers(-20, 50).map(Decimal),
    rise_kelvin=st.integers(0, 15).map(Decimal),
    from_battery=st.booleans(),
    charge_percent=st.integers(0, 100).map(Decimal),
    age_years=st.integers(12, 96).map(lambda months: Decimal(months) / 12),
    computing_watts=st.integers(100, 3_000).map(Decimal),
    driven_watt_hours=st.integers(0, 40_000).map(Decimal),
)


@given(st.sampled_from(sorted(CELLS)), nights, st.integers(10_000, 120_000).map(Decimal))
def test_a_rate_is_whole_millionths_and_the_same_whoever_asks(
    chemistry: str, night: Night, capacity: Decimal
) -> None:
    """Neither the caller's precision nor its rounding reaches into it."""
    rate = wear_per_kwh(chemistry, capacity, COST, night)
    with localcontext() as context:
        context.prec, context.rounding = 5, ROUND_DOWN
        again = wear_per_kwh(chemistry, capacity, COST, night)
    assert rate is not None
    assert rate == again
    assert rate >= 0
    assert rate.as_tuple().exponent == -6


@given(st.sampled_from(sorted(CELLS)), nights)
def test_on_wall_power_a_warmer_night_is_never_cheaper(chemistry: str, night: Night) -> None:
    """By the absolute temperature: more rise costs more, and so does the same rise on a hot day."""
    wall = replace(night, from_battery=False, driven_watt_hours=Decimal(0))
    warmer = replace(wall, rise_kelvin=wall.rise_kelvin + 1)
    hotter = replace(wall, temperature_celsius=wall.temperature_celsius + 10)
    assert cents(chemistry, wall) <= cents(chemistry, warmer)
    assert cents(chemistry, wall) <= cents(chemistry, hotter)


@given(st.sampled_from(sorted(CELLS)), nights, st.integers(1, 9))
def test_a_dearer_pack_is_dearer_to_wear(chemistry: str, night: Night, times: int) -> None:
    """The rate is in proportion to what a kWh of a pack costs, but for rounding up."""
    once = wear_per_kwh(chemistry, PACK, COST, night)
    more = wear_per_kwh(chemistry, PACK, COST * times, night)
    assert once is not None
    assert more is not None
    assert 0 <= once * times - more < Decimal("0.00001")


@pytest.mark.parametrize("chemistry", CELLS)
@pytest.mark.parametrize(("cost", "watts"), [("10000000", "1"), ("1e11", "1000"), ("1e-6", "1000")])
def test_a_rate_has_as_many_digits_as_its_currency_needs(
    chemistry: str, cost: str, watts: str
) -> None:
    """A pack may cost a hundred million rials per kWh, and a small computer shares it with few."""
    night = a_night(from_battery=True)
    dear = wear_per_kwh(
        chemistry, PACK, Decimal(cost), replace(night, computing_watts=Decimal(watts))
    )
    plain = wear_per_kwh(
        chemistry, PACK, Decimal(1_000), replace(night, computing_watts=Decimal(watts))
    )
    assert dear is not None
    assert plain is not None
    assert dear.as_tuple().exponent == -6
    assert abs(dear - plain * Decimal(cost) / 1_000) <= max(Decimal("0.000002"), dear / 1_000)


def a_car(**changes: object) -> Vehicle:
    """Of LFP, plugged in, with everything known that wear depends on."""
    known: dict[str, object] = {
        "battery__chemistry": "LFP",
        "battery__replacement_cost_per_kwh": COST,
        "battery__net_capacity_watt_hours": 75_000,
        "battery__compute_rise_kelvin": 5,
        "battery__in_service_since": NOW - 48 * MILLISECONDS_PER_MONTH,
        "compute__max_power_watts": 1_000,
        "observed__battery": ObservedBattery(70, 25),
    }
    return a_vehicle(**(known | changes))


def test_a_vehicle_s_rate_is_that_of_a_night_at_its_full_power() -> None:
    """Eight hours, 7 kWh of driving a day, and what was observed."""
    expected = wear_per_kwh("LFP", PACK, COST, a_night())
    assert model_rate(a_car(), NOW) == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("battery__chemistry", None),
        ("battery__chemistry", "LTO"),
        ("battery__replacement_cost_per_kwh", None),
        ("compute__max_power_watts", 0),
    ],
)
def test_without_what_a_rate_is_made_of_there_is_none(field: str, value: object) -> None:
    """The agreed rate stands alone then."""
    assert model_rate(a_car(**{field: value}), NOW) is None


def test_of_a_pack_without_capacity_there_is_no_rate() -> None:
    """A VehicleNode that cannot be read counts as such, and must not divide by it."""
    car = a_car()
    assert (
        model_rate(replace(car, battery=replace(car.battery, net_capacity_watt_hours=0)), NOW)
        is None
    )


@pytest.mark.parametrize("chemistry", CELLS)
@pytest.mark.parametrize(
    ("unknown", "cases"),
    [
        (
            {"battery__in_service_since": None},
            [
                {"battery__in_service_since": NOW - months * MILLISECONDS_PER_MONTH}
                for months in AGES_MONTHS
            ],
        ),
        (
            {"battery__compute_rise_kelvin": None},
            [{"battery__compute_rise_kelvin": rise} for rise in RISES_KELVIN],
        ),
        (
            {"observed__battery": ObservedBattery(70, None)},
            [{"observed__battery": ObservedBattery(70, t)} for t in TEMPERATURES_CELSIUS],
        ),
        (
            {"observed__battery": ObservedBattery(None, 25)},
            [{"observed__battery": ObservedBattery(percent, 25)} for percent in CHARGES_PERCENT],
        ),
    ],
    ids=["age", "rise", "temperature", "charge"],
)
def test_what_is_unknown_is_the_dearest_it_can_be(
    chemistry: str, unknown: dict[str, object], cases: list[dict[str, object]]
) -> None:
    """Neither an old pack nor a cool night is taken for granted."""
    rates = [model_rate(a_car(battery__chemistry=chemistry, **case), NOW) for case in cases]
    dearest = max(rate for rate in rates if rate is not None)
    assert model_rate(a_car(battery__chemistry=chemistry, **unknown), NOW) == dearest


@pytest.mark.parametrize(
    ("months", "counts_as"), [(0, 12), (11, 12), (12, 12), (25, 25), (96, 96), (200, 96)]
)
def test_a_pack_is_between_one_and_eight_years_old(months: int, counts_as: int) -> None:
    """Beyond the years that were compared the dearer end of them holds, never a cheaper guess."""
    car = a_car(battery__in_service_since=NOW - months * MILLISECONDS_PER_MONTH)
    night = a_night(age_years=Decimal(counts_as) / 12)
    assert model_rate(car, NOW) == wear_per_kwh("LFP", PACK, COST, night)


def test_out_of_the_tested_temperatures_the_dearer_of_both_holds() -> None:
    """On wall power a frozen pack would wear less: it is priced as one at 0 degrees."""
    frozen = a_car(observed__battery=ObservedBattery(70, -15))
    at_zero = a_car(observed__battery=ObservedBattery(70, 0))
    assert model_rate(frozen, NOW) == model_rate(at_zero, NOW)


def standing(supply: Supply, *consents: EnergySource) -> Vehicle:
    """The car at this supply, its owner consenting to these sources."""
    seen = replace(
        a_car().observed,
        connection=ObservedConnection(supply=supply),
    )
    return replace(a_car(), agreement=Agreement("agr-1", 1, frozenset(consents)), observed=seen)


@pytest.mark.parametrize(
    ("car", "from_battery"),
    [
        (standing(Supply.SUPPLIED, *EnergySource), False),
        (standing(Supply.UNPLUGGED, *EnergySource), True),
        (standing(Supply.SUPPLIED, EnergySource.BATTERY), True),
        (standing(Supply.UNPLUGGED, EnergySource.GRID), False),
    ],
)
def test_the_source_is_the_one_that_the_rules_give(
    car: Vehicle,
    from_battery: bool,  # noqa: FBT001 # a case
) -> None:
    """An unplugged car wears as one on its battery, unless its owner never consented to that."""
    assert model_rate(car, NOW) == wear_per_kwh(
        "LFP", PACK, COST, a_night(from_battery=from_battery)
    )


def test_without_any_consent_the_dearer_source_counts() -> None:
    """A car that has joined and has no agreement yet is priced high as well."""
    both = [
        wear_per_kwh("LFP", PACK, COST, a_night(from_battery=from_battery))
        for from_battery in (True, False)
    ]
    expected = max(rate for rate in both if rate is not None)
    assert model_rate(a_car(agreement=None), NOW) == expected
