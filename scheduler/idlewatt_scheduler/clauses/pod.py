"""Pod clauses that no placement changes: about a pod, a candidate and the pod's stay there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.clauses.affinity import selects, tolerates
from idlewatt_scheduler.energy import pod_power
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import NO_TIME_OR_CHARGE_WOULD_HELP, PodReason
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.units import Instant, Milliwatts, seconds
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.prices import Verdict
from idlewatt_scheduler.stay import Stay, lead_of, missing_bytes, stay_of


@dataclass(frozen=True, slots=True)
class PodCase:
    """All that a pod clause may look at.

    Attributes:
        power: milliwatts the pod would be planned with there; 0 without a vehicle.
    """

    pod: Pod
    candidate: Candidate
    policy: FleetPolicy
    stay: Stay
    power: Milliwatts


def pod_case(pod: Pod, candidate: Candidate, policy: FleetPolicy, at: Instant) -> PodCase:
    """A pod on a candidate, with its stay and its power."""
    power = 0
    if candidate.parked is not None:
        most = candidate.parked.vehicle.compute.max_power_watts
        power = pod_power(pod.requests, candidate.capacity, most, pod.demand.power_watts)
    return PodCase(pod, candidate, policy, stay_of(pod, candidate, policy, at), power)


def invalid_annotation(case: PodCase) -> bool:
    """An annotation of ours cannot be read, or nobody would replace the pod."""
    pod = case.pod
    return bool(pod.invalid_annotations) or not (pod.controlled or pod.demand.allow_loss)


def unsupported_field(case: PodCase) -> bool:
    """It asks for something hard that is not honoured yet."""
    return bool(case.pod.unsupported_fields)


def node_affinity(case: PodCase) -> bool:
    """Its node selector or its required node affinity does not match."""
    return case.candidate.node is None or not selects(case.pod, case.candidate.node)


def taint_not_tolerated(case: PodCase) -> bool:
    """It does not tolerate a taint, or a cordon."""
    parked, node = case.candidate.parked, case.candidate.node
    asleep = parked is not None and parked.case.asleep
    return node is None or not tolerates(case.pod, node, asleep=asleep)


def residency(case: PodCase) -> bool:
    """It may not run in the region of the site."""
    parked, regions = case.candidate.parked, case.pod.demand.residency
    if parked is None or regions is None:
        return False
    return parked.case.site is None or parked.case.site.region not in regions


def untrusted(case: PodCase) -> bool:
    """It reads a Secret, and the vehicle has not proved what it runs."""
    parked, pod = case.candidate.parked, case.pod
    if parked is None or not pod.reads_secret:
        return False
    return not (parked.vehicle.attested or pod.demand.allow_untrusted)


def exceeds_capacity(case: PodCase) -> bool:
    """It would not fit even if it had the machine to itself."""
    where, parked = case.candidate, case.candidate.parked
    if any(amount > where.holds(name) for name, amount in amounts_of(case.pod).items()):
        return True
    return parked is not None and case.power > 1_000 * parked.vehicle.compute.max_power_watts


def link_too_slow(case: PodCase) -> bool:
    """Its image and model take too long to arrive, or more of the month's data than is left."""
    parked, stay = case.candidate.parked, case.stay
    if parked is None:
        return False
    if stay.ready_at - stay.start > seconds(case.policy.max_start_delay_seconds):
        return True
    link = parked.vehicle.link
    if not link.metered or link.monthly_limit_bytes is None:
        return False
    left = link.monthly_limit_bytes - parked.vehicle.used_this_month_bytes
    return missing_bytes(case.pod, case.candidate) > left


def outside_parking_window(case: PodCase) -> bool:
    """No parking window is open there now."""
    return case.candidate.parked is not None and case.candidate.parked.departure is None


def leaves_too_early(case: PodCase) -> bool:
    """The car departs before the pod could have been drained."""
    parked = case.candidate.parked
    if parked is None or parked.departure is None:
        return False
    return case.stay.until + lead_of(case.pod, case.policy) > parked.departure


def deadline_missed(case: PodCase) -> bool:
    """It would end after its deadline."""
    if case.candidate.parked is None:
        return False
    deadline = case.pod.demand.deadline
    return deadline is not None and case.stay.until > deadline


def on_peak(case: PodCase) -> bool:
    """Some instant of the stay is on peak, and the pod minds."""
    parked, stay = case.candidate.parked, case.stay
    if parked is None or parked.prices is None or case.pod.demand.any_tariff:
        return False
    return parked.prices.worst(stay.start, stay.until) is Verdict.ON_PEAK


def price_unknown(case: PodCase) -> bool:
    """Some instant of the stay is unknown, and the pod or the fleet, which pays, minds."""
    parked, stay = case.candidate.parked, case.stay
    if parked is None:
        return False
    minds = not case.pod.demand.any_tariff
    if parked.prices is None:
        # Without a tariff a policy without tests still holds every instant to be off-peak.
        judged = case.policy.off_peak.asks_anything
        unknown = minds and judged and stay.start < stay.until
    else:
        unknown = minds and parked.prices.worst(stay.start, stay.until) is Verdict.UNKNOWN
    if unknown or not _fleet_pays(parked.case.site):
        return unknown
    return parked.prices is None or not parked.prices.priced(stay.start, stay.until)


FIXED_POD_CLAUSES: Final[tuple[tuple[PodReason, Callable[[PodCase], bool]], ...]] = (
    (PodReason.INVALID_ANNOTATION, invalid_annotation),
    (PodReason.UNSUPPORTED_FIELD, unsupported_field),
    (PodReason.NODE_AFFINITY, node_affinity),
    (PodReason.TAINT_NOT_TOLERATED, taint_not_tolerated),
    (PodReason.RESIDENCY, residency),
    (PodReason.UNTRUSTED, untrusted),
    (PodReason.EXCEEDS_CAPACITY, exceeds_capacity),
    (PodReason.LINK_TOO_SLOW, link_too_slow),
    (PodReason.OUTSIDE_PARKING_WINDOW, outside_parking_window),
    (PodReason.LEAVES_TOO_EARLY, leaves_too_early),
    (PodReason.DEADLINE_MISSED, deadline_missed),
    (PodReason.ON_PEAK, on_peak),
    (PodReason.PRICE_UNKNOWN, price_unknown),
)
"""In the order in which they are asked; the clauses of `live` follow."""


def first_fixed_reason(case: PodCase) -> PodReason | None:
    """The first of these clauses that fails; None: it depends on what else is placed."""
    return next((reason for reason, fails in FIXED_POD_CLAUSES if fails(case)), None)


def never_fits(case: PodCase) -> bool:
    """No time or charge of the candidate could place the pod."""
    if case.candidate.node is None:
        return True
    for reason, fails in FIXED_POD_CLAUSES:
        if fails(case):
            return reason in NO_TIME_OR_CHARGE_WOULD_HELP
        if reason is PodReason.EXCEEDS_CAPACITY:
            return False
    return False


def _fleet_pays(site: Site | None) -> bool:
    return site is not None and site.energy_borne_by is EnergyBearer.FLEET
