"""Whether a plan's charging profiles are those the rules ask for."""

from dataclasses import replace
from typing import Any

import pytest

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.plan import Charging, Plan
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Supply, TaperStep
from idlewatt_scheduler.testing import (
    AT,
    a_charging_site,
    a_controlled_car,
    a_profile,
    a_running_pod,
    a_site,
    a_snapshot,
    even_quantiles,
)

FULL = 7_854_546
"""24 kWh, from 40 % to 80 %, at 11 kW: 2 h 10 min 54 s and something, in milliseconds."""
AT_ONCE = a_profile((0, 11_000), (FULL, 0))
NEVER = a_profile((0, 0))
AT_FIVE = 7 * HOUR
"""05:00 UTC: the night band has ended, and the car leaves an hour later."""
THREE_KWH = 981_819
"""From 75 % to 80 % at 11 kW."""


def a_scene(car: dict[str, Any] | None = None, **site: object) -> Snapshot:
    """One car at 40 % that leaves in eight hours, and no pods."""
    return a_snapshot(vehicles=(a_controlled_car(**(car or {})),), sites=(a_charging_site(**site),))


def sentences(snapshot: Snapshot, *profiles: ChargingProfile) -> str:
    """What is wrong with such profiles of `v-1`."""
    charging = tuple(Charging("v-1", profile) for profile in profiles)
    plan = Plan(at=snapshot.at, charging=charging, currency="EUR")
    found = violations(snapshot, plan)
    assert {each.rule for each in found} <= {"Charging", "ChargingTime", "CircuitFull"}
    return " ".join(each.sentence for each in found)


def row_a(limit: int, **overrides: Any) -> dict[str, Any]:  # noqa: ANN401
    """The site has one circuit."""
    return {"circuits": (replace(Circuit("row-a", None, limit), **overrides),)}


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        (AT_ONCE, ""),
        (NEVER, "there is room for more"),
        (a_profile(), "does not begin"),
        (a_profile((1, 0)), "does not begin"),
        (a_profile((0, 11_000), (FULL, 0), (FULL, 0)), "not in order"),
        (a_profile((0, 0), (HOUR, 1_380)), "has no end, and power"),
        (a_profile((0, 11_000), (HOUR, 0), (HOUR + 1, 11_000), (FULL + 1, 0)), "at no quarter"),
        (a_profile((0, 11_001), (HOUR, 0)), "may be charged with 0"),
        (a_profile((0, 1_379), (HOUR, 0)), "may be charged with 0"),
        (a_profile((0, 11_000), (FULL + 1, 0)), "begins at"),
        (a_profile((0, 11_000), (3 * HOUR, 0)), "beyond the 80 %"),
    ],
)
def test_a_profile_has_a_form(profile: ChargingProfile, sentence: str) -> None:
    """From `at` on, in quarters, in allowed powers, to the departure charge and no further."""
    found = sentences(a_scene(), profile)
    assert sentence in found
    assert bool(sentence) == bool(found)


def test_half_a_watt_is_no_power() -> None:
    """Profiles are in whole watts."""
    first, last = AT_ONCE.periods
    assert "may be" in sentences(a_scene(), ChargingProfile((replace(first, power=500), last)))


def test_exactly_the_cars_that_are_ours_have_a_profile() -> None:
    """Controlled or not; nobody else; and each has one."""
    ours = a_scene({"observed__connection__profile": None})
    assert sentences(ours, AT_ONCE) == ""
    assert "has 0 charging profiles" in sentences(ours)
    assert "has 2 charging profiles" in sentences(ours, AT_ONCE, AT_ONCE)
    for foreign in (
        a_snapshot(vehicles=(a_controlled_car(),), sites=(a_site(),)),
        a_scene({"observed__connection__supply": Supply.PLUGGED_NOT_SUPPLIED}),
        a_scene({"observed__parking__parked": False}),
        a_scene({"observed__battery__observed_at": AT - 121_000}),
        a_scene({"observed__connection__observed_at": AT + 5_001}),
        a_scene({"observed__connection__circuit": "gone"}),
        a_scene({"windows": (), "observed__connection__profile": None}),
    ):
        assert sentences(foreign) == ""
        assert "not ours to charge" in sentences(foreign, NEVER)


def test_a_car_that_overstays_is_still_told_when_to_charge() -> None:
    """No window is open any more, but one that follows our profile can be shed, or charged."""
    overstaying = a_scene({"windows": ()})
    assert "has 0 charging profiles" in sentences(overstaying)
    assert sentences(overstaying, AT_ONCE) == ""
    assert sentences(a_scene({"windows": ()}, **row_a(0)), NEVER) == ""


def test_profiles_are_in_order_of_name() -> None:
    """So that two plans can be compared."""
    cars = (a_controlled_car(name="v-1"), a_controlled_car(name="v-2"))
    snapshot = a_snapshot(vehicles=cars, sites=(a_charging_site(),))
    charging = (Charging("v-1", AT_ONCE), Charging("v-2", AT_ONCE))
    good = Plan(at=AT, charging=charging, currency="EUR")
    assert violations(snapshot, good) == ()
    (found,) = violations(snapshot, replace(good, charging=charging[::-1]))
    assert found.sentence == "Its charging profiles are not in order of name."


