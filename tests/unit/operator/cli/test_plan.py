"""`idlewatt plan` answers as a cluster would, and says every mistake of what it was given."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from idlewatt_operator.cli import plan as command
from idlewatt_operator.cli.app import app
from idlewatt_scheduler import planner
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Stop

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
FLEET, GANG = EXAMPLES / "offline-plan", EXAMPLES / "gang"
AT = "2026-01-15T22:00:00Z"


def run(*arguments: str, given: str | None = None) -> Result:
    """Run `idlewatt plan` with these arguments."""
    return CliRunner().invoke(app, ["plan", *arguments], input=given)


def planned(*objects: dict[str, Any], at: str = AT, fleet: bool = True) -> dict[str, Any]:
    """The plan for the example's fleet and these objects beside it."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    paths = [str(FLEET / "fleet.yaml"), str(FLEET / "vehicles.yaml")] if fleet else []
    result = run("-f", "-", *paths, "--at", at, "-o", "json", given=given)
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def a_pod(name: str = "llm", **spec: object) -> dict[str, Any]:
    """A pod of ours that fits either vehicle of the example."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "annotations": {
                "idlewatt.dev/allow-loss": "true",
                "idlewatt.dev/expected-runtime": "30m",
            },
        },
        "spec": {
            "schedulerName": "idlewatt",
            "containers": [{"name": "c", "image": "llm:1", "resources": {"requests": {"cpu": 1}}}],
            **spec,
        },
    }


def test_the_example_is_planned() -> None:
    """The pods that fit are placed, the one that fits nowhere says so."""
    result = run("-f", str(FLEET), "--at", AT, "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert answer["at"] == AT
    assert sorted(placement["pod"] for placement in answer["placements"]) == [
        *("default/chat", "default/embed", "default/retrain"),
    ]
    assert answer["waiting"] == [
        {
            "pod": "default/huge",
            "condition": "Unschedulable",
            "reasons": {"ExceedsCapacity": 2},
        }
    ]
    assert (answer["leaving"], answer["weight"], answer["gap"]) == ([], 3, 0.0)


def test_a_gang_is_placed_whole_or_not_at_all_and_a_service_is_spread() -> None:
    """Three ranks have three vans; one shard of five would fit, so none goes; rows take turns."""
    result = run("-f", str(GANG), "--at", AT, "-o", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    rows = {"v-2c41e0": "a", "v-5ab97d": "a", "v-9d03f6": "b", "v-c8817b": "b"}
    where = {placement["pod"]: placement["vehicle"] for placement in answer["placements"]}
    assert sorted(where) == [*(f"default/{p}-{i}" for p in ("chat", "rank") for i in range(3))]
    assert len({where[f"default/rank-{i}"] for i in range(3)}) == 3
    assert sorted(Counter(rows[where[f"default/chat-{i}"]] for i in range(3)).values()) == [1, 2]
    (reasons,) = {json.dumps(each["reasons"]) for each in answer["waiting"]}
    assert json.loads(reasons) == {"NotEnoughResources": 3, "GangIncomplete": 1}
    assert [each["pod"] for each in answer["waiting"]] == [f"default/shard-{i}" for i in range(5)]


def test_yaml_says_the_same_as_json() -> None:
    """Times and costs stay text, so that any reader of YAML finds them unchanged."""
    arguments = ("-f", str(FLEET), "--at", AT, "-o")
    as_json = json.loads(run(*arguments, "json").stdout)
    as_yaml = yaml.safe_load(run(*arguments, "yaml").stdout)
    for each in (as_json, as_yaml):
        del each["seconds"], each["stepSeconds"]
    assert as_yaml == as_json


def test_the_table_is_for_people() -> None:
    """It is what is printed unless something else is asked for."""
    result = run("-f", str(FLEET), "--at", AT)
    assert result.exit_code == 0
    assert "0/2 vehicles: 2 too small" in result.stdout
    assert "3 placed for" in result.stdout


def test_the_same_seed_gives_the_same_plan() -> None:
    """Everything but the planning time."""
    first, second = (
        json.loads(run("-f", str(FLEET), "--at", AT, "-o", "json", "--seed", "7").stdout)
        for _ in range(2)
    )
    for each in (first, second):
        del each["seconds"], each["stepSeconds"]
    assert first == second


def test_without_a_time_it_plans_for_now() -> None:
    """The example's telemetry is stale by then."""
    before = int(time.time())
    result = run("-f", str(FLEET), "-o", "json")
    answer = json.loads(result.stdout)
    assert answer["at"] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before))
    assert {tuple(waiting["reasons"]) for waiting in answer["waiting"]} == {("TelemetryStale",)}


