"""The clauses about a pod on a candidate for a stay."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from idlewatt_scheduler.feasibility.circuits import Grid
from idlewatt_scheduler.feasibility.electricity import Peak
from idlewatt_scheduler.feasibility.host_ports import host_port_taken
from idlewatt_scheduler.feasibility.matching import affinity_matches, tolerates_taints
from idlewatt_scheduler.feasibility.power import (
    Counting,
    Source,
    ac_power,
    acknowledged,
    charge_at,
    charging_edges,
    charging_power,
    computing_power,
    draw_cap,
    edges_of,
    is_plugged,
    pods_power,
    source_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading, Stay
from idlewatt_scheduler.feasibility.steps import inner_edges
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import Instant, milliwatts, seconds
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod


@dataclass(frozen=True, slots=True)
class Question:
    """Whether this stay may be on this candidate, beside these running and other new stays."""

    reading: Reading
    grid: Grid
    candidate: Candidate
    stay: Stay
    running: tuple[Stay, ...] = ()
    companions: tuple[Stay, ...] = ()

    @property
    def pod(self) -> Pod:
        """The pod that is asked about."""
        return self.stay.pod

    @property
    def everyone(self) -> tuple[Stay, ...]:
        """All of our stays on the candidate: running, new, and the one asked about."""
        return (*self.running, *self.companions, self.stay)

    @property
    def instants(self) -> tuple[Instant, ...]:
        """The stay's start, and every instant within it at which another stay begins or ends."""
        inner = inner_edges(edges_of(self.everyone), self.stay.start, self.stay.end)
        return (self.stay.start, *inner)


def invalid_annotation(pod: Pod) -> bool:
    """An annotation is malformed, or a bare pod does not allow its loss."""
    return bool(pod.invalid_annotations) or not (pod.controlled or pod.demand.allow_loss)


def outside_residency(pod: Pod, candidate: Candidate) -> bool:
    """The pod names regions, and the site's is none of them or unknown."""
    if pod.demand.residency is None:
        return False
    return candidate.site is None or candidate.site.region not in pod.demand.residency


def untrusted(pod: Pod, candidate: Candidate) -> bool:
    """The pod reads a Secret on a vehicle that has not attested itself."""
    attested = candidate.vehicle is not None and candidate.vehicle.attested
    return pod.reads_secret and not attested and not pod.demand.allow_untrusted


def exceeds_capacity(pod: Pod, candidate: Candidate) -> bool:
    """The pod asks for more than the whole of the candidate."""
    if any(_more_than(amount, candidate.capacity(name)) for name, amount in pod.requests.items()):
        return True
    vehicle = candidate.vehicle
    return vehicle is not None and candidate.power_of(pod) > milliwatts(
        vehicle.compute.max_power_watts
    )


def _more_than(amount: int, available: int | None) -> bool:
    return amount > 0 and available is not None and amount > available


def _link_too_slow(asked: Question) -> bool:
    stay, vehicle = asked.stay, _vehicle(asked)
    longest = seconds(asked.reading.policy.max_start_delay_seconds)
    if stay.ready_at - stay.start > longest:
        return True
    limit = vehicle.link.monthly_limit_bytes
    if not vehicle.link.metered or limit is None:
        return False
    present = asked.candidate.has_image_of(stay.pod)
    missing = 0 if present else stay.pod.demand.image_size_bytes or 0
    return missing > limit - vehicle.used_this_month_bytes


def _vehicle(asked: Question) -> Vehicle:
    vehicle = asked.candidate.vehicle
    if vehicle is None:
        message = f"{asked.candidate.name} is no vehicle: this clause is not asked of it."
        raise TypeError(message)
    return vehicle


def _leaves_too_early(asked: Question) -> bool:
    departure = asked.candidate.departure
    return departure is None or asked.stay.end + asked.reading.lead(asked.pod) > departure


def _deadline_missed(asked: Question) -> bool:
    deadline = asked.pod.demand.deadline
    return deadline is not None and asked.stay.end > deadline


def _some_instant_is(asked: Question, peak: Peak) -> bool:
    site = asked.candidate.site
    if asked.pod.demand.any_tariff or site is None:
        return False
    during = asked.reading.peak(site).during(asked.stay.start, asked.stay.end)
    return any(verdict is peak for _, _, verdict in during)


def _on_peak(asked: Question) -> bool:
    return _some_instant_is(asked, Peak.ON)


def _price_unknown(asked: Question) -> bool:
    if _some_instant_is(asked, Peak.UNKNOWN):
        return True
    site = asked.candidate.site
    if site is None or site.energy_borne_by is not EnergyBearer.FLEET:
        return False
    tariff = asked.reading.tariff_of(site)
    if tariff is None:
        return True
    during = asked.reading.prices(tariff).during(asked.stay.start, asked.stay.end)
    return any(in_force.price is None for _, _, in_force in during)


def _below_reserve(asked: Question) -> bool:
    # The charge has no jumps and changes its slope at edges only: if it is under the reserve at
    # some time in the stay, it is so at an edge, at the start, or on its way to the end.
    candidate, stay = asked.candidate, asked.stay
    edges = {*edges_of(asked.everyone), *charging_edges(candidate)}
    if source_of(candidate) is not Source.BATTERY and acknowledged(candidate) is None:
        edges = set()  # it stays where it is
    return any(
        charge_at(candidate, asked.everyone, asked.reading.at, instant)
        < _vehicle(asked).battery.reserve_percent
        for instant in (stay.start, *inner_edges(edges, stay.start, stay.end), stay.end)
    )


