"""`idlewatt demo`: a night of parked cars, played before your eyes by the production cycle."""

import asyncio
import logging
import os
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from idlewatt_operator.cli.manifests import BAD_INPUT

if TYPE_CHECKING:
    from idlewatt_operator.twin.accounts import Accounts
    from idlewatt_operator.twin.night import Play
    from idlewatt_operator.twin.scenario import Scenario

EXAMPLES: Final = (
    "idlewatt demo",
    "idlewatt demo --profile workplace --date 2019-07-25",
    "idlewatt demo --vehicles 40 --pods 80 --seed 8 --report /tmp/night.html",
    "idlewatt demo --sessions examples/sessions/two-nights.csv",
)

_LIVE_SECONDS: Final = 8.0
_SECONDS_MOST: Final = 3_600.0
_VEHICLES_MOST: Final = 500
_PODS_MOST: Final = 2_000
_VEHICLES: Final = 60


class Profile(StrEnum):
    """Where the cars stand."""

    HOME = "home"
    WORKPLACE = "workplace"


def command(  # noqa: PLR0913, PLR0917 - a command has as many options as it has
    profile: Annotated[
        Profile, typer.Option(help="A night of homes, or a day at a workplace that was measured.")
    ] = Profile.HOME,
    sessions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Play the charging sessions of this CSV file instead; "
            "docs/reference/sessions-format.md says what it holds.",
            show_default=False,
        ),
    ] = None,
    vehicles: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_VEHICLES_MOST,
            help="How many cars plug in at the homes: 60.",
            show_default=False,
        ),
    ] = None,
    pods: Annotated[
        int, typer.Option(min=1, max=_PODS_MOST, help="How many inference pods want to run.")
    ] = 120,
    day: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="DATE",
            help="The evening, or the workplace's day, as 2022-07-12.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed is the same night.")] = 7,
    learned: Annotated[  # noqa: FBT002 - a pair of flags
        bool,
        typer.Option(
            "--learned/--at-their-word",
            help="At the homes, reckon with what earlier stays tell of departures, or with what "
            "owners say.",
        ),
    ] = False,
    report: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the report is written: one HTML file.")
    ] = Path("idlewatt-night.html"),
    live: Annotated[  # noqa: FBT002 - a pair of flags
        bool, typer.Option("--live/--no-live", help="The live view; lines where it is off.")
    ] = True,
    seconds: Annotated[
        float,
        typer.Option(min=0, max=_SECONDS_MOST, help="How long the live view takes at least."),
    ] = _LIVE_SECONDS,
) -> None:
    """Play one night of parked electric cars with the production scheduler.

    A cluster, a fleet and a clock are simulated; the cycle that decides and binds is the one that
    runs in production. Prices, carbon and the habits of drivers are real; what is assumed is said
    at the end and in the report. Nothing outside this machine is asked or changed.
    """
    wish = _Wish(profile, sessions, vehicles, pods, _date(day), seed, learned)
    _writable(report)
    play, accounts = asyncio.run(_play(_scenario(wish), live=live, seconds=seconds))
    _tell(play, accounts, report)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is to be played."""

    profile: Profile
    sessions: Path | None
    vehicles: int | None
    pods: int
    day: date | None
    seed: int
    learned: bool


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"'{text}' is not a date; write it as 2022-07-12"
        raise typer.BadParameter(message, param_hint="--date") from error


def _writable(report: Path) -> None:
    """Found out before the night is played, not after."""
    hint = "--report"
    if report.is_dir():
        message = f"'{report}' is a folder; name a file in it, such as {report / 'night.html'}"
        raise typer.BadParameter(message, param_hint=hint)
    if not report.parent.is_dir():
        message = f"there is no folder '{report.parent}'; make it, or name another"
        raise typer.BadParameter(message, param_hint=hint)
    if not os.access(report if report.exists() else report.parent, os.W_OK):
        message = f"'{report}' may not be written; name another file"
        raise typer.BadParameter(message, param_hint=hint)


def _scenario(wish: _Wish) -> "Scenario":
    from idlewatt_operator.twin import homes, own, workplace  # noqa: PLC0415 - with its command
    from idlewatt_operator.twin.places import DataError  # noqa: PLC0415
    from idlewatt_operator.twin.sessions_file import SessionsError  # noqa: PLC0415

    at_work = wish.profile is Profile.WORKPLACE
    if wish.vehicles is not None and (at_work or wish.sessions is not None):
        message = "the cars are those of the sessions; leave it out"
        raise typer.BadParameter(message, param_hint="--vehicles")
    if wish.day is not None and wish.sessions is not None:
        message = "the days are those of the file; leave it out"
        raise typer.BadParameter(message, param_hint="--date")
    if wish.learned and (at_work or wish.sessions is not None):
        message = "earlier stays are known of the homes alone; leave it out"
        raise typer.BadParameter(message, param_hint="--learned")
    try:
        if wish.sessions is not None:
            return own.a_play(wish.sessions, at_work=at_work, pods=wish.pods, seed=wish.seed)
        if at_work:
            return workplace.a_day(wish.day or workplace.DEFAULT_DAY, wish.pods, wish.seed)
        evening, vehicles = wish.day or homes.DEFAULT_EVENING, wish.vehicles or _VEHICLES
        return homes.a_night(evening, vehicles, wish.pods, wish.seed, learned=wish.learned)
    except SessionsError as error:
        for mistake in error.mistakes:
            typer.echo(mistake, err=True)
        raise typer.Exit(BAD_INPUT) from error
    except DataError as error:
        raise typer.BadParameter(str(error), param_hint="--date") from error


async def _play(scenario: "Scenario", *, live: bool, seconds: float) -> "tuple[Play, Accounts]":
    from rich.console import Console  # noqa: PLC0415 - rich is slow

    from idlewatt_operator.twin.lines import Lines  # noqa: PLC0415 - with its command
    from idlewatt_operator.twin.night import Play  # noqa: PLC0415
    from idlewatt_operator.twin.screen import Screen  # noqa: PLC0415

    # The cycle's warnings are part of the play: the screen tells them as what happened.
    logging.getLogger("idlewatt_operator").addHandler(logging.NullHandler())
    play, console = Play(scenario), Console()
    if live and console.is_terminal:
        with Screen(play, console, seconds) as screen:
            return play, await play.run(screen.watch)
    return play, await play.run(Lines(play, console).watch)


def _tell(play: "Play", accounts: "Accounts", report: Path) -> None:
    from rich.console import Console  # noqa: PLC0415 - rich is slow

    from idlewatt_operator.twin.closing import show  # noqa: PLC0415 - with its command
    from idlewatt_operator.twin.report import page  # noqa: PLC0415

    console = Console()
    show(play, accounts, console)
    try:
        report.write_text(page(play, accounts), encoding="utf-8")
    except OSError as error:
        message = f"'{report}' could not be written: {error.strerror}"
        raise typer.BadParameter(message, param_hint="--report") from error
    console.print(f"\nThe report: {report}", highlight=False, soft_wrap=True)
