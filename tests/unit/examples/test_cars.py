"""The simulated cars of examples/kind: what they report is taken, and mistakes are told."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from idlewatt_operator.gateways.redis.contract import (
    STREAM,
    WAKE_STREAM,
    CircuitReport,
    VehicleReport,
    read_report,
)

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "kind"
MANIFESTS: list[dict[str, Any]] = [
    manifest
    for file in sorted(EXAMPLE.glob("*.yaml"))
    for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8"))
]


def _loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cars_of_the_example", EXAMPLE / "cars.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CARS = _loaded()


def the(kind: str, name: str) -> dict[str, Any]:
    """The manifest of that kind and name."""
    (found,) = (
        each for each in MANIFESTS if each["kind"] == kind and each["metadata"]["name"] == name
    )
    return found


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fleet as the ConfigMap has it, and a state of this test's own."""
    (tmp_path / "fleet.json").write_text(the("ConfigMap", "cars")["data"]["fleet.json"])
    monkeypatch.setattr(CARS, "FLEET", tmp_path / "fleet.json")
    monkeypatch.setattr(CARS, "STATE", tmp_path / "state.json")


def test_the_config_map_holds_the_file() -> None:
    """What runs in the cluster is what is linted and tested here."""
    assert the("ConfigMap", "cars")["data"]["cars.py"] == (EXAMPLE / "cars.py").read_text()


def test_every_vehicle_has_a_simulated_car() -> None:
    """And every car a VehicleNode, and the circuit it hangs on a site."""
    fleet = json.loads(the("ConfigMap", "cars")["data"]["fleet.json"])
    vehicles = {each["metadata"]["name"] for each in MANIFESTS if each["kind"] == "VehicleNode"}
    circuits = {
        f"{site['metadata']['name']}/{circuit['name']}"
        for site in MANIFESTS
        if site["kind"] == "ParkingSite"
        for circuit in site["spec"]["circuits"]
    }
    assert {name for name in fleet if "/" not in name} == vehicles
    assert {name for name in fleet if "/" in name} <= circuits
    assert {
        f"{car['site']}/{car['circuit']}" for name, car in fleet.items() if "/" not in name
    } <= (circuits)


def test_the_streams_are_those_of_the_contract() -> None:
    """The names that the operator reads and writes."""
    assert (CARS.TELEMETRY, CARS.WAKES) == (STREAM, WAKE_STREAM)


@pytest.mark.parametrize(
    "assignments",
    [
        [],
        ["parked=false", "occupied=true"],
        ["charge=28.5", "supply=unplugged", "departure=+2h"],
        ["power=Asleep", "supply=plugged", "departure=none"],
        ["departure=2026-01-15T22:00:00+01:00", "temperature=-4", "charging_watts=7000"],
    ],
)
def test_what_a_car_reports_is_taken_whole(assignments: list[str]) -> None:
    """No signal of a report is refused or passed over, whatever was set."""
    with CARS.fleet() as cars:
        car = CARS.changed(cars["v-3f9c2a"], assignments)
    report = read_report(CARS.report_of("v-3f9c2a", car))
    assert isinstance(report, VehicleReport)
    assert (report.problems, report.passed_over) == ((), ())
    assert set(report.blocks) == {"battery", "parking", "connection", "power", "departure"}


@pytest.mark.parametrize("assignments", [["limit=300"], ["limit=none", "load=2500"]])
def test_what_a_circuit_reports_is_taken_whole(assignments: list[str]) -> None:
    """As for a car."""
    with CARS.fleet() as cars:
        circuit = CARS.changed(cars["depot/row-a"], assignments)
    report = read_report(CARS.report_of("depot/row-a", circuit))
    assert isinstance(report, CircuitReport)
    assert (report.problems, report.passed_over) == ((), ())
    assert report.circuit == "row-a"


def test_what_was_set_is_kept() -> None:
    """Between two commands, which are two processes."""
    with CARS.fleet() as cars:
        cars["v-3f9c2a"] = CARS.changed(cars["v-3f9c2a"], ["charge=12"])
    with CARS.fleet() as cars:
        assert cars["v-3f9c2a"]["charge"] == 12.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["set", "v-3f9c2a", "charg=3"], "there is no `charg`; there are online"),
        (["set", "v-3f9c2a", "parked=yes"], "`yes` is no value of `parked`."),
        (["set", "v-3f9c2a", "departure=soon"], "`soon` is no value of `departure`."),
        (
            ["set", "depot/row-a", "charge=3"],
            "there is no `charge`; there are online, load, limit.",
        ),
        (["set", "v-1", "charge=3"], "There is no v-1; there are v-3f9c2a"),
        (["set", "v-3f9c2a"], "python3 cars.py set"),
        ([], "python3 cars.py drive"),
    ],
)
def test_a_mistake_is_told(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a sentence, with exit status 2, and nothing is sent."""
    assert CARS.main(arguments) == 2
    assert says in capsys.readouterr().err
