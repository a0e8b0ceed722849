"""What is known comes true at a later instant, and nothing else changes."""

from dataclasses import replace

from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Supply, Vehicle
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import (
    AT,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
)
from idlewatt_scheduler.why.outlook import Outlook

NOTHING = Plan(AT)
MORNING = AT + 8 * HOUR
"""07:00 in Berlin, when the car leaves."""

EVENING = AT + 19 * HOUR
"""18:00 in Berlin, when it is back."""


def seen(snapshot: Snapshot, then: int, made: Plan = NOTHING) -> Snapshot:
    """The snapshot of a later instant."""
    return Outlook(snapshot, made).snapshot_at(then)


def car_at(snapshot: Snapshot, then: int) -> Vehicle:
    """The only car, later."""
    return seen(snapshot, then).vehicles[0]


def test_telemetry_stays_as_fresh_as_it_is() -> None:
    """Ages do not grow while one waits."""
    later = car_at(a_snapshot(), AT + HOUR).observed
    assert later.battery is not None
    assert later.battery.observed_at == AT + HOUR - 10_000


def test_a_car_that_left_is_back_with_its_next_window() -> None:
    """It has stood there since that window opened, and what was stated of the last stay is over."""
    car = a_vehicle(observed__departure_expected_at=AT + HOUR)
    snapshot = a_snapshot(vehicles=(car,))
    gone = car_at(snapshot, AT + 2 * HOUR).observed
    back = car_at(snapshot, EVENING + HOUR).observed
    assert gone.departure_expected_at == AT + HOUR
    assert back.departure_expected_at is None
    assert back.parking is not None
    assert back.parking.since == EVENING


def test_pods_end_when_they_said_or_when_their_car_leaves() -> None:
    """A job at its end, a service with the car; and one that has to leave within its lead."""
    job = a_running_pod(
        pod=a_pod(name="job", demand__expected_runtime=HOUR), bound_until=AT + 30 * MINUTE
    )
    service = a_running_pod(pod=a_pod(name="service"), bound_until=None)
    snapshot = a_snapshot(running=(job, service))
    assert len(seen(snapshot, AT + 30 * MINUTE - 1).running) == 2
    assert [each.pod.name for each in seen(snapshot, AT + 30 * MINUTE).running] == ["service"]
    assert seen(snapshot, MORNING).running == ()
    made = replace(NOTHING, leaving=(Leaving(service.pod, "v-1", PodReason.ON_PEAK),))
    still = seen(snapshot, AT + 4 * MINUTE, made).running
    assert [each.counts_until for each in still if each.pod.name == "service"] == [AT + 5 * MINUTE]
    assert [each.pod.name for each in seen(snapshot, AT + 5 * MINUTE, made).running] == ["job"]


def test_what_is_placed_runs_by_then() -> None:
    """With its power, to its end; who waits still waits."""
    small, big = (
        a_pod(name="small", demand__expected_runtime=HOUR),
        a_pod(name="big", requests={"cpu": 99_000, "pods": 1_000}),
    )
    snapshot = a_snapshot(pending=(small, big))
    made = plan(snapshot)
    later = seen(snapshot, AT + MINUTE, made)
    assert [each.name for each in later.pending] == ["big"]
    assert [(each.pod.name, each.bound_power, each.bound_until) for each in later.running] == [
        ("small", made.placements[0].power, made.placements[0].until)
    ]


def test_the_battery_falls_by_what_computes_on_it() -> None:
    """1,000 W for an hour from 60 kWh are 1 2/3 percent, exactly."""
    car = a_vehicle(
        observed__connection__supply=Supply.UNPLUGGED,
        agreement__energy_sources=frozenset({EnergySource.BATTERY}),
        compute__standby_power_watts=0,
    )
    running = a_running_pod(bound_power=1_000_000, bound_until=None)
    battery = car_at(a_snapshot(vehicles=(car,), running=(running,)), AT + HOUR).observed.battery
    assert battery is not None
    assert battery.state_of_charge_percent is not None
    assert battery.state_of_charge_percent * 3 == 250


def test_acknowledged_charging_comes_true_and_other_charging_does_not() -> None:
    """6 kW for an hour into 60 kWh are ten percent, where the charger has acknowledged them."""
    profile = ChargingProfile((ChargingPeriod(AT - HOUR, 6_000_000), ChargingPeriod(AT + HOUR, 0)))
    car = a_vehicle(
        observed__battery__state_of_charge_percent=50, observed__connection__profile=profile
    )
    controlled = a_site(charging_controller=ChargingController.IDLEWATT)
    for site, percent in ((controlled, 60), (a_site(), 50)):
        battery = car_at(a_snapshot(vehicles=(car,), sites=[site]), AT + 2 * HOUR).observed.battery
        assert battery is not None
        assert battery.state_of_charge_percent == percent


def test_only_what_is_asked_for_is_looked_at() -> None:
    """A car with its site and tariff alone."""
    cars = (a_vehicle(name="v-1"), a_vehicle(name="v-2"))
    later = Outlook(a_snapshot(vehicles=cars), NOTHING).snapshot_at(AT + HOUR, ("v-2",))
    assert [each.name for each in later.vehicles] == ["v-2"]
    assert (set(later.nodes), set(later.sites), set(later.tariffs)) == (
        {"v-2"},
        {"depot-7"},
        {"depot"},
    )
