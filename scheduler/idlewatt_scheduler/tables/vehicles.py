"""Each vehicle that takes pods as a row of numbers, read from the fleet once."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from idlewatt_scheduler.candidates import Candidate, Fleet, Parked, start_of
from idlewatt_scheduler.energy import (
    Source,
    Step,
    Stretch,
    computing_at,
    consumed,
    power_at,
    spare,
)
from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Floats, Indices, Ints
from idlewatt_scheduler.tallies import Tally, fleet_pays, tally_of

WATT = 1_000
FULL_PERCENT = 100
MOST_POWER = 2**31 - 1
"""Milliwatts that a column of 32 bits holds: more than any vehicle has."""


@dataclass(frozen=True, slots=True)
class Vehicles:
    """The vehicles that no vehicle clause keeps pods away from; a row each, in the fleet's order.

    Instants are milliseconds from the plan's time; what is not limited is `PLENTY`. What is in
    `Offered` too means the same here.

    Attributes:
        candidate: its index among the fleet's candidates.
        parked: the vehicles themselves.
        machine: which of `machines` it has: what pods may request of it, and its greatest power.
        holding: which of `holdings` it has: a machine, and what is requested of it already.
        no_window: no parking window is open.
        departure: when it leaves; 0 where no window is open.
        power: may be negative: then not even a pod without power fits.
        own_power, charge_power: of that, the computer and the plug; and what leaves charging alone.
        sure_charge_power: the latter so that charging is left alone at any later time, too.
        energy: likewise.
        reserve: what new pods may take from the battery before the reserve is touched, as `energy`.
        spared: charge is under the reserve, whatever is placed.
        link_bits: per second; 0 where that is not known.
        link_bytes: what may be fetched this month.
        on_peak_from, unknown_from: the first instants from `start` on that are so.
        unpriced_from: the same of instants without a price, where the fleet pays.
        region, line, loads, site: indices into `regions`, `lines`, `load_sets`, `sites`; -1: none.
        dc_money, ac_money: per milliwatt-millisecond; tariff_money: per milliwatt AC and integral
            of the price over time.
        stay_money: per millisecond of being alone there, standby aside.
        fee_money, fee_from: per millisecond plugged, from then on.
        opening: money for one waking.
    """

    candidate: Indices
    parked: tuple[Parked, ...]
    machine: Indices
    holding: Indices
    machines: tuple[tuple[int, tuple[int, ...]], ...]
    holdings: tuple[tuple[int, tuple[int, ...]], ...]
    no_window: Flags
    attested: Flags
    fallible: Flags
    start: Ints
    departure: Ints
    power: Ints
    own_power: Ints
    charge_power: Ints
    sure_charge_power: Ints
    energy: Ints
    reserve: Ints
    spared: Flags
    base: Ints
    standby: Ints
    cap: Ints
    charging: Ints
    efficiency_percent: Ints
    lone_from: Ints
    lone_power: Ints
    link_bits: Ints
    link_bytes: Ints
    on_peak_from: Ints
    unknown_from: Ints
    unpriced_from: Ints
    region: Indices
    regions: tuple[str | None, ...]
    line: Indices
    lines: tuple[PriceLine, ...]
    loads: Indices
    load_sets: tuple[tuple[tuple[tuple[str, ...], int], ...], ...]
    site: Indices
    sites: tuple[str, ...]
    dc_money: Floats
    ac_money: Floats
    tariff_money: Floats
    stay_money: Floats
    fee_money: Floats
    fee_from: Ints
    opening: Floats


def vehicles_of(fleet: Fleet, resources: Sequence[str]) -> Vehicles:
    """The vehicles that take pods, as rows; `resources` are those that some pod requests."""
    reading = _Reading(fleet, tuple(resources))
    chosen = [
        (index, candidate, candidate.parked)
        for index, candidate in enumerate(fleet.candidates)
        if candidate.refusal is None and candidate.parked is not None
    ]
    whole = np.empty((len(chosen), len(_WHOLE)), np.int64)
    money = np.empty((len(chosen), len(_MONEY)), np.float64)
    for row, (index, candidate, parked) in enumerate(chosen):
        tally = tally_of(candidate)
        whole[row] = (*reading.whole(index, candidate, parked), _fee_from(tally, fleet.snapshot.at))
        money[row] = _money(tally)
    ints = {name: np.ascontiguousarray(whole[:, n]) for n, name in enumerate(_WHOLE)}
    columns: dict[str, Any] = {name: ints[name].astype(np.int32) for name in _INDICES}
    columns.update((name, ints[name].astype(np.bool_)) for name in _FLAGS)
    columns.update((name, ints[name]) for name in _WHOLE if name not in _INDICES | _FLAGS)
    columns.update((name, np.ascontiguousarray(money[:, n])) for n, name in enumerate(_MONEY))
    return Vehicles(
        parked=tuple(parked for _, _, parked in chosen),
        machines=tuple(reading.machines),
        holdings=tuple(reading.holdings),
        regions=tuple(reading.regions),
        lines=tuple(reading.lines.values()),
        load_sets=tuple(reading.load_sets),
        sites=tuple(reading.sites),
        **columns,
    )


_INDICES = frozenset({"candidate", "machine", "holding", "region", "line", "loads", "site"})
_FLAGS = frozenset({"no_window", "attested", "fallible", "spared"})
_WHOLE = (
    "candidate",
    "machine",
    "holding",
    "region",
    "line",
    "loads",
    "site",
    "no_window",
    "attested",
    "fallible",
    "spared",
    "start",
    "departure",
    "power",
    "own_power",
    "charge_power",
    "sure_charge_power",
    "energy",
    "reserve",
    "base",
    "standby",
    "cap",
    "charging",
    "efficiency_percent",
    "lone_from",
    "lone_power",
    "link_bits",
    "link_bytes",
    "on_peak_from",
    "unknown_from",
    "unpriced_from",
    "fee_from",
)
_MONEY = ("dc_money", "ac_money", "tariff_money", "stay_money", "fee_money", "opening")


class _Reading:
    """Reads vehicles one after the other; what several have in common gets a number once."""

    def __init__(self, fleet: Fleet, resources: tuple[str, ...]) -> None:
        self._at, self._resources = fleet.snapshot.at, resources
        self._asks_of_prices = fleet.snapshot.policy.off_peak.asks_anything
        self.machines: dict[tuple[int, tuple[int, ...]], int] = {}
        self.holdings: dict[tuple[int, tuple[int, ...]], int] = {}
        self.regions: dict[str | None, int] = {}
        self.load_sets: dict[tuple[tuple[tuple[str, ...], int], ...], int] = {}
        self.sites: dict[str, int] = {}
        self.lines: dict[int, PriceLine] = {}
        self._line_number: dict[int, int] = {}
        self._turns: dict[Hashable, tuple[int, int, int]] = {}

    def whole(self, index: int, candidate: Candidate, parked: Parked) -> tuple[int, ...]:
        """The whole numbers of a vehicle, in the order of `_WHOLE`, but for the last."""
        at, vehicle, figures = self._at, parked.vehicle, parked.electrics
        start = start_of(candidate, at)
        machine, holding = self._resources_of(candidate, parked)
        own, (most, sure) = _own_power(parked, start), _charge_power(parked, start)
        power = min(own, most)
        energy, reserve, energy_fallible = _energy(parked)
        base = computing_at(parked.base, at)
        runs = any(step.start <= at < step.end for step in parked.base)
        alone = max(start, parked.base[-1].end if parked.base else start)
        loading = figures.plugged and bool(parked.loads)
        charging = _least_charging(parked, at)
        standby = 0 if runs else figures.standby
        fickle = loading and _is_fickle(parked, charging, base + standby + max(power, 0))
        site = parked.case.site
        on_peak, unknown, unpriced = self._price_turns(parked, start)
        limit, used = vehicle.link.monthly_limit_bytes, vehicle.used_this_month_bytes
        metered = vehicle.link.metered and limit is not None
        return (
            index,
            machine,
            holding,
            _number(self.regions, site.region if site else None),
            self._line(parked.prices),
            _number(self.load_sets, parked.loads if loading else ()),
            -1 if site is None else _number(self.sites, site.name),
            parked.departure is None,
            vehicle.attested,
            min(own, sure) < power or energy_fallible or fickle,
            _is_spared(parked, start),
            start - at,
            0 if parked.departure is None else parked.departure - at,
            min(_within(power), MOST_POWER),
            min(_within(own), MOST_POWER),
            _within(most),
            _within(sure),
            _within(energy),
            _within(reserve),
            base,
            standby,
            figures.cap if loading else 0,
            charging if loading else 0,
            figures.efficiency_percent,
            _within(alone - at),
            figures.standby,
            vehicle.link.downlink_bits_per_second or 0,
            (limit or 0) - used if metered else PLENTY,
            on_peak,
            unknown,
            unpriced,
        )

    def _resources_of(self, candidate: Candidate, parked: Parked) -> tuple[int, int]:
        capacity, used = candidate.capacity, candidate.used
        machine = _number(
            self.machines,
            (
                WATT * parked.vehicle.compute.max_power_watts,
                tuple([min(capacity.get(name, 0), PLENTY) for name in self._resources]),
            ),
        )
        taken = tuple([min(used.get(name, 0), PLENTY) for name in self._resources])
        return machine, _number(self.holdings, (machine, taken))

    def _line(self, prices: PriceLine | None) -> int:
        if prices is None:
            return -1
        found = self._line_number.get(id(prices))
        if found is None:
            found = self._line_number[id(prices)] = len(self.lines)
            self.lines[found] = prices
        return found

    def _price_turns(self, parked: Parked, start: Instant) -> tuple[int, int, int]:
        """The first instants on peak, unknown, and without a price where that is asked."""
        prices, at = parked.prices, self._at
        pays = fleet_pays(parked)
        key = id(prices), start, pays
        found = self._turns.get(key)
        if found is None:
            never = at + PLENTY
            if prices is None:
                on_peak, unknown = never, start if self._asks_of_prices else never
                unpriced = start - 1
            else:
                on_peak, unknown, unpriced = _first_turns(prices, start)
            unpriced = unpriced if pays else never
            found = _within(on_peak - at), _within(unknown - at), _within(unpriced - at)
            self._turns[key] = found
        return found


def _fee_from(tally: Tally | None, at: Instant) -> int:
    return PLENTY if tally is None else _within(tally.connection_from - at)


def _money(tally: Tally | None) -> tuple[float, ...]:
    """Its rates, in the order of `_MONEY`."""
    if tally is None:
        return (0.0,) * len(_MONEY)
    scale = tally.scale
    on_battery = tally.battery is not None
    return (
        (tally.wear + (tally.battery or 0)) / scale,
        0.0 if on_battery else (tally.energy or 0) / scale,
        0.0 if on_battery else tally.tariff / scale,
        tally.availability / scale,
        tally.connection / scale,
        tally.waking / scale,
    )


def _number(known: dict, key: Hashable) -> int:  # type: ignore[type-arg]
    found = known.get(key)
    if found is None:
        found = known[key] = len(known)
    return found


def _within(amount: int) -> int:
    """An amount that fits the columns: what is beyond `PLENTY` is as good as endless."""
    return max(min(amount, PLENTY), -PLENTY)


def _first_turns(prices: PriceLine, start: Instant) -> tuple[Instant, Instant, Instant]:
    line, judged = prices.timeline, prices.judgement
    index = line.index(start)

    def first(before: Sequence[int]) -> Instant:
        """The start of the first step of which this counts one, `start` at the earliest."""
        step = bisect_right(before, before[index]) - 1
        return max(line.starts[step], start) if step < len(line.starts) else start + PLENTY

    unpriced = next(
        (step for step in range(index, len(line.starts)) if line.prices[step] is None), None
    )
    priceless = start + PLENTY if unpriced is None else max(line.starts[unpriced], start)
    return first(judged.on_peak), first(judged.unknown), priceless


def _step_at(line: Sequence[Step], instant: Instant) -> Step | None:
    return next((step for step in line if step.start <= instant < step.end), None)


def _own_power(parked: Parked, start: Instant) -> Milliwatts:
    """What new pods may draw together at `start`: of the computer, and of the plug."""
    figures, step = parked.electrics, _step_at(parked.base, start)
    pods, computing = (step.pods, step.computing) if step else (0, figures.standby)
    most = WATT * parked.vehicle.compute.max_power_watts - pods
    return min(most, _dc(parked, figures.cap) - computing) if figures.plugged else most


def _charge_power(parked: Parked, start: Instant) -> tuple[Milliwatts, Milliwatts]:
    """The same so that charging is not slowed down: at `start`, and at any later time, too."""
    figures, step = parked.electrics, _step_at(parked.base, start)
    computing = step.computing if step else figures.standby
    if figures.source is not Source.GRID:
        return PLENTY, PLENTY
    if parked.charging is None:
        short = spare(parked.vehicle, parked.vehicle.battery.departure_percent) < 0
        if not (short and figures.charging_reported):
            return PLENTY, PLENTY
        most = _dc(parked, figures.cap - figures.charging) - computing
        return most, most
    leaves = start if parked.departure is None else parked.departure
    now = power_at(parked.charging.new, start)
    ever = (p.power for p in parked.charging.new if p.end > start and p.start < leaves)
    powers = now, max(ever, default=0)
    limits = [_dc(parked, figures.cap - each) - computing if each else PLENTY for each in powers]
    return limits[0], min(limits)


def _dc(parked: Parked, ac: Milliwatts) -> Milliwatts:
    """The most that may compute without taking more than so much AC, which is rounded down."""
    return ((ac + 1) * parked.electrics.efficiency_percent - 1) // FULL_PERCENT


def _energy(parked: Parked) -> tuple[int, int, bool]:
    """What new pods may take from the battery: to the departure, to the reserve, and if sure."""
    figures, battery, leaves = parked.electrics, parked.vehicle.battery, parked.departure
    if figures.source is Source.GRID or leaves is None:
        return PLENTY, PLENTY, False
    left = FULL_PERCENT * spare(parked.vehicle, battery.departure_percent)
    kept = FULL_PERCENT * spare(parked.vehicle, battery.reserve_percent)
    fallible = battery.departure_percent < battery.reserve_percent
    if parked.charging is not None and parked.charging.least:
        credit = _credit(parked, parked.charging.least, leaves)
        left, kept, fallible = left + credit, kept + credit, True
    spent = FULL_PERCENT * consumed(parked.base, leaves)
    return (left - spent) // FULL_PERCENT, (kept - spent) // FULL_PERCENT, fallible


def _credit(parked: Parked, least: Sequence[Stretch], until: Instant) -> int:
    """What a controlled car's charging is relied upon to bring, hundredths of a mW ms."""
    return parked.vehicle.charge_efficiency_percent * sum(
        piece.power // WATT * WATT * (min(piece.end, until) - piece.start)
        for piece in least
        if piece.start < until
    )


def _is_spared(parked: Parked, start: Instant) -> bool:
    """On the grid: the charge is under the reserve when the new pods start."""
    if parked.electrics.source is not Source.GRID:
        return False
    left = FULL_PERCENT * spare(parked.vehicle, parked.vehicle.battery.reserve_percent)
    if parked.charging is not None and parked.charging.least:
        left += _credit(parked, parked.charging.least, start)
    return left < 0


def _least_charging(parked: Parked, at: Instant) -> Milliwatts:
    """The least that charges it at any time up to its departure: then new pods raise it most."""
    if parked.charging is None:
        return parked.electrics.charging
    leaves = at + 1 if parked.departure is None else parked.departure
    powers = [
        power_at(parked.charging.most, at),
        *(piece.power for piece in parked.charging.most if at < piece.start < leaves),
    ]
    return min(powers)


def _is_fickle(parked: Parked, least: Milliwatts, computing: Milliwatts) -> bool:
    """By how much new pods raise its draw depends on what charges it meanwhile."""
    if parked.charging is None:
        return False
    most = max((piece.power for piece in parked.charging.most), default=0)
    figures = parked.electrics
    return most > least and most + figures.ac(computing) > figures.cap
