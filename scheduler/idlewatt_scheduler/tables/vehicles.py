"""Each vehicle that takes pods as a row of numbers, read from the fleet once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from idlewatt_scheduler.candidates import Fleet, Parked
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Floats, Indices, Ints
from idlewatt_scheduler.tables.reading import (
    AS_SAID,
    FULL_PERCENT,
    INDICES,
    MONEY,
    MOST_POWER,
    SAID,
    TURNS,
    Machine,
    Reading,
    reading_of,
)
from idlewatt_scheduler.tallies import Tally


@dataclass(frozen=True, slots=True)
class Vehicles:
    """The vehicles that no vehicle clause keeps pods away from; a row each, in the fleet's order.

    Instants are milliseconds from the plan's time; what is not limited is `PLENTY`. What is in
    `Offered` too means the same here.

    Attributes:
        candidate: its index among the fleet's candidates.
        parked: the vehicles themselves.
        machine: which of `machines` it has.
        holding: which of `holdings` it has: a machine, and what is requested of it already.
        on_battery: int64, the rows of those that take their energy from the battery.
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
        images: which images its Node lists, of those that are asked for; `listed` says of each
            image, as bool, which of these contain it.
        dc_money, ac_money: per milliwatt-millisecond; tariff_money: per milliwatt AC and integral
            of the price over time.
        stay_money: per millisecond of being alone there, standby aside.
        fee_money, fee_from: per millisecond plugged, from then on.
        opening: money for one waking.
        tallies: what each is paid, in whole numbers.
    """

    candidate: Indices
    parked: tuple[Parked, ...]
    machine: Indices
    holding: Indices
    machines: tuple[Machine, ...]
    holdings: tuple[tuple[int, tuple[int, ...]], ...]
    on_battery: Ints
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
    images: Indices
    listed: Mapping[str, Flags]
    dc_money: Floats
    ac_money: Floats
    tariff_money: Floats
    stay_money: Floats
    fee_money: Floats
    fee_from: Ints
    opening: Floats
    tallies: tuple[Tally | None, ...]

    @property
    def tally_by_candidate(self) -> dict[int, Tally | None]:
        """What each is paid, by its index among the fleet's candidates."""
        return dict(zip(self.candidate.tolist(), self.tallies, strict=True))

    def part(self, first: int, last: int) -> "Vehicles":
        """Those of some rows, with only those holdings that they have."""
        rows = slice(first, last)
        columns: dict[str, Any] = {
            each.name: value[rows] if isinstance(value, np.ndarray) else value
            for each in fields(self)
            for value in [getattr(self, each.name)]
        }
        kept, holding = np.unique(self.holding[rows], return_inverse=True)
        here = (self.on_battery >= first) & (self.on_battery < last)
        columns["parked"], columns["tallies"] = self.parked[rows], self.tallies[rows]
        columns["holding"] = holding.astype(np.int32)
        columns["holdings"] = tuple([self.holdings[index] for index in kept.tolist()])
        columns["on_battery"] = self.on_battery[here] - first
        return Vehicles(**columns)


def vehicles_of(fleet: Fleet, resources: Sequence[str], images: frozenset[str]) -> Vehicles:
    """The vehicles that take pods, as rows.

    Args:
        fleet: looked up.
        resources: those that some pod requests, in the order of the machines' columns.
        images: those of the pods of which it is known how large they are.
    """
    chosen = [
        (index, candidate, candidate.parked)
        for index, candidate in enumerate(fleet.candidates)
        if candidate.parked is not None and candidate.refusal is None
    ]
    reading = Reading(fleet, tuple(resources), images)
    reading = reading_of(reading, len(chosen))
    said, paid, fees, tallies = reading.rows(
        [(candidate, parked) for _, candidate, parked in chosen]
    )
    raw = {name: np.ascontiguousarray(said[:, n]) for n, name in enumerate(SAID)}
    raw["candidate"] = np.array([index for index, *_ in chosen], np.int64)
    turns = np.array(reading.turns or [(0, 0, 0)], np.int64)[raw["turns"]]
    columns: dict[str, Any] = _limits(raw)
    columns.update((name, raw[name].astype(np.int32)) for name in INDICES)
    columns.update((name, raw[name].astype(np.bool_)) for name in ("no_window", "attested"))
    columns.update((name, raw[name]) for name in AS_SAID)
    columns.update((name, turns[:, n].copy()) for n, name in enumerate(TURNS))
    columns.update((name, np.ascontiguousarray(paid[:, n])) for n, name in enumerate(MONEY))
    return Vehicles(
        parked=tuple(parked for _, _, parked in chosen),
        machines=tuple(reading.machines),
        holdings=tuple(reading.holdings),
        regions=tuple(reading.regions),
        lines=tuple(reading.lines),
        load_sets=tuple(reading.load_sets),
        sites=tuple(reading.sites),
        listed={
            image: np.array([image in each for each in reading.image_sets], np.bool_)
            for image in sorted(images)
        },
        fee_from=fees,
        tallies=tallies,
        **columns,
    )


