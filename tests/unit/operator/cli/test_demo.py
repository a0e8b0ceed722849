"""`idlewatt demo`: what is asked wrongly ends in a sentence and status 2, before any play."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app

RUNNER = CliRunner()


def refused(*arguments: str) -> str:
    """Run the demo, which must end with status 2, and give what it says on one line."""
    result = RUNNER.invoke(app, ["demo", *arguments], env={"COLUMNS": "300"})
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    words = re.sub(r"[│╭╮╰╯─]", " ", result.output)
    return " ".join(words.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--date", "tomorrow"], "'tomorrow' is not a date; write it as 2022-07-12"),
        (["--date", "2021-07-12"], "2022-07-01 to 2022-07-30, not 2021-07-12"),
        (["--profile", "workplace", "--date", "2022-07-12"], "from 2019-05-01 to 2019-08-31"),
        (["--profile", "workplace", "--vehicles", "9"], "the cars are those of the sessions"),
        (["--profile", "moon"], "'moon' is not one of"),
        (["--vehicles", "0"], "Invalid value for '--vehicles'"),
        (["--vehicles", "many"], "Invalid value for '--vehicles'"),
        (["--pods", "0"], "Invalid value for '--pods'"),
        (["--sessions", "no-such.csv"], "no-such.csv: it cannot be read"),
        (["--sessions", "no-such.csv", "--date", "2022-07-12"], "the days are those of the file"),
        (["--sessions", "no-such.csv", "--vehicles", "9"], "the cars are those of the sessions"),
        (["--seconds", "-1"], "Invalid value for '--seconds'"),
    ],
)
def test_what_cannot_be_played_is_refused(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence says what is wrong and what there is; no report is left behind."""
    monkeypatch.chdir(tmp_path)
    assert sentence in refused(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_found_out_first(tmp_path: Path) -> None:
    """A folder, and a folder that is not there, are refused before the night is played."""
    assert "is a folder; name a file in it" in refused("--report", str(tmp_path))
    missing = tmp_path / "none" / "night.html"
    assert "there is no folder" in refused("--report", str(missing))


def test_bad_sessions_are_told_line_by_line(tmp_path: Path) -> None:
    """Every mistake is one line on standard error."""
    path = tmp_path / "own.csv"
    path.write_text("vehicle,arrival,departure\na,x,2026-01-16T07:00\nb,2026-01-15T18:00,y\n")
    result = RUNNER.invoke(app, ["demo", "--sessions", str(path)])
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"{path}, line 2", f"{path}, line 3"]


def test_a_night_is_played_told_and_written_down(tmp_path: Path) -> None:
    """Where there is no terminal it prints a line an hour, the accounts, and the report's name."""
    report = tmp_path / "night.html"
    result = RUNNER.invoke(
        app,
        ["demo", "--vehicles", "6", "--pods", "9", "--seed", "2", "--report", str(report)],
        env={"COLUMNS": "200"},
    )
    assert result.exit_code == 0, result.output
    assert sum(1 for line in result.output.splitlines() if "  == " in line) == 21
    assert "a night of homes: the accounts" in result.output
    assert "Assumed" in result.output
    assert f"The report: {report}" in result.output
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_somebodys_own_sessions_are_played(tmp_path: Path) -> None:
    """A file of two cars in another time zone, at the workplace's tariff."""
    path, report = tmp_path / "own.csv", tmp_path / "own.html"
    path.write_text(
        "vehicle,arrival,departure,energy_kwh,time_zone\n"
        "a,2026-01-15T18:00,2026-01-16T07:00,12,Europe/Berlin\n"
        "b,2026-01-15T20:30,2026-01-16T09:15,,Europe/Berlin\n"
    )
    result = RUNNER.invoke(
        app,
        [
            *("demo", "--sessions", str(path), "--profile", "workplace"),
            *("--pods", "9", "--report", str(report)),
        ],
        env={"COLUMNS": "200"},
    )
    assert result.exit_code == 0, result.output
    assert "the sessions of own.csv: the accounts" in result.output
    assert "Europe/Berlin" in report.read_text(encoding="utf-8")
