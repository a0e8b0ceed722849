"""The least change of each kind that would place a pod on one vehicle.

Every clause that depends on the length of a stay, on power or on a price limit fails for good
once it fails: so the greatest that is small enough is found by halving. A later start has no such
order; there every instant is tried at which something comes true.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Final

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.units import DAY, MINUTE, Instant, seconds
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.why.answer import Spell
from idlewatt_scheduler.why.bench import Bench, Future, Wish
from idlewatt_scheduler.why.breakpoints import instants
from idlewatt_scheduler.why.changes import (
    AnyTariff,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Single,
    Together,
    with_demand,
    with_less_power,
)
from idlewatt_scheduler.why.outlook import Outlook

NO_CHANGE_HELPS: Final[frozenset[Reason]] = frozenset(
    {
        *(set(VehicleReason) - {VehicleReason.NOT_IDLE_LONG_ENOUGH}),
        PodReason.INVALID_ANNOTATION,
        PodReason.UNSUPPORTED_FIELD,
        PodReason.NODE_AFFINITY,
        PodReason.TAINT_NOT_TOLERATED,
        PodReason.RESIDENCY,
        PodReason.UNTRUSTED,
        PodReason.LINK_TOO_SLOW,
        PodReason.HOST_PORT_TAKEN,
        PodReason.TOPOLOGY_SPREAD,
        PodReason.GANG_INCOMPLETE,
    }
)
"""Where one of these fails, neither time, power nor money places the pod."""

HALF_HOUR: Final = 30 * MINUTE

_PRICE_DIGITS: Final = 28


@dataclass
class Vehicle:
    """One candidate, and the pod that waits, for which changes are looked for."""

    bench: Bench
    outlook: Outlook
    wish: Wish

    @cached_property
    def future(self) -> Future:
        """The same vehicle later."""
        return Future(self.outlook, self.bench.candidate.name)

    @cached_property
    def instants(self) -> list[Instant]:
        """When it may begin to fit."""
        rooms = self.bench.board.circuits(self.bench.index)
        return instants(self.outlook, self.bench.candidate, rooms)

    @property
    def pod(self) -> Pod:
        """As it is."""
        return self.wish.pod


def least_changes(vehicle: Vehicle) -> tuple[Change, ...]:
    """Each kind that suffices alone; where none does, the pairs, else the three together."""
    singles = [
        _later(vehicle),
        shorter_stay(vehicle.bench, vehicle.wish),
        less_power(vehicle.bench, vehicle.wish),
        _dearer(vehicle),
        at_any_price(vehicle.bench, vehicle.wish),
    ]
    found = tuple(change for change in singles if change is not None)
    return found or tuple(_pairs(vehicle)) or tuple(_threes(vehicle))


def later_start(vehicle: Vehicle) -> Instant | None:
    """The earliest instant at which it fits if what is known comes true; see `Outlook`."""
    return next((t for t in vehicle.instants if vehicle.future.takes(vehicle.wish, t)), None)


def spells(vehicle: Vehicle) -> tuple[Spell, ...]:
    """The day to come, a start tried every half hour; alike ones in a row are one."""
    at, result = vehicle.bench.at, list[Spell]()
    for start in range(at, at + DAY, HALF_HOUR):
        now = start == at
        wish, end = vehicle.wish, start + HALF_HOUR
        reason = vehicle.bench.reason(wish) if now else vehicle.future.reason(wish, start)
        if result and result[-1].reason is reason:
            result[-1] = Spell(result[-1].start, end, reason)
        else:
            result.append(Spell(start, end, reason))
    return tuple(result)


def _later(vehicle: Vehicle) -> LaterStart | None:
    at = later_start(vehicle)
    return None if at is None else LaterStart(at, vehicle.outlook.plan)


def shorter_stay(bench: Bench, wish: Wish) -> ShorterStay | None:
    """The longest stay of whole seconds that fits."""
    runtime = wish.pod.demand.expected_runtime
    needed = seconds(wish.policy.minimum_stay_seconds) if runtime is None else runtime
    most = (needed - 1) // seconds(1)
    found = greatest(1, most, lambda length: bench.takes(_of_length(wish, length)))
    return None if found is None else ShorterStay(wish.pod.key, found, runtime is None)


def _of_length(wish: Wish, length_seconds: int) -> Wish:
    if wish.pod.demand.expected_runtime is None:
        return replace(wish, policy=replace(wish.policy, minimum_stay_seconds=length_seconds))
    return replace(wish, pod=with_demand(wish.pod, expected_runtime=seconds(length_seconds)))


def less_power(bench: Bench, wish: Wish) -> LessPower | None:
    """The most power of whole watts that fits."""
    capacity = bench.candidate.capacity
    if bench.candidate.parked is None or any(
        asked > capacity.get(name, 0) for name, asked in wish.pod.requests.items()
    ):
        return None  # it is its size that keeps it from there, not its power

    def takes(watts: int) -> bool:
        change = _drawing(bench, wish.pod, watts)
        return change is not None and bench.takes(_with(wish, change))

    most = (bench.case(wish).power - 1) // 1_000
    least = max(1, -(-_unavoidable(bench, wish.pod) // 1_000))
    found = greatest(least, most, takes)
    return None if found is None else _drawing(bench, wish.pod, found)


def _drawing(bench: Bench, pod: Pod, watts: int) -> LessPower | None:
    """The pod drawing at most so much: what it declares, and what it asks of the cpu, if need be.

    None where its share of an extended resource, which comes in whole pieces, says more.
    """
    parked = bench.candidate.parked
    if parked is None or _unavoidable(bench, pod) > 1_000 * watts:
        return None
    declared = pod.demand.power_watts
    most, whole = parked.vehicle.compute.max_power_watts, bench.candidate.capacity.get("cpu", 0)
    asked, requests = pod.requests.get("cpu", 0), {}
    if whole > 0 and 1_000 * most * asked // whole > 1_000 * watts:
        requests = {"cpu": ((1_000 * watts + 1) * whole - 1) // (1_000 * most)}
    return LessPower(pod.key, watts, None if declared is None else min(declared, watts), requests)


def _unavoidable(bench: Bench, pod: Pod) -> int:
    """Milliwatts by the largest share of an extended resource."""
    parked, capacity = bench.candidate.parked, bench.candidate.capacity
    if parked is None:
        return 0
    most = 1_000 * parked.vehicle.compute.max_power_watts
    shares = [
        most * request // capacity[name]
        for name, request in pod.requests.items()
        if "/" in name and capacity.get(name, 0) > 0
    ]
    return max(shares, default=0)


def _dearer(vehicle: Vehicle) -> HigherPrice | None:
    """The price of the dearest hour of the stay, where the policy sets a limit that it breaks."""
    bench, wish, test = vehicle.bench, vehicle.wish, vehicle.wish.policy.off_peak
    parked, exchange = bench.candidate.parked, bench.board.fleet.exchange
    limit, currency = test.max_price_per_kwh, test.currency
    if parked is None or parked.prices is None or limit is None or currency is None:
        return None
    rate = exchange.rate(parked.prices.currency, currency)
    stay = bench.case(wish).stay
    prices = [piece[2] for piece in parked.prices.pieces(stay.start, stay.until)]
    known = [price for price in prices if price is not None]
    if rate is None or not prices or len(known) < len(prices):
        return None
    needed = _rounded_up(max(known) * rate)
    if needed <= limit:
        return None
    change = HigherPrice(needed, currency)
    line = _prices_under(change, vehicle)
    raised = replace(
        wish,
        policy=replace(wish.policy, off_peak=replace(test, max_price_per_kwh=needed)),
        prices=line,
    )
    return change if bench.takes(raised) else None


def _prices_under(change: HigherPrice, vehicle: Vehicle) -> PriceLine | None:
    """The vehicle's tariff as another policy judges it."""
    name = vehicle.bench.candidate.name
    alone = vehicle.outlook.snapshot_at(vehicle.bench.at, (name,))
    judged = assemble(change.apply(replace(alone, pending=(), running=())))
    parked = judged.candidates[0].parked
    return None if parked is None else parked.prices


