"""Charging profiles: which cars have one, what is in it, and whether it is a good one."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

from idlewatt_scheduler.feasibility.circuits import Grid, exceeded
from idlewatt_scheduler.feasibility.power import (
    Counting,
    ac_power,
    acknowledged,
    charge_used,
    computing_power,
    draw_beside,
    draw_cap,
    edges_of,
    power_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.steps import inner_edges
from idlewatt_scheduler.feasibility.vehicle import stale_since, telemetry_invalid
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.units import (
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    MINUTE,
    Instant,
    Milliwatts,
    milliwatts,
)
from idlewatt_scheduler.model.vehicle import Supply, Vehicle

_QUARTER: Final = 15 * MINUTE
_WATT: Final = 1_000


def is_ours_to_charge(reading: Reading, candidate: Candidate) -> bool:
    """Whether a plan must carry a charging profile for the car."""
    vehicle, site = candidate.vehicle, candidate.site
    if vehicle is None or site is None:
        return False
    if candidate.departure is None and acknowledged(candidate) is None:
        return False
    if telemetry_invalid(reading, vehicle) or stale_since(reading, candidate) is not None:
        return False
    parking = vehicle.observed.parking
    return (
        parking is not None
        and parking.parked is True
        and candidate.connection.supply is Supply.SUPPLIED
        and site.charging_controller is ChargingController.IDLEWATT
        and candidate.connection.circuit in {circuit.name for circuit in site.circuits}
    )


def charging_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Exactly the cars that are ours to charge have a profile, and no profile is wrong.

    What no charger may be told breaks the rule `Charging`, what overloads a circuit
    `CircuitFull`, and what is only late or dear `ChargingTime`.
    """
    reading = scene.reading
    ours = {name: car for name, car in reading.vehicles.items() if is_ours_to_charge(reading, car)}
    listed = [each.vehicle for each in plan.charging]
    for name in sorted({*listed, *ours}):
        times = listed.count(name)
        if name not in ours:
            sentence = "It has a charging profile, and is not ours to charge."
            yield Violation("Charging", name, sentence)
        elif times != 1:
            sentence = f"It has {times} charging profiles; it must have one."
            yield Violation("Charging", name, sentence)
    if listed != sorted(listed):
        yield Violation("Charging", "plan", "Its charging profiles are not in order of name.")
    new_only = Grid(reading, lambda car: reading.running_on(car.name), Counting.NEW)
    everything = Grid(reading, scene.grid.stays_on, Counting.EITHER_OR_NEW)
    for name, car in ours.items():
        if car.vehicle is None or car.new_profile is None:
            continue
        session = Session(reading, car, car.vehicle, car.new_profile)
        wrong = list(_wrong_form(session))
        if wrong:
            yield from (Violation("Charging", name, sentence) for sentence in wrong)
            continue
        for sentence in _overloads(session, new_only):
            yield Violation(str(PodReason.CIRCUIT_FULL), name, sentence)
        for sentence in (
            *_idle_quarters(session, everything),
            *_dear_quarters(session, everything),
        ):
            yield Violation("ChargingTime", name, sentence)


