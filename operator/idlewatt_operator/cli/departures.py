"""`idlewatt departures`: learn when cars leave, and check what was learned on other sessions."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from idlewatt_operator.cli.manifests import BAD_INPUT

if TYPE_CHECKING:
    from rich.console import Console

    from idlewatt_operator.learning.calibration import Checked
    from idlewatt_operator.learning.fit import Fit
    from idlewatt_operator.learning.learned import Learned
    from idlewatt_operator.learning.past import PastStay
    from idlewatt_operator.learning.reading import Past
    from idlewatt_operator.resources.departures import LearnedFile

FIT_EXAMPLES: Final = (
    "idlewatt departures fit sessions.csv --time-zone Europe/Berlin",
    "idlewatt departures fit acn.csv.gz --test-from 2019-07-01 --plot calibration.svg",
    "idlewatt departures fit sessions.csv --site CA=garage --out - | kubectl apply -f -",
)
CHECK_EXAMPLES: Final = (
    "idlewatt departures check september.csv --model idlewatt-departures.yaml",
)

_LINES_SHOWN: Final = 5
_BYTES_LEAST: Final = 2_000
_BYTES_EVER: Final = 1_000_000

app: Final = typer.Typer(
    help="Learn when cars leave from sessions of the past.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_Sessions = Annotated[
    Path,
    typer.Argument(
        metavar="SESSIONS",
        help="CSV, gzipped or not: our own sessions format, ACN-Data, or the Norwegian homes; the "
        "header says which.",
    ),
]
_Zone = Annotated[
    str | None,
    typer.Option(
        "--time-zone",
        metavar="ZONE",
        help="The sites' time zone, where the file does not say it.",
        show_default=False,
    ),
]
_Sites = Annotated[
    list[str] | None,
    typer.Option(
        "--site",
        metavar="THEIRS=OURS",
        help="What a site of the file is called as a ParkingSite. May be given several times; "
        "other names are written in small letters and hyphens.",
        show_default=False,
    ),
]
_Plot = Annotated[
    Path | None,
    typer.Option(metavar="FILE.svg", help="Draw the calibration.", show_default=False),
]


@app.callback()
def _departures() -> None:
    """Learn when cars leave from sessions of the past."""


@app.command("fit", epilog="**Examples**\n\n" + "\n\n".join(FIT_EXAMPLES), no_args_is_help=True)
def fit_command(  # noqa: PLR0913, PLR0917 - a command has as many options as it has
    sessions: _Sessions,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the ConfigMap is written; - for the output.")
    ] = Path("idlewatt-departures.yaml"),
    name: Annotated[str, typer.Option(help="Of the ConfigMap.")] = "idlewatt-departures",
    namespace: Annotated[str, typer.Option(help="Of the ConfigMap.")] = "idlewatt",
    test_from: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Learn from arrivals before this day alone, and test on the others.",
            show_default=False,
        ),
    ] = None,
    plot: _Plot = None,
    zone: _Zone = None,
    site: _Sites = None,
    most_bytes: Annotated[
        int,
        typer.Option(
            min=_BYTES_LEAST,
            max=_BYTES_EVER,
            help="How long the entries may be; kubectl apply takes more than 250,000 with "
            "--server-side only.",
        ),
    ] = 240_000,
    *,
    by_vehicle: Annotated[
        bool,
        typer.Option(
            "--vehicles/--no-vehicles",
            help="Learn the habits of single vehicles, where there is enough. They are personal "
            "data of their owners.",
        ),
    ] = True,
) -> None:
    """Learn how early cars leave, and write it as a ConfigMap that a FleetPolicy can name.

    Where a time was stated: how much of the stated stay was lost; where none was: how long cars
    stayed. By site, by hour and weekday of the arrival, and by vehicle, as far as it answers
    better on sessions that were left out. Nothing is sent anywhere.
    """
    from idlewatt_operator.learning.learned import manifest  # noqa: PLC0415 - numpy is slow

    _check_names(name, namespace)
    if plot is not None and test_from is None:
        message = "there is nothing to draw without sessions to test on; give --test-from too"
        raise typer.BadParameter(message, param_hint="--plot")
    first_tested = None if test_from is None else _date(test_from)
    console = _console(to_errors=str(out) == "-")
    past = _read(sessions, zone, site, console)
    stays = [stay if by_vehicle else _anonymous(stay) for stay in past.stays]
    taught = [s for s in stays if first_tested is None or s.arrived.date() < first_tested]
    tested = [s for s in stays if first_tested is not None and s.arrived.date() >= first_tested]
    _check_split(taught, tested, first_tested)
    found = _fit(taught, sessions.name, str(past.zone), most_bytes, console)
    _write(out, manifest(found, name, namespace), "--out")
    if tested:
        _tell_checked(found.entries, tested, plot, f"{sessions.name} from {test_from}", console)
    if str(out) != "-":
        console.print(f"\nThe ConfigMap: {out}", highlight=False, soft_wrap=True)


@app.command("check", epilog="**Examples**\n\n" + "\n\n".join(CHECK_EXAMPLES), no_args_is_help=True)
def check_command(
    sessions: _Sessions,
    model: Annotated[
        Path, typer.Option(metavar="FILE", help="A ConfigMap that `fit` wrote, or its JSON.")
    ],
    plot: _Plot = None,
    zone: _Zone = None,
    site: _Sites = None,
) -> None:
    """Ask what was learned about sessions that it was not learned from.

    Of departures that may come early in 1, 5, 10 and 20 % of all cases: how many did.
    """
    console = _console(to_errors=False)
    known = _model(model)
    past = _read(sessions, zone, site, console)
    told = known.provenance
    console.print(
        f"Learned from {told.source}, {told.place}, {told.first_day} to {told.last_day}.",
        highlight=False,
    )
    strange = {stay.site for stay in past.stays} - {each.site for each in told.sites}
    if strange:
        console.print(
            f"Nothing was learned at {', '.join(sorted(strange))}: what holds of any site counts.",
            highlight=False,
        )
    _tell_checked(known.entries, past.stays, plot, sessions.name, console)


def _console(*, to_errors: bool) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - rich is slow

    found = Console(stderr=to_errors)
    return found if found.is_terminal else Console(stderr=to_errors, width=120)


def _check_names(name: str, namespace: str) -> None:
    from idlewatt_operator.learning.reading import object_name  # noqa: PLC0415 - with its command

    for text, option in ((name, "--name"), (namespace, "--namespace")):
        if object_name(text) != text:
            message = f"'{text}' is no name for an object; write it as {object_name(text)}"
            raise typer.BadParameter(message, param_hint=option)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"'{text}' is not a date; write it as 2019-07-01"
        raise typer.BadParameter(message, param_hint="--test-from") from error


def _check_split(
    taught: Sequence["PastStay"], tested: Sequence["PastStay"], first_tested: date | None
) -> None:
    hint = "--test-from"
    if not taught:
        message = f"no session began before {first_tested}: there is nothing to learn from"
        raise typer.BadParameter(message, param_hint=hint)
    if first_tested is not None and not tested:
        message = f"no session began on {first_tested} or later: there is nothing to test on"
        raise typer.BadParameter(message, param_hint=hint)


def _read(
    path: Path, zone_name: str | None, renaming: list[str] | None, console: "Console"
) -> "Past":
    from idlewatt_operator.learning.reading import read  # noqa: PLC0415 - numpy is slow
    from idlewatt_operator.twin.sessions_file import SessionsError  # noqa: PLC0415

    try:
        past = read(path, _zone(zone_name), _renamed(renaming))
    except SessionsError as error:
        for mistake in error.mistakes:
            typer.echo(mistake, err=True)
        raise typer.Exit(BAD_INPUT) from error
    sites = {stay.site for stay in past.stays}
    stated = sum(stay.stated_seconds is not None for stay in past.stays)
    console.print(
        f"Read {len(past.stays):,} sessions at {_counted(len(sites), 'site')} from {path.name} "
        f"({past.form}, times in {past.zone}); {stated:,} with a stated departure.",
        highlight=False,
    )
    _tell_left_out(past.left_out)
    return past


def _tell_left_out(sentences: Sequence[str]) -> None:
    for sentence in sentences[:_LINES_SHOWN]:
        typer.echo(f"{sentence}; left out", err=True)
    if len(sentences) > _LINES_SHOWN:
        typer.echo(f"and {len(sentences) - _LINES_SHOWN:,} more were left out", err=True)


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"'{name}' is not a time zone; write it as Europe/Berlin"
        raise typer.BadParameter(message, param_hint="--time-zone") from error


def _renamed(pairs: list[str] | None) -> dict[str, str]:
    from idlewatt_operator.learning.reading import object_name  # noqa: PLC0415 - with its command

    renamed = {}
    for pair in pairs or ():
        theirs, _, ours = pair.partition("=")
        if not theirs or not ours or object_name(ours) != ours:
            message = f"'{pair}' renames no site; write it as {theirs or 'THEIRS'}=depot-7"
            raise typer.BadParameter(message, param_hint="--site")
        renamed[theirs] = ours
    return renamed


def _anonymous(stay: "PastStay") -> "PastStay":
    from dataclasses import replace  # noqa: PLC0415 - with its command

    return replace(stay, vehicle=None)


def _fit(
    stays: Sequence["PastStay"], source: str, zone: str, most_bytes: int, console: "Console"
) -> "Learned":
    from idlewatt_operator.learning.fit import fit  # noqa: PLC0415 - numpy is slow
    from idlewatt_operator.learning.learned import learned  # noqa: PLC0415
    from idlewatt_operator.learning.past import stated_columns, stay_columns  # noqa: PLC0415

    fits = []
    for columns in (stated_columns(stays), stay_columns(stays)):
        if len(columns):
            kind = "stated departures" if columns.stated else "lengths of stays"
            with console.status(f"Learning from {len(columns):,} {kind}"):
                fits.append(fit(columns))
            console.print(f"Learned from {len(columns):,} {kind}.", highlight=False)
    found = learned(fits, stays, source, zone, most_bytes)
    _tell_fitted(found, fits, console)
    return found


def _tell_fitted(found: "Learned", fits: Sequence["Fit"], console: "Console") -> None:
    from rich import box  # noqa: PLC0415 - rich is slow
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, title="Fitted", title_justify="left")
    for heading in ("Site", "Sessions", "Stated", "Stated told by", "Stays told by", "Vehicles"):
        table.add_column(heading, justify="left" if "told" in heading else "right")
    table.columns[0].justify = "left"
    for site in found.provenance.sites:
        table.add_row(
            site.site,
            f"{site.sessions:,}",
            f"{site.stated:,}",
            site.stated_level if site.stated else "-",
            site.stay_level,
            f"{site.vehicles:,}",
        )
    console.print(table)
    by_hour = any(fit.everywhere_by_hour for fit in fits)
    console.print(
        f"{_counted(len(found.entries), 'entry', 'entries')}; sites that are not known are told "
        f"{'by hour' if by_hour else 'as one'}.",
        highlight=False,
    )
    if found.left_out:
        console.print(
            f"{_counted(found.left_out, 'entry', 'entries')} of the least gain found no room; "
            "raise --most-bytes to keep them.",
            highlight=False,
        )


def _counted(count: int, noun: str, nouns: str = "") -> str:
    return f"{count:,} {noun if count == 1 else nouns or f'{noun}s'}"


def _model(path: Path) -> "LearnedFile":
    from idlewatt_operator.resources.departures import (  # noqa: PLC0415 - with its command
        DeparturesError,
        read,
        text_in,
    )

    try:
        return read(text_in(path.read_text(encoding="utf-8")))
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise typer.BadParameter(message, param_hint="--model") from error
    except (DeparturesError, UnicodeDecodeError) as error:
        typer.echo(f"{path}: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from error


def _tell_checked(
    entries: Iterable[object],
    stays: Sequence["PastStay"],
    plot: Path | None,
    title: str,
    console: "Console",
) -> None:
    from idlewatt_operator.cli.calibration import table  # noqa: PLC0415 - rich is slow
    from idlewatt_operator.learning.calibration import check  # noqa: PLC0415 - numpy is slow
    from idlewatt_operator.learning.past import stated_columns, unstated_columns  # noqa: PLC0415
    from idlewatt_operator.learning.plot import picture  # noqa: PLC0415
    from idlewatt_operator.resources.departures import to_model  # noqa: PLC0415

    model = to_model(entries)  # type: ignore[arg-type]  # entries, imported with the command
    checked: list[Checked] = []
    for columns in (stated_columns(stays), unstated_columns(stays)):
        with console.status(f"Asking about {len(columns):,} sessions"):
            checked.extend(check(model, columns))
    for each in checked:
        console.print(table(each))
    if plot is not None:
        _write(plot, picture(f"Calibration: {title}", [("", checked)]), "--plot")
        console.print(f"The calibration: {plot}", highlight=False, soft_wrap=True)


def _write(path: Path, text: str, hint: str) -> None:
    if str(path) == "-":
        typer.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        message = f"'{path}' could not be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint=hint) from error
