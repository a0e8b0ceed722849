"""The operator, put together: real gateways under the production cycle, until it is stopped.

Everything that could be another is an argument: a test gives another clock, and the rest is what
runs in a cluster.
"""

import asyncio
import contextlib
import gc
import logging
import os
import random
import secrets
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from idlewatt_operator.cli.leading import Election, StoppedShort, candidate, elected
from idlewatt_operator.cli.planned import plan_and_check, planning
from idlewatt_operator.cli.supplying import settled, supplying
from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.dry_run import DryRunCluster, DryRunTelemetry
from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.election import Elector
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.gateways.leadership import Leadership, Nobody, Unchallenged
from idlewatt_operator.gateways.listening import Endpoint, ListenError, Verdict, listening
from idlewatt_operator.gateways.preflight import StartError, check_cluster, connected
from idlewatt_operator.gateways.protocols import (
    ChargingGateway,
    Clock,
    ClusterGateway,
    TelemetryGateway,
)
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.charging import RedisCharging
from idlewatt_operator.gateways.redis.telemetry import RedisTelemetry
from idlewatt_operator.gateways.tariffs.refreshing import TariffSources
from idlewatt_operator.handlers.serving import serve
from idlewatt_operator.planning.guard import GuardedPlanner
from idlewatt_operator.reconcile.cycle import Cycle
from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.metrics import Metrics, Sources, TelemetryState
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.reconcile.urgency import Urgency
from idlewatt_operator.reconcile.vitals import ProcessVitals
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import SECOND, Milliseconds

_log: Final = logging.getLogger(__name__)

_STOPPING_SECONDS: Final = 25.0
"""Kubernetes kills a pod 30 s after SIGTERM: a cycle that has not ended by then is cut short."""

_SERVING_ENDS_SECONDS: Final = 3.0

