"""What Prometheus may know: how the operator does, and nothing of any owner.

No label names a vehicle, a pod or a namespace, and no figure tells who is at home: reasons are the
public ones, how many vehicles are available is left out, since of a fleet of one that is a
presence, and sites are named where several vehicles stand alone; see `plan_metrics`.
"""

import platform
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from idlewatt_operator.gateways.protocols import Outcome
from idlewatt_operator.gateways.tariffs.refreshing import SourcesState
from idlewatt_operator.planning.guard import Tallies
from idlewatt_operator.reconcile.charging import SENT
from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.plan_metrics import PlanMetrics, PlannerWatched
from idlewatt_operator.reconcile.reasons import public_name
from idlewatt_operator.reconcile.report import Report
from idlewatt_scheduler.model.plan import Plan, Waiting
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds

_STEP_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_NO_CANDIDATE: Final = "NoCandidate"
_PROFILE_OUTCOMES: Final = (SENT, str(Outcome.DONE), str(Outcome.REFUSED), str(Outcome.UNKNOWN))


@dataclass(frozen=True, slots=True)
class TelemetryState:
    """How the reading of telemetry does.

    Attributes:
        synced: it was read to its end once.
        answered_at: when its source last answered; None: never.
        reported_at: when the last report that was read had arrived there; None: there was none.
        accepted, refused: reports, since the start.
    """

    synced: bool
    answered_at: Instant | None
    reported_at: Instant | None
    accepted: int
    refused: int


@dataclass(frozen=True, slots=True)
class Sources:
    """Where figures are read when somebody asks for them.

    Attributes:
        leads: whether this process may write.
        writes: how many writes of each kind ended how.
        telemetry: None: there is no source of it.
        profiles: how many charging profiles were sent, and how those that were answered ended.
        tariffs: how the sources of tariffs do.
        planner: what is counted of the planner's process.
    """

    leads: Callable[[], bool]
    writes: Callable[[], Mapping[tuple[str, str], int]]
    telemetry: Callable[[], TelemetryState | None]
    profiles: Callable[[], Mapping[str, int]]
    tariffs: Callable[[], SourcesState] = lambda: SourcesState(0, 0)
    planner: Callable[[], Tallies] = Tallies


class Metrics:
    """The metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        # When each series began is nothing that anybody asks.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        Info("idlewatt_build", "What runs.", registry=registry).info(
            {"version": version("idlewatt"), "python": platform.python_version()}
        )
        self._steps = Histogram(
            "idlewatt_cycle_seconds",
            "What a step of a cycle took.",
            ["step"],
            buckets=_STEP_SECONDS,
            registry=registry,
        )
        self._last = Gauge(
            "idlewatt_last_cycle_timestamp_seconds",
            "When the last cycle ran through.",
            registry=registry,
        )
        self._bindings = Counter("idlewatt_bindings", "Pods bound.", registry=registry)
        self._drains = Counter(
            "idlewatt_drains",
            "Pods that were first told to leave, by the public reason.",
            ["reason"],
            registry=registry,
        )
        self._placed = Gauge(
            "idlewatt_pods_placed", "Pods the last plan places.", registry=registry
        )
        self._running = Gauge(
            "idlewatt_pods_running",
            "Our pods that are bound and have not ended.",
            registry=registry,
        )
        self._waiting = Gauge(
            "idlewatt_pods_waiting",
            "Pods that wait, by the public reason on which most candidates fail first.",
            ["condition", "reason"],
            registry=registry,
        )
        self._reactions = Histogram(
            "idlewatt_curtailment_reaction_seconds",
            "From the arrival of a circuit's changed limit until what follows from it was done.",
            buckets=_STEP_SECONDS,
            registry=registry,
        )
        self._plans = PlanMetrics(registry)
        self._draining: frozenset[str] = frozenset()

    def watch(self, sources: Sources) -> None:
        """Read these too whenever somebody asks."""
        self.registry.register(_Watched(sources))
        self.registry.register(PlannerWatched(sources.planner))

    def count(self, loop: Loop) -> None:
        """Read the loop's counts too whenever somebody asks."""
        self.registry.register(_Cycles(loop))

    def note(self, report: Report) -> None:
        """Take a cycle that ran through."""
        for step, seconds in report.seconds.items():
            self._steps.labels(step).observe(seconds)
        self._last.set(report.situation.at / SECOND)
        self._bindings.inc(report.done("bind"))
        self._running.set(len(report.situation.snapshot.running))
        if report.is_planned:
            self._placed.set(len(report.plan.placements))
            self._note_waiting(report.plan)
            self._plans.note(report.plan)
        draining = {drain.record.pod.uid: drain.reason for drain in report.decisions.drain}
        for uid, reason in draining.items():
            if uid not in self._draining:
                self._drains.labels(reason).inc()
        self._draining = frozenset(draining)

    def note_reaction(self, length: Milliseconds) -> None:
        """Take how long it took to act on a circuit's changed limit."""
        self._reactions.observe(length / SECOND)

    def _note_waiting(self, plan: Plan) -> None:
        counts = Counts((str(each.condition), main_reason(each)) for each in plan.waiting)
        self._waiting.clear()
        for (condition, reason), count in counts.items():
            self._waiting.labels(condition, reason).set(count)

    def text(self) -> tuple[bytes, str]:
        """What Prometheus reads, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


def main_reason(waiting: Waiting) -> str:
    """The public reason on which most candidates fail first."""
    counts: Counts[str] = Counts()
    for reason, count in waiting.reasons.items():
        counts[public_name(reason)] += count
    return min(counts, key=lambda name: (-counts[name], name), default=_NO_CANDIDATE)


class _Cycles(Collector):
    """The loop's counts."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        """As they are now."""
        yield CounterMetricFamily(
            "idlewatt_cycles", "Cycles that ran through.", value=self._loop.cycles
        )
        yield CounterMetricFamily(
            "idlewatt_cycle_failures", "Cycles that failed.", value=self._loop.failures
        )


