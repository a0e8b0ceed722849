"""docs/howto/write-tariffs.md: its files are valid, its commands answer what the page says."""

import io
import json
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.pages import HOWTO, blocks, run, the_file

from idlewatt_operator.resources.energytariff import Interval
from idlewatt_scheduler.calendar import wall_clock

PAGE = HOWTO / "write-tariffs.md"
HOUR = 3_600_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's /tmp/my-tariff is, for a test."""
    return tmp_path_factory.mktemp("page") / "my-tariff"


@pytest.fixture(scope="module")
def answers(folder: Path) -> list[str]:
    """What each command of the page that needs no cluster answers, in the page's order."""
    found = []
    for block in blocks(PAGE, "yaml", "console"):
        text = block.text.replace("/tmp/my-tariff", str(folder))  # noqa: S108 # the page's words
        if block.file is not None:
            (folder / Path(block.file).name).write_text(text, encoding="utf-8")
            continue
        for command in block.commands:
            here = command.replace("/tmp/my-tariff", str(folder))  # noqa: S108
            if here.startswith(("cp ", "sed ", "mv ", "idlewatt ")):
                done = run(here)
                assert done.returncode == 0, done.stderr
                found.append(done.stdout)
    return [answer for answer in found if answer]


def test_the_night_tariff_is_valid_as_the_page_says(answers: list[str]) -> None:
    """`idlewatt validate` answers the very line of the page, without a warning."""
    assert answers[0].strip() in PAGE.read_text(encoding="utf-8")
    assert "warning" not in answers[0]


def test_the_night_is_off_peak_and_a_later_night_is_not(answers: list[str]) -> None:
    """At 23:00 in Berlin all three pods land; where the night begins at 23:30 none does."""
    assert "3 placed" in answers[1]
    assert "0 placed" in answers[2]
    assert "2 on-peak" in answers[2]


def test_a_holiday_is_billed_as_a_sunday(answers: list[str]) -> None:
    """On the evening of Epiphany pods land that do not on the next."""
    assert "3 placed" in answers[3]
    assert "0 placed" in answers[4]
    assert "2 on-peak" in answers[4]


def test_the_hourly_price_keeps_pods_away_for_an_hour(answers: list[str]) -> None:
    """At 0.221 EUR the page's table is printed; at 0.139 EUR an hour later three pods land."""
    shown = next(block.text for block in blocks(PAGE, "text") if "2 on-peak" in block.text)
    lines = [line.strip() for line in answers[5].splitlines() if "default/" in line]
    assert [line for line in lines if line not in shown] == []
    assert "3 placed" in answers[6]


def test_carbon_keeps_them_away(answers: list[str]) -> None:
    """With 214 g where 200 are allowed, every pod that fits a van waits, on-peak."""
    assert "0 placed" in answers[7]
    assert "2 on-peak" in answers[7]


def test_forecasts_count_while_they_are_young(answers: list[str]) -> None:
    """With the grams of another tariff everything lands; of the morning's nothing is known."""
    assert "3 placed" in answers[8]
    assert "0 placed" in answers[9]
    assert "without a known price" in answers[9]


def test_what_is_not_published_is_unknown(answers: list[str], folder: Path, tmp_path: Path) -> None:
    """Without the last hour the job of five hours waits, since its price is unknown."""
    assert answers
    for file in folder.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    hours = next(block.text for block in blocks(PAGE, "yaml") if "name: hourly" in block.text)
    kept = [line for line in hours.splitlines() if "2026-01-16T03:00:00Z" not in line]
    (tmp_path / "hourly.yaml").write_text("\n".join(kept), encoding="utf-8")
    price = next(block.text for block in blocks(PAGE, "yaml") if "maxPricePerKWh" in block.text)
    (tmp_path / "policy.yaml").write_text(price, encoding="utf-8")
    done = run(f"idlewatt plan -f {tmp_path} --at 2026-01-15T23:00:00Z")
    (row,) = (line for line in done.stdout.splitlines() if "default/retrain" in line)
    assert "1 without a known price" in row


@pytest.mark.parametrize(
    ("first_day", "hours"), [("2026-03-28", 7), ("2026-07-01", 8), ("2026-10-24", 9)]
)
def test_the_nights_of_the_clock_change(first_day: str, hours: int) -> None:
    """A zone from 22:00 to 06:00 in Berlin lasts as long as the page says."""
    berlin, evening = ZoneInfo("Europe/Berlin"), date.fromisoformat(first_day)
    morning = date.fromordinal(evening.toordinal() + 1)
    assert (
        wall_clock(morning, 6 * 60, berlin) - wall_clock(evening, 22 * 60, berlin) == hours * HOUR
    )
    assert f"| {hours} |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 0), ("2026-10-25", 2)])
def test_an_hour_that_is_skipped_or_occurs_twice(day: str, hours: int) -> None:
    """A zone from 02:00 to 03:00 in Berlin does not occur in March and lasts two in October."""
    berlin, when = ZoneInfo("Europe/Berlin"), date.fromisoformat(day)
    assert wall_clock(when, 180, berlin) - wall_clock(when, 120, berlin) == hours * HOUR


def test_a_market_file_becomes_intervals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's script makes of prices per MWh what a tariff takes, negative ones too."""
    lines = [
        "2026-03-29T01:00:00+01:00,81.20",
        "2026-03-29T03:00:00+02:00,-4.05",
        "2026-03-29T03:15:00+02:00,0",
    ]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    exec(compile(the_file(PAGE, "to_intervals.py"), "to_intervals.py", "exec"), {})  # noqa: S102
    first, second = json.loads(capsys.readouterr().out)["spec"]["intervals"]
    assert Interval.model_validate(first).duration_seconds == 3_600
    assert Interval.model_validate(second).duration_seconds == 900
    assert [each["payloads"][0]["value"] for each in (first, second)] == ["0.0812", "-0.00405"]
