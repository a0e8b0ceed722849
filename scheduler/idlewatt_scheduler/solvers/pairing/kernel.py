"""The loop over vehicles and templates: who may take whom, how many, and for how much.

It says what `tables.asking`, `tables.pairs` and `tables.money` say of whole columns, operation by
operation: the results are the same to the last bit.
"""

from typing import Any, NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pairing.sheets import NOTHING, UNKNOWN, Sheets
from idlewatt_scheduler.solvers.pricing.compiling import compiled, compiled_part
from idlewatt_scheduler.tables.layout import PLENTY, Indices, Ints, SmallFloats
from idlewatt_scheduler.tables.money import SHORT

Row = Any
"""A record of a vehicle."""

Wish = Any
"""A record of a template."""


class Laid(NamedTuple):
    """Where pairs are written, as in `tables.layout.Pairs`, from the first place on."""

    template: Indices
    power: Indices
    until: Indices
    most: Indices
    cost: SmallFloats
    stay_cost: SmallFloats


class Known(NamedTuple):
    """What was worked out already, or is `UNKNOWN`.

    Attributes:
        power: int64[M, T], milliwatts of a pod; -1: it exceeds the machine.
        fit: int32[H, T], how many fit into what is left of the machine.
    """

    power: Ints
    fit: Indices


@compiled
def lay(  # noqa: PLR0913, PLR0917 - compiled functions take no objects
    sheets: Sheets,
    per_point: float,
    begin: int,
    end: int,
    laid: Laid,
    known: Known,
    taken: Ints,
) -> int:
    """Write the pairs of some vehicles; how many there are.

    Args:
        sheets: of all vehicles and templates.
        per_point: money for a point of preferences that is not met.
        begin: the first vehicle.
        end: the one after the last.
        laid: where.
        known: what was worked out for others.
        taken: int64[V], is told how many each vehicle has.
    """
    delays = np.zeros(len(sheets.fetch_bits), np.int64)
    missing = np.zeros(len(sheets.fetch_bits), np.int64)
    place = 0
    for vehicle in range(begin, end):
        before = place
        if not sheets.rows[vehicle].shut:
            _fetch(sheets, vehicle, delays, missing)
            place = _lay(sheets, per_point, vehicle, place, laid, known, delays, missing)
        taken[vehicle] = place - before
    return place


@compiled_part
def _lay(  # noqa: PLR0913, PLR0917 - compiled functions take no objects
    sheets: Sheets,
    per_point: float,
    vehicle: int,
    place: int,
    laid: Laid,
    known: Known,
    delays: Ints,
    missing: Ints,
) -> int:
    """Those of one vehicle, from this place on; the next place.

    An array that is handed on costs more than all that is done with it here: so there are few.
    """
    row = sheets.rows[vehicle]
    machine, holding = row.machine, row.holding
    for each in range(len(sheets.wishes)):
        wish = sheets.wishes[each]
        if (
            wish.refused
            or not sheets.tolerated[vehicle, wish.tolerated]
            or not sheets.selected[vehicle, wish.selected]
            or not (wish.trusting or row.attested)
            or (wish.residency != NOTHING and sheets.elsewhere[wish.residency, row.region])
        ):
            continue
        delay, lacks = 0, 0
        if wish.fetched != NOTHING:
            delay, lacks = delays[wish.fetched], missing[wish.fetched]
        if known.power[machine, each] == UNKNOWN:
            known.power[machine, each] = _power(sheets, machine, each)
        if known.fit[holding, each] == UNKNOWN:
            known.fit[holding, each] = _fit(sheets, holding, each)
        draws, ends = known.power[machine, each], _ends(row, wish, delay, lacks)
        if draws < 0 or ends < 0:
            continue
        number = _most(row, known.fit[holding, each], draws, ends)
        if number > 0:
            reached, least = 0.0, 0.0
            if row.pays:
                reached, least = _paid(sheets, row.line, ends)
            own, stay = _money(row, draws, ends, reached, least)
            own += per_point * sheets.points[vehicle, wish.points]
            laid.template[place] = each
            laid.power[place] = draws
            laid.until[place] = ends
            laid.most[place] = number
            laid.cost[place] = own - abs(own) * SHORT
            laid.stay_cost[place] = stay - abs(stay) * SHORT
            place += 1
    return place


