"""`idlewatt telemetry`: reports from a file onto the stream."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from idlewatt_operator.gateways.redis.address import RedisAddress
    from idlewatt_operator.gateways.redis.publishing import Line

EXAMPLES: Final = (
    "idlewatt telemetry publish examples/telemetry/night.jsonl",
    "idlewatt telemetry publish - --redis-url redis://localhost:6379/0 < night.jsonl",
)

_SHOWN: Final = 50
_NOT_TAKEN: Final = 1
_BAD_INPUT: Final = 2

app: Final = typer.Typer(
    help="Send what vehicles and circuits report.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _telemetry() -> None:
    """Send what vehicles and circuits report."""


@app.command("publish", epilog="**Examples**\n\n" + "\n\n".join(EXAMPLES), no_args_is_help=True)
def publish(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON lines, one report each; - for standard input."),
    ],
    redis_url: Annotated[
        str,
        typer.Option(metavar="URL", envvar="IDLEWATT_REDIS_URL", help="Where Redis is."),
    ] = "redis://localhost:6379/0",
    *,
    skip_bad: Annotated[
        bool,
        typer.Option("--skip-bad", help="Send the good lines although there are bad ones."),
    ] = False,
) -> None:
    """Check every line against the telemetry contract, then send them all, in their order.

    Nothing is sent if any line is bad, unless --skip-bad is given. A line names a vehicle, or a
    site and a circuit; when it was observed; and signals:

    {"vehicle": "v-3f9c2a", "observedAt": "2026-01-15T22:00:00Z", "data":
    {"Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 71.5}}

    Exit status: 0, all was sent; 1, Redis did not take it; 2, there were bad lines.
    """
    from idlewatt_operator.cli.credentials import redis_address  # noqa: PLC0415 - redis is slow
    from idlewatt_operator.gateways.redis.publishing import read_lines  # noqa: PLC0415 - slow

    lines = list(read_lines(_text_lines(file)))
    bad = [line for line in lines if line.mistakes]
    _complain(bad)
    if bad and not skip_bad:
        typer.echo("Nothing was sent.", err=True)
        raise typer.Exit(_BAD_INPUT)
    good = [line for line in lines if not line.mistakes]
    _send(redis_address(context, redis_url), good)
    typer.echo(f"Sent {len(good)} reports.")
    if bad:
        raise typer.Exit(_BAD_INPUT)


def _send(address: "RedisAddress", lines: "Sequence[Line]") -> None:
    from idlewatt_operator.gateways.redis import publishing  # noqa: PLC0415 - redis is slow

    try:
        asyncio.run(publishing.publish(address, [line.fields for line in lines]))
    except publishing.PublishError as error:
        typer.echo(f"idlewatt: {error}", err=True)
        raise typer.Exit(_NOT_TAKEN) from error


def _text_lines(file: Path) -> Iterator[str]:
    try:
        if str(file) == "-":
            yield from sys.stdin
            return
        with file.open(encoding="utf-8") as opened:
            yield from opened
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        typer.echo(f"idlewatt: {file} cannot be read: {reason}.", err=True)
        raise typer.Exit(_BAD_INPUT) from error


def _complain(bad: "Sequence[Line]") -> None:
    for line in bad[:_SHOWN]:
        typer.echo(f"line {line.number}: {' '.join(line.mistakes)}", err=True)
    if len(bad) > _SHOWN:
        typer.echo(f"... and {len(bad) - _SHOWN} more bad lines.", err=True)
