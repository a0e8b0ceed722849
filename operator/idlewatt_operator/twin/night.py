"""A play: the production cycle on a simulated clock, cluster and fleet, from start to end.

1 move      the clock to whatever is due next, doing it
2 cycle     the operator's own, when something happened, while a pod is being replaced, and every
            quarter of an hour
3 tell      what the cycle said and did, as facts
4 look      at everything, every five minutes
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Final

from idlewatt_operator.reconcile.cycle import Cycle
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin import promises
from idlewatt_operator.twin.accounts import Accounts, Times, accounts
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.fleet import SOON, Fleet
from idlewatt_operator.twin.journal import Journal
from idlewatt_operator.twin.loads import Loads, loads_of
from idlewatt_operator.twin.meter import QUARTER, Meter, draws_alone
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.quarters import Quarter, judged, off_peak, quarters
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_operator.twin.story import Story
from idlewatt_operator.twin.till import Till
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import MINUTE, SECOND, Instant, Milliseconds
from idlewatt_scheduler.planner import Params, plan

LOOK_EVERY: Final[Milliseconds] = 5 * MINUTE
CYCLE_EVERY: Final[Milliseconds] = QUARTER
"""Cycles where nothing asks for one. In a cluster there is one every ten seconds: between two
changes they decide the same, so a play leaves them out."""
REPLACED_EVERY: Final[Milliseconds] = 10 * SECOND
"""Cycles while a pod that was released waits for its replacement, as in a cluster."""
SETTINGS: Final = Settings(advised_at_most=0)
"""What would place a pod that waits is not looked up: it would take most of a play's time."""
GREEDY: Final = Params(exact_literals=0)
"""A play has hundreds of cycles: none of them waits for a proof."""


@dataclass(frozen=True, slots=True)
class Look:
    """Everything at one instant.

    Attributes:
        states: a word for each vehicle, of `car.STATES`.
        pods: how many are `working`, `loading`, `waiting`, `finished`.
        computing_watts: AC, of all pods; `charging_watts` of all batteries.
        price: per kWh in the scenario's currency; None where it is not published.
        ahead: now, and for each quarter that is still to begin, whether it is off-peak as the
            policy judges it now.
        paid: so far, in the scenario's currency, for a display; the accounts are exact.
    """

    at: Instant
    states: Mapping[str, str]
    pods: Mapping[str, int]
    computing_watts: float
    charging_watts: float
    price: float | None
    ahead: tuple[bool, ...]
    paid: float
    kilograms: float

    @property
    def off_peak(self) -> bool:
        """Whether it is off-peak at this instant."""
        return self.ahead[0]


