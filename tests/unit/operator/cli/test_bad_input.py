"""A corpus of bad manifests: each ends in status 2 and one sentence with file and field."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app

OURS = "apiVersion: idlewatt.dev/v1alpha1"
VEHICLE = f"""
{OURS}
kind: VehicleNode
metadata: {{name: v-1}}
spec:
  agreement: {{id: agr-1, version: 1}}
  compensation: {{currency: EUR}}
  battery: {{netCapacityWattHours: 60000, reservePercent: 30, departurePercent: 80}}
  compute: {{maxPowerWatts: 1000, capacity: {{cpu: "16"}}}}
  connection: {{maxChargePowerWatts: 11000}}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: llm}
spec: {schedulerName: idlewatt, containers: [{name: c, image: "llm:1"}]}
"""
NODE = """
apiVersion: v1
kind: Node
metadata: {name: v-1}
"""
TARIFF = f"""
{OURS}
kind: EnergyTariff
metadata: {{name: t}}
spec: {{currency: EUR, timeZone: UTC, zones: [{{name: n, start: "22:00", end: "06:00"}}]}}
"""
INTERVAL = '{start: "2026-01-15T23:00:00Z", durationSeconds: 3600, payloads: []}'


def changed(manifest: str, before: str, after: str) -> str:
    """The manifest with a part of it replaced."""
    assert before in manifest
    return manifest.replace(before, after)


CORPUS = {
    # The text itself.
    "yaml": ("kind: [", "line 2, column 1: this is not YAML"),
    "tab": ("kind: Pod\n\tname: a", "line 2, column 1: this is not YAML"),
    "words": ("just words", "this is not an object"),
    "list": ("- kind: Pod", "this is not an object"),
    "empty": ("# nothing here\n", "there is nothing to read"),
    "key twice": (POD + "kind: Node\n", "the key 'kind' stands in one mapping twice"),
    # What the object is.
    "no kind": ("apiVersion: v1", "object: kind: this field is required"),
    "kind is a number": ("apiVersion: v1\nkind: 5", "object: kind: this field is required"),
    "no version": ("kind: Pod", "Pod: apiVersion: this field is required"),
    "version of a pod": (
        changed(POD, "v1", "v2"),
        "Pod default/llm: apiVersion: 'v2' is not that of a Pod: write v1",
    ),
    "version of a vehicle": (
        changed(VEHICLE, "v1alpha1", "v1"),
        "VehicleNode v-1: apiVersion: 'idlewatt.dev/v1' is not that of a VehicleNode: write idl",
    ),
    "case of a kind": (
        changed(POD, "kind: Pod", "kind: pod"),
        "pod llm: kind: 'pod' is unknown; did you mean Pod?",
    ),
    "misspelt kind": (
        changed(VEHICLE, "VehicleNode", "VehiculeNode"),
        "kind: 'VehiculeNode' is unknown; did you mean VehicleNode?",
    ),
    "kind of ours that is none": (
        changed(VEHICLE, "VehicleNode", "Depot"),
        "kind: 'Depot' is unknown; known are VehicleNode, ParkingSite, EnergyTariff, FleetPolicy",
    ),
    # Names.
    "no name": (changed(POD, "{name: llm}", "{}"), "Pod: metadata.name: this field is required"),
    "no metadata": (changed(NODE, "metadata: {name: v-1}", ""), "Node: metadata.name: this field"),
    "generated name": (
        changed(POD, "{name: llm}", "{generateName: llm-}"),
        "Pod: metadata.name: this field is required",
    ),
    "vehicle without name": (
        changed(VEHICLE, "{name: v-1}", "{}"),
        "VehicleNode: metadata.name: this field is required",
    ),
    "upper-case name": (
        changed(POD, "name: llm", "name: LLM"),
        "Pod default/LLM: metadata.name: 'LLM' is not the name of an object",
    ),
    "name is a number": (
        changed(NODE, "v-1", "7"),
        "Node: metadata.name: 7 is not text; write it in quotes",
    ),
    "twice": (POD + "---" + POD, "Pod default/llm: metadata.name: this object was read already"),
    "two policies": (
        f"{OURS}\nkind: FleetPolicy\nmetadata: {{name: mine}}\nspec: {{}}",
        "FleetPolicy mine: metadata.name: the fleet has one policy, and its name is default",
    ),
    # Pods.
    "misspelt field": (
        changed(POD, "schedulerName", "schedulerNam"),
        "Pod default/llm: spec.schedulerNam: unknown field; did you mean schedulerName?",
    ),
    "no containers": (
        changed(POD, 'containers: [{name: c, image: "llm:1"}]', ""),
        "Pod default/llm: spec.containers: this field is required",
    ),
    "garbage quantity": (
        changed(POD, "name: c", "name: c, resources: {requests: {cpu: lots}}"),
        "spec.containers[0].resources.requests.cpu: 'lots' is not a Kubernetes quantity",
    ),
    "negative quantity": (
        changed(POD, "name: c", 'name: c, resources: {limits: {memory: "-1Gi"}}'),
        "spec.containers[0].resources.limits.memory: '-1Gi' is negative",
    ),
    "label is a number": (
        changed(POD, "name: llm", "name: llm, labels: {release: 5}"),
        "metadata.labels.release: 5 is not text; write it in quotes",
    ),
    "annotation is a flag": (
        changed(POD, "name: llm", "name: llm, annotations: {idlewatt.dev/allow-loss: true}"),
        "metadata.annotations.idlewatt.dev/allow-loss: true is not text; write it in quotes",
    ),
    "priority is text": (
        changed(POD, "schedulerName:", 'priority: "5", schedulerName:'),
        'spec.priority: "5" is not a whole number',
    ),
    "time of creation": (
        changed(POD, "name: llm", "name: llm, creationTimestamp: today"),
        "metadata.creationTimestamp: 'today' is not an RFC 3339 time",
    ),
    "spec is a list": ("apiVersion: v1\nkind: Pod\nspec: []", "Pod: spec: [] is not a mapping"),
    # Nodes.
    "taint": (
        NODE + "spec: {taints: [{key: k, effect: NoShedule}]}",
        "Node v-1: spec.taints[0].effect: 'NoShedule' is not known here",
    ),
    "taint without effect": (
        NODE + "spec: {taints: [{key: k}]}",
        "Node v-1: spec.taints[0].effect: this field is required",
    ),
    "allocatable": (
        NODE + "status: {allocatable: {cpu: 1 core}}",
        "Node v-1: status.allocatable.cpu: '1 core' is not a Kubernetes quantity",
    ),
    # Our own kinds.
    "reserve above departure": (
        changed(VEHICLE, "reservePercent: 30", "reservePercent: 90"),
        "VehicleNode v-1: spec.battery",
    ),
    "impossible charge": (
        VEHICLE + "status: {battery: {stateOfChargePercent: 171}}",
        "VehicleNode v-1: status.battery.stateOfChargePercent: 171 is too great",
    ),
    "unknown field of ours": (
        changed(VEHICLE, "reservePercent", "reserve"),
        "VehicleNode v-1: spec.battery.reserve",
    ),
    "money without quotes": (
        changed(VEHICLE, "currency: EUR", "currency: EUR, energyPerKWh: 0.3"),
        "VehicleNode v-1: spec.compensation.energyPerKWh: 0.3 is not text: write it in quotes",
    ),
    "given-up by hand": (
        changed(VEHICLE, "name: v-1", "name: v-1, annotations: {idlewatt.dev/given-up: x}"),
        "VehicleNode v-1: metadata.annotations: annotation idlewatt.dev/given-up",
    ),
    "time zone": (
        f"{OURS}\nkind: ParkingSite\nmetadata: {{name: depot}}\nspec: {{timeZone: Mars/Olympus}}",
        "ParkingSite depot: spec.timeZone: 'Mars/Olympus' is not a time zone",
    ),
    "zones and intervals": (
        changed(TARIFF, "currency: EUR", f"currency: EUR, intervals: [{INTERVAL}]"),
        "EnergyTariff t: spec: ",
    ),
}


@pytest.mark.parametrize("command", ["plan", "validate"])
@pytest.mark.parametrize(("text", "sentence"), CORPUS.values(), ids=CORPUS.keys())
def test_a_bad_manifest_ends_in_a_sentence(
    tmp_path: Path, command: str, text: str, sentence: str
) -> None:
    """Status 2, nothing on standard output, the file in each line, and no stack trace."""
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, [command, "-f", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert any(sentence in line for line in lines), result.stderr
    assert all(line.startswith(str(file)) for line in lines) or "nothing to read" in sentence
    assert "Traceback" not in result.stderr


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Each with its file, line, object and field, in the order in which they stand."""
    bad = changed(VEHICLE, "reservePercent: 30", "reservePercent: 300")
    bad = changed(bad, "currency: EUR", "currency: GOLD")
    first = tmp_path / "a.yaml"
    first.write_text(f"{bad}---{changed(POD, 'name: c', 'nme: c')}", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["plan", "-f", str(tmp_path / "missing.yaml"), "-f", str(first)]
    )
    assert result.exit_code == 2
    starts = [
        f"{tmp_path / 'missing.yaml'}: there is no such file or folder",
        f"{first}:2: VehicleNode v-1: spec.compensation.currency: 'GOLD' is not a currency",
        f"{first}:2: VehicleNode v-1: spec.battery.reservePercent: 300 is too great",
        f"{first}:12: Pod default/llm: spec.containers[0].nme: unknown field; did you mean name?",
    ]
    lines = result.stderr.splitlines()
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
