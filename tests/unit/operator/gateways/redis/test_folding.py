"""Reports folded into the latest that is known."""

from hypothesis import given
from hypothesis import strategies as st

from idlewatt_operator.gateways.redis.contract import Block, CircuitReport, VehicleReport
from idlewatt_operator.gateways.redis.folding import (
    STANDS_ON,
    KnownVehicle,
    fold_circuit,
    fold_vehicle,
)
from idlewatt_operator.gateways.redis.keeping import Kept, kept, vehicle_field
from idlewatt_scheduler.model.site import Phase
from idlewatt_scheduler.model.vehicle import DepartureSource, ObservedParking, Power, Quality

AT = 1_768_514_400_000


def battery(percent: int, at: int = AT, quality: Quality = Quality.GOOD) -> VehicleReport:
    """A report of the charge."""
    block = Block({"state_of_charge_percent": percent}, quality)
    return VehicleReport("v-1", at, {"battery": block})


def parking(at: int, *, parked: bool = True, occupied: bool | None = None) -> VehicleReport:
    """A report of the park lock and the seats."""
    return VehicleReport("v-1", at, {"parking": Block({"parked": parked, "occupied": occupied})})


def power(state: Power, at: int) -> VehicleReport:
    """A report of the computer's power."""
    return VehicleReport("v-1", at, {"power": Block({"power": state})})


def folded(*reports: VehicleReport) -> KnownVehicle:
    """What is known after the reports, in this order."""
    known = KnownVehicle()
    for report in reports:
        known = fold_vehicle(known, report)
    return known


def parked_since(*reports: VehicleReport) -> int | None:
    """Since when the vehicle is known to stand idle."""
    block = folded(*reports).observed.parking
    assert isinstance(block, ObservedParking)
    return block.since


def test_an_older_report_never_replaces_a_newer() -> None:
    """What arrives late changes nothing; of the same instant the later arrival counts."""
    known = folded(battery(70, AT), battery(60, AT - 1))
    assert known.observed.battery is not None
    assert known.observed.battery.state_of_charge_percent == 70
    again = fold_vehicle(known, battery(65, AT))
    assert again.observed.battery is not None
    assert again.observed.battery.state_of_charge_percent == 65


def test_each_block_has_its_own_time() -> None:
    """A report of one block leaves the age of the others as it is."""
    observed = folded(battery(70, AT), parking(AT + 60_000)).observed
    assert observed.battery is not None
    assert observed.battery.observed_at == AT
    assert observed.parking is not None
    assert observed.parking.observed_at == AT + 60_000
    assert observed.connection is None


def test_quality_comes_with_the_block() -> None:
    """A block that is not to be trusted replaces a good one, and says so."""
    observed = folded(battery(70), battery(0, AT + 1, Quality.INVALID)).observed
    assert observed.battery is not None
    assert observed.battery.quality is Quality.INVALID


def test_late_sleep_does_not_send_an_awake_car_to_sleep() -> None:
    """Power has a time of its own, and obeys it."""
    known = folded(power(Power.AWAKE, AT), power(Power.ASLEEP, AT - 1))
    assert known.observed.power is Power.AWAKE
    assert fold_vehicle(known, power(Power.ASLEEP, AT + 1)).observed.power is Power.ASLEEP


def test_a_departure_can_be_withdrawn() -> None:
    """Null takes back the departure that was announced; an older word does not bring it back."""
    announced = VehicleReport("v-1", AT, {"departure": Block({"departure_expected_at": AT + 9})})
    withdrawn = VehicleReport("v-1", AT + 1, {"departure": Block({"departure_expected_at": None})})
    assert folded(announced).observed.departure_expected_at == AT + 9
    assert folded(announced, withdrawn, announced).observed.departure_expected_at is None


def test_idle_since_reaches_as_far_back_as_the_reports() -> None:
    """While reports come close enough together the car has stood since the first of them."""
    minute = 60_000
    assert parked_since(parking(AT)) == AT
    assert parked_since(*(parking(AT + n * minute) for n in range(20))) == AT
    assert parked_since(parking(AT, occupied=True), parking(AT + minute)) == AT + minute
    assert parked_since(parking(AT), parking(AT + minute, parked=False)) is None


def test_a_gap_starts_it_anew_but_sleep_is_no_gap() -> None:
    """After a silence nobody knows where the car was, unless it slept."""
    later = AT + STANDS_ON + 1
    assert parked_since(parking(AT), parking(later)) == later
    asleep = power(Power.ASLEEP, AT + 1)
    woken = VehicleReport(
        "v-1",
        later,
        {"power": Block({"power": Power.AWAKE}), "parking": Block({"parked": True})},
    )
    assert parked_since(parking(AT), asleep, woken) == AT


def test_a_reported_since_is_believed_but_for_the_future() -> None:
    """The car's own word for since when it stands counts, never beyond its own report."""
    early = VehicleReport("v-1", AT, {"parking": Block({"parked": True, "since": AT - 99})})
    assert parked_since(early) == AT - 99
    late = VehicleReport("v-1", AT, {"parking": Block({"parked": True, "since": AT + 99})})
    assert parked_since(late) == AT


