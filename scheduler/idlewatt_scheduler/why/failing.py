"""All clauses that fail for a pod on a candidate, in their order, with what they compared."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from idlewatt_scheduler.availability import VEHICLE_CLAUSES, VehicleCase, is_fresh, is_invalid
from idlewatt_scheduler.candidates import Parked
from idlewatt_scheduler.circuits import allows
from idlewatt_scheduler.clauses.affinity import VEHICLE_TAINT
from idlewatt_scheduler.clauses.live import (
    Placed,
    below_reserve,
    departure_charge_at_risk,
    draw_changes,
    further_reasons,
    line_with,
    overloads_vehicle,
    requests_fit,
    stretch_of,
)
from idlewatt_scheduler.clauses.pod import FIXED_POD_CLAUSES, PodCase
from idlewatt_scheduler.energy import Source
from idlewatt_scheduler.further.host_ports import HostPorts
from idlewatt_scheduler.further.registry import columns_of
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, Instant
from idlewatt_scheduler.prices import Verdict
from idlewatt_scheduler.stay import lead_of, missing_bytes
from idlewatt_scheduler.why.answer import Failing, Figure
from idlewatt_scheduler.why.bench import Bench, Wish
from idlewatt_scheduler.why.outlook import hours_of, idle_enough_at

Figures = Mapping[str, Figure]


def failing(bench: Bench, wish: Wish) -> tuple[Failing, ...]:
    """Every vehicle clause and every pod clause that fails there."""
    return tuple(_failing(bench, bench.case(wish)))


def _failing(bench: Bench, case: PodCase) -> Iterator[Failing]:
    parked = bench.candidate.parked
    if parked is not None:
        for vehicle_reason, fails in VEHICLE_CLAUSES:
            if fails(parked.case):
                yield Failing(vehicle_reason, _of_vehicle(vehicle_reason, parked))
    for reason, fails_pod in FIXED_POD_CLAUSES:
        if fails_pod(case):
            yield Failing(reason, _of_pod(reason, bench, case))
    for reason in (*_live(bench, case), *bench.company(case.pod)):
        yield Failing(reason, _of_pod(reason, bench, case))


def _live(bench: Bench, case: PodCase) -> Iterator[PodReason]:
    """The clauses that depend on what else is placed; each on its own."""
    placed, parked = bench.board.placed[bench.index], bench.candidate.parked
    fits = requests_fit(case, placed.used, 1)
    if parked is None:
        if not fits:
            yield PodReason.NOT_ENOUGH_RESOURCES
        yield from _of_rules(case, placed)
        return
    line = line_with(parked, placed, stretch_of(case, 1))
    if below_reserve(case, parked, line):
        yield PodReason.BELOW_RESERVE
    if departure_charge_at_risk(case, parked, line):
        yield PodReason.DEPARTURE_CHARGE_AT_RISK
    if not fits or overloads_vehicle(case, parked, line):
        yield PodReason.NOT_ENOUGH_RESOURCES
    yield from _of_rules(case, placed)
    if not allows(bench.board.circuits(bench.index), draw_changes(parked, placed.line, line)):
        yield PodReason.CIRCUIT_FULL


def _of_rules(case: PodCase, placed: Placed) -> Iterable[PodReason]:
    """Each further rule once."""
    return dict.fromkeys(further_reasons(case, placed.used, 1))


def _of_vehicle(reason: VehicleReason, parked: Parked) -> Figures:
    find = _VEHICLE_FIGURES.get(reason)
    return {} if find is None else find(parked)


def _of_pod(reason: PodReason, bench: Bench, case: PodCase) -> Figures:
    find = _POD_FIGURES.get(reason)
    return {} if find is None else find(bench, case)


def _earnings(parked: Parked) -> Figures:
    compensation = parked.vehicle.compensation
    return {
        "earned": parked.vehicle.earned_this_month,
        "cap": compensation.monthly_cap,
        "currency": compensation.currency,
    }


def _node(parked: Parked) -> Figures:
    node = parked.case.node
    return {"ready": None if node is None else str(node.ready)}


def _unreachable(parked: Parked) -> Figures:
    node = parked.case.node
    return {"since_at": None if node is None else node.ready_since}


def _invalid(parked: Parked) -> Figures:
    case = parked.case
    blocks = zip(_BLOCKS, case.blocks, strict=True)
    return {"blocks": tuple(n for n, block in blocks if block and is_invalid(block, case.at))}


def _stale(parked: Parked) -> Figures:
    case = parked.case
    old = [
        (name, block)
        for name, block in zip(_BLOCKS, case.blocks, strict=True)
        if not is_fresh(block, case.at, case.allowed_age)
    ]
    times = [block.observed_at for _, block in old if block and block.observed_at is not None]
    return {
        "blocks": tuple(name for name, _ in old),
        "observed_at": min(times, default=None),
        "allowed_milliseconds": case.allowed_age,
    }


_BLOCKS: Final = ("battery", "parking", "connection")


def _idle(parked: Parked) -> Figures:
    parking = parked.vehicle.observed.parking
    since = parking.since if parking else None
    idle = parked.case.policy.idle_before_start_seconds
    return {
        "parked_since_at": since,
        "from_at": None if since is None else idle_enough_at(since, idle),
    }


def _next_window(parked: Parked) -> Figures:
    return {"next_window_at": _opening_after(parked, parked.case.at)}


def _opening_after(parked: Parked, at: Instant) -> Instant | None:
    hours = hours_of(parked, at)
    starts = () if hours is None else hours.starts
    return min((start for start in starts if at < start <= at + CALENDAR_HORIZON), default=None)


def _hot(parked: Parked) -> Figures:
    vehicle = parked.vehicle
    battery, computer = vehicle.observed.battery, vehicle.observed.compute
    return {
        "battery_celsius": battery.temperature_celsius if battery else None,
        "battery_at_most_celsius": vehicle.battery.max_temperature_celsius,
        "computer_celsius": computer.temperature_celsius if computer else None,
        "computer_at_most_celsius": vehicle.compute.max_temperature_celsius,
    }


def _cold(parked: Parked) -> Figures:
    battery = parked.vehicle.observed.battery
    return {
        "battery_celsius": battery.temperature_celsius if battery else None,
        "battery_at_least_celsius": parked.vehicle.battery.min_temperature_celsius,
    }


def _where(parked: Parked) -> Figures:
    connection = parked.vehicle.observed.connection
    return {
        "site": connection.site if connection else None,
        "circuit": connection.circuit if connection else None,
    }


def _supply(parked: Parked) -> Figures:
    connection, agreement = parked.vehicle.observed.connection, parked.vehicle.agreement
    supply = connection.supply if connection else None
    consented = agreement.energy_sources if agreement else frozenset()
    return {
        "supply": None if supply is None else str(supply),
        "consented": tuple(sorted(map(str, consented))),
    }


def _currency(parked: Parked) -> Figures:
    return {"currency": parked.vehicle.compensation.currency}


_VEHICLE_FIGURES: Final[Mapping[VehicleReason, Callable[[Parked], Figures]]] = {
    VehicleReason.CURRENCY_UNKNOWN: _currency,
    VehicleReason.MONTHLY_CAP_REACHED: _earnings,
    VehicleReason.NODE_NOT_READY: _node,
    VehicleReason.UNREACHABLE: _unreachable,
    VehicleReason.TELEMETRY_INVALID: _invalid,
    VehicleReason.TELEMETRY_STALE: _stale,
    VehicleReason.NOT_PARKED: _next_window,
    VehicleReason.NOT_IDLE_LONG_ENOUGH: _idle,
    VehicleReason.TOO_HOT: _hot,
    VehicleReason.TOO_COLD: _cold,
    VehicleReason.SITE_UNKNOWN: _where,
    VehicleReason.COMPUTE_NOT_ALLOWED: _where,
    VehicleReason.NOT_SUPPLIED: _supply,
}


def _annotations(_: Bench, case: PodCase) -> Figures:
    return {"faults": case.pod.invalid_annotations}


def _fields(_: Bench, case: PodCase) -> Figures:
    return {"fields": case.pod.unsupported_fields}


def _taints(_: Bench, case: PodCase) -> Figures:
    node = case.candidate.node
    taints = () if node is None else node.taints
    return {
        "taints": tuple(
            f"{taint.key}:{taint.effect}" for taint in taints if taint.key != VEHICLE_TAINT
        ),
        "cordoned": str(node is not None and node.unschedulable).lower(),
    }


def _region(_: Bench, case: PodCase) -> Figures:
    parked = case.candidate.parked
    site: VehicleCase | None = parked.case if parked else None
    return {
        "region": site.site.region if site and site.site else None,
        "wanted": tuple(sorted(case.pod.demand.residency or ())),
    }


def _capacity(_: Bench, case: PodCase) -> Figures:
    capacity, parked = case.candidate.capacity, case.candidate.parked
    over = _first_over(case, {})
    watts: Figures = {}
    if parked is not None and case.power > 1_000 * parked.vehicle.compute.max_power_watts:
        watts = {
            "power_milliwatts": case.power,
            "most_milliwatts": 1_000 * parked.vehicle.compute.max_power_watts,
        }
    if over is None:
        return watts
    return {
        "resource": over,
        "asked_thousandths": case.pod.requests[over],
        "capacity_thousandths": capacity.get(over, 0),
        **watts,
    }


def _first_over(case: PodCase, used: Mapping[str, int]) -> str | None:
    """The first resource of which more is asked for than is left."""
    capacity = case.candidate.capacity
    return next(
        (
            name
            for name, asked in sorted(case.pod.requests.items())
            if asked > 0 and used.get(name, 0) + asked > capacity.get(name, 0)
        ),
        None,
    )


def _link(_: Bench, case: PodCase) -> Figures:
    return {
        "ready_after_milliseconds": case.stay.ready_at - case.stay.start,
        "allowed_milliseconds": 1_000 * case.policy.max_start_delay_seconds,
        "image_bytes": missing_bytes(case.pod, case.candidate),
    }


def _window(bench: Bench, case: PodCase) -> Figures:
    parked = case.candidate.parked
    return {"next_window_at": None if parked is None else _opening_after(parked, bench.at)}


def _leaves(_: Bench, case: PodCase) -> Figures:
    parked = case.candidate.parked
    return {
        "needs_until_at": case.stay.until + lead_of(case.pod, case.policy),
        "done_at": case.stay.until,
        "lead_milliseconds": lead_of(case.pod, case.policy),
        "leaves_at": None if parked is None else parked.departure,
    }


def _deadline(_: Bench, case: PodCase) -> Figures:
    return {"done_at": case.stay.until, "deadline_at": case.pod.demand.deadline}


def _peak(_: Bench, case: PodCase) -> Figures:
    """From when on, and until when, the stay is not off-peak; `off_peak_at` where it is again."""
    parked = case.candidate.parked
    prices = None if parked is None else parked.prices
    if prices is None:
        return {}
    stay = case.stay
    first = next(
        (
            start
            for start, *_ in prices.pieces(stay.start, stay.until)
            if prices.verdict_at(start) is not Verdict.OFF_PEAK
        ),
        None,
    )
    if first is None:
        return {}
    ahead = prices.pieces(first, first + CALENDAR_HORIZON)
    again = next(
        (start for start, *_ in ahead if prices.verdict_at(start) is Verdict.OFF_PEAK), None
    )
    return {"peak_at": first, "off_peak_at": again, "needs_until_at": stay.until}


def _reserve(bench: Bench, case: PodCase) -> Figures:
    parked = case.candidate.parked
    return (
        {}
        if parked is None
        else {
            **_charge(bench, parked, case),
            "reserve_percent": parked.vehicle.battery.reserve_percent,
        }
    )


def _departure_charge(bench: Bench, case: PodCase) -> Figures:
    parked = case.candidate.parked
    return (
        {}
        if parked is None
        else {
            **_charge(bench, parked, case),
            "departure_percent": parked.vehicle.battery.departure_percent,
        }
    )


def _charge(bench: Bench, parked: Parked, case: PodCase) -> Figures:
    battery = parked.vehicle.observed.battery
    line = line_with(parked, bench.board.placed[bench.index], stretch_of(case, 1))
    computing = max((step.computing for step in line), default=0)
    return {
        "charge_percent": battery.state_of_charge_percent if battery else None,
        "source": "battery" if parked.electrics.source is Source.BATTERY else "grid",
        "computing_milliwatts": computing,
        "stay_milliseconds": case.stay.until - case.stay.start,
    }


def _room(bench: Bench, case: PodCase) -> Figures:
    placed, parked = bench.board.placed[bench.index], case.candidate.parked
    over = _first_over(case, placed.used)
    if over is not None:
        left = case.candidate.capacity.get(over, 0) - placed.used.get(over, 0)
        return {
            "resource": over,
            "asked_thousandths": case.pod.requests[over],
            "left_thousandths": max(left, 0),
        }
    if parked is None:
        return {}
    line = line_with(parked, placed, stretch_of(case, 1))
    return {
        "power_milliwatts": max((step.pods for step in line), default=0),
        "most_milliwatts": 1_000 * parked.vehicle.compute.max_power_watts,
        "ac_milliwatts": max((parked.electrics.ac(s.computing) for s in line), default=0),
        "cap_milliwatts": parked.electrics.cap,
    }


def _ports(bench: Bench, case: PodCase) -> Figures:
    """The ports it asks for that somebody has there."""
    used, where = bench.board.placed[bench.index].used, case.candidate
    taken = (
        HostPorts.name_of(name)
        for name, amount in columns_of(case.pod).items()
        if used.get(name, 0) + amount > where.holds(name)
    )
    return {"ports": tuple(dict.fromkeys(taken))}


def _circuit(bench: Bench, case: PodCase) -> Figures:
    parked = case.candidate.parked
    if parked is None:
        return {}
    placed = bench.board.placed[bench.index]
    changes = draw_changes(parked, placed.line, line_with(parked, placed, stretch_of(case, 1)))
    rooms = zip(parked.loads, bench.board.circuits(bench.index), strict=True)
    for (key, _), room in rooms:
        for start, end, more in changes:
            if more > 0 and not allows([room], [(start, end, more)]):
                return {
                    "circuit": "/".join(key),
                    "more_milliwatts": more,
                    "left_milliwatts": max(room.least(start, end), 0),
                }
    return {}


_POD_FIGURES: Final[Mapping[Reason, Callable[[Bench, PodCase], Figures]]] = {
    PodReason.INVALID_ANNOTATION: _annotations,
    PodReason.UNSUPPORTED_FIELD: _fields,
    PodReason.TAINT_NOT_TOLERATED: _taints,
    PodReason.RESIDENCY: _region,
    PodReason.EXCEEDS_CAPACITY: _capacity,
    PodReason.LINK_TOO_SLOW: _link,
    PodReason.OUTSIDE_PARKING_WINDOW: _window,
    PodReason.LEAVES_TOO_EARLY: _leaves,
    PodReason.DEADLINE_MISSED: _deadline,
    PodReason.ON_PEAK: _peak,
    PodReason.PRICE_UNKNOWN: _peak,
    PodReason.BELOW_RESERVE: _reserve,
    PodReason.DEPARTURE_CHARGE_AT_RISK: _departure_charge,
    PodReason.NOT_ENOUGH_RESOURCES: _room,
    PodReason.HOST_PORT_TAKEN: _ports,
    PodReason.CIRCUIT_FULL: _circuit,
}
