"""`idlewatt tariff`: prices and carbon from files and services, as manifests."""

import os
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from idlewatt_operator.gateways.tariffs.series import Found

EXAMPLES: Final = (
    "idlewatt tariff import examples/tariffs/day-ahead.csv --adder grid=0.05 --tax 8.25",
    (
        "idlewatt tariff import examples/tariffs/sce-tou-ev-4.json "
        "--time-zone America/Los_Angeles --currency USD --off-peak-at-most 0.08"
    ),
    "idlewatt tariff import --entsoe DE_LU --from 2026-01-15 --to 2026-01-17 --name day-ahead",
)

_BAD_INPUT: Final = 2

app: Final = typer.Typer(
    help="Make tariffs of what others publish.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Unit(StrEnum):
    """Of what a price is one."""

    MWH = "MWh"
    KWH = "kWh"
    CENTS = "ct/kWh"


class Form(StrEnum):
    """How the answer is written."""

    MANIFEST = "manifest"
    SOURCE = "source"


File = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="CSV or JSON, gzipped or not.", show_default=False),
]
Area = Annotated[
    str | None,
    typer.Option(
        metavar="AREA",
        help="Instead of a file: the day-ahead prices of a bidding zone, such as DE_LU.",
        show_default=False,
    ),
]
Named = Annotated[str, typer.Option(metavar="NAME", help="Of the EnergyTariff.")]
Code = Annotated[
    str | None, typer.Option(metavar="CODE", help="ISO 4217, where the file does not say.")
]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="IANA name, where the file does not say.")
]
Begin = Annotated[datetime | None, typer.Option("--from", help="Leave out what ends before; UTC.")]
End = Annotated[
    datetime | None, typer.Option("--to", help="Leave out what starts then or later; UTC.")
]
Adders = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=AMOUNT", help="Per kWh, before tax; several may be given."),
]
Tax = Annotated[str | None, typer.Option(metavar="PERCENT", help="On price and adders.")]
TimeColumn = Annotated[str, typer.Option(help="Of the starts, in any CSV.")]
PriceColumn = Annotated[str, typer.Option(help="Of the prices, in any CSV.")]
CreatedColumn = Annotated[
    str | None, typer.Option(help="Of the times of publication: keeps revisions.")
]
PerUnit = Annotated[Unit, typer.Option(help="Of what a price in any CSV is one.")]
OffPeak = Annotated[
    str | None,
    typer.Option(metavar="PRICE", help="Of a time-of-use tariff: up to this is OffPeak."),
]
Forecasts = Annotated[
    bool, typer.Option("--forecasts", help="Of a series of carbon: keep its forecasts.")
]
Written = Annotated[
    Form, typer.Option(help="A manifest, or the JSON that a tariff's `source` reads.")
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Where it is written; standard output otherwise."),
]


@app.callback()
def _tariff() -> None:
    """Make tariffs of what others publish."""


@app.command("import", epilog="**Examples**\n\n" + "\n\n".join(EXAMPLES), no_args_is_help=True)
def import_(  # noqa: PLR0913, PLR0917 - options of a command
    file: File = None,
    entsoe: Area = None,
    name: Named = "imported",
    currency: Code = None,
    time_zone: Zone = None,
    begin: Begin = None,
    end: End = None,
    adder: Adders = None,
    tax: Tax = None,
    time_column: TimeColumn = "time",
    price_column: PriceColumn = "price",
    created_column: CreatedColumn = None,
    unit: PerUnit = Unit.MWH,
    off_peak_at_most: OffPeak = None,
    *,
    forecasts: Forecasts = False,
    form: Written = Form.MANIFEST,
    out: Out = None,
) -> None:
    """Make an EnergyTariff of a series of prices, a time-of-use tariff or a series of carbon.

    The form is told by the file itself: ERCOT's day-ahead columns, any CSV with a column of
    times and one of prices, a time-of-use tariff in acnportal's JSON, or marginal emissions
    with their forecasts. No figure is rounded and no clock is shifted. Wholesale prices are
    marked as such: until an --adder completes them, they are no price.

    Gaps, duplicates and what was left out are told on standard error. Exit status 2: the file
    cannot be used, and a sentence says why.
    """
    from idlewatt_operator.gateways.tariffs.manifest import (  # noqa: PLC0415 - pydantic is slow
        Made,
        manifest,
        source,
    )
    from idlewatt_operator.gateways.tariffs.series import SeriesError  # noqa: PLC0415 - slow

    if (file is None) == (entsoe is None):
        message = "give either a FILE or --entsoe AREA"
        raise typer.BadParameter(message)
    try:
        found = (
            _asked(entsoe, begin, end)
            if entsoe is not None
            else _read(
                file or Path(),
                columns={
                    "time": time_column,
                    "price": price_column,
                    "created": created_column,
                    "unit": unit.value,
                    "zone": time_zone,
                },
                off_peak_at_most=_decimal(off_peak_at_most, "--off-peak-at-most"),
                forecasts=forecasts,
            )
        )
        found = found.between(begin and _utc(begin), end and _utc(end))
        made = Made(name, currency, time_zone, _adders(adder), tax)
        written = source(found) if form is Form.SOURCE else manifest(found, made)
    except SeriesError as error:
        typer.echo(f"idlewatt: {error}", err=True)
        raise typer.Exit(_BAD_INPUT) from error
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
    _write(written, out)


def _read(
    file: Path, columns: dict[str, Any], off_peak_at_most: Decimal | None, *, forecasts: bool
) -> "Found":
    from idlewatt_operator.gateways.tariffs import (  # noqa: PLC0415 - with its command
        carbon,
        day_ahead,
        series,
        time_of_use,
    )

    text = series.read_text(file)
    if time_of_use.is_time_of_use(text):
        return time_of_use.time_of_use(text, off_peak_at_most)
    header = series.header_of(text)
    if carbon.is_carbon(header):
        return carbon.carbon(text, forecasts=forecasts)
    if day_ahead.is_ercot(header):
        return day_ahead.ercot(text)
    return day_ahead.any_series(text, day_ahead.Columns(**columns))


def _asked(area: str, begin: datetime | None, end: datetime | None) -> "Found":
    from idlewatt_operator.gateways.tariffs import entsoe  # noqa: PLC0415 - with its command

    if begin is None or end is None:
        message = "--entsoe needs to know --from and --to"
        raise typer.BadParameter(message)
    ask = entsoe.asker(os.environ.get(entsoe.KEY_VARIABLE, ""))
    return entsoe.day_ahead(area, _utc(begin), _utc(end), ask)


def _adders(given: list[str] | None) -> list[dict[str, str]]:
    adders = []
    for text in given or ():
        name, equals, amount = text.partition("=")
        if not equals or not name:
            message = f"'{text}' is not written as NAME=AMOUNT, such as grid=0.09"
            raise typer.BadParameter(message, param_hint="--adder")
        adders.append({"name": name, "perKWh": amount})
    return adders


def _decimal(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        message = f"'{text}' is no price such as 0.08"
        raise typer.BadParameter(message, param_hint=option)
    return found


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        typer.echo(f"idlewatt: {out} cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(_BAD_INPUT) from error
    typer.echo(f"{out} is written.", err=True)