class Session:
    """A car that is charged by its new profile from `at` on."""

    def __init__(
        self, reading: Reading, candidate: Candidate, vehicle: Vehicle, profile: ChargingProfile
    ) -> None:
        self.reading, self.candidate, self.vehicle = reading, candidate, vehicle
        self.profile = profile
        self.at = reading.at
        self.charge_by = reading.at if candidate.charge_by is None else candidate.charge_by
        self.running = reading.running_on(candidate.name)
        self._starts = [period.start for period in profile.periods]
        given = [each.power * (end - each.start) for each, end in self.finite_periods()]
        self._given_before = [0, *accumulate(given)]
        self._edges = sorted(edges_of(self.running) | set(self._starts))

    def finite_periods(self) -> Iterator[tuple[ChargingPeriod, Instant]]:
        """Every period but the last, with its end."""
        for period, following in pairwise(self.profile.periods):
            yield period, following.start

    def power(self, instant: Instant) -> Milliwatts:
        """What the profile says of an instant."""
        return power_of(self.profile, instant)

    def charge(self, instant: Instant) -> Fraction:
        """Percent at an instant: what the profile gave by then, less what running pods took."""
        number = max(bisect_right(self._starts, instant) - 1, 0)
        period = self.profile.periods[number]
        given = self._given_before[number] + period.power * max(instant - period.start, 0)
        stored = Fraction(
            given * self.vehicle.charge_efficiency_percent, MILLIWATT_MILLISECONDS_PER_WATT_HOUR
        )
        net = self.vehicle.battery.net_capacity_watt_hours
        return charge_used(self.candidate, self.running, self.at, instant) + stored / net

    def greatest(self, instant: Instant, charge: Fraction) -> Milliwatts:
        """The greatest power, in whole watts, at an instant at which the charge is this."""
        cap = draw_cap(self.candidate)
        tapered = [
            milliwatts(step.max_charge_power_watts)
            for step in self.vehicle.taper
            if step.from_percent <= charge
        ]
        computing = ac_power(self.candidate, computing_power(self.candidate, self.running, instant))
        limits = [milliwatts(self.vehicle.max_charge_power_watts), cap, cap - computing]
        return max(min(*limits, *tapered[-1:]), 0) // _WATT * _WATT

    def allowed(self, power: Milliwatts, instant: Instant, charge: Fraction) -> bool:
        """Whether a car that is charged at all may be charged with this."""
        least = milliwatts(self.vehicle.min_charge_power_watts)
        return power % _WATT == 0 and least <= power <= self.greatest(instant, charge)

    def pieces(self, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant]]:
        """Stretches of `[start, end)` in which neither the power nor the running pods change."""
        yield from pairwise([start, *_between(self._edges, start, end), end])

    def powers(self, quarter: Instant) -> list[Milliwatts]:
        """The power in each piece of a quarter."""
        return [self.power(begin) for begin, _ in self.pieces(quarter, quarter + _QUARTER)]

    def whole_quarters(self) -> range:
        """The starts of the quarters that lie wholly between `at` and `chargeBy`."""
        first = -(-self.at // _QUARTER) * _QUARTER
        return range(first, self.charge_by - _QUARTER + 1, _QUARTER)

    def most_charged(self) -> Fraction:
        """The greatest charge up to `chargeBy`, in percent."""
        edges = [start for start, _ in self.pieces(self.at, max(self.charge_by, self.at))]
        return max(self.charge(instant) for instant in {*edges, max(self.charge_by, self.at)})

    def price(self, quarter: Instant) -> Fraction | None:
        """The price of the tariff at the start of a quarter; None: it is not known."""
        tariff = self.reading.tariff_of(self.candidate.site)
        return None if tariff is None else self.reading.prices(tariff).at(quarter).price


def _wrong_form(session: Session) -> Iterator[str]:
    """What no profile may be: out of order, off the quarters, of a power it may not have."""
    periods = session.profile.periods
    if not periods or periods[0].start != session.at:
        yield "Its charging profile does not begin at `at`."
        return
    if any(after.start <= before.start for before, after in pairwise(periods)):
        yield "The periods of its charging profile are not in order of time."
        return
    if periods[-1].power != 0:
        yield "The last period of its charging profile has no end, and power."
        return
    for period in periods[1:]:
        if period.start % _QUARTER and not _reaches_something(session, period.start):
            yield (
                f"A period of its charging profile begins at {period.start}: at no quarter of an"
                " hour, and no charge that changes anything is reached."
            )
    for period, end in session.finite_periods():
        if period.power:
            yield from _wrong_powers(session, period, end)


def _reaches_something(session: Session, instant: Instant) -> bool:
    battery = session.vehicle.battery
    marks = {step.from_percent for step in session.vehicle.taper}
    marks |= {battery.reserve_percent, battery.departure_percent}
    before, now = session.charge(instant - 1), session.charge(instant)
    return any(before < mark <= now or now <= mark < before for mark in marks)


def _wrong_powers(session: Session, period: ChargingPeriod, end: Instant) -> Iterator[str]:
    """The first instant at which a period's power is none that the car may have."""
    wanted = session.vehicle.battery.departure_percent
    for begin, finish in session.pieces(period.start, end):
        first, last = session.charge(begin), session.charge(finish - 1)
        if not session.allowed(period.power, begin, max(first, last)):
            yield (
                f"It is charged with {period.power} mW from {begin} on; it may be charged with 0,"
                f" or from {session.vehicle.min_charge_power_watts} W to"
                f" {session.greatest(begin, max(first, last))} mW."
            )
            return
        rises = session.charge(finish) > first
        if (last >= wanted) if rises else (first > wanted):
            yield f"It is charged until {finish}, beyond the {wanted} % it is to leave with."
            return


def _overloads(session: Session, grid: Grid) -> Iterator[str]:
    """A circuit above the car that is over a limit while the new profile has power."""
    edges = grid.edges_above(session.candidate)
    for period, end in session.finite_periods():
        if not period.power:
            continue
        for instant in (period.start, *inner_edges(edges, period.start, end)):
            for circuit, load in grid.above(session.candidate):
                if exceeded(load.at(instant), circuit.limits(instant), session.candidate):
                    name = circuit.circuit.name
                    yield f"It is charged at {instant}, when circuit {name} is over its limit."
                    return


def _between(edges: Sequence[Instant], start: Instant, end: Instant) -> Sequence[Instant]:
    """Those of the sorted edges that lie strictly between two instants."""
    return edges[bisect_right(edges, start) : bisect_left(edges, end)]


class Room:
    """What the circuits above a car leave beside everything else that is planned."""

    def __init__(self, session: Session, grid: Grid) -> None:
        self._session, self._grid = session, grid
        self._stays = grid.stays_on(session.candidate)
        self._edges = sorted(grid.edges_above(session.candidate) | edges_of(self._stays))

    def holds(self, quarter: Instant, powers: Sequence[Milliwatts]) -> bool:
        """Whether the car may have these powers, piece by piece, and the circuits carry them."""
        session = self._session
        pieces = list(session.pieces(quarter, quarter + _QUARTER))
        for (begin, finish), power in zip(pieces, powers, strict=True):
            charge = max(session.charge(begin), session.charge(finish - 1))
            if not session.allowed(power, begin, charge):
                return False
        return all(
            self._carried(instant, power)
            for (begin, finish), power in zip(pieces, powers, strict=True)
            for instant in (begin, *_between(self._edges, begin, finish))
        )

    def _carried(self, instant: Instant, power: Milliwatts) -> bool:
        candidate = self._session.candidate
        drawn = draw_beside(candidate, self._stays, instant, power)
        return self._grid.over_with(candidate, drawn, instant) is None


def _idle_quarters(session: Session, grid: Grid) -> Iterator[str]:
    """A quarter with room to spare, though the car does not reach its departure charge."""
    wanted = session.vehicle.battery.departure_percent
    if session.most_charged() >= wanted:
        return
    least, room = milliwatts(session.vehicle.min_charge_power_watts), Room(session, grid)
    for quarter in session.whole_quarters():
        more = [max(power + _WATT, least) for power in session.powers(quarter)]
        if room.holds(quarter, more):
            yield (
                f"It does not reach the {wanted} % it is to leave with, and there is room for more"
                f" in the quarter that begins at {quarter}."
            )
            return


def _dear_quarters(session: Session, grid: Grid) -> Iterator[str]:
    """A quarter that is used wholly, though a cheaper one with room for it is not used at all."""
    reserve = session.vehicle.battery.reserve_percent
    used: list[tuple[Instant, Milliwatts]] = []
    unused: list[Instant] = []
    for quarter in session.whole_quarters():
        if session.charge(quarter) < reserve:
            continue
        powers = session.powers(quarter)
        if all(powers):
            used.append((quarter, max(powers)))
        elif not any(powers):
            unused.append(quarter)
    room = Room(session, grid)
    for cheap in unused:
        price = session.price(cheap)
        dearer = [
            (power, dear)
            for dear, power in used
            if price is not None and _dearer(session, dear, price)
        ]
        # What holds for no power holds for no greater one: the least is asked alone.
        power, dear = min(dearer, default=(0, cheap))
        if dearer and room.holds(cheap, [power] * len(session.powers(cheap))):
            yield (
                f"It is charged in the quarter that begins at {dear}, which is dearer than"
                f" the one that begins at {cheap}, where there is room for it."
            )
            return


def _dearer(session: Session, quarter: Instant, price: Fraction) -> bool:
    other = session.price(quarter)
    return other is None or other > price
