"""The accounts of a play: what was paid, used and emitted, what was computed, what was promised.

Everything is counted from what happened: from meters, containers and departures, never from what
was planned. The same stays without us stand beside it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from idlewatt_operator.twin.controllers import WorkloadKind
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.meter import (
    MILLIWATT_MILLISECONDS_PER_KWH,
    QUARTER,
    Meter,
    Reading,
    charged_alone,
)
from idlewatt_operator.twin.promises import Promises
from idlewatt_operator.twin.quarters import Quarter
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.compensation import MICROS, Entry, Payee, Term, Terms, Use, entries
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import HOUR, Instant
from idlewatt_scheduler.model.vehicle import Vehicle

_GRAMS_PER_KILOGRAM = 1_000
_WHO_PAYS_FIRST = (EnergyBearer.FLEET, EnergyBearer.SITE_HOST, EnergyBearer.OWNER)
"""Of a vehicle that stood at several sites: a bill of our own before somebody's earning."""


@dataclass(frozen=True, slots=True)
class Times:
    """The quarters of a play, and which of them were off-peak when they came."""

    quarters: tuple[Quarter, ...]
    off_peak: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Paid:
    """Money paid out for computing, in the scenario's currency.

    Attributes:
        energy: to whoever buys the kWh; by the tariff's price where the fleet does.
        waking: the energy of waking, at the same rates.
        own_bill: the part of both that is the fleet's own electricity bill, not somebody's earning.
    """

    availability: Fraction = Fraction(0)
    energy: Fraction = Fraction(0)
    wear: Fraction = Fraction(0)
    waking: Fraction = Fraction(0)
    own_bill: Fraction = Fraction(0)

    @property
    def total(self) -> Fraction:
        """All of it."""
        return self.availability + self.energy + self.wear + self.waking

    @property
    def earned(self) -> Fraction:
        """What owners and hosts receive."""
        return self.total - self.own_bill

    def plus(self, other: "Paid") -> "Paid":
        """Both together."""
        return Paid(
            self.availability + other.availability,
            self.energy + other.energy,
            self.wear + other.wear,
            self.waking + other.waking,
            self.own_bill + other.own_bill,
        )


@dataclass(frozen=True, slots=True)
class Used:
    """Electricity, at the plug.

    Attributes:
        kwh: AC.
        cost: at the tariff's price, whoever pays.
        kilograms: of CO2, marginal.
        off_peak_kwh: the part drawn in off-peak quarters.
    """

    kwh: Fraction
    cost: Fraction
    kilograms: Fraction
    off_peak_kwh: Fraction

    @property
    def mean_price(self) -> Fraction | None:
        """Cost per kWh; None where nothing was used."""
        return self.cost / self.kwh if self.kwh else None


@dataclass(frozen=True, slots=True)
class Computed:
    """Work, in hours of pods.

    Attributes:
        service_hours: ready replicas of services.
        job_hours: of pods that succeeded.
        lost_hours: of job pods that were ended before they were done; they start again.
        loading_hours: images fetched and models loaded; no work is done meanwhile.
        jobs_done: pods that succeeded; `jobs_asked` all that were asked for.
    """

    service_hours: Fraction
    job_hours: Fraction
    lost_hours: Fraction
    loading_hours: Fraction
    jobs_done: int
    jobs_asked: int
    drained: int
    fenced: int

    @property
    def delivered_hours(self) -> Fraction:
        """Hours of work that somebody can use."""
        return self.service_hours + self.job_hours


@dataclass(frozen=True, slots=True)
class Accounts:
    """Both nights: with us, and the same stays without.

    Attributes:
        charging: into batteries and lost on the way; `charging_alone` is the same without us.
        mean_price: of the whole play, every quarter alike.
        vehicles_paid: how many vehicles earned something.
    """

    paid: Paid
    vehicles_paid: int
    computing: Used
    charging: Used
    charging_alone: Used
    computed: Computed
    promises: Promises
    mean_price: Fraction | None
    wakes: int


def accounts(
    meter: Meter,
    times: Times,
    runs: list[Run],
    promises: Promises,
    wakes: list[tuple[str, Instant]],
) -> Accounts:
    """Close the books of a play."""
    scenario = meter.scenario
    paid = {each.name: paid_to(each, meter, times.quarters, wakes) for each in scenario.vehicles}
    total = Paid()
    for each in paid.values():
        total = total.plus(each)
    alone = charged_alone(scenario)
    priced = [each.price for each in times.quarters if each.price is not None]
    return Accounts(
        paid=total,
        vehicles_paid=sum(1 for each in paid.values() if each.total),
        computing=_used(list(meter.vehicles.values()), times, charging=False),
        charging=_used(list(meter.vehicles.values()), times, charging=True),
        charging_alone=_used(list(alone.vehicles.values()), times, charging=True),
        computed=_computed(scenario, runs),
        promises=promises,
        mean_price=sum(priced, Fraction(0)) / len(priced) if priced else None,
        wakes=len(wakes),
    )


