"""The builders give a healthy fleet, change what they are told to, and refuse the impossible."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit
from idlewatt_scheduler.model.tariff import DemandCharge, TariffInterval
from idlewatt_scheduler.model.vehicle import ParkingException, ParkingWindow, TaperStep
from idlewatt_scheduler.model.workload import NodeSelectorTerm, Preference, Spread
from idlewatt_scheduler.testing import (
    AT,
    a_controlled_car,
    a_node,
    a_pod,
    a_policy,
    a_profile,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
    changed,
    even_quantiles,
    instant,
)


def test_nested_fields_are_reached_with_two_underscores() -> None:
    """One word changes one field, however deep, and nothing else."""
    vehicle = a_vehicle(observed__battery__state_of_charge_percent=12, battery__reserve_percent=5)
    assert vehicle.observed.battery is not None
    assert vehicle.observed.battery.state_of_charge_percent == 12
    assert vehicle.battery.reserve_percent == 5
    assert vehicle.compute == a_vehicle().compute


def test_a_snapshot_files_its_parts_and_gives_every_vehicle_a_node() -> None:
    """Plain values go under their names."""
    snapshot = a_snapshot(
        vehicles=(a_vehicle(), a_vehicle(name="v-2")), sites=[a_site(), a_site(name="depot-8")]
    )
    assert sorted(snapshot.nodes) == ["v-1", "v-2"]
    assert sorted(snapshot.sites) == ["depot-7", "depot-8"]


def test_pods_of_different_names_are_different_pods() -> None:
    """Each has its own UID, unless one is given."""
    pods = [a_pod(name="a"), a_pod(name="b"), a_running_pod().pod]
    pods += [a_running_pod(pod__name="c").pod]
    assert len({pod.uid for pod in pods}) == 4
    assert a_running_pod(pod__uid="mine").pod.uid == "mine"


def test_an_instant_has_a_zone() -> None:
    """A wall time without one could be anything."""
    assert instant("1970-01-02T01:00:00.007+01:00") == 86_400_007
    with pytest.raises(ValueError, match="has no zone"):
        instant("2026-01-15T22:00:00")


HALF_A_WATT = ChargingProfile((ChargingPeriod(AT, 500),))
ON_NO_DAY = Recurrence(frozenset(), 0, 0)
IN_NO_MONTH = Recurrence(EVERY_DAY, 0, 0, months=frozenset())

IMPOSSIBLE: list[tuple[str, Callable[..., object], dict[str, Any]]] = [
    ("reserve <= departure", a_vehicle, {"battery__reserve_percent": 81}),
    ("no capacity", a_vehicle, {"battery__net_capacity_watt_hours": 0}),
    ("efficiency of 0", a_vehicle, {"compute__efficiency_percent": 0}),
    ("below 0", a_vehicle, {"max_charge_power_watts": -1}),
    ("charge of 101", a_vehicle, {"observed__battery__state_of_charge_percent": 101}),
    ("either recurs", a_vehicle, {"windows": (ParkingWindow("w", "s"),)}),
    ("before it starts", a_vehicle, {"windows": (ParkingWindow("w", "s", start=2, end=1),)}),
    (
        "outside a day",
        a_vehicle,
        {"windows": (ParkingWindow("w", "s", Recurrence(frozenset({0}), 0, 1_440)),)},
    ),
    ("no day", a_vehicle, {"windows": (ParkingWindow("w", "s", Recurrence(frozenset(), 0, 1)),)}),
    ("less than nothing", a_node, {"allocatable": {"cpu": -1}}),
    ("before its parent", a_site, {"circuits": (Circuit("a", "b", 1), Circuit("b", None, 1))}),
    ("two circuits", a_site, {"circuits": (Circuit("a", None, 1), Circuit("a", None, 1))}),
    ("limit below 0", a_site, {"circuits": (Circuit("a", None, -1),)}),
    ("zones and intervals", a_tariff, {"intervals": (TariffInterval(AT, 1),)}),
    ("no duration", a_tariff, {"zones": (), "intervals": (TariffInterval(AT, 0),)}),
    ("are cheapest", a_policy, {"off_peak": OffPeakTest(cheapest_percent_of_next_24_hours=101)}),
    ("given together", a_policy, {"off_peak": OffPeakTest(currency="EUR")}),
    ("does not count itself", a_pod, {"requests": {}}),
    ("requests less", a_pod, {"requests": {"cpu": -1, "pods": 1_000}}),
    ("that is no time", a_pod, {"demand__expected_runtime": 0}),
    ("4 phases", a_vehicle, {"phases": 4}),
    ("no efficiency", a_vehicle, {"charge_efficiency_percent": 0}),
    ("no efficiency", a_vehicle, {"battery__round_trip_efficiency_percent": 101}),
    ("with nothing at all", a_vehicle, {"min_charge_power_watts": 0}),
    ("do not rise", a_vehicle, {"taper": (TaperStep(90, 1), TaperStep(80, 2))}),
    ("no phase", a_vehicle, {"observed__connection__phases": frozenset()}),
    ("in order of time", a_controlled_car, {"observed__connection__profile": a_profile()}),
    ("whole watts", a_controlled_car, {"observed__connection__profile": HALF_A_WATT}),
    ("ends before", a_vehicle, {"exceptions": (ParkingException("away", 2, 2),)}),
    ("no month", a_vehicle, {"windows": (ParkingWindow("w", "s", IN_NO_MONTH),)}),
    ("0 V", a_site, {"nominal_voltage_volts": 0}),
    ("below 0", a_site, {"observed_circuits": (ObservedCircuit("a", export_watts=-1),)}),
    ("when it was", a_site, {"observed_circuits": (ObservedCircuit("a", peak_watts=1),)}),
    ("no day", a_tariff, {"demand_charges": (DemandCharge("d", ON_NO_DAY, Decimal(1)),)}),
    ("does not have", a_tariff, {"refreshed_at": AT}),
    ("from itself", a_tariff, {"carbon": "depot"}),
    ("are cleanest", a_policy, {"off_peak": OffPeakTest(cleanest_percent_of_next_24_hours=0)}),
    ("no less than no time", a_policy, {"surplus_seconds": -1}),
    ("less than nothing", a_policy, {"preference_cost_per_point": Decimal(-1)}),
    ("less than nothing", a_policy, {"migration_cost": Decimal(-1)}),
    ("move at once", a_policy, {"migrations_at_once": 0}),
    ("gang and its size", a_pod, {"demand__gang": "g"}),
    ("gang and its size", a_pod, {"demand__gang_size": 2}),
    ("gang and its size", a_pod, {"demand__gang": "g", "demand__gang_size": 1_001}),
    ("with no skew", a_pod, {"spread": (Spread("zone", 0),)}),
    ("no domain at least", a_pod, {"spread": (Spread("zone", 1, min_domains=0),)}),
    ("over no key", a_pod, {"spread": (Spread("", 1),)}),
    ("no 1 to 100", a_pod, {"preferred_affinity": (Preference(101, NodeSelectorTerm()),)}),
    ("never fall", a_snapshot, {"departures": DepartureModel((even_quantiles(9, 0),))}),
    ("no hour", a_snapshot, {"departures": DepartureModel((even_quantiles(0, 9, hour=24),))}),
    ("2 vehicles v-1", a_snapshot, {"vehicles": (a_vehicle(), a_vehicle())}),
    ("2 pods default/pod", a_snapshot, {"pending": (a_pod(), a_pod())}),
    ("its fence", a_snapshot, {"running": (a_running_pod(counts_until=AT),)}),
    ("filed under", a_snapshot, {"sites": {"other": a_site()}}),
    ("no field 'colour'", a_vehicle, {"colour": "red"}),
    ("no fields to change", a_vehicle, {"agreement": None, "agreement__version": 2}),
]


@pytest.mark.parametrize(("sentence", "builder", "overrides"), IMPOSSIBLE)
def test_impossible_fixtures_are_refused(
    sentence: str, builder: Callable[..., object], overrides: dict[str, Any]
) -> None:
    """Each with a sentence that says what contradicts what."""
    with pytest.raises(ValueError, match=sentence):
        builder(**overrides)


def test_changed_leaves_the_original_alone() -> None:
    """Values are frozen; a change is a copy."""
    node = a_node()
    assert changed(node, unschedulable=True).unschedulable
    assert not node.unschedulable
