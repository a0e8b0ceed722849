"""The operator, put together: real gateways under the production cycle, until it is stopped.

Everything that could be another is an argument: a test gives another clock, and the rest is what
runs in a cluster.
"""

import asyncio
import contextlib
import logging
import os
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Container, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.dry_run import DryRunCluster, DryRunTelemetry
from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.gateways.kubernetes.vehicle_list import ConfigMapName
from idlewatt_operator.gateways.preflight import check_cluster, connected
from idlewatt_operator.gateways.protocols import Clock, ClusterGateway, TelemetryGateway
from idlewatt_operator.gateways.redis.telemetry import RedisTelemetry
from idlewatt_operator.handlers.serving import serve
from idlewatt_operator.reconcile.checked import checked
from idlewatt_operator.reconcile.cycle import Cycle
from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.reconcile.urgency import Urgency
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.planner import Stop, plan

_log: Final = logging.getLogger(__name__)

_STOPPING_SECONDS: Final = 25.0
"""Kubernetes kills a pod 30 s after SIGTERM: a cycle that has not ended by then is cut short."""

_LOOK_NO_LONGER: Final = Stop(work=0.2)
"""A plan that is a little better is not worth a cycle that is late."""

_PLAN_OF: Final = checked(partial(plan, stop=_LOOK_NO_LONGER))

_SERVING_ENDS_SECONDS: Final = 3.0

_ZOMBIE: Final = 75
"""Exit status of a process whose cycles had stopped ending."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `idlewatt run` was asked for.

    Attributes:
        kubeconfig: None: as kubectl finds its own, else the pod's service account.
        redis_url: None: there is no telemetry source, the VehicleNodes' status is read.
        vehicle_list: the ConfigMap that is kept to the names of all vehicles; None: none is.
    """

    kubeconfig: Path | None = None
    redis_url: str | None = None
    settings: Settings = field(default_factory=Settings)
    vehicle_list: ConfigMapName | None = None


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
    settings = replace(options.settings, status_beside=True)
    source = CredentialSource(options.kubeconfig)
    requested = _Later()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(ApiSession(source))
        await check_cluster(session)
        cluster = KubernetesCluster(
            session,
            clock,
            requested,
            scheduler_name=settings.scheduler_name,
            vehicle_list=None if settings.dry_run else options.vehicle_list,
        )
        on_cluster(cluster)
        _stop_on_signals(stop)
        await stack.enter_async_context(cluster.running())
        telemetry = await stack.enter_async_context(
            _telemetry(options, cluster, clock, requested, stop)
        )
        cycle = _cycle(cluster, telemetry, clock, settings)
        loop = Loop(cycle.run, clock, settings, on_report)
        requested.target = loop.request
        serving = serve(source, cluster.catalogue, stop=stop, jitter=random.random)
        await stack.enter_async_context(_background(serving, _SERVING_ENDS_SECONDS))
        stack.enter_context(_guarded(loop, settings))
        await _until_stopped(loop, stop)


class _Later:
    """A request for a cycle, before there is a loop that could run one."""

    def __init__(self) -> None:
        self.target: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.target()


def _cycle(
    cluster: ClusterGateway, telemetry: TelemetryGateway | None, clock: Clock, settings: Settings
) -> Cycle:
    if settings.dry_run:
        cluster = DryRunCluster(cluster)
        telemetry = None if telemetry is None else DryRunTelemetry(telemetry)
    return Cycle(cluster, telemetry, clock, _plan_in_a_thread, settings)


async def _plan_in_a_thread(snapshot: Snapshot) -> Plan:
    """The planner, while the watches go on being read."""
    return await asyncio.to_thread(_PLAN_OF, snapshot)


@contextlib.asynccontextmanager
async def _telemetry(
    options: Options,
    cluster: KubernetesCluster,
    clock: Clock,
    requested: Callable[[], None],
    stop: asyncio.Event,
) -> AsyncIterator[TelemetryGateway | None]:
    """The source of observations, read to its end once: before, no vehicle seems to report."""
    if options.redis_url is None:
        _log.info("No --redis-url: what the status of the VehicleNodes says was observed is used.")
        yield None
        return
    client = await connected(options.redis_url)
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
        read_only=options.settings.dry_run,
    )
    async with contextlib.aclosing(client), _background(source.run()):
        async with _background(source.wait_synced()) as synced, _background(stop.wait()) as stopped:
            await asyncio.wait({synced, stopped}, return_when=asyncio.FIRST_COMPLETED)
        yield source


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


async def _until_stopped(loop: Loop, stop: asyncio.Event) -> None:
    cycling = asyncio.create_task(loop.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({cycling, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if cycling.done():
            cycling.result()
        _log.info("Stopping: the cycle that runs is let end.")
        loop.stop()
        await asyncio.wait({cycling}, timeout=_STOPPING_SECONDS)
    finally:
        for task in (cycling, stopping):
            task.cancel()
        await asyncio.gather(cycling, stopping, return_exceptions=True)


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