def _limits(raw: Mapping[str, Ints]) -> dict[str, Any]:
    """What follows from what the vehicles said: limits of power and energy, and their draw."""
    eff, plugged, on_grid = raw["efficiency_percent"], raw["plugged"] > 0, raw["on_grid"] > 0
    standby, loading, is_charged = raw["lone_power"], raw["loading"] > 0, raw["is_charged"] > 0
    computing = np.where(raw["runs_then"] > 0, raw["base_then"], standby)

    def under(charging: Ints) -> Ints:
        """What may compute beside so much charging, which is AC, and rounded down."""
        most: Ints = ((raw["cap"] - charging + 1) * eff - 1) // FULL_PERCENT - computing
        return most

    own = raw["most_power"] - raw["pods_then"]
    own = np.where(plugged, np.minimum(own, under(np.zeros_like(own))), own)
    percent = raw["percent_watt_hours"]
    spare = (raw["charge_percent"] - raw["departure_percent"]) * percent
    kept = (raw["charge_percent"] - raw["reserve_percent"]) * percent
    slowed = on_grid & ~is_charged & (spare < 0) & (raw["charging_reported"] > 0)
    now = on_grid & is_charged & (raw["charge_now"] > 0)
    most = np.where(slowed, under(raw["charging"]), PLENTY)
    most = np.where(now, under(raw["charge_now"]), most)
    ever = on_grid & is_charged & (raw["charge_ever"] > 0)
    sure = np.where(ever, np.minimum(most, under(raw["charge_ever"])), most)
    power = np.minimum(own, most)
    battery = ~on_grid & (raw["no_window"] == 0)
    relied = battery & (raw["credit_to_departure"] >= 0)
    credit = np.where(relied, raw["credit_to_departure"], 0)
    energy = (FULL_PERCENT * (spare - raw["spent"]) + credit) // FULL_PERCENT
    reserve = (FULL_PERCENT * (kept - raw["spent"]) + credit) // FULL_PERCENT
    by_then = FULL_PERCENT * kept + np.maximum(raw["credit_to_start"], 0)
    least = np.where(is_charged, raw["charging_least"], raw["charging"])
    base, added = raw["base"], np.where(raw["runs"] > 0, 0, standby)
    busy = (base + added + np.maximum(np.minimum(power, MOST_POWER), 0)) * FULL_PERCENT // eff
    fickle = loading & is_charged & (raw["charging_most"] > least)
    fickle &= raw["charging_most"] + busy > raw["cap"]
    upside_down = battery & (raw["departure_percent"] < raw["reserve_percent"])
    return {
        "power": np.minimum(power, MOST_POWER),
        "own_power": np.minimum(own, MOST_POWER),
        "charge_power": most,
        "sure_charge_power": sure,
        "on_battery": np.flatnonzero(battery),
        "energy": np.where(battery, energy, PLENTY),
        "reserve": np.where(battery, reserve, PLENTY),
        "spared": on_grid & (by_then < 0),
        "base": base,
        "standby": added,
        "cap": np.where(loading, raw["cap"], 0),
        "charging": np.where(loading, least, 0),
        "fallible": (np.minimum(own, sure) < power) | relied | fickle | upside_down,
    }
