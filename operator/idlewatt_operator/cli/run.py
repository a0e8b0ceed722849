"""`idlewatt run`: the operator, outside a cluster or inside one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from idlewatt_operator.cli.manifests import TariffsDir

if TYPE_CHECKING:
    from idlewatt_operator.cli.leading import Election
    from idlewatt_operator.cli.wiring import Options
    from idlewatt_operator.gateways.listening import Endpoint
    from idlewatt_operator.reconcile.report import Report

EXAMPLES: Final = (
    "idlewatt run --dry-run",
    "idlewatt run --kubeconfig ~/.kube/config --redis-url redis://localhost:6379/0",
)

_CANNOT_START: Final = 1
_LEAST_MEMORY: Final = 256 * 2**20
_SHORTEST_DEADLINE: Final = 1_000
_LONGEST_DEADLINE: Final = 120_000
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


Kubeconfig: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="How to reach the cluster. Without it: as kubectl does; in a pod, its service "
        "account.",
        show_default=False,
    ),
]
RedisUrl: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="IDLEWATT_REDIS_URL",
        help="Where vehicles report, such as redis://redis:6379/0, or rediss:// for TLS. "
        "Credentials come from IDLEWATT_REDIS_USERNAME and IDLEWATT_REDIS_PASSWORD. Without "
        "an address, what the VehicleNodes' status says was observed is used, and no vehicle "
        "can be woken.",
        show_default=False,
    ),
]
SchedulerName: TypeAlias = Annotated[
    str,
    typer.Option(metavar="NAME", help="Pods with this spec.schedulerName are scheduled."),
]
VehicleList: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="IDLEWATT_VEHICLE_LIST",
        help="A VehicleList that is kept to the names of all vehicles, for the admission "
        "policy of the Helm chart.",
        show_default=False,
    ),
]
DryRun: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Plan and explain each cycle on standard output; write nothing."
    ),
]
Listen: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        envvar="IDLEWATT_LISTEN",
        help="Answer /livez, /readyz and /metrics there, such as :8080. Without it: nowhere.",
        show_default=False,
    ),
]
LeaderElection: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--leader-election",
        envvar="IDLEWATT_LEADER_ELECTION",
        help="Be one of several: the one that holds the Lease leads, the others stand by.",
    ),
]
LeaseNamespace: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAMESPACE",
        envvar="IDLEWATT_LEASE_NAMESPACE",
        help="Where the Lease is. Without it: the pod's own namespace.",
        show_default=False,
    ),
]
LeaseName: TypeAlias = Annotated[
    str,
    typer.Option(metavar="NAME", envvar="IDLEWATT_LEASE_NAME", help="Its name."),
]
Identity: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="POD_NAME",
        help="Who we are in the Lease; something random is added. Without it: the host's name.",
        show_default=False,
    ),
]


PlannerMemory: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        envvar="IDLEWATT_PLANNER_MEMORY",
        help="The most memory that the planner's process may have, such as 1280Mi; beyond it plans "
        "are greedy. Without it: all there is.",
        show_default=False,
    ),
]
PlanDeadline: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="DURATION",
        envvar="IDLEWATT_PLAN_DEADLINE",
        help="After that the best plan so far has to do. Drains never wait for a plan.",
    ),
]


def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    context: typer.Context,
    kubeconfig: Kubeconfig = None,
    redis_url: RedisUrl = None,
    scheduler_name: SchedulerName = "idlewatt",
    vehicle_list: VehicleList = None,
    tariffs_dir: TariffsDir = None,
    dry_run: DryRun = False,  # noqa: FBT002 - an option of a command line
    listen: Listen = None,
    leader_election: LeaderElection = False,  # noqa: FBT002 - an option of a command line
    lease_namespace: LeaseNamespace = None,
    lease_name: LeaseName = "idlewatt",
    identity: Identity = None,
    planner_memory: PlannerMemory = None,
    plan_deadline: PlanDeadline = "20s",
) -> None:
    """Schedule pods on parked vehicles, until it is stopped.

    It plans whenever something changes, and every ten seconds since time moves too. It can be
    stopped and started at any moment: what it has to remember stands in the cluster. Logs go to
    standard error.
    """
    from idlewatt_operator.cli.credentials import redis_address  # noqa: PLC0415 - redis is slow
    from idlewatt_operator.cli.logs import log_to  # noqa: PLC0415 - with its command
    from idlewatt_operator.cli.wiring import Options  # noqa: PLC0415 - OR-Tools and kopf are slow
    from idlewatt_operator.resources.pods import DEFAULT_SCHEDULER  # noqa: PLC0415 - with it
    from idlewatt_operator.settings import Settings  # noqa: PLC0415 - with its command

    if scheduler_name == DEFAULT_SCHEDULER:
        sentence = f"{scheduler_name} is Kubernetes' own; two schedulers would place the same pods"
        raise typer.BadParameter(sentence, param_hint="--scheduler-name")
    log_to(sys.stderr)
    settings = Settings(
        scheduler_name=scheduler_name, dry_run=dry_run, plan_deadline=_deadline(plan_deadline)
    )
    _run(
        Options(
            kubeconfig,
            None if not redis_url else redis_address(context, redis_url),
            settings,
            vehicle_list,
            _endpoint(listen),
            _election(lease_namespace, lease_name, identity) if leader_election else None,
            tariffs_dir,
            _bytes(planner_memory) if planner_memory else 0,
        )
    )


def _deadline(text: str) -> int:
    from idlewatt_operator.resources.times import parse_duration  # noqa: PLC0415 - with its command

    try:
        length = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--plan-deadline") from error
    if not _SHORTEST_DEADLINE <= length <= _LONGEST_DEADLINE:
        sentence = f"'{text}' is not between 1s and 2m, in which a cycle has to end"
        raise typer.BadParameter(sentence, param_hint="--plan-deadline")
    return length


def _bytes(text: str) -> int:
    from idlewatt_operator.resources.quantities import parse_quantity  # noqa: PLC0415 - with it

    try:
        size = parse_quantity(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--planner-memory") from error
    if size < _LEAST_MEMORY:
        sentence = f"'{text}' is too little to plan in; give it 256Mi or more"
        raise typer.BadParameter(sentence, param_hint="--planner-memory")
    return int(size)


def _endpoint(text: str | None) -> "Endpoint | None":
    from idlewatt_operator.gateways.listening import Endpoint  # noqa: PLC0415 - with its command

    try:
        return Endpoint.parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--listen") from error


def _election(namespace: str | None, name: str, identity: str | None) -> "Election":
    import platform  # noqa: PLC0415 - with its command

    from idlewatt_operator.cli.leading import Election  # noqa: PLC0415 - with its command

    if not namespace:
        try:
            namespace = _OWN_NAMESPACE.read_text(encoding="utf-8").strip()
        except OSError as error:
            sentence = "outside a pod nobody knows where the Lease is; name its namespace"
            raise typer.BadParameter(sentence, param_hint="--lease-namespace") from error
    return Election(namespace, name, identity or platform.node() or "idlewatt")


def _run(options: "Options") -> None:
    import asyncio  # noqa: PLC0415 - with its command

    from idlewatt_operator.cli.wiring import run_operator  # noqa: PLC0415
    from idlewatt_operator.gateways.kubernetes.credentials import CredentialsError  # noqa: PLC0415
    from idlewatt_operator.gateways.preflight import StartError  # noqa: PLC0415

    tell = _Teller(dry_run=options.settings.dry_run)
    try:
        asyncio.run(run_operator(options, on_report=tell.report))
    except (CredentialsError, StartError) as error:
        typer.echo(f"idlewatt: {error}", err=True)
        raise typer.Exit(_CANNOT_START) from error


class _Teller:
    """Tells of each cycle: a line in the log, or in a dry run all that it decided."""

    def __init__(self, *, dry_run: bool) -> None:
        self._dry_run = dry_run
        self._told: object = None

    def report(self, report: "Report") -> None:
        import logging  # noqa: PLC0415 - with its command

        if self._dry_run:
            self._explain(report)
        elif report.changed_something:
            logging.getLogger("idlewatt_operator.cycle").info("%s", report.line())

    def _explain(self, report: "Report") -> None:
        """The plan as `idlewatt plan` shows it; only a line where it is the same as before."""
        from idlewatt_operator.cli.tables import console, tables  # noqa: PLC0415 - rich is slow
        from idlewatt_operator.resources.times import format_instant  # noqa: PLC0415

        plan, out = report.plan, console()
        told = [
            [(each.pod.key, each.node) for each in plan.placements],
            [(each.pod.key, each.node, each.reason) for each in plan.leaving],
            [(each.pod.key, dict(each.reasons)) for each in plan.waiting],
        ]
        moment = format_instant(plan.at // 1_000 * 1_000)
        if not report.is_planned:
            out.print(f"{moment}: there is no plan yet; nothing was written.")
            return
        if told == self._told:
            out.print(f"{moment}: the plan is the same; nothing was written.")
            return
        self._told = told
        policy = report.situation.snapshot.policy
        noun = "nodes" if policy.plain_nodes_allowed else "vehicles"
        out.rule(moment)
        out.print(tables(plan, report.seconds.get("plan", 0.0), noun))
        out.print(f"It would write: {_would_write(report)}. Nothing was written.")


def _would_write(report: "Report") -> str:
    decisions = report.decisions
    counts = {
        "deadlines lowered": len(decisions.lower),
        "pods drained": len(decisions.drain),
        "pods released, so that others start first": len(decisions.release),
        "pods given up": sum(len(each.remove) for each in decisions.give_up),
        "vehicles woken": len(decisions.wake),
        "pods bound": len(decisions.bind),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing"
