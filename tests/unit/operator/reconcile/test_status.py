"""The status of vehicles: rounded, on change, seldom."""

import itertools

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.reconcile.observed import observed_blocks
from idlewatt_operator.reconcile.status import StatusPace, StatusWrite, differing
from idlewatt_operator.resources.records import Refused
from idlewatt_operator.resources.times import parse_instant
from idlewatt_operator.twin.cluster import VEHICLE_TAINT
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.workload import Ready
from idlewatt_scheduler.testing import AT, a_site, an_observation


async def test_the_status_tells_the_story() -> None:
    """What was observed, until when it is available, how many pods with how many watts."""
    scene = Scene()
    scene.service()
    await scene.run(70)
    status = scene.cluster.view().vehicles["v-0"].status
    assert status["availableUntil"] == "2026-01-16T06:00:00Z"
    assert (status["pods"], status["allocatedPowerWatts"]) == (1, 152)
    assert status["power"] == "Awake"
    battery = status["battery"]
    assert isinstance(battery, dict)
    assert battery["stateOfChargePercent"] == 85
    for condition in ("Available", "Reachable", "TelemetryFresh", "ParkingWindowsUsable"):
        assert scene.condition("VehicleNode", "v-0", condition)[0] == "True"
    assert scene.condition("VehicleNode", "v-0", "Draining") == ("False", "NotDraining")


async def test_a_vehicle_is_written_at_most_once_a_minute() -> None:
    """However often its charge changes, a minute lies between two writes."""
    scene = Scene()
    for step in range(60):
        scene.observe("v-0", battery__state_of_charge_percent=80 + step % 20)
        await scene.run(5)
    written = [each.at for each in scene.writes("write_vehicle_status")]
    assert len(written) >= 4
    gaps = [later - earlier for earlier, later in itertools.pairwise(written)]
    assert min(gaps) >= MINUTE


async def test_a_new_vehicle_is_written_with_its_first_report() -> None:
    """What is written before would stand for a minute beside pods that already run."""
    scene = Scene()
    scene.service()
    reported = scene.telemetry.vehicles.pop("v-0")
    await scene.run(2)
    assert scene.writes("write_vehicle_status") == []
    scene.telemetry.vehicles["v-0"] = reported
    await scene.run(3)
    assert scene.condition("VehicleNode", "v-0", "Available")[0] == "True"
    assert scene.cluster.view().vehicles["v-0"].status["pods"] == 1


async def test_a_vehicle_that_never_reports_says_so() -> None:
    """Ten seconds are enough to wait for a first report."""
    scene = Scene()
    scene.telemetry.vehicles.clear()
    await scene.run()
    assert scene.writes("write_vehicle_status") == []
    await scene.run(10)
    assert scene.condition("VehicleNode", "v-0", "Available") == ("False", "TelemetryStale")


async def test_the_reason_is_the_first_clause_that_fails() -> None:
    """`Available` is False under the name of the clause, `Reachable` and freshness by theirs."""
    scene = Scene()
    await scene.run()
    scene.cluster.set_ready("v-0", Ready.UNKNOWN)
    scene.silent.add("v-0")
    await scene.run(200)
    assert scene.condition("VehicleNode", "v-0", "Available") == ("False", "Unreachable")
    assert scene.condition("VehicleNode", "v-0", "Reachable") == ("False", "Unreachable")
    assert scene.condition("VehicleNode", "v-0", "TelemetryFresh") == ("False", "TelemetryStale")
    assert "availableUntil" not in scene.cluster.view().vehicles["v-0"].status


async def test_without_a_telemetry_source_nothing_observed_is_written() -> None:
    """The status is then the source itself: only what the operator knows is written into it."""
    scene = Scene()
    vehicle = scene.cluster.view().vehicles["v-0"].vehicle
    scene.telemetry.latest = lambda: None  # type: ignore[method-assign, assignment, return-value]
    await scene.run()
    (write,) = scene.writes("write_vehicle_status")
    assert write.detail == {
        "observedGeneration": 1,
        "availableUntil": "2026-01-16T06:00:00Z",
        "pods": 0,
        "allocatedPowerWatts": 0,
    }
    assert vehicle.observed.battery is not None