def _departure_charge_at_risk(asked: Question) -> bool:
    candidate, everyone = asked.candidate, asked.everyone
    wanted = _vehicle(asked).battery.departure_percent
    if source_of(candidate) is Source.BATTERY:
        departure = candidate.departure
        return departure is not None and (
            charge_at(candidate, everyone, asked.reading.at, departure) < wanted
        )
    if acknowledged(candidate) is not None:
        return _would_take_from_charging(asked)
    charge = charge_at(candidate, everyone, asked.reading.at, asked.stay.start)
    if charge >= wanted or not (candidate.connection.charge_power_watts or 0) > 0:
        return False
    return _would_take_from_charging(asked)


def _would_take_from_charging(asked: Question) -> bool:
    """At some instant the car is charged and has no room left for its computing."""
    candidate = asked.candidate
    edges = {*edges_of(asked.everyone), *charging_edges(candidate)}
    for instant in (asked.stay.start, *inner_edges(edges, asked.stay.start, asked.stay.end)):
        charging = charging_power(candidate, instant, Counting.NEW_IF_CONTROLLED)
        computing = ac_power(candidate, computing_power(candidate, asked.everyone, instant))
        if charging > 0 and charging + computing > draw_cap(candidate):
            return True
    return False


def _not_enough_resources(asked: Question) -> bool:
    return _requests_do_not_fit(asked) or any(
        _too_much_power_at(asked, instant) for instant in asked.instants
    )


def _requests_do_not_fit(asked: Question) -> bool:
    """Every pod on the Node counts, jobs about to end too: only their end frees what they hold."""
    candidate = asked.candidate
    others = (*asked.running, *asked.companions)
    for name, amount in asked.pod.requests.items():
        capacity = candidate.capacity(name)
        used = candidate.other_use.get(name, 0)
        used += sum(stay.pod.requests.get(name, 0) for stay in others)
        if capacity is not None and _more_than(amount, capacity - used):
            return True
    return False


def _too_much_power_at(asked: Question, instant: Instant) -> bool:
    candidate = asked.candidate
    if candidate.vehicle is None:
        return False
    most = milliwatts(candidate.vehicle.compute.max_power_watts)
    if pods_power(asked.everyone, instant) > most:
        return True
    computing = computing_power(candidate, asked.everyone, instant)
    return is_plugged(candidate) and ac_power(candidate, computing) > draw_cap(candidate)


def _host_port_taken(asked: Question) -> bool:
    others = (stay.pod for stay in (*asked.running, *asked.companions))
    return host_port_taken(asked.pod, asked.candidate, others)


def _circuit_full(asked: Question) -> bool:
    if not is_plugged(asked.candidate):
        return False
    return asked.grid.is_over_because_of(
        asked.candidate, asked.stay, asked.running, asked.companions
    )


_Clause = Callable[[Question], bool]

_CLAUSES: Final[dict[PodReason, _Clause]] = {
    PodReason.INVALID_ANNOTATION: lambda asked: invalid_annotation(asked.pod),
    PodReason.UNSUPPORTED_FIELD: lambda asked: bool(asked.pod.unsupported_fields),
    PodReason.NODE_AFFINITY: lambda asked: not affinity_matches(asked.pod, asked.candidate),
    PodReason.TAINT_NOT_TOLERATED: lambda asked: not tolerates_taints(asked.pod, asked.candidate),
    PodReason.RESIDENCY: lambda asked: outside_residency(asked.pod, asked.candidate),
    PodReason.UNTRUSTED: lambda asked: untrusted(asked.pod, asked.candidate),
    PodReason.EXCEEDS_CAPACITY: lambda asked: exceeds_capacity(asked.pod, asked.candidate),
    PodReason.LINK_TOO_SLOW: _link_too_slow,
    PodReason.OUTSIDE_PARKING_WINDOW: lambda asked: asked.candidate.departure is None,
    PodReason.LEAVES_TOO_EARLY: _leaves_too_early,
    PodReason.DEADLINE_MISSED: _deadline_missed,
    PodReason.ON_PEAK: _on_peak,
    PodReason.PRICE_UNKNOWN: _price_unknown,
    PodReason.BELOW_RESERVE: _below_reserve,
    PodReason.DEPARTURE_CHARGE_AT_RISK: _departure_charge_at_risk,
    PodReason.NOT_ENOUGH_RESOURCES: _not_enough_resources,
    PodReason.HOST_PORT_TAKEN: _host_port_taken,
    PodReason.CIRCUIT_FULL: _circuit_full,
}

_WHATEVER_TIME_IT_IS: Final = list(_CLAUSES)[: list(_CLAUSES).index(PodReason.LINK_TOO_SLOW)]
"""The clauses that no time and no charge would change."""

_ASKED_OF_PLAIN_NODES: Final = (
    PodReason.INVALID_ANNOTATION,
    PodReason.UNSUPPORTED_FIELD,
    PodReason.NODE_AFFINITY,
    PodReason.TAINT_NOT_TOLERATED,
    PodReason.EXCEEDS_CAPACITY,
    PodReason.NOT_ENOUGH_RESOURCES,
    PodReason.HOST_PORT_TAKEN,
)

_LASTING_OF_PLAIN_NODES: Final = tuple(
    reason for reason in _ASKED_OF_PLAIN_NODES if reason in _WHATEVER_TIME_IT_IS
)


def first_failing_pod_clause(asked: Question) -> PodReason | None:
    """The first clause that fails, or None: the pod may be placed."""
    order = _CLAUSES if asked.candidate.vehicle else _ASKED_OF_PLAIN_NODES
    return next((reason for reason in order if _CLAUSES[reason](asked)), None)


def first_lasting_pod_clause(asked: Question) -> PodReason | None:
    """As above, among the clauses that no time and no charge would change."""
    order = _WHATEVER_TIME_IT_IS if asked.candidate.vehicle else _LASTING_OF_PLAIN_NODES
    return next((reason for reason in order if _CLAUSES[reason](asked)), None)
