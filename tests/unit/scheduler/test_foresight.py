"""What is foreseen of one vehicle: the next time at which it could take a pod."""

from dataclasses import replace

import pytest

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.energy import Controlled, Stretch
from idlewatt_scheduler.foresight import (
    Car,
    Need,
    car_of,
    has_reserve_from,
    need_of,
    next_available,
    reason_at,
)
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import DAY, FOREVER, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Supply
from idlewatt_scheduler.testing import AT, a_pod, a_site, a_snapshot, a_vehicle

NEED = Need(power=500_000, stay=HOUR, lead=5 * MINUTE)
LEAVES = AT + 8 * HOUR
"""07:00 in Berlin; the night band ends an hour before, and begins again at 22:00."""

OFF_PEAK_AGAIN = AT + 23 * HOUR
BATTERY = {
    "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
    "observed__connection__supply": Supply.UNPLUGGED,
}


def a_car(**overrides: object) -> Car:
    """The car of the usual snapshot."""
    snapshot = a_snapshot(vehicles=(a_vehicle(**overrides),))
    (candidate,) = assemble(snapshot).candidates
    assert candidate.parked is not None
    return car_of(candidate.parked)


@pytest.mark.parametrize(
    ("instant", "need", "reason"),
    [
        pytest.param(AT, NEED, None, id="now"),
        pytest.param(AT + 6 * HOUR, NEED, None, id="until the band ends"),
        pytest.param(AT + 6 * HOUR + 1, NEED, PodReason.ON_PEAK, id="a millisecond longer"),
        pytest.param(
            LEAVES - HOUR - 5 * MINUTE, replace(NEED, minds_tariff=False), None, id="any tariff"
        ),
        pytest.param(
            LEAVES - HOUR - 5 * MINUTE + 1,
            replace(NEED, minds_tariff=False),
            PodReason.LEAVES_TOO_EARLY,
            id="its lead does not fit",
        ),
        pytest.param(LEAVES, NEED, PodReason.OUTSIDE_PARKING_WINDOW, id="it has left"),
        pytest.param(AT + 19 * HOUR, NEED, PodReason.ON_PEAK, id="back at six, on peak"),
        pytest.param(OFF_PEAK_AGAIN, NEED, None, id="the next night"),
        pytest.param(
            AT, replace(NEED, deadline=AT + HOUR - 1), PodReason.DEADLINE_MISSED, id="too late"
        ),
        pytest.param(AT, replace(NEED, deadline=AT + HOUR), None, id="just in time"),
        pytest.param(
            AT, replace(NEED, power=1_000_001), PodReason.NOT_ENOUGH_RESOURCES, id="too strong"
        ),
    ],
)
def test_what_a_car_answers_at_an_instant(
    instant: int, need: Need, reason: PodReason | None
) -> None:
    """The first clause that fails then, in the rules' order."""
    assert reason_at(a_car(), need, instant) is reason


def test_the_next_time_is_an_opening_or_a_change_of_the_tariff() -> None:
    """It could start now; in the morning, not before ten in the evening."""
    assert next_available(a_car(), NEED, AT) == AT
    assert next_available(a_car(), NEED, AT + 7 * HOUR) == OFF_PEAK_AGAIN
    waking = replace(NEED, wake=10 * MINUTE)
    assert next_available(a_car(), waking, AT + 7 * HOUR) == OFF_PEAK_AGAIN - 10 * MINUTE


def test_where_no_time_would_do_none_is_told() -> None:
    """A stay that is longer than any night, and one that fits within too short a look ahead."""
    assert next_available(a_car(), replace(NEED, stay=14 * HOUR), AT) is None
    assert next_available(a_car(), NEED, AT + 7 * HOUR, within=8 * HOUR) is None
    weekend = next_available(a_car(), NEED, AT + 7 * HOUR, within=DAY)
    assert weekend == OFF_PEAK_AGAIN


def test_who_says_that_it_leaves_earlier_is_believed_tonight_only() -> None:
    """Tomorrow night its windows tell again."""
    car = a_car(observed__departure_expected_at=AT + 2 * HOUR)
    late = AT + HOUR
    assert reason_at(car, NEED, late) is PodReason.LEAVES_TOO_EARLY
    assert next_available(car, NEED, late) == OFF_PEAK_AGAIN


def test_on_the_battery_what_runs_takes_from_the_new_pod() -> None:
    """5 % of 60 kWh are left above the departure charge: 3 kWh for all that computes."""
    car = a_car(**BATTERY)
    four_hours = replace(NEED, power=660_000, stay=4 * HOUR)  # with 90 W of standby: 3 kWh
    assert reason_at(car, four_hours, AT) is None
    assert reason_at(car, replace(four_hours, power=660_001), AT) is (
        PodReason.DEPARTURE_CHARGE_AT_RISK
    )


def test_a_controlled_car_has_its_reserve_when_its_profile_has_given_it() -> None:
    """Six percent of 60 kWh at 3.6 kW take an hour; the pod starts then."""
    piece = Stretch(AT, FOREVER, 3_600_000)
    car = replace(
        a_car(observed__battery__state_of_charge_percent=24),
        charging=Controlled((), (piece,), (piece,)),
    )
    assert has_reserve_from(car) == AT + HOUR
    assert reason_at(car, NEED, AT + HOUR - 1) is PodReason.BELOW_RESERVE
    assert next_available(car, NEED, AT) == AT + HOUR


def test_a_need_is_what_the_planner_asks_for() -> None:
    """Power by its share, the stay with the image, the lead, the waking, and the tariff."""
    snapshot = a_snapshot(
        vehicles=(a_vehicle(observed__power=Power.ASLEEP),),
        pending=(
            a_pod(
                demand__expected_runtime=2 * HOUR,
                demand__model_load_time=MINUTE,
                demand__deadline=AT + DAY,
            ),
        ),
    )
    (candidate,) = assemble(snapshot).candidates
    need = need_of(snapshot.pending[0], candidate, snapshot.policy, AT)
    assert need == Need(
        power=62_500,
        stay=2 * HOUR + MINUTE,
        lead=5 * MINUTE,
        wake=MINUTE,
        minds_tariff=True,
        deadline=AT + DAY,
    )


def test_without_a_tariff_it_is_unknown_for_who_minds() -> None:
    """And for everybody where the fleet pays."""
    car = replace(a_car(), prices=None)
    assert reason_at(car, NEED, AT) is PodReason.PRICE_UNKNOWN
    assert reason_at(car, replace(NEED, minds_tariff=False), AT) is None
    fleet_pays = replace(car, site=a_site(energy_borne_by=EnergyBearer.FLEET))
    assert reason_at(fleet_pays, replace(NEED, minds_tariff=False), AT) is PodReason.PRICE_UNKNOWN
