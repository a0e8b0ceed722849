"""Which quarters of an hour one car charges in, and with how much, where it has so much room.

Up to its reserve a car charges at once. From there on it takes the cheapest quarters that still
reach its departure charge by its departure, of equal ones the earlier; the dearest of them with no
more power than is needed. Where the departure charge is out of reach it takes every quarter, those
after its departure too, until it is there or a day has passed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from idlewatt_scheduler.circuits import RoomKey
from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import FOREVER, MINUTE, Instant, Milliseconds, Milliwatts
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.trajectory import WATT, Charge, Intake, Trajectory, Wish, follow

QUARTER: Final[Milliseconds] = 15 * MINUTE
OVERTIME: Final = 96
"""How many quarters past the last departure a car is charged that cannot be full by then."""

UNLIMITED: Final[Milliwatts] = FOREVER


@dataclass(frozen=True, slots=True)
class Car:
    """A car whose charging is ours to plan.

    Attributes:
        charge: at the instant of planning.
        reserve: up to which it is charged at once.
        target: the departure charge.
        percent: one percent of its net capacity.
        computing: DC, what its running pods ask for, in order of time.
        prices: its site's tariff; None: no quarter has a price.
        loads: the rooms its draw is taken from, and how many parts of each for a milliwatt.
        acknowledged: the profile that its charger follows now, if it has begun.
    """

    name: str
    charge_by: Instant
    charge: Charge
    reserve: Charge
    target: Charge
    percent: Charge
    intake: Intake
    computing: tuple[Step, ...] = ()
    prices: PriceLine | None = None
    loads: tuple[tuple[RoomKey, int], ...] = ()
    acknowledged: ChargingProfile | None = None

    @property
    def even(self) -> bool:
        """It takes the same power at every charge it will have: what it needs can be added up."""
        below = all(level <= self.charge or level >= self.target for level, _ in self.intake.steps)
        return below and self.charge >= self.reserve and not (self.intake.drains and self.computing)


@dataclass(slots=True)
class Grid:
    """The quarters from now on: the first is what is left of the running one.

    Attributes:
        edges: the starts of the quarters, and the end of the last.
    """

    edges: list[Instant]
    _orders: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.edges) - 1

    def before(self, charge_by: Instant) -> int:
        """How many quarters start before that."""
        return bisect_left(self.edges, charge_by, hi=len(self))

    def cheapest_first(self, prices: PriceLine | None, count: int) -> list[int]:
        """The first `count` quarters by price, those without one last, else by time."""
        if prices is None:
            return list(range(count))
        key = id(prices), count
        if key not in self._orders:
            found = [prices.price_at(self.edges[index]) for index in range(count)]
            known = sorted((price, index) for index, price in enumerate(found) if price is not None)
            unknown = [index for index, price in enumerate(found) if price is None]
            self._orders[key] = [*(index for _, index in known), *unknown]
        return self._orders[key]


def grid(at: Instant, departures: Sequence[Instant]) -> Grid:
    """Quarters until a day after the last of these departures."""
    first = (at // QUARTER + 1) * QUARTER
    count = max(-((first - max(departures, default=at)) // QUARTER), 0) + OVERTIME
    return Grid([at, *range(first, first + (count + 1) * QUARTER, QUARTER)])


@dataclass(frozen=True, slots=True)
class Choice:
    """What a car was given.

    Attributes:
        periods: of its profile.
        taken: by quarter, the most it takes in it.
        short: what its charge lacks at its departure.
    """

    periods: tuple[ChargingPeriod, ...]
    taken: dict[int, Milliwatts]
    short: Charge = 0


class Asking:
    """One car before the quarters, with the room it has in each."""

    def __init__(self, car: Car, quarters: Grid, left: dict[RoomKey, list[int]]) -> None:
        self.car, self.quarters = car, quarters
        self._left = [(left[key], parts) for key, parts in car.loads]
        self.count = quarters.before(car.charge_by)
        self._busy = _busiest(car.computing, quarters) if car.computing else {}

    def room(self, index: int, charge: Charge | None = None) -> Milliwatts:
        """The greatest power the car may have in a quarter; 0 where that is too little for it."""
        intake, car = self.car.intake, self.car
        power = intake.greatest(car.charge if charge is None else charge, self._busy.get(index, 0))
        for left, parts in self._left:
            power = min(power, left[index] // parts)
        power = power // WATT * WATT
        return power if power >= intake.least else 0

    def choose(self) -> Choice:
        """The best there is for this car alone in the room it has."""
        if not self.car.even:
            return self._tried()
        needed = -((self.car.charge - self.car.target) // self.car.intake.charge_efficiency_percent)
        chosen: dict[int, Milliwatts] = {}
        missing = needed
        for index in self.quarters.cheapest_first(self.car.prices, self.count):
            if missing <= 0:
                break
            power = self.room(index)
            if power:
                energy = power * self._length(index)
                chosen[index] = power if energy <= missing else self._just(index, missing, power)
                missing -= energy
        if missing > 0:
            self._overtime(chosen, needed)
        short = max(missing, 0) * self.car.intake.charge_efficiency_percent
        return self._laid(chosen, needed, short)

    def keep(self) -> Choice:
        """What its charger follows now, as far as there is room."""
        car, edges = self.car, self.quarters.edges
        chosen: dict[int, Milliwatts] = {}
        pieces = car.acknowledged.pieces(edges[0], edges[-1]) if car.acknowledged else []
        for start, end, power in pieces:
            if power:
                for index in range(bisect_right(edges, start) - 1, bisect_left(edges, end)):
                    given = min(max(power, chosen.get(index, 0)), self.room(index, -1))
                    if given >= car.intake.least:
                        chosen[index] = given
        return self.lay(chosen)

    def lay(self, chosen: dict[int, Milliwatts]) -> Choice:
        """So much in each of these quarters until the car is full, whatever it is short of."""
        car = self.car
        if not car.even:
            return self._followed(self._follow(chosen, self._at_once(), len(self.quarters)))
        needed = -((car.charge - car.target) // car.intake.charge_efficiency_percent)
        return self._laid({i: power for i, power in chosen.items() if power}, needed, 0)

    def _length(self, index: int) -> Milliseconds:
        """How much of a quarter lies before the departure."""
        edges = self.quarters.edges
        return min(edges[index + 1], self.car.charge_by) - edges[index]

    def _just(self, index: int, missing: int, most: Milliwatts) -> Milliwatts:
        """The least power that gives so much energy in a quarter; rather what it has already."""
        length = self._length(index)
        enough = max(-(-missing // (length * WATT)) * WATT, self.car.intake.least)
        return self._rather(index, min(enough, most), most)

    def _rather(self, index: int, enough: Milliwatts, most: Milliwatts) -> Milliwatts:
        """The acknowledged power, if it is enough and not a percent of the battery too much.

        The charge is reported in whole percent: without this a power would change every minute.
        """
        now = self.car.acknowledged
        held = (now.power_at(self.quarters.edges[index]) if now else None) or 0
        if not enough <= held <= most:
            return enough
        more = (held - enough) * self._length(index) * self.car.intake.charge_efficiency_percent
        return held if more <= self.car.percent else enough

    def _overtime(self, chosen: dict[int, Milliwatts], needed: int) -> None:
        """Every quarter after the departure until the car is full."""
        edges = self.quarters.edges
        needed -= sum(power * (edges[i + 1] - edges[i]) for i, power in chosen.items())
        for index in range(self.count, len(self.quarters)):
            if needed <= 0:
                return
            if power := self.room(index):
                chosen[index] = power
                needed -= power * (edges[index + 1] - edges[index])

    def _laid(self, chosen: dict[int, Milliwatts], needed: int, short: Charge) -> Choice:
        """A profile of these quarters, ended where the car is full."""
        edges = self.quarters.edges
        periods = _Periods(edges[0])
        taken: dict[int, Milliwatts] = {}
        for index in sorted(chosen):
            if needed <= 0:
                break
            power, start, end = chosen[index], edges[index], edges[index + 1]
            end = min(end, start - (-needed // power))
            needed -= power * (end - start)
            taken[index] = power
            periods.add(start, end, power)
        return Choice(periods.done(), taken, short)

    def _tried(self) -> Choice:
        """The same where its power depends on its charge: by trying how far the cheapest go."""
        order, at_once = self.quarters.cheapest_first(self.car.prices, self.count), self._at_once()
        rooms = {i: self.room(i, -1) for i in range(len(self.quarters))}

        def lacking(chosen: dict[int, Milliwatts]) -> Charge:
            path = self._follow(chosen, at_once, self.count)
            reached = path.greatest(self.car.charge_by) if self.count else self.car.charge
            return self.car.target - reached

        short = lacking(rooms)
        if short > 0:
            every = self._follow(rooms, at_once, len(self.quarters))
            return self._followed(every, short)
        fewest = bisect_left(
            range(len(order)), x=True, key=lambda n: lacking({i: rooms[i] for i in order[:n]}) <= 0
        )
        chosen = {i: rooms[i] for i in order[:fewest]}
        if fewest:
            last = order[fewest - 1]
            choices = range(min(self.car.intake.least, rooms[last]), rooms[last], 50 * WATT)
            place = bisect_left(
                choices, x=True, key=lambda power: lacking({**chosen, last: power}) <= 0
            )
            if place < len(choices):
                chosen[last] = self._rather(last, choices[place], rooms[last])
        return self._followed(self._follow(chosen, at_once, self.count))

    def _at_once(self) -> Instant:
        """Until when it is charged whatever that costs: when it has its reserve."""
        if self.car.charge >= self.car.reserve:
            return self.quarters.edges[0]
        rooms = {i: self.room(i, -1) for i in range(len(self.quarters))}
        reached = self._follow(rooms, FOREVER, len(self.quarters)).reaches(self.car.reserve)
        return FOREVER if reached is None else reached

    def _follow(self, chosen: dict[int, Milliwatts], at_once: Instant, count: int) -> Trajectory:
        """The charge over the first `count` quarters."""
        wishes: list[Wish] = []
        for index in range(count):
            start, end = self.quarters.edges[index], self.quarters.edges[index + 1]
            split = min(max(at_once, start), end)
            if start < split:
                wishes.append((start, split, self.room(index, -1)))
            if split < end:
                wishes.append((split, end, chosen.get(index, 0)))
        car = self.car
        return follow(car.intake, car.charge, wishes, car.computing, car.target)

    def _followed(self, path: Trajectory, short: Charge = 0) -> Choice:
        """A trajectory as a profile."""
        edges = self.quarters.edges
        periods = _Periods(edges[0])
        taken: dict[int, Milliwatts] = {}
        for (start, end), power in zip(pairwise(path.instants), path.powers, strict=True):
            if power:
                index = bisect_right(edges, start) - 1
                taken[index] = max(power, taken.get(index, 0))
                periods.add(start, end, power)
        return Choice(periods.done(), taken, short)


class _Periods:
    """Periods of a profile in the making: gaps have power 0, neighbours alike are one."""

    def __init__(self, at: Instant) -> None:
        self._until, self._made = at, [ChargingPeriod(at, 0)]

    def add(self, start: Instant, end: Instant, power: Milliwatts) -> None:
        """So much power over `[start, end)`, after what there is."""
        if start > self._until:
            self._begin(self._until, 0)
        self._begin(start, power)
        self._until = end

    def done(self) -> tuple[ChargingPeriod, ...]:
        """All of them, the last without power and without end."""
        self._begin(self._until, 0)
        return tuple(self._made)

    def _begin(self, start: Instant, power: Milliwatts) -> None:
        last = self._made[-1]
        if last.power != power:
            if last.start == start:
                self._made.pop()
            if not self._made or self._made[-1].power != power:
                self._made.append(ChargingPeriod(start, power))


def _busiest(computing: Sequence[Step], quarters: Grid) -> dict[int, Milliwatts]:
    """By quarter, the most that computes in it."""
    edges = quarters.edges
    busiest: dict[int, Milliwatts] = {}
    for step in computing:
        first = max(bisect_right(edges, step.start) - 1, 0)
        for index in range(first, min(bisect_left(edges, step.end), len(quarters))):
            busiest[index] = max(step.computing, busiest.get(index, 0))
    return busiest