_ZOMBIE: Final = 75
"""Exit status of a process whose cycles had stopped ending."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `idlewatt run` was asked for.

    Attributes:
        kubeconfig: None: as kubectl finds its own, else the pod's service account.
        redis: None: there is no telemetry source, the VehicleNodes' status is read.
        vehicle_list: the VehicleList that is kept to the names of all vehicles; None: none is.
        listen: where probes and metrics are answered; None: nowhere.
        election: None: nobody else can lead.
        tariffs: the folder of tariffs' sources that are files; None: there is none.
        planner_memory_bytes: the most that the planner's process may have; 0: all there is.
    """

    kubeconfig: Path | None = None
    redis: RedisAddress | None = None
    settings: Settings = field(default_factory=Settings)
    vehicle_list: str | None = None
    listen: Endpoint | None = None
    election: Election | None = None
    tariffs: Path | None = None
    planner_memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is heard, asked and planned beside the cluster, for as long as the operator runs."""

    telemetry: RedisTelemetry | None
    charging: ChargingGateway | None
    tariffs: TariffSources
    planner: GuardedPlanner


async def run_operator(
    options: Options,
    *,
    clock: Clock | None = None,
    stop: asyncio.Event | None = None,
    on_report: Callable[[Report], None] = lambda _: None,
    on_cluster: Callable[[KubernetesCluster], None] = lambda _: None,
) -> None:
    """Run the operator until `stop` is set, or SIGTERM or SIGINT arrives.

    Raises:
        CredentialsError: there is no way into a cluster; the message is a sentence.
        StartError: the cluster or Redis cannot be used as it is; the message is a sentence.
    """
    clock, stop = clock or WallClock(), stop or asyncio.Event()
    settings = replace(options.settings, status_beside=True, charging_beside=True, threads=True)
    source = CredentialSource(options.kubeconfig)
    vitals = ProcessVitals(settings, Metrics())
    requested = _Later()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(_answering(options.listen, vitals))
        session = await stack.enter_async_context(ApiSession(source))
        await check_cluster(session)
        elector = await stack.enter_async_context(_candidate(options, source, settings, clock))
        leadership = Unchallenged() if elector is None else elector.tenure
        cluster = KubernetesCluster(
            session,
            clock,
            requested,
            scheduler_name=settings.scheduler_name,
            instance="idlewatt" if elector is None else elector.identity,
            leadership=leadership,
            vehicle_list=None if settings.dry_run else options.vehicle_list,
        )
        on_cluster(cluster)
        vitals.synced, vitals.candidate = (lambda: cluster.synced), elector
        _stop_on_signals(stop)
        await stack.enter_async_context(cluster.running())
        beside = await stack.enter_async_context(
            _beside(options, settings, cluster, clock, requested, leadership, stop)
        )
        vitals.telemetry = partial(_verdict, beside.telemetry)
        serving = serve(source, cluster.catalogue, stop=stop, jitter=random.random)
        await stack.enter_async_context(_background(serving, _SERVING_ENDS_SECONDS))
        await _synced_or_stopped(cluster, stop)
        # What was listed stays, most of it: nobody looks through it for garbage again and again.
        gc.freeze()
        stack.callback(gc.unfreeze)
        await settled(beside.tariffs, stop)
        cycle = _cycle(cluster, beside, clock, settings, vitals.shown.note_reaction)
        vitals.shown.watch(_sources(cluster, leadership, beside, cycle))
        async with elected(elector, stop) as leads:
            if not leads:
                return

            def told(report: Report) -> None:
                vitals.shown.note(report)
                on_report(report)

            loop = Loop(cycle.run, clock, settings, told)
            vitals.loop, requested.target = loop, loop.request
            vitals.shown.count(loop)
            with _guarded(loop, settings):
                # What the leader before wrote last may not have reached our watches yet.
                if elector is None or await _looked_anew(cluster, stop):
                    await _until_stopped(loop, cycle, beside.planner, stop)
                    _all_is_answered(cluster, settings)


@contextlib.asynccontextmanager
async def _beside(  # noqa: PLR0913, PLR0917 # what it is made of, all of it injected
    options: Options,
    settings: Settings,
    cluster: KubernetesCluster,
    clock: Clock,
    requested: Callable[[], None],
    leadership: Leadership,
    stop: asyncio.Event,
) -> AsyncIterator[_Beside]:
    """Telemetry, charge points, sources of tariffs and the planner; a dry run writes to none."""
    allowed = Nobody() if settings.dry_run else leadership
    async with (
        _telemetry(options, settings, cluster, clock, requested, allowed, stop) as telemetry,
        _charging(options, clock, requested, allowed) as charging,
        supplying(
            cluster,
            clock,
            options.redis,
            options.tariffs,
            on_change=requested,
            leadership=allowed,
        ) as tariffs,
        planning(settings, options.planner_memory_bytes, requested) as planner,
    ):
        yield _Beside(telemetry, charging, tariffs, planner)


class _Later:
    """A request for a cycle, before there is a loop that could run one."""

    def __init__(self) -> None:
        self.target: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.target()


@contextlib.asynccontextmanager
async def _answering(endpoint: Endpoint | None, vitals: ProcessVitals) -> AsyncIterator[None]:
    if endpoint is None:
        yield
        return
    try:
        async with listening(endpoint, vitals):
            yield
    except ListenError as error:
        raise StartError(str(error)) from error


@contextlib.asynccontextmanager
async def _candidate(
    options: Options, source: CredentialSource, settings: Settings, clock: Clock
) -> AsyncIterator[Elector | None]:
    if options.election is None:
        yield None
    elif settings.dry_run:
        _log.info("A dry run writes nothing, so it stands for no election.")
        yield None
    else:
        async with candidate(options.election, source, settings, clock) as elector:
            yield elector


async def _synced_or_stopped(cluster: KubernetesCluster, stop: asyncio.Event) -> None:
    """Who reaches for the lease can do the work at once."""
    async with _background(cluster.wait_synced()) as synced, _background(stop.wait()) as stopped:
        await asyncio.wait({synced, stopped}, return_when=asyncio.FIRST_COMPLETED)


async def _looked_anew(cluster: KubernetesCluster, stop: asyncio.Event) -> bool:
    """Whether everything was listed anew; false: it was stopped before."""
    async with _background(cluster.look_anew()) as looked, _background(stop.wait()) as stopped:
        await asyncio.wait({looked, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return looked.done() and not stop.is_set()


def _cycle(
    cluster: ClusterGateway,
    beside: _Beside,
    clock: Clock,
    settings: Settings,
    on_reaction: Callable[[Milliseconds], None],
) -> Cycle:
    telemetry: TelemetryGateway | None = beside.telemetry
    if settings.dry_run:
        cluster = DryRunCluster(cluster)
        telemetry = None if telemetry is None else DryRunTelemetry(telemetry)
    return Cycle(
        cluster,
        telemetry,
        clock,
        partial(plan_and_check, beside.planner),
        settings,
        charging=beside.charging,
        briefs=beside.planner.briefs,
        on_reaction=on_reaction,
    )


@contextlib.asynccontextmanager
async def _telemetry(  # noqa: PLR0913, PLR0917 # what it is made of, all of it injected
    options: Options,
    settings: Settings,
    cluster: KubernetesCluster,
    clock: Clock,
    requested: Callable[[], None],
    leadership: Leadership,
    stop: asyncio.Event,
) -> AsyncIterator[RedisTelemetry | None]:
    """The source of observations, read to its end once, or waited for in vain for a while."""
    if options.redis is None:
        _log.info("No --redis-url: what the status of the VehicleNodes says was observed is used.")
        yield None
        return
    client, trouble = await connected(options.redis)
    if trouble:
        _log.warning("%s", trouble)
    urgency = Urgency()

    def known() -> Container[str] | None:
        view = cluster.view()
        return view.vehicles if view.synced else None

    def changed() -> None:
        if urgency.is_urgent(source.latest()):
            requested()

    source = RedisTelemetry(
        client,
        clock,
        known=known,
        on_change=changed,
        jitter=random.random,
        leadership=leadership,
    )
    async with contextlib.aclosing(client), _background(source.run()):
        patience_seconds = settings.telemetry_awaited_for / SECOND
        async with _background(source.wait_synced()) as synced, _background(stop.wait()) as stopped:
            await asyncio.wait(
                {synced, stopped}, timeout=patience_seconds, return_when=asyncio.FIRST_COMPLETED
            )
        if not source.synced and not stop.is_set():
            _log.warning(
                "Telemetry could not be read for %.0f s: nothing is placed on vehicles until it "
                "can be; pods are drained and fenced by what the vehicles' status says.",
                patience_seconds,
            )
        yield source


@contextlib.asynccontextmanager
async def _charging(
    options: Options, clock: Clock, requested: Callable[[], None], leadership: Leadership
) -> AsyncIterator[RedisCharging | None]:
    """Who speaks to charge points; without anybody, every car's charging is External."""
    if options.redis is None:
        _log.info("No --redis-url: no charge point can be told anything; charging is External.")
        yield None
        return
    client = options.redis.connect()
    charging = RedisCharging(
        client,
        clock,
        token=partial(secrets.token_hex, 8),
        jitter=random.random,
        on_change=requested,
        leadership=leadership,
    )
    async with contextlib.aclosing(client), _background(charging.run()):
        yield charging


