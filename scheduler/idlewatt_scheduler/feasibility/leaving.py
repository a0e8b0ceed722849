"""Which running pods have to leave, and for which reason first."""

from collections.abc import Iterator

from idlewatt_scheduler.feasibility.circuits import (
    CircuitReading,
    Load,
    cars_below,
    share,
    together,
)
from idlewatt_scheduler.feasibility.electricity import Peak
from idlewatt_scheduler.feasibility.pod import outside_residency, untrusted
from idlewatt_scheduler.feasibility.power import (
    Counting,
    Source,
    charge_at,
    draw,
    source_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, Reading, Stay, identity
from idlewatt_scheduler.feasibility.vehicle import (
    FOR_EVER_SINCE,
    failing_vehicle_clauses,
    stale_since,
)
from idlewatt_scheduler.model.reasons import (
    KEEPS_NEW_PODS_AWAY_ONLY,
    PodReason,
    Reason,
    VehicleReason,
)
from idlewatt_scheduler.model.site import Circuit, Site
from idlewatt_scheduler.model.units import Instant, seconds
from idlewatt_scheduler.model.workload import RunningPod


def must_leave(reading: Reading) -> dict[Identity, Reason]:
    """Who has to leave, wherever new pods are placed, and for which reason first."""
    asked = [
        running
        for running in reading.snapshot.running
        if running.counts_until is None and running.node in reading.vehicles
    ]
    must: dict[Identity, Reason] = {}
    for running in asked:
        reason = next(_reasons_to_leave(reading, running), None)
        if reason is not None:
            must[identity(running.pod)] = reason
    for site in reading.snapshot.sites.values():
        # A parent stands before its children, so the reverse asks the children first.
        for circuit in reversed(site.circuits):
            for running in _shed(reading, site, circuit, asked, must):
                must[identity(running.pod)] = PodReason.CIRCUIT_FULL
    return must


def _reasons_to_leave(reading: Reading, running: RunningPod) -> Iterator[Reason]:
    candidate = reading.vehicles[running.node]
    yield from _vehicle_reasons(reading, candidate)
    if outside_residency(running.pod, candidate):
        yield PodReason.RESIDENCY
    if untrusted(running.pod, candidate):
        yield PodReason.UNTRUSTED
    departure = candidate.departure
    if departure is None:
        yield PodReason.OUTSIDE_PARKING_WINDOW
        return
    then = reading.at + reading.lead(running.pod)
    if then >= departure:
        yield PodReason.LEAVES_TOO_EARLY
    if candidate.site is not None and _asks_for_off_peak(reading, running):
        verdict = reading.peak(candidate.site).at(then)
        if verdict is not Peak.OFF:
            yield PodReason.ON_PEAK if verdict is Peak.ON else PodReason.PRICE_UNKNOWN
    if candidate.vehicle is not None and source_of(candidate) is Source.BATTERY:
        stays, battery = reading.running_on(candidate.name), candidate.vehicle.battery
        if charge_at(candidate, stays, reading.at, then) < battery.reserve_percent:
            yield PodReason.BELOW_RESERVE
        if charge_at(candidate, stays, reading.at, departure) < battery.departure_percent:
            yield PodReason.DEPARTURE_CHARGE_AT_RISK


def _vehicle_reasons(reading: Reading, candidate: Candidate) -> Iterator[VehicleReason]:
    """The failing vehicle clauses that drain, once they have lasted long enough."""
    patience = seconds(reading.policy.stale_drain_seconds)
    for reason in failing_vehicle_clauses(reading, candidate):
        since: Instant | None = FOR_EVER_SINCE
        if reason in KEEPS_NEW_PODS_AWAY_ONLY:
            continue
        if reason is VehicleReason.TELEMETRY_STALE:
            since = stale_since(reading, candidate)
        elif reason is VehicleReason.UNREACHABLE and candidate.node is not None:
            since = candidate.node.ready_since
        else:
            yield reason
            continue
        if since is None or reading.at - since > patience:
            yield reason


def _asks_for_off_peak(reading: Reading, running: RunningPod) -> bool:
    demand = running.pod.demand
    if demand.any_tariff:
        return False
    past = running.bound_until is None or running.bound_until <= reading.at
    return demand.expected_runtime is None or past


def _shed(
    reading: Reading,
    site: Site,
    circuit: Circuit,
    asked: list[RunningPod],
    must: dict[Identity, Reason],
) -> list[RunningPod]:
    """The pods that leave because the circuit is over its limit now."""
    circuit_now = CircuitReading(reading, site, circuit)
    limits, at = circuit_now.limits(reading.at), reading.at
    total, first, second, third = circuit_now.uncontrolled
    own: Load = (total - circuit_now.generated, first, second, third)
    gone = set(must) | {
        identity(running.pod) for running in reading.snapshot.running if running.being_deleted
    }
    cars = cars_below(reading, site, circuit)
    shed: list[RunningPod] = []

    def load_without(*more: RunningPod) -> Load:
        absent = gone.union(identity(running.pod) for running in (*shed, *more))
        drawn = (
            share(car, draw(car, _stays(reading, car, absent), at, Counting.NEW_IF_CONTROLLED))
            for car in cars
        )
        return together([own, *drawn])

    if all(figure <= limit for figure, limit in zip(load_without(), limits, strict=True)):
        return []
    names = {car.name for car in cars}
    for figure, limit in enumerate(limits):
        while (load := load_without()[figure]) > limit:
            able = [
                running
                for running in asked
                if running.node in names and identity(running.pod) not in gone
                if running not in shed and load_without(running)[figure] < load
            ]
            if not able:
                break
            shed.append(max(able, key=_goes_first))
    return shed


def _goes_first(running: RunningPod) -> tuple[int, int, str]:
    """Greatest for the pod of the lowest priority, of these the youngest, then by name."""
    return -running.pod.priority, running.pod.created_at, running.pod.key


def _stays(reading: Reading, car: Candidate, absent: set[Identity]) -> list[Stay]:
    return [stay for stay in reading.running_on(car.name) if identity(stay.pod) not in absent]
