"""When each vehicle of a fleet could take a pod, in steps of some minutes over a day.

It is what `foresight.reason_at` says at every step, for the whole fleet at once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from idlewatt_scheduler.energy import Source, spare
from idlewatt_scheduler.foresight import (
    Car,
    Need,
    energy_reason,
    fleet_pays,
    has_reserve_from,
    tariff_verdict,
)
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import (
    CALENDAR_HORIZON,
    MINUTE,
    Instant,
    Milliseconds,
    Milliwatts,
)
from idlewatt_scheduler.prices import Verdict

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
        key = (id(car.prices), need.wake, need.stay, need.minds_tariff, fleet_pays(car))
        if key not in groups:
            groups[key] = len(codes)
            codes.append(_tariff_codes(car, need, instants))
        member.append(groups[key])
    if not codes:
        return
    by_car = np.stack(codes)[member]
    np.copyto(reasons, by_car, where=by_car != 0)


def _tariff_codes(car: Car, need: Need, instants: Whole) -> Codes:
    """The code of the first clause of the tariff that fails, by step."""
    line = car.prices
    if line is None:
        verdict = tariff_verdict(car, need, 0, need.stay)
        unknown = verdict is Verdict.UNKNOWN
        code = _CODES[PodReason.PRICE_UNKNOWN] if unknown else _CODES[None]
        return np.full(len(instants), code, dtype=np.uint8)
    starts = np.array(line.timeline.starts, dtype=np.int64)
    start = instants + need.wake
    until = start + need.stay
    first = np.searchsorted(starts, start, side="right") - 1
    last = np.searchsorted(starts, until, side="left")
    on_peak = np.zeros(len(instants), dtype=np.bool_)
    unknown_steps = on_peak
    if need.minds_tariff:
        on_peak = np.diff(np.array(line.judgement.on_peak)[[first, last]], axis=0)[0] > 0
        unknown_steps = np.diff(np.array(line.judgement.unknown)[[first, last]], axis=0)[0] > 0
    if fleet_pays(car):
        priced = np.array([price is not None for price in line.timeline.prices], dtype=np.int64)
        unpriced = np.concatenate(([0], np.cumsum(1 - priced)))
        unknown_steps = unknown_steps | (unpriced[last] > unpriced[first])
    found = np.where(unknown_steps, np.uint8(_CODES[PodReason.PRICE_UNKNOWN]), np.uint8(0))
    return np.where(on_peak, np.uint8(_CODES[PodReason.ON_PEAK]), found)


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

    def slowed(self, charging: Whole, pods: Whole) -> Mask:
        """So much charging and computing together are more than the car may draw."""
        return charging + self.ac(pods) > self.cap

    def ac(self, pods: Whole) -> Whole:
        """AC milliwatts of our pods, standby included."""
        return (pods + self.standby) * 100 // self.efficiency_percent

    def codes(self, low: Mask, at_risk: Mask, pods: Whole) -> Codes:
        """The code of the first clause of energy that fails.

        Args:
            low: the charge would be under the reserve.
            at_risk: the departure charge would be.
            pods: the most that our pods have together in the stay, this one included.
        """
        over = (pods > self.most_pods) | ((self.plugged != 0) & (self.ac(pods) > self.cap))
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
    """What an idle car answers at every step; of the others, step by step."""
    rows = np.array(list(map(_figures, cars, needs)), dtype=np.int64).reshape(-1, 12)
    reasons = np.repeat(_idle_codes(_Figures(*rows.T))[:, None], grid.count, axis=1)
    changing = [row for row, car in enumerate(cars) if car.base or car.charging]
    mixed = [row for row in changing if _rises_and_falls(cars[row])]
    changing = [row for row in changing if not _rises_and_falls(cars[row])]
    if changing:
        these = [cars[row] for row in changing]
        wake = np.array([needs[row].wake for row in changing], dtype=np.int64)[:, None]
        known = _Known(
            _Figures(*rows[changing].T[:, :, None]),
            _Line.of([[(s.start, s.end, s.pods) for s in car.base] for car in these]),
            _Line.of([_given(car) for car in these]),
            np.array([has_reserve_from(car) for car in these], dtype=np.int64)[:, None],
            np.array([car.charging is not None for car in these])[:, None],
        )
        departures = _departures(changing, grid, stretches)
        reasons[changing] = _codes_over_time(known, grid.instants + wake, departures)
    for row in mixed:
        reasons[row] = _one_by_one(cars[row], needs[row], grid)
    return reasons


def _rises_and_falls(car: Car) -> bool:
    """It is charged while it computes on the battery: no sum of both tells its least charge."""
    return car.charging is not None and car.electrics.source is not Source.GRID


def _one_by_one(car: Car, need: Need, grid: _Grid) -> Codes:
    """The codes of energy of one car, each step asked apart."""
    codes = np.zeros(grid.count, dtype=np.uint8)
    for step, instant in enumerate(grid.instants.tolist()):
        departure = car.departure_at(instant)
        if departure is not None:
            start = instant + need.wake
            codes[step] = _CODES[energy_reason(car, need, start, departure)]
    return codes


def _idle_codes(figures: _Figures) -> Codes:
    """The codes of cars on which nothing runs and whose charging is not ours."""
    on_grid = figures.on_grid != 0
    used = np.where(on_grid, 0, (figures.power + figures.standby) * figures.stay)
    slowed = (figures.charging_reported != 0) & figures.slowed(figures.charging, figures.power)
    low_at_departure = np.where(on_grid, 0, used) > figures.above_departure
    return figures.codes(
        used > figures.above_reserve, low_at_departure & (slowed | ~on_grid), figures.power
    )


def _given(car: Car) -> list[tuple[Instant, Instant, Milliwatts]]:
    """From, to and power of a controlled car's new profile, where it has power."""
    pieces = car.charging.new if car.charging else ()
    return [(piece.start, piece.end, piece.power) for piece in pieces if piece.power]


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
class _Line:
    """Power over time: the n-th piece of every car, side by side; what is missing is 0."""

    start: list[Whole]
    end: list[Whole]
    power: list[Whole]

    @classmethod
    def of(cls, lines: Sequence[Sequence[tuple[Instant, Instant, Milliwatts]]]) -> "_Line":
        """The pieces of several cars."""
        longest = max(map(len, lines))
        padded = [[*line, *[(0, 0, 0)] * (longest - len(line))] for line in lines]
        figures = np.array(padded, dtype=np.int64).reshape(len(lines), longest, 3)
        start, end, power = figures.transpose(2, 1, 0)[:, :, :, None]
        return cls(list(start), list(end), list(power))

    def pieces(self) -> Iterator[tuple[Whole, Whole, Whole]]:
        """From, to and power of each."""
        return zip(self.start, self.end, self.power, strict=True)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of cars whose power or charge changes by itself.

    Attributes:
        base: what their running pods have together.
        given: what their new profiles give them.
        has_reserve_from: on the grid.
    """

    figures: _Figures
    base: _Line
    given: _Line
    has_reserve_from: Whole
    controlled: Mask

    def used(self, before: Whole) -> Whole:
        """DC energy of the running pods before each instant."""
        total = np.zeros_like(before)
        for begin, end, pods in self.base.pieces():
            total += (pods + self.figures.standby) * np.clip(before - begin, 0, end - begin)
        return total

    def covered(self, before: Whole) -> Whole:
        """Milliseconds before each instant in which pods run."""
        total = np.zeros_like(before)
        for begin, end, _ in self.base.pieces():
            total += np.clip(before - begin, 0, end - begin)
        return total

    def most_pods(self, start: Whole, until: Whole) -> Whole:
        """The most that the running pods have together at some time of `[start, until)`."""
        most = np.zeros_like(start)
        for begin, end, pods in self.base.pieces():
            most = np.maximum(most, np.where((begin < until) & (end > start), pods, 0))
        return most

    def slowed(self, start: Whole, until: Whole) -> Mask:
        """A new profile's power and computing are together more than the car may draw."""
        figures, found = self.figures, np.zeros(start.shape, dtype=np.bool_)
        for begin, end, charging in self.given.pieces():
            since, to = np.maximum(start, begin), np.minimum(until, end)
            found |= (since < to) & figures.slowed(charging, figures.power)
            for runs_from, runs_to, pods in self.base.pieces():
                together = np.maximum(since, runs_from) < np.minimum(to, runs_to)
                found |= together & figures.slowed(charging, pods + figures.power)
        return found


def _codes_over_time(known: _Known, start: Whole, departures: Whole) -> Codes:
    """The codes of cars whose answer depends on when the pod starts."""
    figures = known.figures
    until = start + figures.stay
    covered = known.covered(until) - known.covered(start)
    new = figures.power * figures.stay + figures.standby * (figures.stay - covered)
    pods = known.most_pods(start, until) + figures.power
    on_grid = figures.on_grid != 0
    reported = (figures.above_departure < 0) & (figures.charging_reported != 0)
    slowed = np.where(
        known.controlled,
        known.slowed(start, until),
        reported & figures.slowed(figures.charging, pods),
    )
    low = np.where(
        on_grid, start < known.has_reserve_from, known.used(until) + new > figures.above_reserve
    )
    short = known.used(departures) + new > figures.above_departure
    return figures.codes(low, np.where(on_grid, slowed, short), pods)


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
