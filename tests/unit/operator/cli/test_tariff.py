"""`idlewatt tariff import` makes manifests that are valid, of files as others publish them."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from idlewatt_operator.cli.app import app
from idlewatt_operator.resources.energytariff import EnergyTariff

SERIES = Path(__file__).resolve().parents[4] / "examples" / "tariffs"


def run(*words: str) -> Result:
    """Import."""
    return CliRunner().invoke(app, ["tariff", "import", *words])


def made(result: Result) -> EnergyTariff:
    """The tariff that was written."""
    assert result.exit_code == 0, result.output
    return EnergyTariff.model_validate(yaml.safe_load(result.stdout))


def test_day_ahead_prices_are_wholesale_until_adders_complete_them() -> None:
    """Two days of hours, with what the grid and the state take."""
    file = str(SERIES / "day-ahead.csv")
    tariff = made(run(file, "--name", "depot", "--adder", "grid=0.05", "--tax", "8.25"))
    assert tariff.metadata.name == "depot"
    assert len(tariff.spec.intervals or ()) == 48
    assert (tariff.spec.basis, tariff.spec.tax_percent) == ("Wholesale", Decimal("8.25"))
    assert {adder.name: adder.per_kwh for adder in tariff.spec.adders} == {"grid": Decimal("0.05")}


def test_a_time_of_use_tariff_is_zones_and_a_demand_charge() -> None:
    """Twelve stretches of the week in two seasons."""
    file, zone = str(SERIES / "sce-tou-ev-4.json"), "America/Los_Angeles"
    tariff = made(run(file, "--time-zone", zone, "--currency", "USD", "--off-peak-at-most", "0.08"))
    assert len(tariff.spec.zones or ()) == 12
    assert [charge.price_per_kw for charge in tariff.spec.demand_charges] == [Decimal("15.51")]


def test_carbon_is_a_tariff_that_others_refer_to(tmp_path: Path) -> None:
    """A day of five minutes, packed, and a part of it."""
    packed = tmp_path / "carbon.csv.gz"
    packed.write_bytes(gzip.compress((SERIES / "carbon.csv").read_bytes()))
    whole = run(str(packed))
    assert "864 forecasts were left out" in whole.stderr
    assert len(made(whole).spec.intervals or ()) == 288
    part = made(run(str(packed), "--from", "2019-07-01T06:00:00", "--to", "2019-07-01T07:00:00"))
    assert len(part.spec.intervals or ()) == 12


def test_what_is_too_long_for_an_object_goes_into_a_source(tmp_path: Path) -> None:
    """With all its forecasts, in the shape in which a tariff's source is read."""
    rows = ["time,price"]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows += [f"{start + n * timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ},{n}" for n in range(3_001)]
    long = tmp_path / "long.csv"
    long.write_text("\n".join(rows))
    refused = run(str(long), "--currency", "EUR")
    assert refused.exit_code == 2
    assert "3001 intervals, and an object holds 3000" in refused.stderr
    out = tmp_path / "long.json"
    assert run(str(long), "--form", "source", "--out", str(out)).exit_code == 0
    assert len(json.loads(out.read_text())["intervals"]) == 3_001


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere.csv"], "nowhere.csv cannot be read: No such file or directory."),
        (["--name", "depot"], "give either a FILE or --entsoe AREA"),
        (["x.csv", "--entsoe", "DE_LU"], "give either a FILE or --entsoe AREA"),
        (["--entsoe", "DE_LU"], "needs to know --from and --to"),
        ([str(SERIES / "day-ahead.csv"), "--adder", "0.09"], "not written as NAME=AMOUNT"),
        ([str(SERIES / "day-ahead.csv"), "--adder", "grid=dear"], "perKWh"),
        ([str(SERIES / "day-ahead.csv"), "--to", "2020-01-01"], "Nothing is left between"),
        ([str(SERIES / "sce-tou-ev-4.json"), "--off-peak-at-most", "dear"], "is no price"),
        ([str(SERIES / "sce-tou-ev-4.json"), "--off-peak-at-most", "NaN"], "is no price"),
        ([str(SERIES / "sce-tou-ev-4.json"), "--form", "source"], "this has none"),
        ([str(SERIES / "README.md")], "There is no column time"),
    ],
)
def test_what_cannot_be_used_ends_with_a_sentence(words: list[str], sentence: str) -> None:
    """And status 2, without a trace of Python."""
    result = run(*words)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(b"time,price\n" * 1_000)[:-20] + b"\xff" * 20, "it is no text"),
        (b'{"schedule": ' * 100_000, "nested too deeply"),
        (b"time,price\n9999-12-31T23:00:00Z,1\n", "not between the years"),
    ],
)
def test_a_file_that_is_broken_ends_with_a_sentence(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    """Packed wrongly, nested without end, centuries away."""
    file = tmp_path / "broken"
    file.write_bytes(content)
    result = run(str(file))
    assert (result.exit_code, sentence in result.stderr) == (2, True), result.output


@pytest.mark.parametrize("zone", ["Europe", "Europe/Nowhere", "../etc/passwd"])
def test_a_time_zone_that_is_none_is_named(zone: str, tmp_path: Path) -> None:
    """Before any time is read in it."""
    file = tmp_path / "prices.csv"
    file.write_text("time,price\r2026-01-15T23:00:00,1\r2026-01-16T00:00:00,1\r")
    result = run(str(file), "--currency", "EUR", "--time-zone", zone)
    assert (result.exit_code, f"'{zone}' is not a time zone" in result.stderr) == (2, True)
    assert made(run(str(file), "--currency", "EUR", "--time-zone", "UTC"))


def test_entsoe_without_a_key_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the variable."""
    monkeypatch.delenv("IDLEWATT_ENTSOE_KEY", raising=False)
    result = run("--entsoe", "DE_LU", "--from", "2026-01-15", "--to", "2026-01-17")
    assert result.exit_code == 2
    assert "IDLEWATT_ENTSOE_KEY" in result.stderr


def test_a_plan_reads_the_file_that_a_source_names(tmp_path: Path) -> None:
    """What was imported with --form source; without the folder a note says what is missing."""
    folder = tmp_path / "series"
    folder.mkdir()
    assert (
        run(
            str(SERIES / "day-ahead.csv"), "--form", "source", "--out", str(folder / "p.json")
        ).exit_code
        == 0
    )
    tariff = {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "EnergyTariff",
        "metadata": {"name": "depot"},
        "spec": {"currency": "USD", "source": {"type": "File", "path": "p.json"}},
    }
    manifest = tmp_path / "tariff.json"
    manifest.write_text(json.dumps(tariff))
    words = ["plan", "-f", str(manifest), "--at", "2022-07-01T12:00:00Z"]
    without = CliRunner().invoke(app, words, env={"IDLEWATT_TARIFFS_DIR": ""})
    assert "name its folder with --tariffs-dir" in without.stderr
    given = CliRunner().invoke(app, [*words, "--tariffs-dir", str(folder)])
    assert given.exit_code == 0
    assert "source" not in given.stderr
