"""The command `idlewatt`: one module of this package for each of its commands.

A command's module has a function `command`, whose docstring is the help, and `EXAMPLES`, lines
that work as they stand. It imports nothing heavy until it is called: `idlewatt --help` is to
answer at once. To add a command, add its module to `_COMMANDS`.
"""

from types import ModuleType
from typing import Final

import typer

from idlewatt_operator.cli import (
    demo,
    departures,
    outlook,
    plan,
    run,
    tariff,
    telemetry,
    validate,
    version,
    why,
)

_COMMANDS: Final[dict[str, ModuleType]] = {
    "demo": demo,
    "outlook": outlook,
    "plan": plan,
    "run": run,
    "validate": validate,
    "version": version,
    "why": why,
}

app: Final = typer.Typer(
    name="idlewatt",
    help="Run inference pods on parked electric vehicles.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _name, _module in _COMMANDS.items():
    app.command(
        _name,
        epilog="**Examples**\n\n" + "\n\n".join(_module.EXAMPLES),
        no_args_is_help=getattr(_module, "NEEDS_ARGUMENTS", False),
    )(_module.command)

app.add_typer(departures.app, name="departures")
app.add_typer(telemetry.app, name="telemetry")
app.add_typer(tariff.app, name="tariff")
