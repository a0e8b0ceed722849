"""`idlewatt why`: why a pod waits, what would place it, and when it is going to start."""

import difflib
import json
import sys
import time
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from idlewatt_operator.cli.manifests import (
    Files,
    MoreFiles,
    TariffsDir,
    read_manifests,
    supply,
)
from idlewatt_operator.cli.run import Kubeconfig, SchedulerName

if TYPE_CHECKING:
    from idlewatt_operator.gateways.protocols import ClusterView, Telemetry
    from idlewatt_operator.gateways.redis.address import RedisAddress
    from idlewatt_operator.resources.records import PodRecord
    from idlewatt_scheduler.model.plan import Plan
    from idlewatt_scheduler.model.shadow import PodPrice
    from idlewatt_scheduler.model.snapshot import Snapshot
    from idlewatt_scheduler.model.workload import Pod
    from idlewatt_scheduler.why import Answer

NEEDS_ARGUMENTS: Final = True
EXAMPLES: Final = (
    "idlewatt why retrain -f examples/why --at 2026-01-15T19:00:00Z",
    "idlewatt why retrain --on v-2d41e9 -f examples/why --at 2026-01-15T19:00:00Z -o json",
    "idlewatt why team-a/llm",
)

_BAD_INPUT: Final = 2
_UNREACHABLE: Final = 1


class Output(StrEnum):
    """How the answer is printed."""

    TEXT = "text"
    JSON = "json"


PodName: TypeAlias = Annotated[
    str, typer.Argument(metavar="POD", help="NAMESPACE/NAME, or the name where it is the only one.")
]
On: TypeAlias = Annotated[
    str | None,
    typer.Option("--on", metavar="VEHICLE", help="Ask about this vehicle alone."),
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="With -f: the moment to ask for, RFC 3339 with a zone. Now, unless it is given.",
        show_default=False,
    ),
]
Printed: TypeAlias = Annotated[
    Output, typer.Option("--output", "-o", help="A page for people, or data for programs.")
]
Every: TypeAlias = Annotated[
    bool, typer.Option("--all", help="Show every vehicle, not the nearest ones alone.")
]
RedisUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="IDLEWATT_REDIS_URL",
        help="Without -f: read what vehicles report from there. Without it, what the "
        "VehicleNodes' status says.",
        show_default=False,
    ),
]


def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    context: typer.Context,
    pod: PodName,
    more: MoreFiles = None,
    files: Files = None,
    on: On = None,
    at: At = None,
    output: Printed = Output.TEXT,
    every: Every = False,  # noqa: FBT002 - an option of a command line
    kubeconfig: Kubeconfig = None,
    redis_url: RedisUrl = None,
    scheduler_name: SchedulerName = "idlewatt",
    tariffs_dir: TariffsDir = None,
) -> None:
    """Say why a pod waits, what the least change is that would place it, and when it starts.

    With -f it asks manifests, as `idlewatt plan` reads them; without, the cluster, of which it
    lists objects and writes nothing. Every vehicle is judged as the scheduler judges it, beside
    all that its plan places.
    """
    if files or more:
        from idlewatt_operator.cli.plan import moment_of  # noqa: PLC0415 - with its command

        moment = moment_of(at)
        cluster = read_manifests(files, more)
        supply(cluster, tariffs_dir, moment)
        view, telemetry = cluster.view(), None
    elif at is not None:
        sentence = "a cluster is asked about now; another time needs manifests, -f"
        raise typer.BadParameter(sentence, param_hint="--at")
    else:
        view, telemetry = _from_cluster(context, kubeconfig, redis_url, scheduler_name)
        moment = int(time.time() * 1_000)

    from idlewatt_operator.reconcile.snapshot import build_snapshot  # noqa: PLC0415 - slow

    record = _record(view, pod, scheduler_name)
    if record.scheduler_name != scheduler_name:
        other = record.scheduler_name
        typer.echo(f"Pod {record.pod.key} is not ours to place: its schedulerName is {other}.")
        return
    snapshot = build_snapshot(moment, view, telemetry, {}, scheduler_name)
    if on is not None:
        _refuse_unknown(on, snapshot)
    _answer(record, snapshot, on, output, every=every)


def _answer(
    record: "PodRecord", snapshot: "Snapshot", on: str | None, output: Output, *, every: bool
) -> None:
    from idlewatt_operator.reconcile.scarcity import price_of  # noqa: PLC0415 - with it
    from idlewatt_scheduler.planner import plan  # noqa: PLC0415 - OR-Tools is slow
    from idlewatt_scheduler.why import why  # noqa: PLC0415 - with it

    made = plan(snapshot)
    asked = next((each for each in snapshot.pending if _is(each, record.pod)), None)
    if asked is None:
        typer.echo(_no_question(record, made))
        return
    answer = why(snapshot, made, asked, on)
    _print(answer, price_of(made, asked), snapshot, output, every=every)