def _rounded_up(price: Fraction) -> Decimal:
    """The least decimal of so many digits that is not below; a price is exact unless exchanged."""
    context = Context(prec=_PRICE_DIGITS, rounding=ROUND_CEILING)
    return context.divide(Decimal(price.numerator), Decimal(price.denominator)).normalize(context)


def at_any_price(bench: Bench, wish: Wish) -> AnyTariff | None:
    """Whether it fits once it does not mind what an hour is called."""
    if wish.pod.demand.any_tariff:
        return None
    change = AnyTariff(wish.pod.key)
    return change if bench.takes(_with(wish, change)) else None


def _with(wish: Wish, change: LessPower | ShorterStay | AnyTariff) -> Wish:
    match change:
        case ShorterStay():
            return _of_length(wish, change.length_seconds)
        case LessPower():
            return replace(
                wish, pod=with_less_power(wish.pod, change.declared_watts, change.requests)
            )
        case AnyTariff():
            return replace(wish, pod=with_demand(wish.pod, any_tariff=True))


def _pairs(vehicle: Vehicle) -> Iterator[Together]:
    """Of a shorter stay and less power: the longest stay first, then the most power."""
    bench, wish = vehicle.bench, vehicle.wish
    free = None if wish.pod.demand.any_tariff else AnyTariff(wish.pod.key)
    if free is not None:
        for other in (shorter_stay(bench, _with(wish, free)), less_power(bench, _with(wish, free))):
            if other is not None:
                yield Together((free, other))
    both = _shorter_and_less(bench, wish)
    if both:
        yield Together(both)
    later: list[Callable[[Bench, Wish], tuple[Single, ...]]] = [
        lambda bench, wish: _some(shorter_stay(bench, wish)),
        lambda bench, wish: _some(less_power(bench, wish)),
    ]
    for find in later:
        yield from _later_and(vehicle, find)


