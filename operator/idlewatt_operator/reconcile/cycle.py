"""One cycle, in steps that anybody can recite.

1. look      what the watches and the telemetry show now
2. settle    bindings that were sent, vehicles that were asked to wake
3. snapshot  all of it as one frozen value
4. plan      who is placed, who waits and why, who has to leave, which car is charged when
5. charge    profiles that differ from what the chargers were told
6. write     fences, drains, replacements, pods given up, wakes, bindings
7. explain   events and conditions of the pods that wait
8. status    of vehicles and circuits, throttled; findings about sites, tariffs and the policy
9. taint     the permanent one of every vehicle's Node

What is decided depends on what is seen and on little else; what little a cycle remembers of the
ones before is in `Memory`, and a restart that loses it harms nobody.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias, TypeVar

from idlewatt_operator.gateways.protocols import (
    ChargingGateway,
    Clock,
    ClusterGateway,
    TelemetryGateway,
)
from idlewatt_operator.planning.guard import StillPlanningError
from idlewatt_operator.planning.process import PlanningError
from idlewatt_operator.reconcile.absent import without_reports
from idlewatt_operator.reconcile.advising import Briefs
from idlewatt_operator.reconcile.binding import to_bind
from idlewatt_operator.reconcile.drain import to_drain, to_mark, within_departure
from idlewatt_operator.reconcile.events import to_explain
from idlewatt_operator.reconcile.fence import to_lower
from idlewatt_operator.reconcile.findings import verdicts
from idlewatt_operator.reconcile.late import brought_up, drains_alone
from idlewatt_operator.reconcile.lost import to_give_up
from idlewatt_operator.reconcile.memory import Memory
from idlewatt_operator.reconcile.onward import regrets
from idlewatt_operator.reconcile.replacement import replacement_first
from idlewatt_operator.reconcile.report import Decisions, Report
from idlewatt_operator.reconcile.reported import wanted_circuits
from idlewatt_operator.reconcile.sending import Sender
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.reconcile.snapshot import build_snapshot
from idlewatt_operator.reconcile.status import wanted_statuses
from idlewatt_operator.reconcile.unheard import without_unheard
from idlewatt_operator.reconcile.writing import Writing
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant, Milliseconds
from idlewatt_scheduler.model.workload import Node, Taint

_log = logging.getLogger(__name__)

VEHICLE_TAINT: Final = Taint(key="idlewatt.dev/vehicle", effect="NoSchedule")

Planner: TypeAlias = Callable[[Snapshot], Awaitable[Plan]]
"""Parameters, stop and seed are the wiring's; where it plans is its affair too.