def _verdict(telemetry: RedisTelemetry | None) -> Verdict:
    """How telemetry does; where it is away, no other operator would have it any better."""
    if telemetry is None:
        return Verdict(good=True, lines=("telemetry: the status of the VehicleNodes",))
    if telemetry.trouble:
        return Verdict(good=True, lines=(f"telemetry: in trouble. {telemetry.trouble}",))
    if not telemetry.synced:
        return Verdict(good=True, lines=("telemetry: not read to its end yet",))
    return Verdict(good=True, lines=("telemetry: read to its end",))


def _sources(
    cluster: KubernetesCluster,
    leadership: Leadership,
    beside: _Beside,
    cycle: Cycle,
) -> Sources:
    telemetry = beside.telemetry

    def state() -> TelemetryState | None:
        if telemetry is None:
            return None
        return TelemetryState(
            telemetry.synced,
            telemetry.answered_at,
            telemetry.reported_at,
            telemetry.accepted,
            telemetry.refused_count,
        )

    return Sources(
        lambda: leadership.left_seconds() > 0,
        lambda: cluster.write_outcomes,
        state,
        lambda: cycle.memory.charges.counts,
        beside.tariffs.state,
        lambda: beside.planner.tallies,
    )


@contextlib.asynccontextmanager
async def _background(
    work: Coroutine[object, object, object], ends_within_seconds: float = 0.0
) -> AsyncIterator[asyncio.Task[object]]:
    """Work beside the block; at its end it is given so long to end by itself, then cancelled."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        await asyncio.wait({task}, timeout=ends_within_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _stop_on_signals(stop: asyncio.Event) -> None:
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread may take signals; elsewhere `stop` is set by whoever runs it.
        with contextlib.suppress(RuntimeError, ValueError, NotImplementedError):
            running.add_signal_handler(number, stop.set)


async def _until_stopped(
    loop: Loop, cycle: Cycle, planner: GuardedPlanner, stop: asyncio.Event
) -> None:
    """Cycle until stopped, and until nothing more is written.

    Raises:
        StoppedShort: a cycle did not end in time and was cut short, its writes unanswered.
    """
    cycling = asyncio.create_task(loop.run())
    stopping = asyncio.create_task(stop.wait())
    ending = asyncio.create_task(_ended(cycling, cycle))
    try:
        await asyncio.wait({cycling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if cycling.done():
            cycling.result()
        _log.info("Stopping: the cycle that runs is let end.")
        loop.stop()
        planner.cancel()
        _, late = await asyncio.wait({ending}, timeout=_STOPPING_SECONDS)
    finally:
        for task in (cycling, stopping, ending):
            task.cancel()
        await asyncio.gather(cycling, stopping, ending, return_exceptions=True)
    if late:
        raise StoppedShort


def _all_is_answered(cluster: KubernetesCluster, settings: Settings) -> None:
    """Let another lead at once only where no write of ours can still be done.

    Raises:
        StoppedShort: of one that was sent within a lease's time nobody knows whether it was done.
    """
    if cluster.unknown_write_age_seconds < settings.lease_duration / SECOND:
        raise StoppedShort


async def _ended(cycling: "asyncio.Task[None]", cycle: Cycle) -> None:
    await asyncio.wait({cycling})
    await cycle.end()


@contextlib.contextmanager
def _guarded(loop: Loop, settings: Settings) -> Iterator[None]:
    """End the process when no cycle has ended for too long, whatever holds it up.

    A thread looks, since the event loop itself may be what hangs.
    """
    over = threading.Event()
    limit_seconds = settings.heartbeat_age_limit / SECOND

    def look() -> None:
        beats, since = loop.beats, time.monotonic()
        while not over.wait(limit_seconds / 10):
            if loop.beats != beats:
                beats, since = loop.beats, time.monotonic()
            elif time.monotonic() - since > limit_seconds:
                _log.critical(
                    "No cycle has ended for %d s: this process ends so that a new one starts.",
                    limit_seconds,
                )
                os._exit(_ZOMBIE)

    thread = threading.Thread(target=look, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