@compiled_part
def _fetch(sheets: Sheets, vehicle: int, delays: Ints, missing: Ints) -> None:
    """Milliseconds to fetch what a vehicle lacks, and bytes."""
    row = sheets.rows[vehicle]
    for each in range(len(sheets.fetch_bits)):
        lacks = not sheets.present[each, row.images]
        missing[each] = sheets.fetch_bytes[each] if lacks else 0
        known = lacks and row.link_bits > 0
        delays[each] = -(-sheets.fetch_bits[each] // row.link_bits) if known else 0


@compiled_part
def _ends(row: Row, wish: Wish, delay: int, missing: int) -> int:
    """The end of its stay; -1: link, time or prices do not allow it."""
    if delay > wish.most_delay or missing > row.link_bytes:
        return NOTHING
    until: int = min(row.start + wish.length + delay, PLENTY)
    if until + wish.lead > row.departure or until > wish.deadline or until > row.unpriced_from:
        return NOTHING
    if not wish.any_tariff and (until > row.unknown_from or until > row.on_peak_from):
        return NOTHING
    return until


@compiled_part
def _power(sheets: Sheets, machine: int, template: int) -> int:
    """Milliwatts of one pod; -1: it exceeds the machine."""
    most: int = sheets.most_power[machine]
    power: int = sheets.wishes[template].declared
    for resource in range(sheets.request.shape[1]):
        asked = sheets.request[template, resource]
        if asked > 0:
            whole = sheets.whole[machine, resource]
            if asked > whole:
                return NOTHING
            if sheets.draws_power[resource]:
                power = max(power, most * asked // whole)
    return power if power <= most else NOTHING


@compiled_part
def _fit(sheets: Sheets, holding: int, template: int) -> int:
    """How many fit into what is left of the machine, no more than there are."""
    fit: int = sheets.wishes[template].count
    for resource in range(sheets.request.shape[1]):
        asked = sheets.request[template, resource]
        if asked > 0:
            fit = min(fit, sheets.free[holding, resource] // asked)
    return fit


@compiled_part
def _most(row: Row, fit: int, power: int, until: int) -> int:
    """How many fit were nothing else placed; `fit` as far as the machine is concerned."""
    length = until - row.start
    if length > 0:
        fit = _fitting(row.power, power, fit)
    if row.on_battery and fit > 0:
        standby = row.lone_power * max(until - row.lone_from, 0) if length > 0 else 0
        each = power * max(length, 0)
        fit = _fitting(row.energy - standby, each, fit)
        fit = _fitting(row.reserve - standby, each, fit)
    return fit


@compiled_part
def _fitting(left: int, each: int, fit: int) -> int:
    """How many of `each` what is left holds, no more than `fit`."""
    if left < 0:
        return 0
    if each == 0:
        return fit
    return min(fit, int(left / each))


@compiled_part
def _money(row: Row, power: int, until: int, reached: float, least: float) -> tuple[float, float]:
    """What one pod costs there, and what the vehicle's staying so long does."""
    ac = power * 100 // row.efficiency_percent
    drawn = power if until > row.start else 0
    cost = (until - row.start) * (drawn * row.dc_money + ac * row.ac_money)
    stay = max(until - row.lone_from, 0) * row.alone_per_millisecond
    if row.fee_money != 0.0:
        stay += max(until - row.fee_from, 0) * row.fee_money
    if row.pays:
        cost += ac * row.tariff_money * (reached - row.at_start)
        cost -= max(until - row.start, 0) * row.rounded_off
        if until <= row.lone_from:
            reached, least = row.at_lone, row.least_lone
        paid = least if row.falls else reached
        stay += (paid - row.at_lone) * row.standby - row.longest_off
    return cost, stay


@compiled_part
def _paid(sheets: Sheets, line: int, instant: int) -> tuple[float, float]:
    """The integral of the price up to an instant, and the least that it is from then on."""
    within = min(instant, sheets.horizon)
    step = sheets.step_of[line * sheets.number + (within >> sheets.shift)]
    for _ in range(sheets.hops):
        if sheets.steps[step].end <= within:
            step += 1
    there = sheets.steps[step]
    reached = there.paid + there.price * (within - there.start)
    return reached, min(reached, there.later)