@pytest.mark.parametrize(
    ("car", "first"),
    [
        ({"taper": (TaperStep(40, 5_000),)}, 5_000),
        ({"observed__connection__charge_power_limit_watts": 7_000}, 7_000),
        ({"max_charge_power_watts": 4_500}, 4_500),
    ],
)
def test_the_greatest_power_is_the_least_of_all_limits(car: dict[str, Any], first: int) -> None:
    """A watt more is too much."""
    quarter = 15 * MINUTE
    assert "may be" not in sentences(a_scene(car), a_profile((0, first), (quarter, 0)))
    assert "may be" in sentences(a_scene(car), a_profile((0, first + 1), (quarter, 0)))


def test_charging_slows_down_where_a_step_of_the_taper_is_reached() -> None:
    """30 % of 60 kWh at 11 kW, then the rest at 5 kW; and not a millisecond later."""
    scene = a_scene({"taper": (TaperStep(70, 5_000),)})
    at_70, at_80 = 5_890_910, 5_890_910 + 4_319_998
    assert sentences(scene, a_profile((0, 11_000), (at_70, 5_000), (at_80, 0))) == ""
    late = a_profile((0, 11_000), (at_70 + 1, 5_000), (at_80, 0))
    assert "begins at" in sentences(scene, late)


def test_computing_leaves_less_for_charging() -> None:
    """11 kW less 572.7 W AC of a running pod and standby; the battery loses nothing."""
    pod = a_running_pod(bound_power=414_000)
    scene = replace(a_scene({"min_charge_power_watts": 10_427}), running=(pod,))
    charging = Charging("v-1", a_profile((0, 10_427), (HOUR, 0)))
    plan = Plan(at=AT, charging=(charging,), currency="EUR")
    said = [each.sentence for each in violations(scene, plan) if "Charging" in each.rule]
    assert said
    assert "may be" not in said[0]
    more = Charging("v-1", a_profile((0, 10_428), (HOUR, 0)))
    said = [each.sentence for each in violations(scene, replace(plan, charging=(more,)))]
    assert any("may be charged with 0" in sentence for sentence in said)


def test_no_circuit_above_may_be_over_its_limit() -> None:
    """In watts, and in amps on each phase: on one of three it is three times as much there."""
    assert sentences(a_scene(**row_a(11_000)), AT_ONCE) == ""
    assert "row-a is over" in sentences(a_scene(**row_a(10_999)), AT_ONCE)
    phase = row_a(50_000, max_current_milliamps_per_phase=16_000) | {"nominal_voltage_volts": 230}
    assert sentences(a_scene({"observed__connection__phases": None}, **phase), AT_ONCE) == ""
    assert "row-a is over" in sentences(a_scene({"phases": 2}, **phase), AT_ONCE)


def test_a_car_that_will_be_short_uses_every_quarter_with_room() -> None:
    """Where the circuit carries no more, nothing is wrong with less."""
    least = a_profile((0, 2_000), (8 * HOUR, 0))
    assert "there is room" in sentences(a_scene(**row_a(2_001)), least)
    assert sentences(a_scene(**row_a(2_000)), least) == ""
    assert sentences(a_scene(**row_a(1_379)), NEVER) == ""


def test_no_dear_quarter_is_used_while_a_cheap_one_is_idle() -> None:
    """The day's price from 05:00 UTC on is higher; below the reserve nobody asks for prices."""
    nearly_full = {"observed__battery__state_of_charge_percent": 75}
    late = a_profile((0, 0), (AT_FIVE, 11_000), (AT_FIVE + THREE_KWH, 0))
    assert "is dearer" in sentences(a_scene(nearly_full), late)
    assert sentences(a_scene(nearly_full), a_profile((0, 11_000), (THREE_KWH, 0))) == ""
    reserve = {"battery__reserve_percent": 78, **nearly_full}
    assert sentences(a_scene(reserve), late) == ""


def test_charging_is_done_by_what_was_learned_on_arrival() -> None:
    """Who parked at 18:00 for five to six hours may leave at 23:00: no later quarter is asked."""
    learned = DepartureModel((even_quantiles(18_000, 21_600, stated=False),))
    scene = replace(a_scene(), departures=learned)
    late = a_profile((0, 0), (4 * HOUR, 11_000), (4 * HOUR + FULL, 0))
    assert sentences(a_scene(), late) == ""
    assert sentences(scene, late) == ""
    earlier = replace(a_scene({"observed__parking__since": AT - HOUR}), departures=learned)
    assert "there is room" in sentences(earlier, late)


def test_on_the_battery_the_charge_was_reached_once() -> None:
    """What computing takes afterwards is not asked for again."""
    car = {
        "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
        "observed__battery__state_of_charge_percent": 80,
    }
    scene = replace(a_scene(car), running=(a_running_pod(bound_power=500_000),))
    charging = (Charging("v-1", NEVER),)
    found = violations(scene, Plan(at=AT, charging=charging, currency="EUR"))
    assert not {each.rule for each in found} & {"Charging", "ChargingTime"}
