"""`idlewatt outlook` draws how many vehicles could take a pod, hour by hour."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from idlewatt_operator.cli.app import app

WHY = str(Path(__file__).resolve().parents[4] / "examples" / "why")
AT = ("--at", "2026-01-15T19:00:00Z")


def run(*words: str) -> Result:
    """Ask for the outlook."""
    return CliRunner().invoke(app, ["outlook", *words])


def steps(*words: str) -> dict[str, Any]:
    """How many vehicles, by the time of each step."""
    result = run("-f", WHY, *AT, "-o", "json", *words)
    assert result.exit_code == 0, result.output
    return {each["at"]: each["available"] for each in json.loads(result.stdout)["steps"]}


def test_every_five_minutes_of_a_day_are_counted() -> None:
    """Off-peak begins at 22:00 in Berlin; the first car leaves too early from after midnight on."""
    found = steps()
    assert len(found) == 288
    assert found["2026-01-15T20:55:00Z"] == 0
    assert found["2026-01-15T21:00:00Z"] == 3
    assert found["2026-01-16T01:00:00Z"] == 2
    assert found["2026-01-16T06:00:00Z"] == 0


def test_a_longer_stay_fits_less_and_any_tariff_more() -> None:
    """Four hours end sooner; who runs on peak may start at once."""
    assert sum(steps("--runtime", "4h").values()) < sum(steps().values())
    assert steps("--any-tariff")["2026-01-15T19:00:00Z"] == 3


def test_more_watts_than_a_computer_has_fit_nowhere() -> None:
    """Each car gives a kilowatt."""
    assert set(steps("--watts", "1001").values()) == {0}


def test_the_drawing_says_what_keeps_the_others() -> None:
    """A row an hour, a bar, and the commonest reasons; who is not foreseen is told below."""
    text = run("-f", WHY, *AT).stdout
    assert len(re.findall(r"^01-1[56] \d\d:00 ", text, re.MULTILINE)) == 24
    assert re.search(r"01-15 19:00 +0 +3 OnPeak", text)
    assert re.search(r"01-15 22:00 +3 +█+", text)
    assert "Not foreseen, since they take none now: 1 NotIdleLongEnough." in text


def test_a_fleet_that_takes_nothing_is_a_sentence() -> None:
    """Without their Nodes no vehicle takes pods."""
    depot = str(Path(WHY).parent / "depot")
    result = run("-f", depot, "--at", "2026-01-15T18:00:00Z")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("0 vehicles take pods now. Not foreseen")
    assert "3 NodeNotReady" in result.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--runtime", "long"], "long"),
        (["--runtime", "-1h"], "1h"),
        (["--at", "tonight"], "tonight"),
        (["--watts", "-1"], "watts"),
    ],
)
def test_what_cannot_be_asked_is_refused(words: list[str], sentence: str) -> None:
    """With status 2, and what was given."""
    result = run("-f", WHY, *words)
    assert result.exit_code == 2
    assert sentence in result.stderr