It may answer with the plan of an earlier snapshot, which `Plan.at` tells, and it may raise
`StillPlanningError`: the cycle then places nobody, and the next one asks again.
"""

_Value = TypeVar("_Value")


class Cycle:
    """Reads, decides, writes; `run` once for each cycle.

    Args:
        telemetry: None: there is no source, the objects' status is read.
        planner: the core's, bound to its parameters.
        charging: None: no charger can be told anything, and every car's charging is External.
        briefs: looks up what would place waiting pods; None: it is done in the cycle.
        on_reaction: told how long after a circuit's limit changed what follows from it was done.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, all of it injected
        self,
        cluster: ClusterGateway,
        telemetry: TelemetryGateway | None,
        clock: Clock,
        planner: Planner,
        settings: Settings | None = None,
        *,
        charging: ChargingGateway | None = None,
        briefs: Briefs | None = None,
        on_reaction: Callable[[Milliseconds], None] = lambda _: None,
    ) -> None:
        self.settings = settings or Settings()
        self.memory = Memory.of(self.settings)
        self._cluster = cluster
        self._telemetry = telemetry
        self._clock = clock
        self._planner = planner
        self._briefs = briefs
        self._sender = Sender(
            charging,
            self.memory.charges,
            clock,
            beside=self.settings.charging_beside,
            on_reaction=on_reaction,
        )
        self._limits_changed_at: Instant | None = None
        self._telling: asyncio.Task[None] | None = None

    async def run(self) -> Report | None:
        """One cycle; None where the watches have not shown everything yet."""
        if not self._cluster.view().synced:
            return None
        watch = _StopWatch()
        await self._settle()
        watch.lap("settle")
        situation, with_observed = await self._look()
        watch.lap("snapshot")
        plan, is_planned = await self._planned(situation)
        plan = without_unheard(plan, situation, self.memory.looking_since or situation.at)
        watch.lap("plan")
        decisions = await self._decide(situation, plan)
        watch.lap("decide")
        if self.settings.dry_run:
            return Report(situation, plan, decisions, seconds=watch.laps, is_planned=is_planned)
        writing = self._writing(situation)
        await self._sender.send(decisions.charge)
        watch.lap("charge")
        await writing.decisions(decisions)
        await self._sender.reacted(self._limits_changed_at)
        watch.lap("write")
        await self.memory.advisor.advise(situation, plan, self._briefs, self._apart)
        told = to_explain(situation, plan, self.memory.said, self.memory.advisor)
        await writing.explanations(told)
        watch.lap("explain")
        await self._tell(situation, with_observed=with_observed)
        watch.lap("status")
        self.memory.end_cycle(situation)
        outcomes = Counter(writing.outcomes)
        return Report(situation, plan, decisions, outcomes, watch.laps, is_planned)

    async def end(self) -> None:
        """Return once nothing is written beside the cycles any more."""
        await self._sender.end()
        if self._telling is not None:
            await asyncio.wait({self._telling})

    async def _settle(self) -> None:
        self.memory.sent.settle_by_watch(self._cluster.view())
        if not self.settings.dry_run:
            await self.memory.sent.settle_by_asking(
                self._cluster, self._clock.now(), self.settings.writes_in_flight
            )

    async def _look(self) -> tuple[Situation, bool]:
        """The situation, and whether observations come from the telemetry gateway."""
        view, at = self._cluster.view(), self._clock.now()
        telemetry = None if self._telemetry is None else self._telemetry.latest()
        is_deaf = telemetry is not None and telemetry.absent
        since = self.memory.since(at, is_deaf=is_deaf)
        self.memory.sent.settle_by_watch(view)
        source = None if is_deaf else telemetry
        self._limits_changed_at = None if source is None else source.limits_changed_at
        snapshot = await self._apart(
            build_snapshot,
            at,
            view,
            source,
            self.memory.sent.counted(),
            self.settings.scheduler_name,
        )
        if is_deaf:
            snapshot = without_reports(snapshot, since)
        vehicles = {vehicle.name: vehicle for vehicle in snapshot.vehicles}
        for name in self.memory.wakes.settle(vehicles, at):
            _log.warning("%s was asked to wake and did not; it is left alone for a while.", name)
        snapshot = _without_strays(self.memory.wakes.without_avoided(snapshot))
        snapshot = self.memory.batteries.applied_to(snapshot)
        snapshot = self.memory.charges.merged(snapshot, self._sender.acknowledged())
        snapshot = replace(
            snapshot,
            pending=tuple(pod for pod in snapshot.pending if not self.memory.leaves(pod.uid, at)),
        )
        snapshot = await self._apart(self.memory.kept.unchanged, snapshot)
        fleet = await self._apart(assemble, snapshot)
        situation = Situation(at, view, snapshot, fleet, self.settings.scheduler_name)
        return situation, source is not None

    async def _apart(self, work: Callable[..., _Value], *about: object) -> _Value:
        """Work on what nobody changes, beside the event loop where the settings say so."""
        if self.settings.threads:
            return await asyncio.to_thread(work, *about)
        return work(*about)

    async def _planned(self, situation: Situation) -> tuple[Plan, bool]:
        """The plan, brought up to now; where there is none, who has to leave is still known.

        And whether there is one.
        """
        try:
            plan = await self._planner(situation.snapshot)
            late = situation.at - plan.at
            if not late:
                return plan, True
            if 0 < late <= self.settings.plan_too_old:
                return await self._apart(brought_up, plan, situation.fleet), True
        except (StillPlanningError, PlanningError) as error:
            _log.debug("Nobody is placed in this cycle: %s", error)
        except Exception:  # noqa: BLE001 - whatever it was, a drain must not wait for it
            _log.exception("The plan could not be made: nobody is placed, drains go on.")
        return await self._apart(drains_alone, situation.fleet), False

    async def _decide(self, situation: Situation, plan: Plan) -> Decisions:
        regretted = await self._apart(regrets, situation, plan)
        undone = {each.placement.pod.uid for each in regretted}
        releases, drains = replacement_first(situation, to_drain(situation, plan))
        bindings, renewals = to_bind(situation, plan)
        can_send = self._sender.can_send
        return Decisions(
            charge=tuple(self.memory.charges.to_send(plan, situation)) if can_send else (),
            lower=tuple(to_lower(situation)),
            mark=tuple(to_mark(situation, plan)),
            drain=tuple(within_departure(situation, each) for each in drains),
            release=tuple(releases),
            give_up=tuple(to_give_up(situation, self.memory.bound_before)),
            wake=tuple(self.memory.wakes.to_wake(situation, plan)),
            renew=tuple(renewals),
            bind=tuple(each for each in bindings if each.record.pod.uid not in undone),
            regret=tuple(regretted),
        )

    def _writing(self, situation: Situation) -> Writing:
        return Writing(
            self._cluster, self._telemetry, self._clock, self.memory, self.settings, situation
        )

    async def _tell(self, situation: Situation, *, with_observed: bool) -> None:
        """Steps 8 and 9, now or beside the cycles to come; never two of them at once."""
        if self._telling is not None and not self._telling.done():
            return
        telling = self._status_and_taints(situation, with_observed=with_observed)
        if self.settings.status_beside:
            self._telling = asyncio.create_task(telling)
            self._telling.add_done_callback(_told)
        else:
            await telling

    async def _status_and_taints(self, situation: Situation, *, with_observed: bool) -> None:
        memory, writing = self.memory, self._writing(situation)
        sent = memory.sent.counted()
        acknowledged = memory.charges.acknowledged()
        wanted = await self._apart(
            partial(wanted_statuses, situation, sent, acknowledged, with_observed=with_observed)
        )
        await writing.statuses(memory.pace.choose(wanted, situation.at))
        if with_observed:
            reported = wanted_circuits(situation)
            await writing.circuits(memory.site_pace.choose(reported, situation.at))
        judged_at = memory.judged_at
        if judged_at is None or not 0 <= situation.at - judged_at < self.settings.judged_every:
            memory.judged_at = situation.at
            await writing.verdicts(verdicts(situation.view, situation.at))
        await writing.taints(_untainted(situation))


