"""When each vehicle of a fleet could take a pod, in steps of some minutes over a day.

Asked are the clauses that time changes: windows, departure, deadline, tariff, charge and power,
in the rules' order. All is held to come true that is known now: windows open and close as they
say, prices are what is published, running pods end when they are to, what was observed stays as
it is. Whether the vehicle takes pods at all, and what else is placed on its circuits, is not
asked here. `reason_at` answers for one instant, `availability` for a whole fleet at once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from idlewatt_scheduler.calendar import Timetable, timetable
from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.energy import (
    Electrics,
    Source,
    Step,
    Stretch,
    consumed,
    pod_power,
    spare,
    steps,
)
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.units import (
    CALENDAR_HORIZON,
    DAY,
    MINUTE,
    Instant,
    Milliseconds,
    Milliwatts,
)
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.prices import PriceLine, Verdict
from idlewatt_scheduler.stay import lead_of, stay_of

Codes: TypeAlias = npt.NDArray[np.uint8]
Whole: TypeAlias = npt.NDArray[np.int64]
Small: TypeAlias = npt.NDArray[np.int8]
Mask: TypeAlias = npt.NDArray[np.bool_]

REASONS: Final[tuple[PodReason | None, ...]] = (
    None,
    PodReason.OUTSIDE_PARKING_WINDOW,
    PodReason.LEAVES_TOO_EARLY,
    PodReason.DEADLINE_MISSED,
    PodReason.ON_PEAK,
    PodReason.PRICE_UNKNOWN,
    PodReason.BELOW_RESERVE,
    PodReason.DEPARTURE_CHARGE_AT_RISK,
    PodReason.NOT_ENOUGH_RESOURCES,
)
"""What a code of `Availability.reasons` means, in the order of asking; 0: available."""

_Painted = TypeVar("_Painted", Small, Whole)

_NEVER: Final[Milliseconds] = 2**50
"""Longer than any stay."""

_CODES: Final = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class Need:
    """What a pod asks of a vehicle.

    Attributes:
        power: milliwatts DC, standby left out.
        stay: milliseconds from the start to `until`.
        lead: before a departure.
        wake: milliseconds until it can start.
        minds_tariff: it runs off-peak only, and the policy says what that is.
        deadline: of its end.
    """

    power: Milliwatts
    stay: Milliseconds
    lead: Milliseconds
    wake: Milliseconds = 0
    minds_tariff: bool = True
    deadline: Instant | None = None


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle at a site, as it was at the instant `at`.

    Attributes:
        departure: when it leaves from there; None where no window is open, or only the windows
            tell.
        running: what our running pods ask for.
        base: the same as steps.
    """

    at: Instant
    vehicle: Vehicle
    site: Site | None
    electrics: Electrics
    prices: PriceLine | None
    departure: Instant | None = None
    running: tuple[Stretch, ...] = ()
    base: tuple[Step, ...] = ()

    def timetable(self, at: Instant) -> Timetable | None:
        """Its windows at the site, for the day of `at`; None where no site is known."""
        if self.site is None:
            return None
        return timetable(
            self.vehicle.windows,
            self.site.name,
            self.site.time_zone,
            at,
            exceptions=self.vehicle.exceptions,
            holidays=self.site.public_holidays,
        )

    def departure_at(self, instant: Instant) -> Instant | None:
        """The departure at an instant at or after `at`; None where no window is open then."""
        table = self.timetable(instant)
        closes = table.open_until(instant) if table else None
        if closes is None or self.departure is None or self.departure == self.at + CALENDAR_HORIZON:
            return closes
        now = self.timetable(self.at)
        until = now.open_until(self.at) if now else None
        there_still = until is not None and instant < until
        return min(closes, self.departure) if there_still else closes


