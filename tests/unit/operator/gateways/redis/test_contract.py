"""The telemetry contract: what a report may say, and how garbage is refused."""

import json

import pytest

from idlewatt_operator.gateways.redis.contract import (
    CircuitReport,
    ReportError,
    VehicleReport,
    read_report,
)
from idlewatt_operator.gateways.redis.signals import SEATS
from idlewatt_scheduler.model.site import Phase
from idlewatt_scheduler.model.vehicle import DepartureSource, Power, Quality, Supply

CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
DISPLAYED = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed"
PACK = "Vehicle.Powertrain.TractionBattery.Temperature.Average"
LOCK = "Vehicle.Powertrain.Transmission.IsParkLockEngaged"
STATE = "OCPP.TransactionEvent.transactionInfo.chargingState"
IMPORT = "OCPP.MeterValues.Power.Active.Import"
OFFERED = "OCPP.MeterValues.Power.Import.Offered"
COMPUTING = "Idlewatt.Compute.ImportPower"
DEPARTURE = "OCPP.NotifyEVChargingNeeds.chargingNeeds.departureTime"
LIMIT = "OpenADR.IMPORT_CAPACITY_LIMIT"


def a_report(data: object, **fields: str) -> VehicleReport:
    """A report of the vehicle v-1, read."""
    text = data if isinstance(data, str) else json.dumps(data)
    entry = {"vehicle": "v-1", "observedAt": "2026-01-15T22:00:00Z", "data": text, **fields}
    report = read_report(entry)
    assert isinstance(report, VehicleReport)
    return report


def a_circuit_report(data: object) -> CircuitReport:
    """A report of the circuit main of the site depot, read."""
    report = read_report(
        {
            "site": "depot",
            "circuit": "main",
            "observedAt": "2026-01-15T22:00:00Z",
            "data": json.dumps(data),
        }
    )
    assert isinstance(report, CircuitReport)
    return report


def test_a_whole_report_is_read() -> None:
    """Every block gets its values, in the core's names and units."""
    report = a_report(
        {
            CHARGE: 71.9,
            PACK: 23.6,
            LOCK: True,
            SEATS[0]: False,
            "Idlewatt.Compute.Temperature": 41,
            "Idlewatt.Connection.Site": "depot",
            "Idlewatt.Connection.Circuit": "row-a",
            STATE: "Charging",
            IMPORT: 7_000.4,
            OFFERED: 11_000.9,
            "Idlewatt.Power": "Waking",
            DEPARTURE: "2026-01-16T06:00:00+01:00",
        }
    )
    assert report.problems == ()
    assert report.observed_at == 1_768_514_400_000
    values = {name: dict(block.values) for name, block in report.blocks.items()}
    assert values == {
        "battery": {"state_of_charge_percent": 71, "temperature_celsius": 24},
        "parking": {"parked": True, "occupied": False},
        "compute": {"temperature_celsius": 41},
        "connection": {
            "site": "depot",
            "circuit": "row-a",
            "supply": Supply.SUPPLIED,
            "charge_power_watts": 7_001,
            "charge_power_limit_watts": 11_000,
        },
        "power": {"power": Power.WAKING},
        "departure": {"departure_expected_at": 1_768_539_600_000},
    }


@pytest.mark.parametrize(
    ("state", "supply"),
    [
        ("Idle", Supply.UNPLUGGED),
        ("EVConnected", Supply.PLUGGED_NOT_SUPPLIED),
        ("SuspendedEVSE", Supply.PLUGGED_NOT_SUPPLIED),
        ("SuspendedEV", Supply.SUPPLIED),
        ("Charging", Supply.SUPPLIED),
    ],
)
def test_charging_states_say_whether_energy_is_offered(state: str, supply: Supply) -> None:
    """OCPP's charging states become supply by whether the charger offers energy."""
    assert a_report({STATE: state}).blocks["connection"].values["supply"] is supply


