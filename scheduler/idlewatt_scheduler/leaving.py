"""Who has to leave: every running pod is asked, each cycle, a lead before the car would go.

The first reason that holds is the one that is named. A pod that leaves counts until its
containers end.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from idlewatt_scheduler.availability import VEHICLE_CLAUSES, Block, VehicleCase, is_missing
from idlewatt_scheduler.candidates import Candidate, Fleet, Parked, running_power
from idlewatt_scheduler.circuits import RoomKey
from idlewatt_scheduler.clauses.live import under
from idlewatt_scheduler.energy import Source
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import (
    KEEPS_NEW_PODS_AWAY_ONLY,
    SEEN_AHEAD,
    PodReason,
    Reason,
    VehicleReason,
)
from idlewatt_scheduler.model.site import Phase
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliseconds, Milliwatts, seconds
from idlewatt_scheduler.model.vehicle import Quality
from idlewatt_scheduler.model.workload import RunningPod
from idlewatt_scheduler.prices import Verdict
from idlewatt_scheduler.stay import grace_of, lead_of


@dataclass(frozen=True, slots=True)
class RunningCase:
    """A running pod on its vehicle, asked at `then`, a lead after `at`."""

    running: RunningPod
    candidate: Candidate
    parked: Parked
    at: Instant
    then: Instant


def leaving(fleet: Fleet) -> tuple[Leaving, ...]:
    """The running pods that have to leave, in order of node and name, with their reasons."""
    reasons: dict[int, tuple[RunningCase, Reason]] = {}
    staying: list[RunningCase] = []
    for case in _cases(fleet):
        reason = first_reason(case)
        if reason is not None:
            reasons[id(case.running)] = case, reason
        else:
            staying.append(case)
    for case in _overloading(fleet, staying, gone={id(c.running) for c, _ in reasons.values()}):
        reasons[id(case.running)] = case, PodReason.CIRCUIT_FULL
    ordered = sorted(
        reasons.values(), key=lambda entry: (entry[0].candidate.name, entry[0].running.pod.key)
    )
    return tuple(Leaving(c.running.pod, c.candidate.name, reason) for c, reason in ordered)


def first_reason(case: RunningCase) -> Reason | None:
    """The first reason to leave that needs no look at other pods on the site."""
    return _vehicle_reason(case.parked.case) or _pod_reason(case)


def leaves_time(fleet: Fleet, candidate: Candidate, leaving: Leaving, margin: Milliseconds) -> bool:
    """Whether a pod that has to leave may stay until another one is ready in its place.

    It may where its reason was seen ahead and is not true yet a grace and `margin` from `at`, and
    where no circuit above its vehicle is over its limit.

    Args:
        fleet: that the leaving was decided on.
        candidate: the vehicle the pod has to leave.
        leaving: the pod and its reason.
        margin: milliseconds kept between the end of its containers and the reason.
    """
    at, parked = fleet.snapshot.at, candidate.parked
    if parked is None or leaving.reason not in SEEN_AHEAD:
        return False
    if any(fleet.present[key] < 0 for key, _ in parked.loads):
        return False
    then = at + grace_of(leaving.pod) + margin
    return not any(
        _is_true(RunningCase(running, candidate, parked, at, then))
        for running in fleet.running.get(candidate.name, ())
        if running.pod.uid == leaving.pod.uid
    )


def _is_true(case: RunningCase) -> bool:
    """Whether a reason that is seen ahead holds at `then`, were the pod to stay until then."""
    parked, battery = case.parked, case.parked.vehicle.battery
    if parked.departure is None or case.then >= parked.departure:
        return True
    if _tariff_reason(case) is not None:
        return True
    floor = max(battery.reserve_percent, battery.departure_percent)
    return parked.electrics.source is Source.BATTERY and under(
        parked, parked.base, floor, case.then
    )


def _cases(fleet: Fleet) -> Iterator[RunningCase]:
    at, policy = fleet.snapshot.at, fleet.snapshot.policy
    for candidate in fleet.candidates:
        if candidate.parked is None or candidate.name not in fleet.running:
            continue
        for running in fleet.running[candidate.name]:
            if running.counts_until is None:
                then = at + lead_of(running.pod, policy)
                yield RunningCase(running, candidate, candidate.parked, at, then)


def _vehicle_reason(case: VehicleCase) -> VehicleReason | None:
    for reason, fails in VEHICLE_CLAUSES:
        if reason in KEEPS_NEW_PODS_AWAY_ONLY or not fails(case):
            continue
        if reason is VehicleReason.UNREACHABLE and not _lasted(case, _unreachable_since(case)):
            continue
        if reason is VehicleReason.TELEMETRY_STALE and not _lasted(case, _stale_since(case)):
            continue
        return reason
    return None


def _lasted(case: VehicleCase, since: Instant) -> bool:
    """A broken telemetry path must not empty the fleet at once."""
    return case.at - since > seconds(case.policy.stale_drain_seconds)


def _unreachable_since(case: VehicleCase) -> Instant:
    since = case.node.ready_since if case.node else None
    return -FOREVER if since is None else since


def _stale_since(case: VehicleCase) -> Instant:
    return min(_block_stale_since(case, block) for block in case.blocks)


def _block_stale_since(case: VehicleCase, block: Block | None) -> Instant:
    if block is None or is_missing(block) or block.observed_at is None:
        return -FOREVER
    if block.quality is Quality.STALE:
        return block.observed_at
    return block.observed_at + case.allowed_age


def _pod_reason(case: RunningCase) -> PodReason | None:
    parked, demand = case.parked, case.running.pod.demand
    site = parked.case.site
    if demand.residency is not None and (site is None or site.region not in demand.residency):
        return PodReason.RESIDENCY
    if case.running.pod.reads_secret and not (parked.vehicle.attested or demand.allow_untrusted):
        return PodReason.UNTRUSTED
    if parked.departure is None:
        return PodReason.OUTSIDE_PARKING_WINDOW
    if case.then >= parked.departure:
        return PodReason.LEAVES_TOO_EARLY
    return _tariff_reason(case) or _charge_reason(case, parked.departure)


def _tariff_reason(case: RunningCase) -> PodReason | None:
    demand, until = case.running.pod.demand, case.running.bound_until
    within_promise = demand.expected_runtime is not None and until is not None and until > case.at
    if demand.any_tariff or within_promise:
        return None
    prices = case.parked.prices
    if prices is None:
        asked = case.parked.case.policy.off_peak.asks_anything
        return PodReason.PRICE_UNKNOWN if asked else None
    match prices.verdict_at(case.then):
        case Verdict.ON_PEAK:
            return PodReason.ON_PEAK
        case Verdict.UNKNOWN:
            return PodReason.PRICE_UNKNOWN
        case Verdict.OFF_PEAK:
            return None


def _charge_reason(case: RunningCase, departure: Instant) -> PodReason | None:
    parked, battery = case.parked, case.parked.vehicle.battery
    if parked.electrics.source is not Source.BATTERY:
        return None
    if under(parked, parked.base, battery.reserve_percent, case.then):
        return PodReason.BELOW_RESERVE
    if under(parked, parked.base, battery.departure_percent, departure):
        return PodReason.DEPARTURE_CHARGE_AT_RISK
    return None


def _overloading(
    fleet: Fleet, staying: Iterable[RunningCase], gone: set[int]
) -> Iterator[RunningCase]:
    """The pods that leave because a circuit is over its limit now, children before parents."""
    aboard = _Aboard(fleet, gone)
    over = aboard.rooms_over
    if not over:
        return
    below: dict[RoomKey, list[RunningCase]] = {room: [] for room in over}
    for case in staying:
        if not case.running.being_deleted:
            for room, _ in case.parked.loads:
                if room in over:
                    below[room].append(case)
    for site in fleet.snapshot.sites.values():
        for circuit in reversed(site.circuits):
            key = site.name, circuit.name
            for room in (key, *((*key, phase.value) for phase in Phase)):
                if room in over:
                    yield from _relieve(room, below[room], aboard)


def _relieve(
    room: RoomKey, below: Iterable[RunningCase], aboard: "_Aboard"
) -> Iterator[RunningCase]:
    """Of the pods below a circuit, as many as have to leave."""
    while aboard.over(room) > 0:
        helpful = [case for case in below if aboard.saving(case) > 0]
        if not helpful:
            return
        leaver = max(helpful, key=_leaves_first)
        aboard.leave(leaver)
        yield leaver


def _leaves_first(case: RunningCase) -> tuple[int, Instant, str]:
    """Greatest for the lowest priority, then the youngest, then the greater `namespace/name`."""
    pod = case.running.pod
    return -pod.priority, pod.created_at, pod.key


class _Aboard:
    """Who computes where at this instant, once those that already leave are left out."""

    def __init__(self, fleet: Fleet, gone: set[int]) -> None:
        self._at = fleet.snapshot.at
        self._left = dict(fleet.present)
        self._power: dict[str, dict[int, Milliwatts]] = {}
        for candidate in fleet.candidates:
            if candidate.parked is None or candidate.name not in fleet.running:
                continue
            vehicle, capacity = candidate.parked.vehicle, candidate.capacity
            self._power[candidate.name] = {
                id(pod): running_power(pod, vehicle, capacity)
                for pod in fleet.running[candidate.name]
            }
            for pod in fleet.running[candidate.name]:
                if id(pod) in gone or pod.being_deleted:
                    self._drop(candidate.name, candidate.parked, id(pod))

    @property
    def rooms_over(self) -> frozenset[RoomKey]:
        """The circuits and phases that are over their limits; whoever leaves makes none more so."""
        return frozenset(room for room, left in self._left.items() if left < 0)

    def over(self, room: RoomKey) -> Milliwatts:
        """By how much a circuit, or one of its phases if it is limited, is over its limit."""
        return -self._left.get(room, 0)

    def saving(self, case: RunningCase) -> Milliwatts:
        """By how much the load would be less without the pod; 0 once it has left."""
        power = self._power[case.candidate.name]
        if id(case.running) not in power:
            return 0
        rest = {pod: watts for pod, watts in power.items() if pod != id(case.running)}
        return _draw(case.parked, power) - _draw(case.parked, rest)

    def leave(self, case: RunningCase) -> None:
        """The pod leaves, and its circuits are relieved."""
        self._drop(case.candidate.name, case.parked, id(case.running))

    def _drop(self, vehicle: str, parked: Parked, pod: int) -> None:
        before = _draw(parked, self._power[vehicle])
        del self._power[vehicle][pod]
        saved = before - _draw(parked, self._power[vehicle])
        for room, parts in parked.loads:
            self._left[room] += parts * saved


def _draw(parked: Parked, power: Mapping[int, Milliwatts]) -> Milliwatts:
    """What it draws now, its new profile followed: charging is shed before any pod."""
    computing = sum(power.values()) + parked.electrics.standby if power else 0
    return parked.draw_now(computing, parked.case.at)
