"""Pod clauses that depend on what else is placed: charge, resources, circuits.

A `Placed` is what one vehicle holds besides its running pods; the functions ask whether one
more pod fits there, and which clause would fail first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.circuits import Change, Room, allows
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.energy import (
    Controlled,
    Electrics,
    Source,
    Step,
    Stretch,
    consumed,
    spare,
    steps,
)
from idlewatt_scheduler.further.registry import amounts_of, columns_of, reason_of
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import Instant, Quantities
from idlewatt_scheduler.stay import Stay
from idlewatt_scheduler.trajectory import Trajectory, charge_ahead, percent_of


@dataclass(frozen=True, slots=True)
class Placed:
    """What one candidate holds: its running pods, and those the plan has put there so far.

    Attributes:
        cases: the new pods, with how many of each.
        stretches: what they ask for.
        line: computing over time, running and new pods together.
        used: what all pods there request, and take of further rules' columns.
    """

    cases: tuple[tuple[PodCase, int], ...]
    stretches: tuple[Stretch, ...]
    line: Sequence[Step]
    used: Quantities


def holding(candidate: Candidate, cases: Iterable[tuple[PodCase, int]] = ()) -> Placed:
    """A candidate with its running pods and so many of each of these."""
    held = tuple(cases)
    stretches = tuple(stretch_of(case, count) for case, count in held)
    used = dict(candidate.used)
    for case, count in held:
        for name, amount in amounts_of(case.pod).items():
            used[name] = used.get(name, 0) + count * amount
    parked = candidate.parked
    if parked is None:
        return Placed(held, stretches, (), used)
    line = steps([*parked.running, *stretches], parked.electrics.standby) if held else parked.base
    return Placed(held, stretches, line, used)


def stretch_of(case: PodCase, count: int) -> Stretch:
    """What so many pods alike ask for together."""
    return Stretch(case.stay.start, case.stay.until, count * case.power)


def line_with(parked: Parked, placed: Placed, extra: Stretch) -> list[Step]:
    """Computing over time with one more stretch."""
    return steps([*parked.running, *placed.stretches, extra], parked.electrics.standby)


def first_live_reason(
    case: PodCase, placed: Placed, circuits: Iterable[Room], count: int = 1
) -> PodReason | None:
    """The first of these clauses that fails for so many more pods there; None: they fit.

    `circuits` is the headroom of all circuits above the candidate, its present load counted.
    """
    parked = case.candidate.parked
    if parked is None:
        return first_short_reason(case, placed.used, count)
    line = line_with(parked, placed, stretch_of(case, count))
    if below_reserve(case, parked, line):
        return PodReason.BELOW_RESERVE
    if departure_charge_at_risk(case, parked, line):
        return PodReason.DEPARTURE_CHARGE_AT_RISK
    if not requests_fit(case, placed.used, count) or overloads_vehicle(case, parked, line):
        return PodReason.NOT_ENOUGH_RESOURCES
    further = next(further_reasons(case, placed.used, count), None)
    if further is None and not allows(circuits, draw_changes(parked, placed.line, line)):
        return PodReason.CIRCUIT_FULL
    return further


def below_reserve(case: PodCase, parked: Parked, line: Sequence[Step]) -> bool:
    """The charge would be under the reserve at some time in the stay."""
    battery = parked.vehicle.battery
    if parked.charging is not None and parked.charging.least:
        expected = _charge_ahead(parked, line, case.stay.until)
        least = expected.least(case.stay.start, case.stay.until)
        return least < percent_of(parked.vehicle, battery.reserve_percent)
    allowance = spare(parked.vehicle, battery.reserve_percent)
    if parked.electrics.source is Source.GRID:
        return allowance < 0
    return consumed(line, case.stay.until) > allowance


def departure_charge_at_risk(case: PodCase, parked: Parked, line: Sequence[Step]) -> bool:
    """The car would leave with less than agreed, or be charged more slowly towards it."""
    figures, percent = parked.electrics, parked.vehicle.battery.departure_percent
    allowance = spare(parked.vehicle, percent)
    if figures.source is not Source.GRID:
        until = case.stay.until if parked.departure is None else parked.departure
        return under(parked, line, percent, until)
    if parked.charging is not None:
        return slows_charging(case.stay, figures, parked.charging, line)
    if allowance >= 0 or not figures.charging_reported:
        return False
    return any(
        figures.charging + figures.ac(step.computing) > figures.cap
        for step in _during(line, case.stay)
    )


def under(parked: Parked, line: Sequence[Step], percent: int, instant: Instant) -> bool:
    """On the battery, the charge at an instant would be under so many percent."""
    if parked.charging is not None and parked.charging.least:
        left = _charge_ahead(parked, line, instant).charge_at(instant)
        return left < percent_of(parked.vehicle, percent)
    return consumed(line, instant) > spare(parked.vehicle, percent)


def slows_charging(
    stay: Stay, figures: Electrics, charging: Controlled, line: Sequence[Step]
) -> bool:
    """Computing would leave its new profile less than the power it has at some time in the stay."""
    return any(
        piece.power + figures.ac(step.computing) > figures.cap
        for step in _during(line, stay)
        for piece in charging.new
        if piece.power > 0
        and max(piece.start, step.start, stay.start) < min(piece.end, step.end, stay.until)
    )


def _charge_ahead(parked: Parked, line: Sequence[Step], until: Instant) -> Trajectory:
    return charge_ahead(parked.vehicle, parked.electrics, parked.charging, line, until)


def overloads_vehicle(case: PodCase, parked: Parked, line: Sequence[Step]) -> bool:
    """Our pods would ask for more than the computer, or the car's connection, gives."""
    most, figures = 1_000 * parked.vehicle.compute.max_power_watts, parked.electrics
    return any(
        step.pods > most or (figures.plugged and figures.ac(step.computing) > figures.cap)
        for step in _during(line, case.stay)
    )


