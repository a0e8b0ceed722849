"""Whether a vehicle could take a pod at a later instant, if all comes true that is known now.

Asked are the clauses that time changes: windows, departure, deadline, tariff, charge and power,
in the rules' order. Windows open and close as they say, prices are what is published, running
pods end when they are to, profiles are kept, what was observed stays as it is. Whether the
vehicle takes pods at all, and what else is placed on its circuits, is not asked here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idlewatt_scheduler.calendar import Timetable, timetable
from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.energy import (
    Controlled,
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
    FOREVER,
    Instant,
    Milliseconds,
    Milliwatts,
)
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.prices import PriceLine, Verdict
from idlewatt_scheduler.stay import lead_of, stay_of
from idlewatt_scheduler.trajectory import Trajectory, charge_ahead, percent_of


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
        charging: of a car whose charger follows a profile of ours; None of every other.
    """

    at: Instant
    vehicle: Vehicle
    site: Site | None
    electrics: Electrics
    prices: PriceLine | None
    departure: Instant | None = None
    running: tuple[Stretch, ...] = ()
    base: tuple[Step, ...] = ()
    charging: Controlled | None = None

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
        charging=parked.charging,
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
    verdict = tariff_verdict(car, need, start, until)
    if verdict is not Verdict.OFF_PEAK:
        on_peak = verdict is Verdict.ON_PEAK
        return PodReason.ON_PEAK if on_peak else PodReason.PRICE_UNKNOWN
    return energy_reason(car, need, start, departure)


def next_available(
    car: Car, need: Need, at: Instant, within: Milliseconds = CALENDAR_HORIZON
) -> Instant | None:
    """The first instant at which something changes and the pod could start; None: none is known.

    Looked at are `at`, every opening of a window, every change of the tariff and of what runs.
    """
    moments = sorted({at, *(m for m in _turns(car, need, at, within) if at < m < at + within)})
    return next((m for m in moments if reason_at(car, need, m) is None), None)


def tariff_verdict(car: Car, need: Need, start: Instant, until: Instant) -> Verdict:
    """Off-peak if no clause of the tariff fails over the stay, else which does."""
    line = car.prices
    if line is None:
        unknown = (need.minds_tariff and start < until) or fleet_pays(car)
        return Verdict.UNKNOWN if unknown else Verdict.OFF_PEAK
    verdict = line.worst(start, until) if need.minds_tariff else Verdict.OFF_PEAK
    if verdict is Verdict.OFF_PEAK and fleet_pays(car) and not line.priced(start, until):
        return Verdict.UNKNOWN
    return verdict


def fleet_pays(car: Car) -> bool:
    """Whether the fleet buys its electricity."""
    return car.site is not None and car.site.energy_borne_by is EnergyBearer.FLEET


def energy_reason(car: Car, need: Need, start: Instant, departure: Instant) -> PodReason | None:
    """The first clause of charge and power that fails for a stay from `start` on."""
    figures, until = car.electrics, start + need.stay
    line = steps([*car.running, Stretch(start, until, need.power)], figures.standby)
    during = [each for each in line if each.start < until and each.end > start]
    if _below_reserve(car, line, start, until):
        return PodReason.BELOW_RESERVE
    if _departure_charge_at_risk(car, line, during, (start, until, departure)):
        return PodReason.DEPARTURE_CHARGE_AT_RISK
    most = max((each.computing for each in during), default=0)
    over = any(each.pods > 1_000 * car.vehicle.compute.max_power_watts for each in during)
    if over or (figures.plugged and figures.ac(most) > figures.cap):
        return PodReason.NOT_ENOUGH_RESOURCES
    return None


def _below_reserve(car: Car, line: Sequence[Step], start: Instant, until: Instant) -> bool:
    percent = car.vehicle.battery.reserve_percent
    if car.charging is not None and car.charging.least:
        least = _charge_ahead(car, line, until).least(start, until)
        return least < percent_of(car.vehicle, percent)
    used = 0 if car.electrics.source is Source.GRID else consumed(line, until)
    return used > spare(car.vehicle, percent)


def _departure_charge_at_risk(
    car: Car,
    line: Sequence[Step],
    during: Sequence[Step],
    moments: tuple[Instant, Instant, Instant],
) -> bool:
    """`moments` are start, end and departure; `during` is the part of the line between."""
    start, until, departure = moments
    figures, percent = car.electrics, car.vehicle.battery.departure_percent
    if figures.source is not Source.GRID:
        if car.charging is not None and car.charging.least:
            left = _charge_ahead(car, line, departure).charge_at(departure)
            return left < percent_of(car.vehicle, percent)
        return consumed(line, departure) > spare(car.vehicle, percent)
    if car.charging is not None:
        return any(
            piece.power > 0
            and piece.power + figures.ac(each.computing) > figures.cap
            and max(piece.start, each.start, start) < min(piece.end, each.end, until)
            for each in during
            for piece in car.charging.new
        )
    low = spare(car.vehicle, percent) < 0 and figures.charging_reported
    return low and any(
        figures.charging + figures.ac(each.computing) > figures.cap for each in during
    )


def _charge_ahead(car: Car, line: Sequence[Step], until: Instant) -> Trajectory:
    return charge_ahead(car.vehicle, car.electrics, car.charging, line, until)


def _turns(car: Car, need: Need, at: Instant, within: Milliseconds) -> Iterator[Instant]:
    for day in range(0, within, DAY):
        if table := car.timetable(at + day):
            yield from table.starts
    if car.prices is not None:
        yield from (each - need.wake for each in car.prices.timeline.starts)
    for each in car.base:
        yield from (each.start - need.wake, each.end - need.wake)
    if car.charging is not None:
        yield from (each.end - need.wake for each in (*car.charging.new, *car.charging.least))
        yield has_reserve_from(car) - need.wake


def has_reserve_from(car: Car) -> Instant:
    """From when on a car on the grid has its reserve; `FOREVER`: it never has, for all we know."""
    percent = car.vehicle.battery.reserve_percent
    if spare(car.vehicle, percent) >= 0:
        return -FOREVER
    if car.charging is None or not car.charging.least:
        return FOREVER
    reached = _charge_ahead(car, (), car.at + CALENDAR_HORIZON).reaches(
        percent_of(car.vehicle, percent)
    )
    return FOREVER if reached is None else reached
