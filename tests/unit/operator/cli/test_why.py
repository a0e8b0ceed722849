"""`idlewatt why` answers for people and for programs, and refuses questions about nobody."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from idlewatt_operator.cli.app import app
from idlewatt_operator.cli.why import EXAMPLES

FLEET = Path(__file__).resolve().parents[4] / "examples" / "why"
AT = "2026-01-15T19:00:00Z"


def run(*arguments: str, given: str | None = None) -> Result:
    """Run `idlewatt why` with these arguments."""
    return CliRunner().invoke(app, ["why", *arguments], input=given)


def asked(pod: str, *more: str) -> dict[str, Any]:
    """The answer about a pod of the example as a program reads it."""
    result = run(pod, *more, "-f", str(FLEET), "--at", AT, "-o", "json")
    assert result.exit_code == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_the_example_s_job_waits_for_the_night() -> None:
    """It is told when it starts, where, and what would place it now."""
    answer = asked("retrain")
    assert (answer["pod"], answer["condition"]) == ("default/retrain", "WaitingForEnergy")
    assert answer["prediction"]["at"] == "2026-01-15T21:00:00Z"
    assert answer["prediction"]["vehicle"] == "v-2d41e9"
    kinds = {each["change"]["kind"]: each for each in answer["advice"]}
    assert set(kinds) == {"later start", "any tariff"}
    assert kinds["any tariff"]["change"]["settings"] == [
        {"object": "Pod default/retrain", "field": "idlewatt.dev/tariff", "value": "any"}
    ]


def test_every_reason_has_its_figures() -> None:
    """Times and durations in text, everything else with its unit in its name."""
    (vehicle,) = asked("retrain", "--on", "v-c84a16")["vehicles"]
    reasons = {each["reason"]: each for each in vehicle["reasons"]}
    assert list(reasons) == ["NotIdleLongEnough", "OnPeak", "DepartureChargeAtRisk"]
    assert reasons["NotIdleLongEnough"]["figures"]["fromAt"] == "2026-01-15T19:07:00Z"
    assert reasons["NotIdleLongEnough"]["sentence"].endswith("idle enough from 19:07")
    figures = reasons["DepartureChargeAtRisk"]["figures"]
    assert (figures["chargePercent"], figures["departurePercent"], figures["stay"]) == (
        41,
        40,
        "5h",
    )


def test_the_page_says_it_all_at_a_glance() -> None:
    """Reasons, start, the least changes, the nearest vehicles, the day to come, what is assumed."""
    result = run("retrain", "-f", str(FLEET), "--at", AT)
    assert (result.exit_code, result.stderr) == (0, "")
    for part in (
        "Pod default/retrain waits (WaitingForEnergy) at 2026-01-15 19:00:00 UTC.",
        "0/4 vehicles: 2 on-peak, 1 not idle long enough, 1 too small.",
        "Predicted start: 21:00 UTC, in 2h, on v-2d41e9.",
        "tariff: any, power: 500",
        "draws 600 W, at most 500 W",
        "^^^^███████^",
        "Telemetry is taken to stay as it is",
    ):
        assert part in result.stdout, part


def test_only_some_are_shown_unless_all_are_asked_for(tmp_path: Path) -> None:
    """Five of many; the rest is counted."""
    one = (FLEET / "vehicles.yaml").read_text(encoding="utf-8")
    copies = [one, *(one.replace("name: v-", f"name: w{n}-") for n in range(2))]
    (tmp_path / "vehicles.yaml").write_text("\n---\n".join(copies), encoding="utf-8")
    rest = ["-f", str(tmp_path), str(FLEET / "fleet.yaml"), str(FLEET / "pods.yaml")]
    few = run("retrain", *rest, "--at", AT).stdout
    every = run("retrain", "--all", *rest, "--at", AT).stdout
    assert "7 more vehicles; --all shows them" in few
    assert "w1-c84a16" in every
    assert "w1-c84a16" not in few


def test_who_is_placed_is_told_where() -> None:
    """There is nothing to explain, and that is said."""
    result = run("retrain", "-f", str(FLEET), "--at", "2026-01-15T19:01:00Z")
    assert "waits" in result.stdout
    later = run("embed", "-f", "examples/offline-plan", "--at", "2026-01-15T22:00:00Z")
    assert "Pod default/embed does not wait: the plan places it on v-" in later.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("retrian",), "did you mean retrain?"),
        (("team-b/nobody",), "there is no pod 'team-b/nobody'"),
        (("retrain", "--on", "v-2d41e8"), "did you mean v-2d41e9?"),
    ],
)
def test_questions_about_nobody_are_refused(arguments: tuple[str, ...], sentence: str) -> None:
    """With the name that was meant, where there is one like it."""
    result = run(*arguments, "-f", str(FLEET), "--at", AT)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_a_time_needs_manifests() -> None:
    """A cluster is asked about now."""
    result = run("retrain", "--at", AT)
    assert result.exit_code == 2
    assert "needs manifests" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"schedulerName": "other"}, "is not ours to place: its schedulerName is other"),
        ({"schedulingGates": [{"name": "g"}]}, "has a scheduling gate"),
        ({"nodeName": "v-2d41e9"}, "does not wait: it runs on v-2d41e9"),
        ({"nodeName": "v-gone"}, "does not wait: it runs on v-gone"),
    ],
)
def test_a_pod_that_does_not_wait_says_why(change: dict[str, Any], sentence: str) -> None:
    """In a sentence, with status 0."""
    container = {"name": "c", "image": "llm:1"}
    spec = {"schedulerName": "idlewatt", "containers": [container], **change}
    notes = {"idlewatt.dev/allow-loss": "true", "idlewatt.dev/tariff": "any"}
    metadata = {"name": "llm", "annotations": notes}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    result = run("llm", "-f", "-", str(FLEET), "--at", AT, given=json.dumps(pod))
    assert result.exit_code == 0, result.stderr
    assert sentence in result.stdout


def test_the_examples_of_the_help_work() -> None:
    """Those about files, as they stand."""
    lines = [line for line in EXAMPLES if " -f " in line]
    assert lines
    for line in lines:
        assert run(*line.split()[2:]).exit_code == 0, line
