"""`idlewatt validate` finds what the API server would refuse, and warns of what will not work."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from idlewatt_operator.cli.app import app

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
OURS = "idlewatt.dev/v1alpha1"
MANIFESTS = sorted(
    {
        file.parent
        for file in EXAMPLES.rglob("*.yaml")
        if f"apiVersion: {OURS}" in file.read_text(encoding="utf-8")
    }
)


def run(*objects: dict[str, Any]) -> Result:
    """Validate these objects, given on standard input."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    return CliRunner().invoke(app, ["validate", "-f", "-"], input=given)


def a_site(**spec: object) -> dict[str, Any]:
    """A ParkingSite with the least that it needs."""
    return {
        "apiVersion": OURS,
        "kind": "ParkingSite",
        "metadata": {"name": "depot"},
        "spec": {"timeZone": "Europe/Berlin", **spec},
    }


@pytest.mark.parametrize("folder", MANIFESTS, ids=lambda path: path.name)
def test_the_examples_are_valid(folder: Path) -> None:
    """What newcomers copy has no mistake."""
    result = CliRunner().invoke(app, ["validate", "-f", str(folder)])
    assert result.exit_code == 0
    assert "objects are valid" in result.stdout


def test_valid_objects_are_counted_by_kind() -> None:
    """So that one sees that a file was read at all."""
    result = CliRunner().invoke(app, ["validate", "-f", str(EXAMPLES / "offline-plan")])
    assert result.stdout == (
        "10 objects are valid: 1 EnergyTariff, 2 Node, 1 ParkingSite, 4 Pod, 2 VehicleNode.\n"
    )


def test_the_energy_example_holds_together() -> None:
    """Its references lead somewhere, what was learned is read, and only a date can pass by."""
    result = CliRunner().invoke(app, ["validate", "-f", str(EXAMPLES / "energy")])
    assert "1 ConfigMap, 2 EnergyTariff, 1 FleetPolicy, 1 ParkingSite" in result.stdout
    told = result.stderr.splitlines()
    assert [line for line in told if line.startswith("warning") and " is over" not in line] == []


def a_policy(name: str) -> dict[str, Any]:
    """A FleetPolicy that names a ConfigMap."""
    return {
        "apiVersion": OURS,
        "kind": "FleetPolicy",
        "metadata": {"name": "default"},
        "spec": {"departuresRef": {"namespace": "idlewatt", "name": name}},
    }


def a_config_map(name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap in the namespace `idlewatt`."""
    metadata = {"name": name, "namespace": "idlewatt"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_the_departures_that_a_policy_names_are_read() -> None:
    """One that is not there is a warning, one that cannot be read a mistake, others nobody's."""
    missing = run(a_policy("learned"), a_config_map("other"))
    assert missing.exit_code == 0
    assert "There is no ConfigMap idlewatt/learned" in missing.stderr
    assert "take no part in a plan: ConfigMap (1)" in missing.stderr + missing.stdout
    broken = run(a_policy("learned"), a_config_map("learned", **{"departures.json": "{"}))
    assert broken.exit_code == 2
    assert "ConfigMap idlewatt/learned: data: " in broken.stderr
    assert run(a_config_map("learned")).exit_code == 0


def test_a_source_that_nobody_has_asked_is_no_warning() -> None:
    """A file cannot have its answer; the operator says when it is silent."""
    tariff = {
        "apiVersion": OURS,
        "kind": "EnergyTariff",
        "metadata": {"name": "depot"},
        "spec": {"currency": "EUR", "source": {"type": "Entsoe", "area": "DE_LU"}},
    }
    result = run(tariff)
    assert result.exit_code == 0
    assert result.stderr == ""


def test_nothing_of_ours_is_said_to_be_nothing() -> None:
    """A folder with other people's manifests is not called valid."""
    result = run({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}})
    assert result.exit_code == 0
    assert result.stdout == "There is nothing here that idlewatt reads.\n"


def test_what_takes_two_objects_to_see_is_a_warning() -> None:
    """A tariff that does not exist cannot be refused: it may be applied later."""
    result = run(a_site(tariffRef={"name": "nights"}))
    assert result.exit_code == 0
    assert "warning: ParkingSite depot: There is no EnergyTariff 'nights'" in result.stderr
    assert result.stdout.startswith("1 object is valid, 2 warnings: ")


def test_what_would_keep_a_pod_waiting_is_a_warning() -> None:
    """Annotations, fields that are not honoured yet, and a bare pod; not of others' pods."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "llm", "annotations": {"idlewatt.dev/power": "much"}},
        "spec": {
            "schedulerName": "idlewatt",
            "containers": [{"name": "c"}],
            "resourceClaims": [{"name": "gpu"}],
        },
    }
    told = run(pod).stderr.splitlines()
    assert [line.split(": ")[:2] for line in told] == [["warning", "Pod default/llm"]] * 3
    assert "'much' is not a whole number" in told[0]
    assert "allow-loss" in told[1]
    assert "spec.resourceClaims" in told[2]
    pod["spec"]["schedulerName"] = "default-scheduler"  # type: ignore[index]
    assert run(pod).stderr == ""


def test_a_policy_that_tests_nothing_is_a_warning() -> None:
    """Every instant would be off-peak, which is hardly what was meant."""
    policy = {
        "apiVersion": OURS,
        "kind": "FleetPolicy",
        "metadata": {"name": "default"},
        "spec": {"offPeak": {}},
    }
    result = run(policy)
    assert result.exit_code == 0
    assert "warning: FleetPolicy default: spec.offPeak holds no test" in result.stderr


def test_mistakes_end_it_with_status_two() -> None:
    """And nothing is printed where an answer would stand."""
    result = run(a_site(timeZone="Mars/Olympus"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(
        "standard input: items[0]: ParkingSite depot: spec.timeZone: 'Mars/Olympus' is not a time"
    )
