"""What one candidate can hold, as linear rows: so much of something each pod takes, and each stay.

All new pods on a candidate start together, so its computing is greatest at that start and falls
from stay's end to stay's end. What they share, standby above all, depends on the last end alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.energy import Source, computing_at, consumed, spare
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.units import Instant, Milliwatts

Cases = Mapping[int, PodCase]
"""By template, one pod of it on the candidate; there is at least one."""


@dataclass(frozen=True, slots=True)
class Row:
    """The sum of what the pods take, and of what their stays take together, is at most `room`.

    Attributes:
        pods: by template, what one pod takes; what is not there takes nothing.
        stays: by end, what is taken once if the last new pod stays until then; likewise.
    """

    room: int
    pods: Mapping[int, int]
    stays: Mapping[Instant, int] = field(default_factory=dict)


def rows_of(where: Candidate, cases: Cases) -> Iterator[Row]:
    """All that a candidate's own clauses ask of its new pods together, circuits aside."""
    yield from request_rows(where, cases)
    if where.parked is not None and cases:
        yield from power_rows(where.parked, cases)
        yield from charge_rows(where.parked, cases)


def request_rows(where: Candidate, cases: Cases) -> Iterator[Row]:
    """What is left of each resource, and of the further rules' columns."""
    amounts = {t: amounts_of(case.pod) for t, case in cases.items()}
    for name in sorted({name for each in amounts.values() for name in each}):
        room = max(where.holds(name) - where.used.get(name, 0), 0)
        yield Row(room, {t: each.get(name, 0) for t, each in amounts.items()})


def power_rows(parked: Parked, cases: Cases) -> Iterator[Row]:
    """At the common start, when computing is greatest: the computer, its cap, its charging."""
    start = start_of_all(cases)
    figures = parked.electrics
    running = next((step.pods for step in parked.base if step.start <= start < step.end), 0)
    most = 1_000 * parked.vehicle.compute.max_power_watts
    yield Row(max(most - running, 0), {t: case.power for t, case in cases.items()})
    ceilings: list[Milliwatts] = []
    if figures.plugged:
        ceilings.append(figures.cap)
    short = spare(parked.vehicle, parked.vehicle.battery.departure_percent) < 0
    from_grid = figures.source is Source.GRID
    if from_grid and parked.charging is None and short and figures.charging_reported:
        ceilings.append(figures.cap - figures.charging)
    if ceilings:
        yield computing_row(parked, cases, start, min(ceilings))
    if from_grid and parked.charging is not None:
        last = max(case.stay.until for case in cases.values())
        for piece in parked.charging.new:
            if piece.power and piece.end > start and piece.start < last:
                instant = max(piece.start, start)
                yield computing_row(parked, cases, instant, figures.cap - piece.power)


def computing_row(parked: Parked, cases: Cases, instant: Instant, most: Milliwatts) -> Row:
    """While a new pod stays, at most so much AC; it is asked where computing is greatest."""
    # AC is rounded down, so DC may exceed the converted ceiling by less than a milliwatt AC.
    most_dc = ((most + 1) * parked.electrics.efficiency_percent - 1) // 100
    running = computing_at(parked.base, instant)
    ends = {case.stay.until for case in cases.values() if case.stay.until > instant}
    if running > most_dc:
        return Row(0, {}, dict.fromkeys(ends, 1))
    standby = 0 if running else parked.electrics.standby
    staying = {t: case.power for t, case in cases.items() if case.stay.until > instant}
    return Row(most_dc - running, staying, dict.fromkeys(ends, standby))


def charge_rows(parked: Parked, cases: Cases) -> Iterator[Row]:
    """On the battery: what is left at the departure; the reserve is never above that."""
    if parked.electrics.source is Source.GRID or parked.departure is None:
        return
    allowance = spare(parked.vehicle, parked.vehicle.battery.departure_percent)
    left = allowance - consumed(parked.base, parked.departure)
    start, standby = start_of_all(cases), parked.electrics.standby
    energy = {t: case.power * (case.stay.until - start) for t, case in cases.items()}
    ends = {case.stay.until for case in cases.values()}
    yield Row(left, energy, {end: standby * _alone(parked, start, end) for end in ends})


def start_of_all(cases: Cases) -> Instant:
    """When new pods start there."""
    return next(iter(cases.values())).stay.start


def _alone(parked: Parked, start: Instant, end: Instant) -> int:
    """Milliseconds of a stay in which no running pod has standby drawn already."""
    covered = sum(max(min(step.end, end) - max(step.start, start), 0) for step in parked.base)
    return end - start - covered
