"""A small fleet in memory under the production cycle: state in, cycles, state out."""

from collections import Counter
from dataclasses import replace
from typing import Any

from idlewatt_operator.reconcile.cycle import Cycle, Planner
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.controllers import Workload, WorkloadKind
from idlewatt_operator.twin.faults import Crashed, Fault, Write
from idlewatt_operator.twin.memory_telemetry import MemoryTelemetry
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, SECOND
from idlewatt_scheduler.model.vehicle import Observation, Power
from idlewatt_scheduler.model.workload import Demand
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_site,
    a_tariff,
    a_vehicle,
    an_observation,
    changed,
)

DEPARTURE = AT + 8 * HOUR
"""When every car of the scene leaves: 07:00 in Berlin."""

SERVICE = Workload(a_pod(name="svc"), WorkloadKind.SERVICE, 1)


async def real_planner(snapshot: Snapshot) -> Plan:
    """The core's planner with its defaults."""
    return plan(snapshot)


class Scene:
    """Vehicles `v-0`, `v-1`, ... at depot-7 in the night, healthy and reporting.

    Args:
        vehicles: how many.
        planner: the core's, or one that a test wrote by hand.
        settings: of the cycle.
    """

    def __init__(
        self,
        vehicles: int = 1,
        *,
        planner: Planner = real_planner,
        settings: Settings | None = None,
        **vehicle: object,
    ) -> None:
        self.clock = ManualClock(AT)
        self.cluster = MemoryCluster(self.clock)
        self.telemetry = MemoryTelemetry()
        self.silent: set[str] = set()
        self.planner = planner
        self.settings = settings or Settings()
        for index in range(vehicles):
            name = f"v-{index}"
            self.cluster.add_vehicle(a_vehicle(name=name, **vehicle), a_node(name=name))
            self.telemetry.vehicles[name] = an_observation()
        self.cluster.add_site(a_site())
        self.cluster.add_tariff(a_tariff())
        self.cycle = self.a_cycle()

    def a_cycle(self) -> Cycle:
        """A cycle that remembers nothing, as after a restart."""
        return Cycle(self.cluster, self.telemetry, self.clock, self.planner, self.settings)

    def restart(self) -> None:
        """The operator was killed, and is started again."""
        self.cluster.faults.writes_until_crash = None
        self.cycle = self.a_cycle()

    def service(self, name: str = "svc", count: int = 1, **given: Any) -> Workload:  # noqa: ANN401
        """Add a service; what is not the workload's is its pod template's."""
        return self._add(name, WorkloadKind.SERVICE, count, given)

    def job(self, name: str = "job", count: int = 1, **given: Any) -> Workload:  # noqa: ANN401
        """Add a job whose pods need an hour."""
        given.setdefault("demand", Demand(expected_runtime=HOUR))
        given.setdefault("run_seconds", 3_500)
        return self._add(name, WorkloadKind.JOB, count, given)

    def _add(self, name: str, kind: WorkloadKind, count: int, given: dict[str, Any]) -> Workload:
        own = {
            key: given.pop(key)
            for key in ("run_seconds", "stop_seconds", "min_available")
            if key in given
        }
        template = replace(a_pod(name=name, **given), uid="")
        workload = Workload(template, kind, count, **own)
        self.cluster.add_workload(workload)
        return workload

    def observe(self, vehicle: str, **overrides: object) -> None:
        """Report something else of a vehicle from now on."""
        self.telemetry.vehicles[vehicle] = changed(self.telemetry.vehicles[vehicle], **overrides)

    async def run(self, seconds: float = 0, every: float = 10) -> Report:
        """Let time pass with a cycle at its end, and one every ten seconds until then."""
        end = self.clock.now() + round(seconds * SECOND)
        while self.clock.now() + every * SECOND < end:
            await self._advance(self.clock.now() + round(every * SECOND))
        return await self._advance(end)

    async def _advance(self, at: int) -> Report:
        self.clock.advance_to(at)
        self.report()
        report = await self.cycle.run()
        assert report is not None
        return report

    def report(self) -> None:
        """Every vehicle that is not silent or asleep reports again."""
        for name, observation in self.telemetry.vehicles.items():
            if name not in self.silent and observation.power is Power.AWAKE:
                self.telemetry.vehicles[name] = fresh(observation, self.clock.now())

    def fail(self, verb: str, result: Any, **given: Any) -> None:  # noqa: ANN401
        """Let the next such write be answered otherwise."""
        self.cluster.faults.answers.append(Fault(verb, result, **given))

    def pod(self, name: str) -> PodRecord:
        """The pod as it stands."""
        return next(each for each in self.cluster.view().pods.values() if each.pod.name == name)

    def names(self) -> set[str]:
        """Every pod there is."""
        return {record.pod.name for record in self.cluster.view().pods.values()}

    def writes(self, *verbs: str) -> list[Write]:
        """What was written, of these kinds if any are named."""
        return [each for each in self.cluster.writes if not verbs or each.verb in verbs]

    def events(self, reason: str) -> list[str]:
        """The messages of the events with this reason."""
        return [note.message for _, note in self.cluster.events if note.reason == reason]

    def condition(self, kind: str, name: str, wanted: str) -> tuple[str, str]:
        """Status and reason of a condition."""
        found = next(each for each in self.cluster.conditions[kind, name] if each.type == wanted)
        return found.status, found.reason

    def assert_nothing_bound_twice(self) -> None:
        """No pod was started twice: whatever was answered, one Binding at most took effect."""
        starts = Counter(run.uid for run in self.cluster.kubelets.runs)
        assert max(starts.values(), default=0) <= 1, starts

    def assert_no_pod_lost(self) -> None:
        """Every controller has the pods it wants."""
        for workload in self.cluster.controllers.workloads.values():
            own = [
                each
                for each in self.cluster.view().pods.values()
                if each.pod.name.rsplit("-", 1)[0] == workload.template.name
            ]
            assert workload.missing(own) == 0, workload.key


def fresh(observation: Observation, at: int) -> Observation:
    """The same, observed now."""
    parts = ("battery", "parking", "compute", "connection")
    there = [part for part in parts if getattr(observation, part) is not None]
    return changed(observation, **{f"{part}__observed_at": at for part in there})


async def until_crash(scene: Scene, writes: int, seconds: float) -> bool:
    """Cycle until the operator dies before its write number `writes`; whether it did."""
    scene.cluster.faults.writes_until_crash = writes
    try:
        await scene.run(seconds)
    except Crashed:
        return True
    finally:
        scene.cluster.faults.writes_until_crash = None
    return False
