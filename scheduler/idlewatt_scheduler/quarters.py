"""Which quarters of an hour one car charges in, and with how much, where it has so much room.

Up to its reserve a car charges at once. From there on it takes the cheapest quarters that still
reach its departure charge by its departure, of equal ones the earlier; the dearest of them with no
more power than is needed. Where the departure charge is out of reach it takes every quarter, those
after its departure too, until it is there or a day has passed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Final, TypeAlias

from idlewatt_scheduler.circuits import RoomKey
from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import FOREVER, MINUTE, Instant, Milliseconds, Milliwatts
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.trajectory import WATT, Charge, Intake, Trajectory, Wish, follow, rise

QUARTER: Final[Milliseconds] = 15 * MINUTE
OVERTIME: Final = 96
"""How many quarters past the last departure a car is charged that cannot be full by then."""

UNLIMITED: Final[Milliwatts] = FOREVER

STEP: Final[Milliwatts] = 50_000
"""How finely the power of a tapered car's dearest quarter is looked for."""


Ranks: TypeAlias = dict[int, dict[Fraction, int]]
"""By the identity of a price line, the rank of each of its prices."""


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
    def falls(self) -> bool:
        """Its charge may fall while it is charged, since its pods compute on the battery."""
        return self.intake.drains and bool(self.computing)


@dataclass(slots=True)
class Grid:
    """The quarters from now on: the first is what is left of the running one.

    Attributes:
        edges: the starts of the quarters, and the end of the last.
        ranks: of the prices of each line.
    """

    edges: list[Instant]
    ranks: Ranks = field(default_factory=dict)
    _orders: dict[int, list[int]] = field(default_factory=dict)
    _firsts: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.edges) - 1

    def before(self, charge_by: Instant) -> int:
        """How many quarters start before that."""
        return bisect_left(self.edges, charge_by, hi=len(self))

    def cheapest_first(self, prices: PriceLine | None, count: int) -> Sequence[int]:
        """The first `count` quarters by price, those without one last, else by time."""
        if prices is None:
            return range(count)
        key = id(prices)
        if key not in self._orders:
            self._orders[key] = _by_price(prices, self.edges[:-1], self.ranks)
        if (key, count) not in self._firsts:
            self._firsts[key, count] = [index for index in self._orders[key] if index < count]
        return self._firsts[key, count]


def _by_price(prices: PriceLine, starts: Sequence[Instant], ranks: Ranks) -> list[int]:
    """Quarters by the rank of their price; each line's prices are compared once, for all sites."""
    if id(prices) not in ranks:
        known = {segment.price for segment in prices.segments if segment.price is not None}
        ranks[id(prices)] = {price: place for place, price in enumerate(sorted(known))}
    rank = ranks[id(prices)]
    found = [len(rank) if price is None else rank[price] for price in map(prices.price_at, starts)]
    return sorted(range(len(found)), key=found.__getitem__)