def test_a_circuits_load_and_limit_have_their_own_times() -> None:
    """A late limit is not brought back by a new load, and a load that cannot be is none."""
    limit = CircuitReport("depot", "main", AT, {"curtailment": Block({"curtailed_to_watts": 30})})
    load = CircuitReport("depot", "main", AT + 5, {"load": Block({"uncontrolled_load_watts": 7})})
    gone = CircuitReport(
        "depot", "main", AT + 9, {"curtailment": Block({"curtailed_to_watts": None})}
    )
    bad = CircuitReport("depot", "main", AT + 9, {"load": Block({}, Quality.INVALID)})
    known = fold_circuit(fold_circuit(None, limit), load)
    assert known.observed.curtailed_to_watts == 30
    assert known.observed.uncontrolled_load_watts == 7
    assert known.observed.observed_at == AT + 5
    after = fold_circuit(fold_circuit(fold_circuit(known, gone), limit), bad)
    assert after.observed.curtailed_to_watts is None
    assert after.observed.observed_at == AT + 5


def test_what_a_circuits_report_leaves_out_is_not_known_any_more() -> None:
    """A sun that is not reported does not shine, and the month's peak has a time of its own."""
    sunny = Block(
        {
            "uncontrolled_load_watts": 7,
            "generation_watts": 5,
            "export_watts": 3,
            "uncontrolled_milliamps": (1, 2, 3),
        }
    )
    peak = Block({"peak_watts": 40, "peak_at": AT - 9})
    known = fold_circuit(None, CircuitReport("depot", "main", AT, {"load": sunny, "peak": peak}))
    assert known.observed.export_watts == 3
    cloudy = {"load": Block({"uncontrolled_load_watts": 8})}
    after = fold_circuit(known, CircuitReport("depot", "main", AT + 5, cloudy)).observed
    assert (after.generation_watts, after.export_watts) == (None, None)
    assert after.uncontrolled_milliamps is None
    assert (after.peak_watts, after.peak_at) == (40, AT - 9)
    late = CircuitReport("depot", "main", AT - 1, {"peak": Block({"peak_watts": 1, "peak_at": 1})})
    assert fold_circuit(known, late) == known


def test_a_departure_is_the_chargers_unless_it_says_whose() -> None:
    """Who expects it decides whether anything is learned on top of it."""
    values = {"departure_expected_at": AT}
    charger = folded(VehicleReport("v-1", AT, {"departure": Block(values)}))
    assert charger.observed.departure_source is DepartureSource.CHARGER
    learned = Block(values | {"departure_source": DepartureSource.LEARNED})
    known = folded(VehicleReport("v-1", AT, {"departure": learned}))
    assert known.observed.departure_source is DepartureSource.LEARNED
    gone = Block({"departure_expected_at": None, "departure_source": DepartureSource.OWNER})
    withdrawn = fold_vehicle(known, VehicleReport("v-1", AT + 1, {"departure": gone}))
    assert withdrawn.observed.departure_source is None


def connection(phases: frozenset[Phase] | None, at: int) -> VehicleReport:
    """A report of the plug."""
    return VehicleReport("v-1", at, {"connection": Block({"phases": phases})})


REPORTS = st.lists(
    st.one_of(
        st.builds(battery, st.integers(0, 100), st.integers(AT, AT + 3_600_000)),
        st.builds(
            parking,
            st.integers(AT, AT + 3_600_000),
            parked=st.booleans(),
            occupied=st.sampled_from([None, True, False]),
        ),
        st.builds(power, st.sampled_from(Power), st.integers(AT, AT + 3_600_000)),
        st.builds(
            connection,
            st.none() | st.frozensets(st.sampled_from(Phase), min_size=1),
            st.integers(AT, AT + 3_600_000),
        ),
    ),
    max_size=30,
)


@given(REPORTS)
def test_what_is_kept_is_read_back(reports: list[VehicleReport]) -> None:
    """Whatever was folded comes back from Redis as it was."""
    known = folded(*reports)
    held = Kept()
    held.take(vehicle_field("v-1"), kept(known))
    assert held.vehicles == {"v-1": known}
    assert held.refused == []


@given(REPORTS, st.data())
def test_times_never_run_backwards(reports: list[VehicleReport], data: st.DataObject) -> None:
    """After any reports in any order each block is as new as the newest report of it."""
    shuffled = data.draw(st.permutations(reports))
    observed = folded(*shuffled).observed
    times = [report.observed_at for report in reports if "battery" in report.blocks]
    assert (observed.battery.observed_at if observed.battery else None) == max(times, default=None)


def test_what_cannot_be_read_back_is_named() -> None:
    """A field of the hash that somebody else wrote is named and passed over."""
    held = Kept()
    held.take("vehicle/v-1", b"{")
    held.take("circuit/depot/main", b'{"observed": {"name": "main"}}')
    held.take("something", b"else")
    assert "vehicle/v-1" in held.refused[0]
    assert set(held.circuits) == {("depot", "main")}
