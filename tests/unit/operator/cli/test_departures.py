"""`idlewatt departures`: learns, writes what a policy can name, and tells how it did elsewhere."""

from pathlib import Path

import pytest
import yaml
from tests.unit.operator.learning.stays import FIRST, nights, words
from typer.testing import CliRunner, Result

from idlewatt_operator.cli.app import app
from idlewatt_operator.learning.past import PastStay
from idlewatt_operator.resources.departures import DATA_KEY, departure_model

HEADER = "vehicle,arrival,departure,stated_departure,time_zone,site"


def run(*arguments: object) -> Result:
    """Call the command; a fault of ours is not caught."""
    words_given = [str(argument) for argument in arguments]
    return CliRunner().invoke(app, ["departures", *words_given], catch_exceptions=False)


def row(number: int, stay: PastStay) -> str:
    """A line of our own format; the vehicle is there only for once."""
    arrived = stay.arrived.timestamp()
    times = [arrived, arrived + stay.stay_seconds]
    times += [arrived + stay.stated_seconds] if stay.stated_seconds is not None else []
    shown = [FIRST.fromtimestamp(round(time), FIRST.tzinfo).isoformat() for time in times]
    shown += [""] * (3 - len(shown))
    return ",".join((stay.vehicle or f"v-{number}", *shown, "Europe/Berlin", stay.site))


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Fifty days of nights and of words."""
    stays = [*nights(200, 31), *words(200, 32)]
    path = tmp_path / "sessions.csv"
    rows = [row(number, stay) for number, stay in enumerate(stays)]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_fit_is_written_tested_and_drawn(sessions: Path, tmp_path: Path) -> None:
    """What was before the day teaches, what was after it is asked about."""
    out, plot = tmp_path / "learned.yaml", tmp_path / "calibration.svg"
    result = run(
        "fit",
        sessions,
        "--out",
        out,
        "--name",
        "learned",
        "--test-from",
        "2026-02-09",
        "--plot",
        plot,
    )
    assert result.exit_code == 0, result.output
    written = yaml.safe_load(out.read_text(encoding="utf-8"))
    assert (written["kind"], written["metadata"]["name"]) == ("ConfigMap", "learned")
    assert '"lastDay":"2026-02-08"' in written["data"][DATA_KEY]
    assert departure_model(written["data"][DATA_KEY]).quantiles
    assert "Read 400 sessions at 1 site from sessions.csv" in result.output
    assert "Departure stated, asked on arrival: 60 stays" in result.output
    assert "Nothing stated, asked every half hour while there: 60 stays" in result.output
    assert plot.read_text(encoding="utf-8").startswith("<svg")


def test_the_config_map_can_be_piped(sessions: Path) -> None:
    """Then what is told goes to standard error."""
    result = run("fit", sessions, "--out", "-", "--namespace", "fleet")
    assert result.exit_code == 0
    assert yaml.safe_load(result.stdout)["metadata"]["namespace"] == "fleet"
    assert "Fitted" in result.stderr


def test_what_was_learned_is_checked_on_other_sessions(sessions: Path, tmp_path: Path) -> None:
    """It says where it was learned, and that nothing is known of another site."""
    out = tmp_path / "learned.yaml"
    run("fit", sessions, "--out", out)
    result = run("check", sessions, "--model", out, "--site", "depot-7=depot-8")
    assert result.exit_code == 0
    assert "Learned from sessions.csv, depot-7 (Europe/Berlin), 2026-01-05" in result.output
    assert "Nothing was learned at depot-8: what holds of any site counts." in result.output
    assert "Departure stated, asked on arrival: 200 stays" in result.output


def test_vehicles_can_be_left_out(tmp_path: Path) -> None:
    """Their habits are their owners'."""
    habits = {"v-1": 4.0, "v-2": 0.0, "v-3": 0.0, "v-4": 0.0}
    stays = [stay for stay in nights(1_600, 33, habits=habits) if stay.arrived.hour == 18]
    seen: dict[tuple[str | None, int], PastStay] = {}
    for stay in stays:
        seen.setdefault((stay.vehicle, stay.arrived.toordinal()), stay)
    path = tmp_path / "sessions.csv"
    rows = [row(0, stay) for stay in seen.values()]
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    by_vehicle = run("fit", path, "--out", "-")
    assert '"vehicle":"v-1"' in by_vehicle.stdout
    assert '"vehicle"' not in run("fit", path, "--out", "-", "--no-vehicles").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--test-from", "july"), "'july' is not a date; write it as 2019-07-01"),
        (("--test-from", "2020-01-01"), "there is nothing to learn from"),
        (("--test-from", "2030-01-01"), "there is nothing to test on"),
        (("--time-zone", "Berlin"), "'Berlin' is not a time zone; write it as Europe/Berlin"),
        (("--site", "CA"), "'CA' renames no site; write it as CA=depot-7"),
        (("--site", "CA=Garage"), "'CA=Garage' renames no site"),
        (("--name", "Learned"), "'Learned' is no name for an object; write it as learned"),
        (("--plot", "x.svg"), "give --test-from too"),
        (("--out", "/nowhere/at/all.yaml"), "could not be written: No such file"),
    ],
)
def test_a_wrong_wish_is_refused_in_a_sentence(
    sessions: Path, tmp_path: Path, arguments: tuple[str, str], sentence: str
) -> None:
    """With status 2, before anything is learned where that can be."""
    out = () if "--out" in arguments else ("--out", tmp_path / "learned.yaml")
    result = run("fit", sessions, *arguments, *out)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "learned.yaml").exists()


def test_mistakes_are_told_by_line(tmp_path: Path) -> None:
    """And nothing is learned."""
    path = tmp_path / "sessions.csv"
    path.write_text(f"{HEADER}\nv-1,soon,2026-01-06T08:00,,Europe/Berlin,a\n", encoding="utf-8")
    result = run("fit", path, "--out", "-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 2: arrival 'soon' is not a time" in result.stderr


def test_rows_without_a_departure_are_told(tmp_path: Path) -> None:
    """The first five, and how many more there are."""
    header = "location,user,plugged_in_local,plugged_out_local"
    whole = [f"a,u,2019-01-{day:02}T18:00,2019-01-{day:02}T23:00" for day in range(1, 29)]
    path = tmp_path / "homes.csv"
    path.write_text("\n".join([header, *whole, *["a,u,2019-02-01T18:00,"] * 7]), encoding="utf-8")
    result = run("fit", path, "--out", "-")
    assert result.exit_code == 0
    assert "line 30: there is no plugged_out_local; left out" in result.stderr
    assert "and 2 more were left out" in result.stderr


def test_another_file_is_no_model(sessions: Path, tmp_path: Path) -> None:
    """It says what it should have been."""
    other = tmp_path / "other.yaml"
    other.write_text("kind: ConfigMap\n", encoding="utf-8")
    result = run("check", sessions, "--model", other)
    assert result.exit_code == 2
    assert "it is no ConfigMap with departures.json among its data" in result.stderr
    assert run("check", sessions, "--model", tmp_path / "none.yaml").exit_code == 2