def _threes(vehicle: Vehicle) -> Iterator[Together]:
    bench, wish = vehicle.bench, vehicle.wish
    if not wish.pod.demand.any_tariff:
        free = AnyTariff(wish.pod.key)
        both = _shorter_and_less(bench, _with(wish, free))
        if both:
            yield Together((free, *both))
    yield from _later_and(vehicle, _shorter_and_less)


def _shorter_and_less(bench: Bench, wish: Wish) -> tuple[Single, ...]:
    """The longest stay that any power allows, and the most power that this stay allows."""
    if bench.candidate.parked is None:
        return ()
    watts = max(1, -(-_unavoidable(bench, wish.pod) // 1_000))
    least = _drawing(bench, wish.pod, watts)
    if least is None or bench.case(_with(wish, least)).power >= bench.case(wish).power:
        return ()
    shorter = shorter_stay(bench, _with(wish, least))
    less = None if shorter is None else less_power(bench, _with(wish, shorter))
    return () if shorter is None or less is None else (shorter, less)


def _later_and(
    vehicle: Vehicle, find: Callable[[Bench, Wish], Sequence[Single]]
) -> Iterator[Together]:
    """The later instant at which the other change is smallest, the earliest of such."""
    best: tuple[tuple[int, ...], Instant, Sequence[Single]] | None = None
    for at in vehicle.instants:
        if not vehicle.future.is_worth_a_look(_modest(vehicle), at):
            continue
        found = find(vehicle.future.bench(at), vehicle.wish)
        if found and (best is None or _size(found) > best[0]):
            best = _size(found), at, found
    if best is not None:
        yield Together((LaterStart(best[1], vehicle.outlook.plan), *best[2]))


def _modest(vehicle: Vehicle) -> Wish:
    """The least that could be asked for: what does not even leave room for this leaves none."""
    wish = _of_length(vehicle.wish, 1)
    watts = max(1, -(-_unavoidable(vehicle.bench, wish.pod) // 1_000))
    least = _drawing(vehicle.bench, wish.pod, watts)
    return wish if least is None else _with(wish, least)


def _size(changes: Sequence[Single]) -> tuple[int, ...]:
    return tuple(
        change.length_seconds if isinstance(change, ShorterStay) else change.power_watts
        for change in changes
        if isinstance(change, ShorterStay | LessPower)
    )


def _some(change: Single | None) -> tuple[Single, ...]:
    return () if change is None else (change,)


def greatest(low: int, high: int, holds: Callable[[int], bool]) -> int | None:
    """The greatest of `low` to `high` for which `holds`, as it does for all smaller ones.

    None where it does not even hold for `low`.
    """
    if low > high or not holds(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
