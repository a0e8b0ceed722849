"""The tutorial's commands, run as they stand: each gives what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-night.md"


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each `idlewatt plan` of the page answers, in the page's order."""
    folder = tmp_path_factory.mktemp("tutorial") / "my-plan"
    commands = re.findall(r"^\$ ((?:cp|sed|idlewatt) .+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
    }
    found = []
    for command in commands:
        done = subprocess.run(
            ["bash", "-euc", command.replace("/tmp/my-plan", str(folder))],  # noqa: S108
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        if command.startswith("idlewatt plan"):
            found.append(done.stdout)
    return found


def cells(answer: str, pod: str) -> list[str]:
    """The row of a pod in one of the answer's tables."""
    (row,) = (line for line in answer.splitlines() if f"default/{pod} " in line)
    return re.split(r" {2,}", row.strip())


def test_the_first_plan_places_three_and_refuses_one(answers: list[str]) -> None:
    """Three pods land; the huge one never will."""
    assert [cells(answers[0], pod)[1] for pod in ("chat", "embed", "retrain")] == [
        "v-81d06b",
        "v-81d06b",
        "v-3f9c2a",
    ]
    assert cells(answers[0], "huge")[1] == "Unschedulable"


def test_ten_minutes_later_the_long_job_waits(answers: list[str]) -> None:
    """One van is stale by then, the other leaves too early."""
    _, condition, why = cells(answers[1], "retrain")
    assert condition == "WaitingForEnergy"
    assert why == "0/2 vehicles: 1 with stale telemetry, 1 leaves too early"


def test_a_quarter_of_the_job_finds_the_van_full(answers: list[str]) -> None:
    """It would leave in time, and has no room."""
    assert cells(answers[2], "retrain")[2].endswith("1 without enough room left")


def test_with_priority_it_lands_and_another_waits(answers: list[str]) -> None:
    """What matters more goes first; what still fits goes along."""
    assert cells(answers[3], "retrain")[1] == "v-81d06b"
    assert cells(answers[3], "chat")[1] == "v-81d06b"
    assert cells(answers[3], "embed")[1] == "WaitingForEnergy"