class _Watched(Collector):
    """What others count."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        """As they are now."""
        yield GaugeMetricFamily(
            "idlewatt_leader", "1 where this process may write.", value=self._sources.leads()
        )
        writes = CounterMetricFamily(
            "idlewatt_api_writes",
            "Writes to the API server, by what they do and how they ended.",
            labels=["verb", "outcome"],
        )
        for (verb, outcome), count in sorted(self._sources.writes().items()):
            writes.add_metric([verb, outcome], count)
        yield writes
        profiles = CounterMetricFamily(
            "idlewatt_charging_profiles",
            "Charging profiles that were sent, and of those how many ended how.",
            labels=["outcome"],
        )
        counts = self._sources.profiles()
        for outcome in _PROFILE_OUTCOMES:
            profiles.add_metric([outcome], counts.get(outcome, 0))
        yield profiles
        yield from _tariffs(self._sources.tariffs())
        telemetry = self._sources.telemetry()
        if telemetry is not None:
            yield from _telemetry(telemetry)


def _tariffs(state: SourcesState) -> Iterator[Metric]:
    sources = GaugeMetricFamily(
        "idlewatt_tariff_sources",
        "Tariffs with a source, by whether what it gave last is still in force.",
        labels=["state"],
    )
    sources.add_metric(["fresh"], state.fresh)
    sources.add_metric(["stale"], state.stale)
    yield sources
    answers = CounterMetricFamily(
        "idlewatt_tariff_source_answers",
        "Times that a source was asked, by what came of it.",
        labels=["outcome"],
    )
    for outcome in ("good", "failed", "refused"):
        answers.add_metric([outcome], state.answers.get(outcome, 0))
    yield answers


def _telemetry(state: TelemetryState) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "idlewatt_telemetry_synced",
        "1 once telemetry was read to its end.",
        value=state.synced,
    )
    times = {
        "idlewatt_telemetry_answer_timestamp_seconds": (
            "When the source of telemetry last answered.",
            state.answered_at,
        ),
        "idlewatt_telemetry_report_timestamp_seconds": (
            "When the last report that was read had arrived at the source.",
            state.reported_at,
        ),
    }
    for name, (text, instant) in times.items():
        if instant is not None:
            yield GaugeMetricFamily(name, text, value=instant / SECOND)
    reports = CounterMetricFamily(
        "idlewatt_telemetry_reports",
        "Reports that were read, by whether they could be used.",
        labels=["outcome"],
    )
    reports.add_metric(["accepted"], state.accepted)
    reports.add_metric(["refused"], state.refused)
    yield reports