def test_a_new_time_of_observation_alone_is_no_change() -> None:
    """Every report has a new time; it is written with another change, or once an hour."""
    standing = observed_blocks(an_observation())
    later = observed_blocks(an_observation(battery__observed_at=AT + MINUTE))
    assert differing(later, standing, AT + MINUTE) == {}
    much_later = observed_blocks(an_observation(battery__observed_at=AT + 2 * HOUR))
    assert set(differing(much_later, standing, AT + 2 * HOUR)) == {"battery"}


def test_a_chargers_noise_is_no_change() -> None:
    """A reading that moves by a few watts says the same; one that stops charging does not."""

    def shown(watts: int) -> object:
        connection = observed_blocks(an_observation(connection__charge_power_watts=watts))
        block = connection["connection"]
        assert isinstance(block, dict)
        return block["chargePowerWatts"]

    assert shown(10_983) == shown(10_991) == 11_000
    assert shown(7) == 100
    assert shown(0) == 0


def test_a_large_fleet_is_written_fifty_times_a_second_at_most() -> None:
    """Those that were not written longest come first; nobody is forgotten."""
    pace = StatusPace(MINUTE, 50)
    wanted = [StatusWrite(f"v-{index:03d}", {"pods": 1}, ()) for index in range(120)]
    first = pace.choose(wanted, AT)
    assert len(first) == 50
    second = pace.choose(wanted, AT + SECOND)
    third = pace.choose(wanted, AT + 2 * SECOND)
    names = [each.vehicle for each in (*first, *second, *third)]
    assert len(names) == 120
    assert set(names) == {each.vehicle for each in wanted}


async def test_what_a_person_has_to_mend_is_a_condition_of_it() -> None:
    """A site whose tariff is missing says so, and says otherwise once it is there."""
    scene = Scene()
    scene.cluster.add_site(a_site(tariff="nowhere"))
    await scene.run()
    assert scene.condition("ParkingSite", "depot-7", "TariffKnown") == ("False", "TariffMissing")
    assert scene.condition("ParkingSite", "depot-7", "Ready")[0] == "False"
    scene.cluster.add_site(a_site())
    await scene.run(40)
    assert scene.condition("ParkingSite", "depot-7", "Ready") == ("True", "Ready")


async def test_an_object_that_cannot_be_used_says_so() -> None:
    """An object that the API server took and we refuse gets a condition, once."""
    scene = Scene()
    sentence = "spec.timeZone: 'Mars/Base' is not a time zone"
    scene.cluster.refused = (Refused("ParkingSite", "mars", sentence, generation=2),)
    await scene.run(120)
    assert scene.condition("ParkingSite", "mars", "Ready") == ("False", "Invalid")
    written = [each for each in scene.writes("write_conditions") if "mars" in each.subject]
    assert len(written) == 1


async def test_a_senseless_time_keeps_nobody_elses_status_from_being_written() -> None:
    """A departure before the first year there is costs at most the vehicle that reports it."""
    scene = Scene(2)
    scene.observe("v-0", departure_expected_at=parse_instant("0001-01-01T00:00:00+23:59"))
    await scene.run()
    assert "availableUntil" in scene.cluster.view().vehicles["v-1"].status
    assert scene.cluster.view().nodes["v-1"].taints == (VEHICLE_TAINT,)


def test_a_clock_that_is_set_back_holds_up_no_status() -> None:
    """What was written in a future that is past again does not count as written since."""
    pace = StatusPace(MINUTE, 50)
    write = StatusWrite("v-0", {"pods": 1}, ())
    assert pace.choose([write], AT) == [write]
    assert pace.choose([write], AT - HOUR) == [write]
    assert pace.choose([write], AT - HOUR + SECOND) == []
    assert pace.choose([write], AT - HOUR + MINUTE) == [write]