def draw_changes(parked: Parked, before: Sequence[Step], after: Sequence[Step]) -> list[Change]:
    """By how much the car's draw differs between two lines of computing, and when."""
    figures = parked.electrics
    if not figures.plugged or not parked.circuits:
        return []
    edges = sorted({edge for step in (*before, *after) for edge in (step.start, step.end)})
    if parked.charging is not None and edges:
        between = (edge for edge in parked.charging_edges if edges[0] < edge < edges[-1])
        edges = sorted({*edges, *between})
    changes: list[Change] = []
    first = second = 0
    for start, end in pairwise(edges):
        while first < len(before) and before[first].end <= start:
            first += 1
        while second < len(after) and after[second].end <= start:
            second += 1
        old = _at(before, first, start)
        new = _at(after, second, start)
        if old != new and (more := parked.draw(new, start) - parked.draw(old, start)):
            changes.append((start, end, more))
    return changes


def _at(line: Sequence[Step], index: int, instant: int) -> int:
    return line[index].computing if index < len(line) and line[index].start <= instant else 0


def _during(line: Sequence[Step], stay: Stay) -> list[Step]:
    return [step for step in line if step.start < stay.until and step.end > stay.start]


def first_short_reason(case: PodCase, used: Quantities, count: int) -> PodReason | None:
    """Of what Nodes have so much of, the first that is short; all that a plain Node is asked."""
    if not requests_fit(case, used, count):
        return PodReason.NOT_ENOUGH_RESOURCES
    return next(further_reasons(case, used, count), None)


def requests_fit(case: PodCase, used: Quantities, count: int) -> bool:
    """What they request fits what is left of the capacity."""
    capacity = case.candidate.capacity
    return all(
        used.get(name, 0) + count * request <= capacity.get(name, 0)
        for name, request in case.pod.requests.items()
        if request > 0
    )


def further_reasons(case: PodCase, used: Quantities, count: int) -> Iterator[PodReason]:
    """The reasons of the further rules of whose columns too little is left, in their order."""
    for name, amount in columns_of(case.pod).items():
        if used.get(name, 0) + count * amount > case.candidate.holds(name):
            yield reason_of(name)