@dataclass
class Play:
    """A scenario being played.

    Args:
        scenario: what is played.
        params: the planner's.
        on_report: is shown every cycle's report.

    Attributes:
        looks: one every five minutes.
        cycles: how many there were.
        silent: pods that waited without a reason after a cycle, and when.
        waited: every pod that ever waited after a cycle.
        loads: of every circuit by the minute, once it was played to its end.
    """

    scenario: Scenario
    params: Params = GREEDY
    on_report: Callable[[Report], None] | None = None
    looks: list[Look] = field(default_factory=list)
    cycles: int = 0
    silent: dict[str, str] = field(default_factory=dict)
    waited: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.scenario.start)
        self.cluster = MemoryCluster(self.clock)
        self.journal = Journal()
        for site in self.scenario.sites:
            self.cluster.add_site(site)
        for tariff in self.scenario.tariffs:
            self.cluster.add_tariff(tariff)
        self.cluster.set_policy(self.scenario.policy)
        self.cluster.learn(self.scenario.learned)
        self.fleet = Fleet(self.scenario, self.clock, self.cluster, self.journal)
        self.fleet.ask = self._ask
        self.meter = Meter(self.scenario)
        self.loads = Loads(self.scenario, {})
        self.quarters: tuple[Quarter, ...] = quarters(self.scenario)
        self.till = Till(self.scenario, self.quarters)
        self.story = Story(self.scenario, self.cluster, self.journal)
        self._due: Instant | None = self.scenario.start
        self._ask_for_cycles()
        self._operator = Cycle(
            self.cluster,
            self.fleet,
            self.clock,
            self._plan,
            SETTINGS,
            charging=self.fleet.stations,
            on_reaction=self.journal.reactions.append,
        )

    async def run(self, watch: Callable[[Look], Awaitable[None]] | None = None) -> Accounts:
        """Play to the end.

        Args:
            watch: is shown every look, as it is taken.
        """
        next_look = self.scenario.start
        while self.clock.now() < self.scenario.end:
            self._move(next_look)
            now = self.clock.now()
            ahead = self._ahead() if now >= next_look else None
            if ahead is not None:
                next_look += LOOK_EVERY
                self.story.turn(ahead[0], self.till.price_at(now))
            if self._due is not None and self._due <= now:
                await self._cycle()
            if ahead is not None:
                look = self._look(ahead)
                if watch is not None:
                    await watch(look)
        return self._close()

    async def _plan(self, snapshot: Snapshot) -> Plan:
        return plan(snapshot, self.params, seed=self.scenario.seed)

    def _ask(self, within: Milliseconds) -> None:
        due = self.clock.now() + within
        self._due = due if self._due is None else min(due, self._due)

    def _ask_for_cycles(self) -> None:
        """Every quarter of an hour, and at the drain's lead before a price changes."""
        ask = partial(self._ask, 0)
        lead = self.scenario.policy.drain_lead_seconds * SECOND
        for at in range(self.scenario.start, self.scenario.end, CYCLE_EVERY):
            self.clock.call_at(at, ask)
        for before, after in pairwise(self.quarters):
            if before.price != after.price:
                self.clock.call_at(after.start - lead, ask)

    def _move(self, next_look: Instant) -> None:
        targets = [next_look, self.scenario.end]
        targets += [at for at in (self._due, self.clock.next_due()) if at is not None]
        self.clock.advance_to(min(targets))

    async def _cycle(self) -> None:
        self._due = None
        started = self.clock.now()
        report = await self._operator.run()
        self.cycles += 1
        if report is not None:
            self.story.tell(report)
            if self.on_report is not None:
                self.on_report(report)
        for record in self.cluster.view().pods.values():
            if record.released is not None and not record.being_deleted:
                self._ask(REPLACED_EVERY)
            if _waits(record) and record.pod.created_at >= started:
                self._ask(SOON)
            elif _waits(record):
                self.waited.add(record.pod.key)
                if record.waiting_reason is None:
                    clock = local_time(started, self.scenario.zone)
                    self.silent.setdefault(record.pod.key, f"{clock:%a %H:%M}")

    def _ahead(self) -> tuple[bool, ...]:
        now = self.clock.now()
        line = judged(self.scenario, now)
        ahead = (quarter.start for quarter in self.quarters if quarter.start > now)
        return (off_peak(line, now), *(off_peak(line, start) for start in ahead))

    def _look(self, ahead: tuple[bool, ...]) -> Look:
        now = self.clock.now()
        self.fleet.settle_all()
        for name, draws in self.journal.draws.items():
            self.till.count(name, draws)
            self.meter.count(name, draws)
        cars = self.fleet.cars.values()
        look = Look(
            at=now,
            states=self.fleet.states(),
            pods=self._pods(now),
            computing_watts=sum(car.computing for car in cars) / 1_000,
            charging_watts=sum(car.charging_watts for car in cars),
            price=self.till.price_at(now),
            ahead=ahead,
            paid=self.till.paid,
            kilograms=self.till.kilograms,
        )
        self.looks.append(look)
        return look

    def _pods(self, now: Instant) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for run in self.cluster.kubelets.runs:
            if run.ended_at is None:
                counts["working" if (run.ready_at or 0) <= now else "loading"] += 1
        for record in self.cluster.view().pods.values():
            counts["waiting"] += _waits(record)
            counts["finished"] += record.phase == "Succeeded"
        return dict(counts)

    def _close(self) -> Accounts:
        self.fleet.settle_all()
        for name, draws in self.journal.draws.items():
            self.meter.count(name, draws)
        runs = self.cluster.kubelets.runs
        drawn = (draw for draws in self.journal.draws.values() for draw in draws)
        self.loads = loads_of(self.scenario, drawn)
        alone = loads_of(self.scenario, draws_alone(self.scenario))
        to_grid, over_alone, over_unshed = promises.grid(self.loads, alone)
        kept = promises.Promises(
            owner=promises.owner(self.journal.departures, self.scenario),
            workload=promises.workload(runs, self.scenario),
            grid=to_grid,
            platform=promises.platform(self.silent, len(self.waited)),
            over_alone=over_alone,
            over_unshed=over_unshed,
            reactions=tuple(self.journal.reactions),
        )
        whole = range(self.scenario.start, self.scenario.end, QUARTER)
        was_off_peak = tuple(look.off_peak for look in self.looks if look.at in whole)
        times = Times(self.quarters, was_off_peak)
        return accounts(self.meter, times, runs, kept, self.journal.wakes)


def _waits(record: PodRecord) -> bool:
    return record.node is None and not record.ended and not record.being_deleted