def paid_to(
    vehicle: Vehicle,
    meter: Meter,
    quarters: tuple[Quarter, ...],
    wakes: list[tuple[str, Instant]],
) -> Paid:
    """What was paid for one vehicle: by what its meter read, not by what was planned."""
    sums = dict.fromkeys(Term, 0)
    own_bill = 0
    for entry in owed_for(vehicle, meter, quarters, wakes):
        sums[entry.term] += entry.micros or 0
        own_bill += (entry.micros or 0) if entry.payee is Payee.FLEET else 0
    return Paid(
        availability=Fraction(sums[Term.AVAILABILITY], MICROS),
        energy=Fraction(sums[Term.ENERGY], MICROS),
        wear=Fraction(sums[Term.WEAR], MICROS),
        waking=Fraction(sums[Term.WAKING], MICROS),
        own_bill=Fraction(own_bill, MICROS),
    )


def owed_for(
    vehicle: Vehicle,
    meter: Meter,
    quarters: tuple[Quarter, ...],
    wakes: list[tuple[str, Instant]],
) -> Iterator[Entry]:
    """The entries of a vehicle, a few for each quarter in which it computed or was woken."""
    scenario, reading = meter.scenario, meter.vehicles[vehicle.name]
    stands_at = {stay.site for stay in scenario.stays if stay.vehicle == vehicle.name}
    bearers = {site.energy_borne_by for site in scenario.sites if site.name in stands_at}
    bearer = min(bearers, key=_WHO_PAYS_FIRST.index, default=EnergyBearer.OWNER)
    woken = Counter((at - scenario.start) // QUARTER for name, at in wakes if name == vehicle.name)
    for index, quarter in enumerate(quarters):
        use = Use(
            start=quarter.start,
            end=quarter.start + QUARTER,
            busy=reading.busy[index],
            ac_energy=reading.computing[index],
            dc_energy=reading.computing_dc[index],
        )
        terms = Terms(
            vehicle,
            bearer,
            Fraction(vehicle.compensation.wear_per_kwh),
            lambda *_, price=quarter.price: price,
            scenario.currency,
        )
        yield from entries(terms, use, wakings=woken[index])


def _kwh(milliwatt_milliseconds: int) -> Fraction:
    return Fraction(milliwatt_milliseconds, MILLIWATT_MILLISECONDS_PER_KWH)


def _priced(energies: list[int], per_kwh: list[Fraction]) -> Fraction:
    total = sum((e * price for e, price in zip(energies, per_kwh, strict=True) if e), Fraction(0))
    return total / MILLIWATT_MILLISECONDS_PER_KWH


def _used(readings: list[Reading], times: Times, *, charging: bool) -> Used:
    """The sum over every car; charging is metered in watts, so it is rounded to milliwatts."""
    quarters = times.quarters
    sums = [0] * len(quarters)
    for reading in readings:
        for i in range(len(quarters)):
            sums[i] += round(reading.charging[i] * 1_000) if charging else reading.computing[i]
    prices = [quarter.price or Fraction(0) for quarter in quarters]
    grams = [quarter.grams or Fraction(0) for quarter in quarters]
    cheap = [Fraction(int(off_peak)) for off_peak in times.off_peak]
    return Used(
        kwh=_kwh(sum(sums)),
        cost=_priced(sums, prices),
        kilograms=_priced(sums, grams) / _GRAMS_PER_KILOGRAM,
        off_peak_kwh=_priced(sums, cheap),
    )


def _computed(scenario: Scenario, runs: list[Run]) -> Computed:
    kinds = {s.workload.template.key: s.workload for s in scenario.submissions}
    service = job = lost = loading = 0
    done = drained = fenced = 0
    for run in runs:
        workload = kinds[run.pod.rpartition("-")[0]]
        ended = scenario.end if run.ended_at is None else run.ended_at
        ready = run.started_at if run.ready_at is None else run.ready_at
        loading += min(ended, ready) - run.started_at
        worked = max(0, ended - ready)
        if workload.kind is WorkloadKind.SERVICE:
            service += worked
        elif run.ended_by is EndedBy.ITSELF or run.ended_at is None:
            job += worked
            done += run.ended_by is EndedBy.ITSELF
        else:
            lost += worked
        drained += run.ended_by is EndedBy.DRAIN
        fenced += run.ended_by is EndedBy.DEADLINE
    asked = sum(w.count for w in kinds.values() if w.kind is WorkloadKind.JOB)
    return Computed(
        service_hours=Fraction(service, HOUR),
        job_hours=Fraction(job, HOUR),
        lost_hours=Fraction(lost, HOUR),
        loading_hours=Fraction(loading, HOUR),
        jobs_done=done,
        jobs_asked=asked,
        drained=drained,
        fenced=fenced,
    )