def _told(task: "asyncio.Task[None]") -> None:
    """What a task beside the cycles raised would otherwise be lost."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("The status could not be written and is tried again.", exc_info=error)


def _untainted(situation: Situation) -> list[str]:
    nodes = situation.view.nodes
    return [
        name
        for name in sorted(situation.view.vehicles)
        if name in nodes and not _is_tainted(nodes[name])
    ]


def _is_tainted(node: Node) -> bool:
    """Whether it carries the permanent taint, with whatever value."""
    sought = VEHICLE_TAINT.key, VEHICLE_TAINT.effect
    return any((taint.key, taint.effect) == sought for taint in node.taints)


def _without_strays(snapshot: Snapshot) -> Snapshot:
    """The snapshot without Nodes of vehicles that are not enrolled, or not any more.

    Where plain nodes may be used they would be taken for such, with neither consent nor fence.
    """
    if not snapshot.policy.plain_nodes_allowed:
        return snapshot
    enrolled = {vehicle.name for vehicle in snapshot.vehicles}
    nodes = {
        name: node
        for name, node in snapshot.nodes.items()
        if name in enrolled or not _is_tainted(node)
    }
    return replace(snapshot, nodes=nodes)


class _StopWatch:
    """Seconds by step; only for the report, nothing is decided by it."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._last
        self._last = now
