"""`idlewatt plan`: what the scheduler would do with these manifests, without any cluster."""

import json
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from idlewatt_operator.cli.manifests import (
    Files,
    MoreFiles,
    TariffsDir,
    read_manifests,
    supply,
)

if TYPE_CHECKING:
    from idlewatt_scheduler.model.plan import Plan
    from idlewatt_scheduler.model.units import Instant

NEEDS_ARGUMENTS: Final = True
EXAMPLES: Final = (
    "idlewatt plan -f examples/offline-plan --at 2026-01-15T22:00:00Z",
    "idlewatt plan -f examples/offline-plan --at 2026-01-15T22:00:00Z --prices",
    "idlewatt plan -f examples/offline-plan --at 2026-01-15T22:00:00Z -o json",
    "kubectl get vn,site,tariff,policy,nodes,pods -A -o json | idlewatt plan -f -",
)

_Value = TypeVar("_Value")

_PATIENCE_SECONDS: Final = 2.0
_READING: Final = "Reading the manifests. There are a great many; it may take some seconds."
_COMPILING: Final = (
    "Compiling the planner for this processor. That is done once, and takes a minute or two."
)
_PLANNING: Final = "Planning. This is a large fleet; it may take a minute."
_TIMES_END: Final = "2200-01-01T00:00:00Z"


class Output(StrEnum):
    """How the plan is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    files: Files = None,
    more: MoreFiles = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The moment to plan for, RFC 3339 with a zone. Now, unless it is given.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="A table for people, or data for programs.")
    ] = Output.TABLE,
    seed: Annotated[
        int, typer.Option(help="The same manifests, time and seed give the same plan.")
    ] = 0,
    prices: Annotated[  # noqa: FBT002 - an option of a command line
        bool,
        typer.Option(
            "--prices",
            help="Show too what one more slot, kilowatt or place would be worth: at which site, "
            "on which circuit, in which hour.",
        ),
    ] = False,
    tariffs_dir: TariffsDir = None,
) -> None:
    """Show which pods would run on which vehicles, and why the others wait.

    Reads Pods, Nodes, VehicleNodes, ParkingSites, EnergyTariffs and the FleetPolicy, as they
    stand in files or come from kubectl, and changes nothing anywhere. Bad manifests end it with
    status 2 and a sentence for each mistake.
    """
    moment = moment_of(at)
    cluster = patiently(lambda: read_manifests(files, more, meanwhile=_prepare), _READING)
    supply(cluster, tariffs_dir, moment)

    from idlewatt_operator.reconcile.snapshot import build_snapshot  # noqa: PLC0415 - slow
    from idlewatt_scheduler.planner import Params, Stop, plan  # noqa: PLC0415 - OR-Tools is slow

    snapshot = build_snapshot(moment, cluster.view(), None, {})
    if len(snapshot.vehicles) > Params().exact_vehicles:
        patiently(_prepare, _COMPILING)
    started = time.perf_counter()
    stop = Stop(clock=time.perf_counter)
    made = patiently(lambda: plan(snapshot, stop=stop, seed=seed), _PLANNING)
    seconds = time.perf_counter() - started
    noun = "nodes" if snapshot.policy.plain_nodes_allowed else "vehicles"
    _print(made, seconds, output, noun, with_prices=prices)


def moment_of(at: str | None) -> "Instant":
    """The moment an option names; now, where it names none.

    Raises:
        typer.BadParameter: it is no time, or one that no plan is for.
    """
    from idlewatt_operator.resources.times import parse_instant  # noqa: PLC0415 - with its command

    if at is None:
        return int(time.time() * 1_000)
    try:
        moment = parse_instant(at)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from error
    if not 0 <= moment < parse_instant(_TIMES_END):
        message = f"'{at}' is not between the years 1970 and 2200"
        raise typer.BadParameter(message, param_hint="--at")
    return moment


def _prepare() -> None:
    """What planning a large fleet needs; it takes a while, and may be done while files are read."""
    from idlewatt_operator.planning.kernels import warm  # noqa: PLC0415 - numba is slow

    warm()


def patiently(work: Callable[[], _Value], sentence: str) -> _Value:
    """Do the work; where it takes long, say on standard error that it is under way."""

    def say() -> None:
        typer.echo(sentence, err=True)

    notice = threading.Timer(_PATIENCE_SECONDS, say)
    notice.daemon = True
    notice.start()
    try:
        return work()
    finally:
        notice.cancel()


def _print(made: "Plan", seconds: float, output: Output, noun: str, *, with_prices: bool) -> None:
    if output is Output.TABLE:
        from idlewatt_operator.cli.tables import console, tables  # noqa: PLC0415 - rich is slow

        console().print(tables(made, seconds, noun, with_prices=with_prices))
        return
    from idlewatt_operator.cli.answers import answer  # noqa: PLC0415 - with its command

    document = answer(made, seconds, with_prices=with_prices)
    if output is Output.JSON:
        typer.echo(json.dumps(document, indent=2))
        return
    import yaml  # noqa: PLC0415 - only here

    typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