@dataclass(frozen=True, slots=True, eq=False)
class Availability:
    """A fleet over the steps of a grid.

    Attributes:
        instants: of the steps, in order.
        available: by vehicle and step, whether the pod could start there then.
        reasons: the code of the first clause that fails; see `REASONS`.
    """

    vehicles: tuple[str, ...]
    instants: Whole
    available: Mask
    reasons: Codes

    def next_available(self, index: int) -> Instant | None:
        """The first step at which a vehicle could take the pod; None: at no step."""
        found = int(self.available[index].argmax())
        return int(self.instants[found]) if self.available[index, found] else None

    def earliest(self) -> Instant | None:
        """The first step at which any vehicle could."""
        steps_with_one = np.flatnonzero(self.available.any(axis=0))
        return int(self.instants[steps_with_one[0]]) if steps_with_one.size else None

    def reason(self, index: int, step: int) -> PodReason | None:
        """Why a vehicle could not take it at a step."""
        return REASONS[int(self.reasons[index, step])]

    def count(self) -> Whole:
        """How many vehicles could take it, by step."""
        found: Whole = self.available.sum(axis=0, dtype=np.int64)
        return found


def car_of(parked: Parked) -> Car:
    """A vehicle as the planner looked it up."""
    return Car(
        at=parked.case.at,
        vehicle=parked.vehicle,
        site=parked.case.site,
        electrics=parked.electrics,
        prices=parked.prices,
        departure=parked.departure,
        running=parked.running,
        base=parked.base,
    )


def need_of(pod: Pod, candidate: Candidate, policy: FleetPolicy, at: Instant) -> Need:
    """What a pod asks of one candidate that is a vehicle."""
    power = 0
    if candidate.parked is not None:
        most = candidate.parked.vehicle.compute.max_power_watts
        power = pod_power(pod.requests, candidate.capacity, most, pod.demand.power_watts)
    stay = stay_of(pod, candidate, policy, at)
    return Need(
        power=power,
        stay=stay.until - stay.start,
        lead=lead_of(pod, policy),
        wake=stay.start - at,
        minds_tariff=not pod.demand.any_tariff and policy.off_peak.asks_anything,
        deadline=pod.demand.deadline,
    )


def reason_at(car: Car, need: Need, instant: Instant) -> PodReason | None:
    """The first of these clauses that would fail were the pod to start at an instant."""
    start = instant + need.wake
    until = start + need.stay
    departure = car.departure_at(instant)
    if departure is None:
        return PodReason.OUTSIDE_PARKING_WINDOW
    if until + need.lead > departure:
        return PodReason.LEAVES_TOO_EARLY
    if need.deadline is not None and until > need.deadline:
        return PodReason.DEADLINE_MISSED
    verdict = _tariff_verdict(car, need, start, until)
    if verdict is not Verdict.OFF_PEAK:
        on_peak = verdict is Verdict.ON_PEAK
        return PodReason.ON_PEAK if on_peak else PodReason.PRICE_UNKNOWN
    return _energy_reason(car, need, start, departure)


def next_available(
    car: Car, need: Need, at: Instant, within: Milliseconds = CALENDAR_HORIZON
) -> Instant | None:
    """The first instant at which something changes and the pod could start; None: none is known.

    Looked at are `at`, every opening of a window, every change of the tariff and of what runs.
    """
    moments = sorted({at, *(m for m in _turns(car, need, at, within) if at < m < at + within)})
    return next((m for m in moments if reason_at(car, need, m) is None), None)


def availability(
    cars: Sequence[Car],
    needs: Need | Sequence[Need],
    at: Instant,
    *,
    step: Milliseconds = 5 * MINUTE,
    count: int = 288,
) -> Availability:
    """When each car could take the pod: at `at`, and every `step` after it.

    Args:
        cars: as they were observed at `at`.
        needs: of the pod; one for all cars, or one for each.
        at: the first step.
        step: milliseconds.
        count: of steps; the default is a day.
    """
    every = [needs] * len(cars) if isinstance(needs, Need) else list(needs)
    grid = _Grid(at, step, count)
    stretches = _Stretches.of(cars, grid)
    reasons = _energy_codes(cars, every, grid, stretches)
    _refuse_by_tariff(reasons, cars, every, grid.instants)
    _refuse_by_deadline(reasons, every, grid.instants)
    _refuse_by_windows(reasons, every, grid, stretches)
    names = tuple(car.vehicle.name for car in cars)
    return Availability(names, grid.instants, reasons == 0, reasons)