def test_computing_is_subtracted_from_the_chargers_reading() -> None:
    """What computing draws through the plug is no charging, and never makes it negative."""
    block = a_report({STATE: "Charging", IMPORT: 3_000.2, COMPUTING: 460.9}).blocks["connection"]
    assert block.values["charge_power_watts"] == 3_001 - 460
    block = a_report({STATE: "SuspendedEV", IMPORT: 400, COMPUTING: 460}).blocks["connection"]
    assert block.values["charge_power_watts"] == 0


def test_displayed_charge_stands_in_for_the_physical_one() -> None:
    """The charge on the dashboard counts only where the physical one is not reported."""
    assert a_report({DISPLAYED: 60}).blocks["battery"].values["state_of_charge_percent"] == 60
    both = a_report({DISPLAYED: 60, CHARGE: 55}).blocks["battery"].values
    assert both == {"state_of_charge_percent": 55}


def test_a_moving_car_is_not_parked() -> None:
    """A moving car is not parked, whatever its park lock says."""
    moving = {LOCK: True, "Vehicle.IsMoving": True}
    assert a_report(moving).blocks["parking"].values["parked"] is False
    alone = a_report({"Vehicle.IsMoving": True})
    assert alone.blocks["parking"].values["parked"] is False
    still = a_report({"Vehicle.IsMoving": False})
    assert "parking" not in still.blocks


def test_one_taken_seat_is_enough() -> None:
    """A car is occupied when any of its seats is, in whatever order they are listed."""
    taken = {LOCK: True, SEATS[0]: False, SEATS[2]: True, SEATS[5]: False}
    assert a_report(taken).blocks["parking"].values["occupied"] is True


@pytest.mark.parametrize(
    ("signal", "value", "block"),
    [
        (CHARGE, 4e9, "battery"),
        (CHARGE, -1, "battery"),
        (PACK, 900, "battery"),
        (IMPORT, -5, "connection"),
        (OFFERED, 1e30, "connection"),
        ("Idlewatt.Compute.Temperature", -273, "compute"),
    ],
)
def test_what_cannot_be_makes_its_block_invalid(signal: str, value: float, block: str) -> None:
    """A value no sensor can have measured makes its block Invalid, and says so."""
    report = a_report({STATE: "Charging", CHARGE: 50, signal: value})
    assert report.blocks[block].quality is Quality.INVALID
    assert len(report.problems) == 1
    assert report.problems[0].startswith(f"{signal} is ")


@pytest.mark.parametrize(
    ("signal", "value"),
    [
        (CHARGE, "71"),
        (CHARGE, True),
        (CHARGE, None),
        (CHARGE, [71]),
        (LOCK, 1),
        (LOCK, "true"),
        (STATE, "charging"),
        (STATE, {}),
        ("Idlewatt.Power", "On"),
        ("Idlewatt.Connection.Site", 7),
        ("Idlewatt.Connection.Site", ""),
        (DEPARTURE, "tomorrow"),
        (DEPARTURE, 1_768_514_400),
    ],
)
def test_a_wrong_type_spoils_its_block_alone(signal: str, value: object) -> None:
    """A value of the wrong type drops its block with a sentence; the other blocks count."""
    other = {"Idlewatt.Compute.Temperature": 41}
    report = a_report({**other, signal: value})
    assert set(report.blocks) == {"compute"}
    assert any(problem.startswith(signal) for problem in report.problems)


def test_half_a_block_is_refused() -> None:
    """A block without its main signal is dropped: the other half may be yesterday's."""
    report = a_report({PACK: 20, OFFERED: 11_000, SEATS[0]: True})
    assert report.blocks == {}
    assert len(report.problems) == 3


def test_unknown_signals_are_named() -> None:
    """Signals of the car that have no use here are passed over; other unknown ones are not."""
    report = a_report(
        {CHARGE: 50, "Vehicle.Speed": 0, "Idlewatt.Compute.Temprature": 40, "x" * 999: 1}
    )
    assert set(report.blocks) == {"battery"}
    assert report.passed_over == ("Vehicle.Speed is not a signal of the contract.",)
    assert "did you mean Idlewatt.Compute.Temperature?" in report.problems[0]
    assert len(report.problems[1]) < 200