def grid(at: Instant, departures: Sequence[Instant], ranks: Ranks | None = None) -> Grid:
    """Quarters until a day after the last of these departures.

    Args:
        at: when the first begins.
        departures: until which the cars are to be charged.
        ranks: kept between the grids of one plan.
    """
    first = (at // QUARTER + 1) * QUARTER
    count = max(-((first - max(departures, default=at)) // QUARTER), 0) + OVERTIME
    edges = [at, *range(first, first + (count + 1) * QUARTER, QUARTER)]
    return Grid(edges, {} if ranks is None else ranks)


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


@dataclass(frozen=True, slots=True)
class _Begun:
    """How far a car is charged at once.

    Attributes:
        wishes: what that takes.
        charge: the car has then.
        since: from when on it may wait for a cheaper quarter.
        first: the quarter in which that is.
    """

    wishes: tuple[Wish, ...]
    charge: Charge
    since: Instant
    first: int


class Asking:
    """One car before the quarters, with the room it has in each.

    Args:
        car: that asks.
        quarters: of its site.
        left: by room, what the others leave of it in each quarter; looked at anew at each answer.
    """

    def __init__(self, car: Car, quarters: Grid, left: Mapping[RoomKey, list[int]]) -> None:
        self.car, self.quarters = car, quarters
        self._left = [(left[key], parts) for key, parts in car.loads]
        self._busy = _busiest(car.computing, quarters) if car.computing else {}
        self._most = car.intake.greatest(-1)
        self.count = quarters.before(car.charge_by)
        self._spared: frozenset[int] = frozenset()

    def crowded(self, taken: Mapping[int, Milliwatts]) -> list[int]:
        """The quarters before its departure in which others leave it less than it could take."""
        return [
            index
            for index in range(self.count)
            if taken.get(index, 0)
            < self.car.intake.greatest(self.car.charge, self._busy.get(index, 0))
        ]

    def _order(self) -> Sequence[int]:
        """The quarters before its departure in the order in which it would rather have them."""
        order = self.quarters.cheapest_first(self.car.prices, self.count)
        return sorted(order, key=self._spared.__contains__) if self._spared else order

    def room(self, index: int) -> Milliwatts:
        """The power the car may have in a quarter if its charge does not matter; 0: too little."""
        power = self._most
        if index in self._busy:
            power = self.car.intake.greatest(-1, self._busy[index])
        for left, parts in self._left:
            there = left[index] if parts == 1 else left[index] // parts
            power = min(power, there)
        power -= power % WATT
        return power if power >= self.car.intake.least else 0

    def choose(self, spared: frozenset[int] = frozenset()) -> Choice:
        """The best there is for this car alone in the room it has.

        Args:
            spared: quarters to be left to others where this car can do without them.
        """
        self._spared = spared
        if self.car.falls:
            return self._tried()
        begun = self._at_once()
        if all(not begun.charge < level < self.car.target for level, _ in self.car.intake.steps):
            chosen, short = self._added_up(begun)
        else:
            chosen, short = self._tapered(begun)
        if short:
            # Out of reach by then: all there is, and on until it is there.
            everything = range(begun.first, len(self.quarters))
            chosen = {index: power for index in everything if (power := self.room(index))}
        return self._laid(begun, chosen, short)

    def keep(self) -> Choice:
        """What its charger follows now, as far as there is room, without a profile of it."""
        car, edges = self.car, self.quarters.edges
        taken: dict[int, Milliwatts] = {}
        pieces = car.acknowledged.pieces(edges[0], edges[-1]) if car.acknowledged else []
        for start, end, power in pieces:
            if power:
                for index in range(bisect_right(edges, start) - 1, bisect_left(edges, end)):
                    given = min(max(power, taken.get(index, 0)), self.room(index))
                    if given >= car.intake.least:
                        taken[index] = given
        return Choice((), taken)

    def lay(self, chosen: Mapping[int, Milliwatts]) -> Choice:
        """So much in each of these quarters until the car is full, whatever it is short of."""
        if self.car.falls:
            return self._followed(self._follow(chosen, self._reserved(), len(self.quarters)), 0)
        return self._laid(self._at_once(), chosen, 0)

    def risen(self, charge: Charge, wish: Wish) -> Charge:
        """What its charge is after so much in one quarter."""
        if self.car.falls:
            car = self.car
            return follow(car.intake, charge, [wish], car.computing, car.target).charges[-1]
        return rise(self.car.intake, charge, [wish], self.car.target)[0]

    def _at_once(self) -> _Begun:
        """Up to the reserve every quarter is taken."""
        car, edges = self.car, self.quarters.edges
        charge = car.charge
        wishes: list[Wish] = []
        for index in range(len(self.quarters)):
            if charge >= car.reserve:
                return _Begun(tuple(wishes), charge, edges[index], index)
            if power := self.room(index):
                wish = edges[index], edges[index + 1], power
                charge, pieces = rise(car.intake, charge, [wish], car.reserve)
                wishes += pieces
                if charge >= car.reserve and pieces and pieces[-1][1] < edges[index + 1]:
                    return _Begun(tuple(wishes), charge, pieces[-1][1], index)
        return _Begun(tuple(wishes), charge, edges[-1], len(self.quarters))

    def _added_up(self, begun: _Begun) -> tuple[dict[int, Milliwatts], Charge]:
        """The cheapest quarters where its power is the same at every charge it will have."""
        intake = self.car.intake
        greatest = intake.greatest(begun.charge)
        missing = -((begun.charge - self.car.target) // intake.charge_efficiency_percent)
        chosen: dict[int, Milliwatts] = {}
        for index in self._order():
            if missing <= 0:
                break
            if index < begun.first:
                continue
            power = min(self.room(index), greatest)
            if power and power >= intake.least:
                length = self._length(index, begun)
                if power * length > missing:
                    power = self._just(index, length, missing, power)
                chosen[index] = power
                missing -= power * length
        return chosen, max(missing, 0) * intake.charge_efficiency_percent

    def _tapered(self, begun: _Begun) -> tuple[dict[int, Milliwatts], Charge]:
        """The same where it depends on the charge: as many of the cheapest as are needed."""
        intake, target = self.car.intake, self.car.target
        order = [(i, power) for i in self._order() if i >= begun.first and (power := self.room(i))]
        wishes = [self._wish(index, power, begun) for index, power in order]

        def lacking(chosen: Iterable[Wish]) -> Charge:
            return target - rise(intake, begun.charge, sorted(chosen), target)[0]

        if (short := lacking(wishes)) > 0:
            return dict(order), short
        at_best, least = begun.charge, 0
        while least < len(wishes) and at_best < target:
            start, end, power = wishes[least]
            at_best += power * (end - start) * intake.charge_efficiency_percent
            least += 1
        counts = range(len(wishes))
        used = bisect_left(counts, x=True, lo=least, key=lambda count: lacking(wishes[:count]) <= 0)
        if not used:
            return {}, 0
        (last, most), (start, end, _) = order[used - 1], wishes[used - 1]
        powers = range(min(intake.least, most), most, STEP)
        place = bisect_left(
            powers,
            x=True,
            key=lambda power: lacking([*wishes[: used - 1], (start, end, power)]) <= 0,
        )
        if place < len(powers):
            most = self._rather(last, end - start, powers[place], most)
        return {**dict(order[: used - 1]), last: most}, 0

    def _wish(self, index: int, power: Milliwatts, begun: _Begun) -> Wish:
        """A quarter as far as it lies before the departure and after what is charged at once."""
        edges = self.quarters.edges
        start = max(edges[index], begun.since)
        return start, max(min(edges[index + 1], self.car.charge_by), start), power

    def _length(self, index: int, begun: _Begun) -> Milliseconds:
        start, end, _ = self._wish(index, 0, begun)
        return end - start

    def _just(self, index: int, length: Milliseconds, missing: int, most: Milliwatts) -> Milliwatts:
        """The least power that gives so much energy in a quarter; rather what it has already."""
        enough = max(-(-missing // (length * WATT)) * WATT, self.car.intake.least)
        return self._rather(index, length, min(enough, most), most)

    def _rather(
        self, index: int, length: Milliseconds, enough: Milliwatts, most: Milliwatts
    ) -> Milliwatts:
        """The acknowledged power, if it is enough and not a percent of the battery too much.

        The charge is reported in whole percent: without this a power would change every minute.
        """
        now = self.car.acknowledged
        held = (now.power_at(self.quarters.edges[index]) if now else None) or 0
        if not enough <= held <= most:
            return enough
        more = (held - enough) * length * self.car.intake.charge_efficiency_percent
        return held if more <= self.car.percent else enough

    def _laid(self, begun: _Begun, chosen: Mapping[int, Milliwatts], short: Charge) -> Choice:
        """A profile of these quarters, ended where the car is full."""
        edges = self.quarters.edges
        wishes = [
            (max(edges[index], begun.since), edges[index + 1], chosen[index])
            for index in sorted(chosen)
            if edges[index + 1] > begun.since
        ]
        _, pieces = rise(self.car.intake, begun.charge, wishes, self.car.target)
        return self._made([*begun.wishes, *pieces], short)

    def _made(self, pieces: Iterable[Wish], short: Charge) -> Choice:
        """A profile: gaps have power 0, neighbours alike are one, the last has no end."""
        edges = self.quarters.edges
        made: list[tuple[Instant, Milliwatts]] = []
        taken: dict[int, Milliwatts] = {}
        until, now = edges[0], -1
        for start, end, power in pieces:
            if start > until and now != 0:
                made.append((until, 0))
                now = 0
            if power != now:
                made.append((start, power))
                now = power
            until = end
            index = bisect_right(edges, start) - 1
            if taken.get(index, 0) < power:
                taken[index] = power
        if now != 0:
            made.append((until, 0))
        return Choice(tuple(ChargingPeriod(*period) for period in made), taken, short)

    def _tried(self) -> Choice:
        """Where the charge may fall: by following how far the cheapest quarters go."""
        order, at_once = self._order(), self._reserved()
        rooms = {index: self.room(index) for index in range(len(self.quarters))}

        def lacking(chosen: Mapping[int, Milliwatts]) -> Charge:
            path = self._follow(chosen, at_once, self.count)
            reached = path.greatest(self.car.charge_by) if self.count else self.car.charge
            return self.car.target - reached

        short = lacking(rooms)
        if short > 0:
            return self._followed(self._follow(rooms, at_once, len(self.quarters)), short)
        fewest = bisect_left(
            range(len(order)), x=True, key=lambda n: lacking({i: rooms[i] for i in order[:n]}) <= 0
        )
        chosen = {index: rooms[index] for index in order[:fewest]}
        return self._followed(self._follow(chosen, at_once, self.count), 0)

    def _reserved(self) -> Instant:
        """When a car whose charge may fall has its reserve if it is charged at once."""
        rooms = {index: self.room(index) for index in range(len(self.quarters))}
        reached = self._follow(rooms, FOREVER, len(self.quarters)).reaches(self.car.reserve)
        return FOREVER if reached is None else reached

    def _follow(self, chosen: Mapping[int, Milliwatts], at_once: Instant, count: int) -> Trajectory:
        """The charge over the first `count` quarters."""
        wishes: list[Wish] = []
        for index in range(count):
            start, end = self.quarters.edges[index], self.quarters.edges[index + 1]
            split = min(max(at_once, start), end)
            if start < split:
                wishes.append((start, split, self.room(index)))
            if split < end:
                wishes.append((split, end, chosen.get(index, 0)))
        car = self.car
        return follow(car.intake, car.charge, wishes, car.computing, car.target)

    def _followed(self, path: Trajectory, short: Charge) -> Choice:
        """A trajectory as a profile."""
        pieces = zip(pairwise(path.instants), path.powers, strict=True)
        return self._made(((start, end, power) for (start, end), power in pieces if power), short)


def _busiest(computing: Sequence[Step], quarters: Grid) -> dict[int, Milliwatts]:
    """By quarter, the most that computes in it."""
    edges = quarters.edges
    busiest: dict[int, Milliwatts] = {}
    for step in computing:
        first = max(bisect_right(edges, step.start) - 1, 0)
        for index in range(first, min(bisect_left(edges, step.end), len(quarters))):
            busiest[index] = max(step.computing, busiest.get(index, 0))
    return busiest