def _record(view: "ClusterView", name: str, scheduler_name: str) -> "PodRecord":
    """The pod that is meant.

    Raises:
        typer.BadParameter: there is none of that name, or several.
    """
    ours = [each for each in view.pods.values() if each.scheduler_name == scheduler_name]
    found = [each for each in view.pods.values() if name in {each.pod.key, each.pod.name}]
    exact = [each for each in found if each.pod.key == name] or found
    if len(exact) == 1:
        return exact[0]
    if exact:
        keys = ", ".join(sorted(each.pod.key for each in exact))
        sentence = f"there are several: {keys}; write the namespace too"
        raise typer.BadParameter(sentence, param_hint="POD")
    known = sorted({word for each in ours for word in (each.pod.key, each.pod.name)})
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    sentence = f"there is no pod '{name}'{meant}"
    raise typer.BadParameter(sentence, param_hint="POD")


def _refuse_unknown(vehicle: str, snapshot: "Snapshot") -> None:
    names = [each.name for each in snapshot.vehicles]
    if snapshot.policy.plain_nodes_allowed:
        names.extend(snapshot.nodes)
    if vehicle not in names:
        near = difflib.get_close_matches(vehicle, names, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        sentence = f"there is no vehicle '{vehicle}'{meant}"
        raise typer.BadParameter(sentence, param_hint="--on")


def _no_question(record: "PodRecord", made: "Plan") -> str:
    """Why a pod is none that waits, in a sentence."""
    key = record.pod.key
    if record.ended:
        return f"Pod {key} has ended."
    if record.node is None:
        gated = "has a scheduling gate; it waits for whoever set that"
        return f"Pod {key} {gated if record.gated else 'is being deleted'}."
    leaving = next((each for each in made.leaving if _is(each.pod, record.pod)), None)
    if leaving is not None:
        return f"Pod {key} runs on {record.node} and has to leave: {leaving.reason}."
    return f"Pod {key} does not wait: it runs on {record.node}."


def _is(one: "Pod", other: "Pod") -> bool:
    return (one.key, one.uid) == (other.key, other.uid)


def _print(
    answer: "Answer",
    price: "PodPrice | None",
    snapshot: "Snapshot",
    output: Output,
    *,
    every: bool,
) -> None:
    if output is Output.JSON:
        from idlewatt_operator.cli.why_answer import document  # noqa: PLC0415 - with its command

        typer.echo(json.dumps(document(answer, price), indent=2))
        return
    from idlewatt_operator.cli.tables import console  # noqa: PLC0415 - rich is slow
    from idlewatt_operator.cli.why_text import page  # noqa: PLC0415 - rich is slow

    noun = "nodes" if snapshot.policy.plain_nodes_allowed else "vehicles"
    console().print(page(answer, noun, price, every=every))


def _from_cluster(
    context: typer.Context, kubeconfig: Path | None, redis_url: str | None, scheduler_name: str
) -> "tuple[ClusterView, Telemetry | None]":
    """What stands in the cluster, and what vehicles reported; a sentence where that cannot be."""
    import asyncio  # noqa: PLC0415 - with its command

    from idlewatt_operator.cli.credentials import redis_address  # noqa: PLC0415 - redis is slow
    from idlewatt_operator.cli.logs import log_to  # noqa: PLC0415 - with its command
    from idlewatt_operator.gateways.kubernetes.credentials import CredentialsError  # noqa: PLC0415
    from idlewatt_operator.gateways.preflight import StartError  # noqa: PLC0415

    log_to(sys.stderr)
    redis = redis_address(context, redis_url) if redis_url else None
    try:
        return asyncio.run(_asked(kubeconfig, redis, scheduler_name))
    except (CredentialsError, StartError) as error:
        typer.echo(f"idlewatt: {error}", err=True)
        raise typer.Exit(_UNREACHABLE) from error


async def _asked(
    kubeconfig: Path | None, redis: "RedisAddress | None", scheduler_name: str
) -> "tuple[ClusterView, Telemetry | None]":
    from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource  # noqa: PLC0415
    from idlewatt_operator.gateways.kubernetes.once import read_once  # noqa: PLC0415
    from idlewatt_operator.gateways.kubernetes.session import ApiSession  # noqa: PLC0415
    from idlewatt_operator.gateways.preflight import check_access  # noqa: PLC0415
    from idlewatt_operator.gateways.redis import once  # noqa: PLC0415

    async with ApiSession(CredentialSource(kubeconfig)) as session:
        await check_access(session)
        read = await read_once(session, scheduler_name)
    if redis is None:
        for name in read.sources:
            note = f"What the source of the tariff {name} said is kept in Redis: see --redis-url."
            typer.echo(f"{note} Its prices are unknown here.", err=True)
        return read.view, None
    telemetry = await once.read_telemetry_once(redis, read.view.vehicles)
    kept = await once.read_sources_once(redis, read.view.tariffs, read.sources)
    for note in kept.notes:
        typer.echo(note, err=True)
    return replace(read.view, tariffs=kept.tariffs), telemetry