def test_quality_of_the_source_is_kept() -> None:
    """A report may say itself that it is stale; a value out of range outranks that."""
    assert a_report({CHARGE: 50}, quality="Stale").blocks["battery"].quality is Quality.STALE
    assert a_report({CHARGE: 500}, quality="Stale").blocks["battery"].quality is Quality.INVALID


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"data": "{"}, "not a JSON object"),
        ({"data": "[1]"}, "not a JSON object"),
        ({"data": '{"a": NaN}'}, "not a JSON object"),
        ({"data": '{"a": 1e999}'}, "not a JSON object"),
        ({"data": "{}"}, "no signal"),
        ({"data": "x" * 70_000}, "70000 characters"),
        ({"data": "\x00\xff"}, "not a JSON object"),
        ({"observedAt": "yesterday"}, "observedAt"),
        ({"observedAt": "2026-01-15T22:00:00"}, "observedAt"),
        ({"vehicle": "V_1"}, "not a name"),
        ({"vehicle": "x" * 300}, "not a name"),
        ({"site": "depot"}, "a vehicle and a site"),
        ({"quality": "Great"}, "quality"),
        ({"observedat": "2026-01-15T22:00:00Z"}, "observedat is unknown"),
    ],
)
def test_garbage_is_refused_with_a_sentence(entry: dict[str, str], sentence: str) -> None:
    """An entry that is no report is refused whole, and the sentence says why."""
    good = {"vehicle": "v-1", "observedAt": "2026-01-15T22:00:00Z", "data": '{"a": 1}'}
    with pytest.raises(ReportError, match=sentence):
        read_report({**good, **entry})


@pytest.mark.parametrize("missing", ["vehicle", "observedAt", "data"])
def test_what_is_missing_is_named(missing: str) -> None:
    """An entry that lacks a field is refused with its name."""
    entry = {"vehicle": "v-1", "observedAt": "2026-01-15T22:00:00Z", "data": '{"a": 1}'}
    del entry[missing]
    with pytest.raises(ReportError, match=missing):
        read_report(entry)


def test_a_circuits_report_is_read() -> None:
    """A circuit reports its load and the limit that was imposed on it; null withdraws that."""
    report = a_circuit_report(
        {
            "Idlewatt.Circuit.UncontrolledLoad": 5_200.1,
            LIMIT: 30_000.9,
            f"{LIMIT}.end": "2026-01-15T23:00:00Z",
        }
    )
    assert report.problems == ()
    assert report.blocks["load"].values == {"uncontrolled_load_watts": 5_201}
    assert report.blocks["curtailment"].values == {
        "curtailed_to_watts": 30_000,
        "curtailed_until": 1_768_518_000_000,
    }
    withdrawn = a_circuit_report({LIMIT: None})
    assert withdrawn.blocks["curtailment"].values == {"curtailed_to_watts": None}
    assert a_circuit_report({f"{LIMIT}.end": None}).problems != ()
    assert a_circuit_report({CHARGE: 50}).blocks == {}


@pytest.mark.parametrize(
    ("block", "signal", "value"),
    [
        ("departure", DEPARTURE, "0001-01-01T00:00:00Z"),
        ("departure", DEPARTURE, "2200-01-01T00:00:00Z"),
        ("parking", "Idlewatt.Parking.Since", "1969-12-31T23:59:59Z"),
        ("connection", "Idlewatt.Connection.Site", "Depot 7"),
        ("connection", "Idlewatt.Connection.Circuit", "row a"),
        ("connection", "Idlewatt.Connection.Circuit", "r" * 64),
    ],
)
def test_what_a_status_cannot_hold_is_refused(block: str, signal: str, value: str) -> None:
    """The API server would refuse the whole status of the vehicle for it, for ever."""
    report = a_report({signal: value, CHARGE: 70, LOCK: True, STATE: "Idle"})
    assert set(report.blocks) == {"battery", "parking", "connection"} - {block}
    assert len(report.problems) == 1


