"""`idlewatt outlook`: how many vehicles could take a pod, hour by hour over the next day."""

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from idlewatt_operator.cli.manifests import (
    Files,
    MoreFiles,
    TariffsDir,
    read_manifests,
    supply,
)
from idlewatt_operator.cli.plan import moment_of

if TYPE_CHECKING:
    from rich.console import RenderableType

    from idlewatt_scheduler.availability_grid import Availability
    from idlewatt_scheduler.candidates import Fleet
    from idlewatt_scheduler.model.units import Instant, Milliseconds

NEEDS_ARGUMENTS: Final = True
EXAMPLES: Final = (
    "idlewatt outlook -f examples/why --at 2026-01-15T19:00:00Z",
    "idlewatt outlook -f examples/why --at 2026-01-15T19:00:00Z --watts 800 --runtime 4h",
    "kubectl get vn,site,tariff,policy,nodes,pods -A -o json | idlewatt outlook -f - -o json",
)

_STEPS_AN_HOUR: Final = 12
_BAR: Final = 40


class Output(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSON = "json"


def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    files: Files = None,
    more: MoreFiles = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Where the day begins, RFC 3339 with a zone. Now, unless it is given.",
            show_default=False,
        ),
    ] = None,
    watts: Annotated[int, typer.Option(min=0, help="What the pod draws at full use.")] = 500,
    runtime: Annotated[
        str, typer.Option(metavar="DURATION", help="How long it stays, such as 90m or 4h.")
    ] = "1h",
    any_tariff: Annotated[  # noqa: FBT002 - an option of a command line
        bool, typer.Option("--any-tariff", help="It runs on peak as well.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="A drawing for people, or data for programs.")
    ] = Output.TABLE,
    tariffs_dir: TariffsDir = None,
) -> None:
    """Draw how many vehicles could take a pod of so many watts, over the next 24 hours.

    Asked of each vehicle every five minutes: is a parking window open for long enough, is it
    off-peak, does the charge last. Beside what runs there already; circuits and the machine's
    other resources are not asked. Vehicles that take no pods now are not foreseen.
    """
    from idlewatt_operator.reconcile.snapshot import build_snapshot  # noqa: PLC0415 - slow
    from idlewatt_scheduler.candidates import assemble  # noqa: PLC0415 - slow

    moment, stay = moment_of(at), _stay(runtime)
    cluster = read_manifests(files, more)
    supply(cluster, tariffs_dir, moment)
    fleet = assemble(build_snapshot(moment, cluster.view(), None, {}))
    found = _foreseen(fleet, 1_000 * watts, stay, minds_tariff=not any_tariff)
    if output is Output.JSON:
        typer.echo(json.dumps(_document(fleet, found), indent=2))
        return
    from idlewatt_operator.cli.tables import console  # noqa: PLC0415 - rich is slow

    console().print(_drawn(fleet, found))


def _stay(text: str) -> "Milliseconds":
    from idlewatt_operator.resources.times import parse_duration  # noqa: PLC0415 - with it

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--runtime") from error


def _foreseen(
    fleet: "Fleet", power: int, stay: "Milliseconds", *, minds_tariff: bool
) -> "Availability":
    from idlewatt_scheduler.availability_grid import availability  # noqa: PLC0415 - numpy is slow
    from idlewatt_scheduler.foresight import Need, car_of  # noqa: PLC0415 - with it
    from idlewatt_scheduler.model.units import seconds  # noqa: PLC0415 - with it

    policy, at = fleet.snapshot.policy, fleet.snapshot.at
    parked = [c.parked for c in fleet.candidates if c.parked is not None and c.refusal is None]
    needs = [
        Need(
            power=power,
            stay=stay,
            lead=seconds(policy.drain_lead_seconds),
            wake=seconds(each.vehicle.compute.wake_seconds) if each.case.asleep else 0,
            minds_tariff=minds_tariff and policy.off_peak.asks_anything,
        )
        for each in parked
    ]
    return availability([car_of(each) for each in parked], needs, at)


def _reasons(found: "Availability", step: int) -> dict[str, int]:
    """What keeps vehicles from taking it at a step, the commonest first."""
    from collections import Counter  # noqa: PLC0415 - with its command

    reasons = (found.reason(index, step) for index in range(len(found.vehicles)))
    counts = Counter(str(reason) for reason in reasons if reason is not None)
    return dict(counts.most_common())


def _refused(fleet: "Fleet") -> dict[str, int]:
    from collections import Counter  # noqa: PLC0415 - with its command

    refusals = (c.refusal for c in fleet.candidates if c.parked is not None)
    return dict(Counter(str(each) for each in refusals if each is not None).most_common())


def _document(fleet: "Fleet", found: "Availability") -> dict[str, Any]:
    from idlewatt_operator.resources.times import format_instant  # noqa: PLC0415 - with it

    return {
        "at": format_instant(fleet.snapshot.at),
        "vehicles": len(found.vehicles),
        "notForeseen": _refused(fleet),
        "steps": [
            {
                "at": format_instant(int(instant)),
                "available": int(count),
                "reasons": _reasons(found, step),
            }
            for step, (instant, count) in enumerate(zip(found.instants, found.count(), strict=True))
        ],
    }


def _drawn(fleet: "Fleet", found: "Availability") -> "RenderableType":
    from rich.console import Group  # noqa: PLC0415 - rich is slow
    from rich.table import Table  # noqa: PLC0415 - rich is slow
    from rich.text import Text  # noqa: PLC0415 - rich is slow

    table = Table(box=None, pad_edge=False)
    for heading in ("UTC", "Vehicles", "", "Of the others"):
        table.add_column(heading, justify="right" if heading == "Vehicles" else "left")
    if not found.vehicles:
        return Text(_footnote(fleet, found).lstrip())
    count, most = found.count(), len(found.vehicles)
    for step in range(0, len(count), _STEPS_AN_HOUR):
        within = count[step : step + _STEPS_AN_HOUR]
        least, greatest = int(within.min()), int(within.max())
        number = f"{least}" if least == greatest else f"{least} to {greatest}"
        full, partly = (round(_BAR * each / most) for each in (least, greatest))
        bar = Text("█" * full + "░" * (partly - full), style="green")
        others = ", ".join(f"{n} {reason}" for reason, n in _reasons(found, step).items())
        table.add_row(_clock(int(found.instants[step])), number, bar, others)
    return Group(table, Text(_footnote(fleet, found)))


def _clock(instant: "Instant") -> str:
    from idlewatt_operator.resources.times import format_instant  # noqa: PLC0415 - with it

    return format_instant(instant)[5:16].replace("T", " ")


def _footnote(fleet: "Fleet", found: "Availability") -> str:
    count = len(found.vehicles)
    noun = "vehicle takes" if count == 1 else "vehicles take"
    refused = ", ".join(f"{number} {reason}" for reason, number in _refused(fleet).items())
    shown = "; each hour shows the least and the most" if count else ""
    beside = f" Not foreseen, since they take none now: {refused}." if refused else ""
    return f"\n{count} {noun} pods now{shown}.{beside}"
