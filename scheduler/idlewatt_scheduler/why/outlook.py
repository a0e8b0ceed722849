"""The fleet as it is foreseen: what is known comes true, and nothing else changes.

Known are windows, published prices, the ends of stays that have one, curtailments that end, and
charging that chargers have acknowledged. Assumed is that telemetry stays as it is and fresh, that
cars stay for their windows and come back with the next one as they are now, and that pods end
when they said or when their car leaves.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, TypeVar, cast

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.calendar import Timetable, timetable
from idlewatt_scheduler.candidates import (
    Candidate,
    Fleet,
    Parked,
    assemble,
    running_power,
    start_of,
)
from idlewatt_scheduler.energy import (
    MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR,
    Source,
    Stretch,
    consumed,
    steps,
)
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.site import ChargingController, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import DAY, FOREVER, Instant, Milliseconds, seconds
from idlewatt_scheduler.model.vehicle import Observation, Supply, Vehicle
from idlewatt_scheduler.model.workload import RunningPod
from idlewatt_scheduler.stay import lead_of

AHEAD: Final[Milliseconds] = 7 * DAY
"""How far ahead a start is looked for."""

_Block = TypeVar("_Block")


@dataclass(frozen=True, slots=True)
class Stretched:
    """A pod of ours, running or placed, with the instant by which it will be gone."""

    running: RunningPod
    stretch: Stretch


class Outlook:
    """What a snapshot and the plan made for it become.

    Args:
        fleet: the snapshot looked up; None: it is looked up here.

    Attributes:
        boards: of the instants and sites that were asked about; kept for the next vehicle there.
    """

    def __init__(self, snapshot: Snapshot, plan: Plan, fleet: Fleet | None = None) -> None:
        self.boards: dict[tuple[Instant, tuple[str, ...]], Board] = {}
        self.snapshot = snapshot
        self.plan = plan
        self.fleet = assemble(snapshot) if fleet is None else fleet
        self._placed = frozenset((each.pod.key, each.pod.uid) for each in plan.placements)
        self._leaving = frozenset((each.pod.key, each.pod.uid) for each in plan.leaving)

    @cached_property
    def candidates(self) -> Mapping[str, Candidate]:
        """By name."""
        return {candidate.name: candidate for candidate in self.fleet.candidates}

    @cached_property
    def at_site(self) -> Mapping[str, tuple[str, ...]]:
        """The vehicles by the site at which they were last observed."""
        found: dict[str, list[str]] = defaultdict(list)
        for candidate in self.fleet.candidates:
            site = site_of(candidate)
            if site is not None:
                found[site.name].append(candidate.name)
        return {site: tuple(names) for site, names in found.items()}

    @cached_property
    def stays(self) -> Mapping[str, tuple[Stretched, ...]]:
        """Our pods by node, those just placed included."""
        found: dict[str, list[Stretched]] = defaultdict(list)
        for running in self.snapshot.running:
            candidate = self.candidates.get(running.node)
            if candidate is not None:
                end = self._end(running, candidate)
                power = _power(running, candidate)
                found[running.node].append(
                    Stretched(running, Stretch(self.snapshot.at, end, power))
                )
        for placed in self.plan.placements:
            running = RunningPod(placed.pod, placed.node, placed.power, placed.until)
            end = self._end(running, self.candidates[placed.node])
            stretch = Stretch(placed.start, end, placed.power)
            found[placed.node].append(Stretched(running, stretch))
        return {node: tuple(stays) for node, stays in found.items()}

    def snapshot_at(self, then: Instant, among: Collection[str] | None = None) -> Snapshot:
        """The snapshot that a cycle would see.

        Args:
            then: not before the snapshot's own time.
            among: the only vehicles, with their sites and tariffs, that are of interest; None:
                all, with all Nodes.
        """
        passed = then - self.snapshot.at
        now = self.snapshot
        names = self.candidates if among is None else among
        chosen = [self.candidates[name] for name in names]
        sites, tariffs = self._places(chosen, among)
        vehicles = tuple(
            _vehicle_at(candidate, candidate.parked, self._charge(candidate, then), now.at, then)
            for candidate in chosen
            if candidate.parked is not None
        )
        policy = replace(
            now.policy,
            forecast_max_age_seconds=now.policy.forecast_max_age_seconds - (-passed // 1_000),
        )
        return replace(
            now,
            at=then,
            policy=policy,
            vehicles=vehicles,
            nodes=now.nodes if among is None else _only(now.nodes, among),
            sites={name: _site_at(site, passed) for name, site in sites.items()},
            tariffs={name: _tariff_at(tariff, passed) for name, tariff in tariffs.items()},
            pending=tuple(pod for pod in now.pending if (pod.key, pod.uid) not in self._placed),
            running=tuple(
                _running_at(stay, self._is_leaving(stay.running))
                for name in names
                for stay in self.stays.get(name, ())
                if stay.stretch.end > then
            ),
        )

    def wake(self, candidate: Candidate) -> Milliseconds:
        """How long before its start a pod has to be placed there."""
        return start_of(candidate, self.snapshot.at) - self.snapshot.at

    def _end(self, running: RunningPod, candidate: Candidate) -> Instant:
        """By when a pod will be gone; for ever where nothing says so."""
        at = self.snapshot.at
        if running.counts_until is not None:
            return running.counts_until
        end = FOREVER
        if candidate.parked is not None:
            gone = stays_until(candidate.parked, at)
            end = min(end, FOREVER if gone is None else gone)
        if self._is_leaving(running):
            end = min(end, at + lead_of(running.pod, self.snapshot.policy))
        timed = running.pod.demand.expected_runtime is not None
        if timed and running.bound_until is not None and running.bound_until > at:
            end = min(end, running.bound_until)
        return max(end, at + 1)

    def _is_leaving(self, running: RunningPod) -> bool:
        return running.being_deleted or (running.pod.key, running.pod.uid) in self._leaving

    def _charge(self, candidate: Candidate, then: Instant) -> Fraction | None:
        """Percent: more by acknowledged charging, less by computing on the battery.

        After a drive it is taken to be what it was at the departure.
        """
        parked, at = candidate.parked, self.snapshot.at
        battery = parked.vehicle.observed.battery if parked else None
        if parked is None or battery is None or battery.state_of_charge_percent is None:
            return None
        gone = stays_until(parked, at)
        until = then if gone is None else min(then, gone)
        capacity = parked.vehicle.battery.net_capacity_watt_hours
        whole = capacity * MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR
        percent = Fraction(battery.state_of_charge_percent)
        profile = relied_upon(parked, at)
        if profile is not None:
            taken = sum(power * (end - start) for start, end, power in profile.pieces(at, until))
            percent += Fraction(taken * parked.vehicle.charge_efficiency_percent, 100 * whole)
        if parked.electrics.source is Source.BATTERY:
            stretches = [stay.stretch for stay in self.stays.get(candidate.name, ())]
            line = steps(stretches, parked.electrics.standby)
            percent -= Fraction(consumed(line, until), whole)
        return min(max(percent, Fraction(0)), Fraction(100))

    def _places(
        self, chosen: Collection[Candidate], among: Collection[str] | None
    ) -> tuple[Mapping[str, Site], Mapping[str, Tariff]]:
        now = self.snapshot
        if among is None:
            return now.sites, now.tariffs
        sites = {site.name: site for candidate in chosen if (site := site_of(candidate))}
        named = {site.tariff for site in sites.values() if site.tariff is not None}
        named |= {now.tariffs[name].carbon or "" for name in named if name in now.tariffs}
        return sites, _only(now.tariffs, named)


def site_of(candidate: Candidate) -> Site | None:
    """Where a vehicle stands."""
    return candidate.parked.case.site if candidate.parked else None


def hours_of(parked: Parked, at: Instant) -> Timetable | None:
    """When a vehicle may stand where it stands; None where that is unknown."""
    site, vehicle = parked.case.site, parked.vehicle
    if site is None:
        return None
    return timetable(
        vehicle.windows,
        site.name,
        site.time_zone,
        at,
        exceptions=vehicle.exceptions,
        holidays=site.public_holidays,
    )


def stays_until(parked: Parked, at: Instant) -> Instant | None:
    """When its windows and what was stated say that it leaves; None: nothing says so."""
    hours = hours_of(parked, at)
    closes = hours.open_until(at) if hours is not None else None
    expected = parked.vehicle.observed.departure_expected_at
    return closes if closes is None or expected is None else min(closes, expected)


def relied_upon(parked: Parked, at: Instant) -> ChargingProfile | None:
    """The profile that its charger has acknowledged, where charging is ours and has begun."""
    connection, site = parked.vehicle.observed.connection, parked.case.site
    if connection is None or site is None or connection.supply is not Supply.SUPPLIED:
        return None
    if site.charging_controller is not ChargingController.IDLEWATT or connection.profile is None:
        return None
    return connection.profile if connection.profile.power_at(at) is not None else None


def _vehicle_at(
    candidate: Candidate,
    parked: Parked,
    charge: Fraction | None,
    at: Instant,
    then: Instant,
) -> Vehicle:
    observed = _shifted_blocks(parked.vehicle.observed, then - at)
    if observed.battery is not None:
        # Exact between whole percents: the core's arithmetic takes a fraction as well as an int.
        battery = replace(observed.battery, state_of_charge_percent=cast("int | None", charge))
        observed = replace(observed, battery=battery)
    arrived = _came_back(candidate, at, then)
    if arrived is not None and observed.parking is not None:
        observed = replace(
            observed,
            parking=replace(observed.parking, since=arrived),
            departure_expected_at=None,
            departure_source=None,
        )
    return replace(parked.vehicle, observed=observed)


def _came_back(candidate: Candidate, at: Instant, then: Instant) -> Instant | None:
    """When the window began with which the car is back after a departure; None: it never left."""
    parked = candidate.parked
    hours = None if parked is None else hours_of(parked, then)
    gone = None if parked is None else stays_until(parked, at)
    if hours is None or gone is None or then < gone or not hours.open_at(then):
        return None
    began = max(start for start in hours.starts if start <= then)
    return began if began >= gone else None


def _shifted_blocks(observed: Observation, passed: Milliseconds) -> Observation:
    return replace(
        observed,
        battery=_shifted(observed.battery, passed),
        parking=_shifted(observed.parking, passed),
        compute=_shifted(observed.compute, passed),
        connection=_shifted(observed.connection, passed),
    )


def _shifted(block: _Block, passed: Milliseconds) -> _Block:
    """As old as it is now, and as it is now."""
    observed_at = getattr(block, "observed_at", None)
    if observed_at is None:
        return block
    return cast("_Block", replace(cast("Any", block), observed_at=observed_at + passed))


def _site_at(site: Site, passed: Milliseconds) -> Site:
    observed = tuple(_shifted(circuit, passed) for circuit in site.observed_circuits)
    return replace(site, observed_circuits=observed)


def _tariff_at(tariff: Tariff, passed: Milliseconds) -> Tariff:
    """What its source gave is then as good as it is now."""
    if tariff.max_age is None:
        return tariff
    return replace(tariff, max_age=tariff.max_age + passed)


def _running_at(stay: Stretched, leaving: bool) -> RunningPod:  # noqa: FBT001 - one of two kinds
    """A pod that is on its way out counts until it is gone, and is not asked again."""
    if leaving and stay.running.counts_until is None:
        return replace(stay.running, counts_until=stay.stretch.end)
    return stay.running


def _power(running: RunningPod, candidate: Candidate) -> int:
    if candidate.parked is None:
        return 0
    return running_power(running, candidate.parked.vehicle, candidate.capacity)


_Value = TypeVar("_Value")


def _only(values: Mapping[str, _Value], names: Collection[str]) -> dict[str, _Value]:
    return {name: values[name] for name in names if name in values}


def idle_enough_at(since: Instant, idle_seconds: int) -> Instant:
    """From when on a car has stood long enough."""
    return since + seconds(idle_seconds)