@dataclass(frozen=True, slots=True)
class _Grid:
    at: Instant
    step: Milliseconds
    count: int

    @property
    def end(self) -> Instant:
        return self.at + self.step * self.count

    @property
    def instants(self) -> Whole:
        return self.at + self.step * np.arange(self.count, dtype=np.int64)

    def first_from(self, instants: Whole) -> Whole:
        """The first step at or after each instant, `count` where there is none."""
        found: Whole = np.clip(-((self.at - instants) // self.step), 0, self.count)
        return found

    def painted(self, rows: int, spans: "_Spans", value: _Painted) -> _Painted:
        """A value from the first step of each span to its last, 0 elsewhere."""
        edges = np.zeros((rows, self.count + 1), dtype=value.dtype)
        np.add.at(edges, (spans.row, spans.first), value)
        np.add.at(edges, (spans.row, spans.last), -value)
        return cast("_Painted", edges.cumsum(axis=1, dtype=value.dtype)[:, :-1])


@dataclass(frozen=True, slots=True)
class _Spans:
    """In each row from the step `first` to `last`, exclusive; those of a row are apart."""

    row: Whole
    first: Whole
    last: Whole


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Every stretch that is open at some time of a grid: whose, from, to, and the departure."""

    row: Whole
    start: Whole
    end: Whole
    departure: Whole

    @classmethod
    def of(cls, cars: Sequence[Car], grid: _Grid) -> "_Stretches":
        """Those of all cars, in order of rows and time."""
        found = list(_open_stretches(cars, grid))
        return cls(*np.array(found, dtype=np.int64).reshape(-1, 4).T)


def _tariff_verdict(car: Car, need: Need, start: Instant, until: Instant) -> Verdict:
    line = car.prices
    if line is None:
        unknown = (need.minds_tariff and start < until) or _fleet_pays(car)
        return Verdict.UNKNOWN if unknown else Verdict.OFF_PEAK
    verdict = line.worst(start, until) if need.minds_tariff else Verdict.OFF_PEAK
    if verdict is Verdict.OFF_PEAK and _fleet_pays(car) and not line.priced(start, until):
        return Verdict.UNKNOWN
    return verdict


def _fleet_pays(car: Car) -> bool:
    return car.site is not None and car.site.energy_borne_by is EnergyBearer.FLEET


def _energy_reason(car: Car, need: Need, start: Instant, departure: Instant) -> PodReason | None:
    figures, until = car.electrics, start + need.stay
    line = steps([*car.running, Stretch(start, until, need.power)], figures.standby)
    above_reserve = spare(car.vehicle, car.vehicle.battery.reserve_percent)
    above_departure = spare(car.vehicle, car.vehicle.battery.departure_percent)
    during = [each for each in line if each.start < until and each.end > start]
    most = max((each.computing for each in during), default=0)
    if figures.source is Source.GRID:
        low = above_reserve < 0
        slowed = figures.charging_reported and figures.charging + figures.ac(most) > figures.cap
        at_risk = above_departure < 0 and bool(during) and slowed
    else:
        low = consumed(line, until) > above_reserve
        at_risk = consumed(line, departure) > above_departure
    if low:
        return PodReason.BELOW_RESERVE
    if at_risk:
        return PodReason.DEPARTURE_CHARGE_AT_RISK
    over = any(each.pods > 1_000 * car.vehicle.compute.max_power_watts for each in during)
    if over or (figures.plugged and figures.ac(most) > figures.cap):
        return PodReason.NOT_ENOUGH_RESOURCES
    return None


def _turns(car: Car, need: Need, at: Instant, within: Milliseconds) -> Iterator[Instant]:
    for day in range(0, within, DAY):
        if table := car.timetable(at + day):
            yield from table.starts
    if car.prices is not None:
        yield from (each - need.wake for each in car.prices.timeline.starts)
    for each in car.base:
        yield from (each.start - need.wake, each.end - need.wake)


def _refuse_by_windows(
    reasons: Codes, needs: Sequence[Need], grid: _Grid, stretches: _Stretches
) -> None:
    """Where no window is open, and where the car would leave too early."""
    row = stretches.row
    asked = np.array([need.wake + need.stay + need.lead for need in needs], dtype=np.int64)
    asked = np.where(asked > CALENDAR_HORIZON, _NEVER, asked)
    first, closed = grid.first_from(stretches.start), grid.first_from(stretches.end)
    too_late = np.clip(grid.first_from(stretches.departure - asked[row] + 1), first, closed)
    one = np.ones(len(row), dtype=np.int8)
    fits = grid.painted(len(needs), _Spans(row, first, too_late), one)
    is_open = grid.painted(len(needs), _Spans(row, first, closed), one)
    np.copyto(reasons, _CODES[PodReason.LEAVES_TOO_EARLY], where=fits == 0)
    np.copyto(reasons, _CODES[PodReason.OUTSIDE_PARKING_WINDOW], where=is_open == 0)


def _open_stretches(
    cars: Sequence[Car], grid: _Grid
) -> Iterator[tuple[int, Instant, Instant, Instant]]:
    """Row, from, to, and departure of every stretch that is open at some time of the grid."""
    at, end = grid.at, grid.end
    for row, car in enumerate(cars):
        table = car.timetable(at)
        if table is None:
            continue
        starts, ends, told = table.starts, table.ends, car.departure
        first = bisect_right(ends, at)
        for index in range(first, bisect_left(starts, end)):
            departure = ends[index]
            if index == first and told is not None and starts[index] <= at:
                departure = departure if told == at + CALENDAR_HORIZON else min(departure, told)
            yield row, starts[index], ends[index], departure


def _refuse_by_deadline(reasons: Codes, needs: Sequence[Need], instants: Whole) -> None:
    rows = [row for row, need in enumerate(needs) if need.deadline is not None]
    if not rows:
        return
    last = np.array(
        [(needs[row].deadline or 0) - needs[row].wake - needs[row].stay for row in rows],
        dtype=np.int64,
    )
    part = reasons[rows]
    part[instants[None, :] > last[:, None]] = _CODES[PodReason.DEADLINE_MISSED]
    reasons[rows] = part


def _refuse_by_tariff(
    reasons: Codes, cars: Sequence[Car], needs: Sequence[Need], instants: Whole
) -> None:
    """By tariff and stay: cars that stand under the same tariff share the answer."""
    groups: dict[tuple[int, int, int, bool, bool], int] = {}
    codes: list[Codes] = []
    member: list[int] = []
    for car, need in zip(cars, needs, strict=True):
        key = (id(car.prices), need.wake, need.stay, need.minds_tariff, _fleet_pays(car))
        if key not in groups:
            groups[key] = len(codes)
            codes.append(_tariff_codes(car, need, instants))
        member.append(groups[key])
    if not codes:
        return
    by_car = np.stack(codes)[member]
    np.copyto(reasons, by_car, where=by_car != 0)


def _tariff_codes(car: Car, need: Need, instants: Whole) -> Codes:
    code = {
        Verdict.OFF_PEAK: 0,
        Verdict.UNKNOWN: _CODES[PodReason.PRICE_UNKNOWN],
        Verdict.ON_PEAK: _CODES[PodReason.ON_PEAK],
    }
    starts = (int(instant) + need.wake for instant in instants)
    verdicts = [_tariff_verdict(car, need, start, start + need.stay) for start in starts]
    return np.array([code[verdict] for verdict in verdicts], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class _Figures:
    """What charge and power are judged by: of all cars, or of one; see `Need` and `Electrics`."""

    power: Whole
    stay: Whole
    above_reserve: Whole
    above_departure: Whole
    on_grid: Whole
    charging_reported: Whole
    standby: Whole
    charging: Whole
    cap: Whole
    efficiency_percent: Whole
    plugged: Whole
    most_pods: Whole

    def codes(self, used_until: Whole, used_departure: Whole, pods: Whole) -> Codes:
        """The code of the first clause of energy that fails.

        Args:
            used_until: DC energy of all computing until the pod's end.
            used_departure: the same until the departure.
            pods: the most that our pods have together in the stay, this one included.
        """
        ac = (pods + self.standby) * 100 // self.efficiency_percent
        on_grid = self.on_grid != 0
        slowed = (self.charging_reported != 0) & (self.charging + ac > self.cap)
        at_risk = np.where(
            on_grid, (self.above_departure < 0) & slowed, used_departure > self.above_departure
        )
        low = np.where(on_grid, self.above_reserve < 0, used_until > self.above_reserve)
        over = (pods > self.most_pods) | ((self.plugged != 0) & (ac > self.cap))
        return np.select(
            [low, at_risk, over],
            [
                np.uint8(_CODES[PodReason.BELOW_RESERVE]),
                np.uint8(_CODES[PodReason.DEPARTURE_CHARGE_AT_RISK]),
                np.uint8(_CODES[PodReason.NOT_ENOUGH_RESOURCES]),
            ],
            np.uint8(0),
        )


def _energy_codes(
    cars: Sequence[Car], needs: Sequence[Need], grid: _Grid, stretches: _Stretches
) -> Codes:
    """What a car without running pods answers at every step; of the others, step by step."""
    rows = np.array(list(map(_figures, cars, needs)), dtype=np.int64).reshape(-1, 12)
    every = _Figures(*rows.T)
    used = (every.power + every.standby) * every.stay
    alone = every.codes(used, used, every.power)
    reasons = np.repeat(alone[:, None], grid.count, axis=1)
    busy = [row for row, car in enumerate(cars) if car.base]
    if busy:
        wake = np.array([needs[row].wake for row in busy], dtype=np.int64)[:, None]
        of_these = _Figures(*rows[busy].T[:, :, None])
        departures = _departures(busy, grid, stretches)
        base = _Base.of([cars[row].base for row in busy])
        reasons[busy] = _codes_over_time(of_these, base, grid.instants + wake, departures)
    return reasons


def _figures(car: Car, need: Need) -> tuple[int, ...]:
    figures, battery = car.electrics, car.vehicle.battery
    return (
        need.power,
        need.stay,
        spare(car.vehicle, battery.reserve_percent),
        spare(car.vehicle, battery.departure_percent),
        figures.source is Source.GRID,
        figures.charging_reported,
        figures.standby,
        figures.charging,
        figures.cap,
        figures.efficiency_percent,
        figures.plugged,
        1_000 * car.vehicle.compute.max_power_watts,
    )


@dataclass(frozen=True, slots=True)
class _Base:
    """What runs already: the n-th step of every car, side by side; what is missing is 0."""

    start: list[Whole]
    end: list[Whole]
    pods: list[Whole]
    computing: list[Whole]

    @classmethod
    def of(cls, lines: Sequence[Sequence[Step]]) -> "_Base":
        """The steps of several cars."""
        longest = max(map(len, lines))
        padded = [[*line, *[Step(0, 0, 0, 0)] * (longest - len(line))] for line in lines]
        figures = [[(s.start, s.end, s.pods, s.computing) for s in line] for line in padded]
        by_step = np.array(figures, dtype=np.int64).transpose(2, 1, 0)[:, :, :, None]
        return cls(*(list(each) for each in by_step))

    def length(self, before: Whole) -> Whole:
        """Milliseconds of the steps before each instant."""
        return self._summed(before, [np.int64(1)] * len(self.start))

    def used(self, before: Whole) -> Whole:
        """DC energy of the steps before each instant."""
        return self._summed(before, self.computing)

    def most_pods(self, start: Whole, until: Whole) -> Whole:
        """The most that the pods have together at some time of `[start, until)`."""
        most = np.zeros_like(start)
        for begin, end, pods in zip(self.start, self.end, self.pods, strict=True):
            most = np.maximum(most, np.where((begin < until) & (end > start), pods, 0))
        return most

    def _summed(self, before: Whole, factors: Sequence[Whole | np.int64]) -> Whole:
        total = np.zeros_like(before)
        for start, end, factor in zip(self.start, self.end, factors, strict=True):
            total += factor * np.clip(before - start, 0, end - start)
        return total


def _codes_over_time(figures: _Figures, base: _Base, start: Whole, departures: Whole) -> Codes:
    """The codes of cars on which pods run: what they use depends on when the new one starts."""
    until = start + figures.stay
    covered = base.length(until) - base.length(start)
    new = figures.power * figures.stay + figures.standby * (figures.stay - covered)
    return figures.codes(
        base.used(until) + new,
        base.used(departures) + new,
        base.most_pods(start, until) + figures.power,
    )


def _departures(busy: Sequence[int], grid: _Grid, stretches: _Stretches) -> Whole:
    """The departure by step of these cars; where no window is open, the epoch."""
    mine = np.isin(stretches.row, busy)
    spans = _Spans(
        np.searchsorted(busy, stretches.row[mine]),
        grid.first_from(stretches.start[mine]),
        grid.first_from(stretches.end[mine]),
    )
    painted = grid.painted(len(busy), spans, stretches.departure[mine])
    return np.minimum(painted, grid.instants + CALENDAR_HORIZON)