@pytest.mark.parametrize(
    "at", ["tonight", "2026-01-15T22:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
)
def test_a_time_that_is_none_is_refused(at: str) -> None:
    """With the exit status of a bad call, before anything is read."""
    result = run("-f", "no-such-file", "--at", at)
    assert result.exit_code == 2
    assert "--at" in result.stderr
    assert "no-such-file" not in result.stderr


def test_a_namespace_is_default_unless_it_is_given() -> None:
    """As kubectl would apply it."""
    in_team = a_pod("b")
    in_team["metadata"]["namespace"] = "team-a"
    answer = planned(a_pod("a"), in_team)
    assert sorted(one["pod"] for one in answer["placements"]) == ["default/a", "team-a/b"]


def test_pods_that_are_not_pending_are_not_planned() -> None:
    """Other schedulers' pods, ended, gated and bound ones are neither placed nor waiting."""
    answer = planned(
        a_pod("other", schedulerName="default-scheduler"),
        a_pod("gated", schedulingGates=[{"name": "quota"}]),
        {**a_pod("done"), "status": {"phase": "Succeeded"}},
        a_pod("bound", nodeName="v-3f9c2a"),
    )
    assert (answer["placements"], answer["waiting"]) == ([], [])


def test_a_running_pod_is_told_to_leave() -> None:
    """At noon no window is open and it is on peak: the pod has to go."""
    answer = planned(a_pod("bound", nodeName="v-3f9c2a"), at="2026-01-15T22:10:00Z")
    assert answer["leaving"] == []
    (leaving,) = planned(a_pod("bound", nodeName="v-3f9c2a"), at="2026-01-16T12:00:00Z")["leaving"]
    assert (leaving["pod"], leaving["vehicle"]) == ("default/bound", "v-3f9c2a")


def test_foreign_pods_take_their_room() -> None:
    """A daemon that fills a vehicle leaves none for ours."""
    daemons = [
        a_pod(
            f"daemon-{node}",
            schedulerName="default-scheduler",
            nodeName=node,
            containers=[{"name": "c", "image": "d", "resources": {"requests": {"cpu": "16"}}}],
        )
        for node in ("v-3f9c2a", "v-81d06b")
    ]
    (waiting,) = planned(*daemons, a_pod())["waiting"]
    assert waiting["reasons"] == {"NotEnoughResources": 2}


def test_a_pod_with_a_bad_annotation_waits() -> None:
    """The API server takes any annotation; the pod waits and the table says why."""
    pod = a_pod()
    pod["metadata"]["annotations"]["idlewatt.dev/powr"] = "300"
    (waiting,) = planned(pod)["waiting"]
    assert waiting["condition"] == "Unschedulable"
    assert waiting["reasons"] == {"InvalidAnnotation": 2}
    told = run("-f", str(FLEET / "vehicles.yaml"), "-", "--at", AT, given=json.dumps(pod)).stdout
    assert "did you mean idlewatt.dev/power?" in " ".join(told.split())


def test_a_vehicle_without_status_is_fine() -> None:
    """It was never observed, and says so by its reason."""
    vehicle = yaml.safe_load((FLEET / "vehicles.yaml").read_text(encoding="utf-8").split("---")[0])
    del vehicle["status"]
    answer = planned(vehicle, a_pod(), fleet=False)
    assert answer["waiting"][0]["reasons"] == {"NodeNotReady": 1}


def test_kinds_that_take_no_part_are_said_and_passed_over() -> None:
    """A folder of manifests holds more than what is planned."""
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    result = run("-f", "-", given=json.dumps(deployment))
    assert result.exit_code == 0
    assert result.stderr == "Not looked at, since they take no part in a plan: Deployment (1).\n"


def test_files_may_follow_the_option_as_a_shell_lists_them() -> None:
    """`-f *.yaml` is what people type."""
    files = sorted(str(file) for file in FLEET.glob("*.yaml"))
    by_option = run(*(part for file in files for part in ("-f", file)), "--at", AT, "-o", "json")
    by_shell = run("-f", *files, "--at", AT, "-o", "json")
    answers = [json.loads(result.stdout) for result in (by_option, by_shell)]
    assert answers[0]["placements"] == answers[1]["placements"] != []


def test_no_path_is_a_bad_call() -> None:
    """The help is shown to who gives nothing at all."""
    assert run().exit_code == 2
    result = run("--at", AT)
    assert result.exit_code == 2
    assert "give at least one PATH" in result.stderr


def test_a_long_plan_says_that_it_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard error, so that the answer stays what it is."""

    def slow(snapshot: Snapshot, *, stop: Stop, seed: int) -> Plan:
        assert stop.clock is not None
        assert seed == 0
        time.sleep(0.3)
        return Plan(at=snapshot.at)

    monkeypatch.setattr(planner, "plan", slow)
    assert run("-f", str(FLEET), "--at", AT, "-o", "json").stderr == ""
    monkeypatch.setattr(command, "_PATIENCE_SECONDS", 0.05)
    result = run("-f", str(FLEET), "--at", AT, "-o", "json")
    assert result.stderr.startswith("Planning. ")
    assert json.loads(result.stdout)["seconds"] >= 0.3