def test_a_report_of_the_year_one_is_refused() -> None:
    """A clock that was never set says so, and its report is not taken for a very old one."""
    with pytest.raises(ReportError, match="observedAt"):
        a_report({CHARGE: 70}, observedAt="0001-01-01T00:00:00Z")


LOAD = "Idlewatt.Circuit.UncontrolledLoad"
CURRENT = "Idlewatt.Circuit.UncontrolledCurrent"
PEAK = "Idlewatt.Circuit.PeakLoad"


def test_a_circuit_reports_what_is_generated_exported_and_on_each_phase() -> None:
    """What relieves a circuit is rounded down, what loads it up; amperes become milliamperes."""
    report = a_circuit_report(
        {
            LOAD: 5_200,
            "Idlewatt.Circuit.Generation": 9_000.9,
            "Idlewatt.Circuit.Export": 3_800.5,
            f"{CURRENT}.L1": 7.0001,
            f"{CURRENT}.L2": 8,
            f"{CURRENT}.L3": 7.5,
        }
    )
    assert report.problems == ()
    assert report.blocks["load"].values == {
        "uncontrolled_load_watts": 5_200,
        "generation_watts": 9_000,
        "export_watts": 3_800,
        "uncontrolled_milliamps": (7_001, 8_000, 7_500),
    }


def test_the_currents_of_some_phases_are_not_used() -> None:
    """Nobody could say what the others carry; the load beside them counts all the same."""
    report = a_circuit_report({LOAD: 5_200, f"{CURRENT}.L1": 7})
    assert report.blocks["load"].values == {"uncontrolled_load_watts": 5_200}
    assert report.problems == (
        "It tells the current of some phases and not of all three, so none of them is used.",
    )


def test_generation_without_a_load_is_no_report_of_the_load() -> None:
    """The block is taken whole, and its load is what everything else relieves."""
    report = a_circuit_report({"Idlewatt.Circuit.Generation": 9_000})
    assert report.blocks == {}
    assert "without Circuit.UncontrolledLoad" in report.problems[0]


def test_a_peak_needs_its_time() -> None:
    """It belongs to a month, which only its time tells."""
    report = a_circuit_report({PEAK: 41_000.7, f"{PEAK}.At": "2026-01-09T17:15:00Z"})
    assert report.blocks["peak"].values == {"peak_watts": 41_000, "peak_at": 1_767_978_900_000}
    assert a_circuit_report({PEAK: 41_000}).blocks == {}
    assert "Circuit.PeakLoad.At" in a_circuit_report({PEAK: 41_000}).problems[0]


def test_the_phases_of_a_car_are_read() -> None:
    """As a list; what is none spoils the connection alone."""
    report = a_report({STATE: "Charging", "Idlewatt.Connection.Phases": ["L2", "L3"]})
    assert report.blocks["connection"].values["phases"] == frozenset({Phase.L2, Phase.L3})
    for wrong in ("L1", [], ["L4"], [1], [["L1"]], None):
        refused = a_report({STATE: "Charging", "Idlewatt.Connection.Phases": wrong})
        assert refused.blocks == {}
        assert refused.problems == ("Idlewatt.Connection.Phases is not a list of L1, L2, L3.",)


def test_a_departure_says_who_expects_it() -> None:
    """What was learned elsewhere has to be told from what a driver said."""
    told = {DEPARTURE: "2026-01-16T06:00:00Z", "Idlewatt.Departure.Source": "Learned"}
    values = a_report(told).blocks["departure"].values
    assert values["departure_source"] is DepartureSource.LEARNED
    assert a_report({"Idlewatt.Departure.Source": "Owner"}).blocks == {}
