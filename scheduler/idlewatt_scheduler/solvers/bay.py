"""One candidate in the exact model: which pods stand there, until when, and what they draw.

All new pods on a candidate start together, so its computing is greatest at that start and falls
from stay's end to stay's end. What is not linear in the pods, standby once, availability for a
union of stays, is linear in literals that say "some pod stays at least so long".
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.costs import Cost, Rates, cost_of
from idlewatt_scheduler.energy import Source, Stretch, computing_at, consumed, spare
from idlewatt_scheduler.model.units import Instant, Milliwatts

Literal = cp_model.IntVar
Sum = cp_model.LinearExpr | int


@dataclass(slots=True)
class Bay:
    """The literals of one candidate.

    Attributes:
        stands: by template, a literal for "at least one", "at least two" and so on.
        stays: by end of stay, a literal for "some new pod stays at least until then".
    """

    model: cp_model.CpModel
    where: Candidate
    cases: dict[int, PodCase]
    stands: dict[int, list[Literal]]
    stays: dict[Instant, Literal] = field(default_factory=dict)

    @property
    def parked(self) -> Parked | None:
        """What it has because it is a vehicle."""
        return self.where.parked

    def number(self, template: int) -> Sum:
        """How many pods of a template stand here."""
        return sum(self.stands.get(template, ()))

    def power(self, instant: Instant) -> Sum:
        """Milliwatts of the new pods at one instant."""
        return sum(
            case.power * self.number(template)
            for template, case in self.cases.items()
            if case.stay.start <= instant < case.stay.until
        )

    def anyone(self, instant: Instant) -> Sum:
        """One while a new pod stays, else nothing."""
        if any(instant < case.stay.start for case in self.cases.values()):
            return 0
        return next((stays for end, stays in sorted(self.stays.items()) if end > instant), 0)

    def computing(self, instant: Instant) -> Sum:
        """Milliwatts DC of all pods of ours there, standby included."""
        if self.parked is None:
            return 0
        running = computing_at(self.parked.base, instant)
        standby = 0 if running else self.parked.electrics.standby
        return running + self.power(instant) + standby * self.anyone(instant)


def bay(model: cp_model.CpModel, board: Board, candidate: int, most: dict[int, int]) -> Bay:
    """The literals and the own limits of a candidate that may take `most` of each template."""
    made = Bay(
        model,
        board.candidates[candidate],
        {template: board.case(template, candidate)[0] for template in most},
        {t: [model.new_bool_var("") for _ in range(count)] for t, count in most.items()},
    )
    for literals in made.stands.values():
        for fewer, more in pairwise(literals):
            model.add_implication(more, fewer)
    _say_who_stays(made)
    _limit_requests(made)
    if made.parked is not None and made.cases:
        _limit_power(made, made.parked)
        _limit_charge(made, made.parked)
    return made


def prices(
    made: Bay, rates: Rates | None, preference: Callable[[PodCase], Fraction]
) -> list[tuple[Literal, Fraction]]:
    """What each literal adds to the cost of the vehicle, in the plan's currency.

    Exact up to the rounding of AC power to the milliwatt.
    """
    parked = made.parked
    if parked is None or rates is None:
        return []
    terms: list[tuple[Literal, Fraction]] = []
    start = next((case.stay.start for case in made.cases.values()), 0)
    before = Cost()
    for end, literal in sorted(made.stays.items()):
        alone = cost_of(parked, rates, [Stretch(start, end, 0)])
        terms.append((literal, alone.money - before.money))
        before = alone
    for template, case in made.cases.items():
        stay = case.stay
        nothing = cost_of(parked, rates, [Stretch(start, stay.until, 0)])
        added = cost_of(parked, rates, [Stretch(start, stay.until, case.power)]) - nothing
        each = added.money + preference(case)
        terms.extend((literal, each) for literal in made.stands[template])
    return terms


def rounding(made: Bay, rates: Rates | None) -> Fraction:
    """By how much the vehicle's cost may differ from the sum of its literals' at the most.

    AC power is rounded down once for all that computes, in the sum once for each literal.
    """
    if made.parked is None or rates is None or not made.cases:
        return Fraction(0)
    stays = [case.stay for case in made.cases.values()]
    start, last = stays[0].start, max(stay.until for stay in stays)
    # 100 mW of DC are at least 100 mW of AC.
    nothing = cost_of(made.parked, rates, [Stretch(start, last, 0)])
    hundred = cost_of(made.parked, rates, [Stretch(start, last, 100)])
    literals = sum(map(len, made.stands.values())) + len(made.stays)
    return (literals + 1) * abs(hundred.money - nothing.money) / 100


def _say_who_stays(made: Bay) -> None:
    for end in {case.stay.until for case in made.cases.values()}:
        literal = made.stays[end] = made.model.new_bool_var("")
        longer = [
            made.stands[template][0]
            for template, case in made.cases.items()
            if case.stay.until >= end
        ]
        made.model.add_max_equality(literal, longer)


def _limit_requests(made: Bay) -> None:
    capacity, used = made.where.capacity, made.where.used
    names = {name for case in made.cases.values() for name in case.pod.requests}
    for name in sorted(names):
        asked = [
            case.pod.requests.get(name, 0) * literal
            for template, case in made.cases.items()
            for literal in made.stands[template]
        ]
        most = sum(
            case.pod.requests.get(name, 0) * len(made.stands[template])
            for template, case in made.cases.items()
        )
        room = max(capacity.get(name, 0) - used.get(name, 0), 0)
        if most > room:
            made.model.add(sum(asked) <= room)


def _limit_power(made: Bay, parked: Parked) -> None:
    """At the common start, when computing is greatest: the computer, its cap, its charging."""
    start = next(iter(made.cases.values())).stay.start
    figures = parked.electrics
    running = next((step.pods for step in parked.base if step.start <= start < step.end), 0)
    most = 1_000 * parked.vehicle.compute.max_power_watts
    made.model.add(made.power(start) <= max(most - running, 0))
    ceilings: list[Milliwatts] = []
    if figures.plugged:
        ceilings.append(figures.cap)
    short = spare(parked.vehicle, parked.vehicle.battery.departure_percent) < 0
    from_grid = figures.source is Source.GRID
    if from_grid and parked.charging is None and short and figures.charging_reported:
        ceilings.append(figures.cap - figures.charging)
    if ceilings:
        _limit_computing(made, parked, start, min(ceilings))
    if from_grid and parked.charging is not None:
        last = max(case.stay.until for case in made.cases.values())
        for piece in parked.charging.new:
            if piece.power and piece.end > start and piece.start < last:
                _limit_computing(made, parked, max(piece.start, start), figures.cap - piece.power)


def _limit_computing(made: Bay, parked: Parked, instant: Instant, most: Milliwatts) -> None:
    """While a new pod stays, at most so much AC; it is asked where computing is greatest."""
    # AC is rounded down, so DC may exceed the converted ceiling by less than a milliwatt AC.
    most_dc = ((most + 1) * parked.electrics.efficiency_percent - 1) // 100
    if computing_at(parked.base, instant) <= most_dc:
        made.model.add(made.computing(instant) <= most_dc)
    else:
        made.model.add(made.anyone(instant) == 0)


def _limit_charge(made: Bay, parked: Parked) -> None:
    """On the battery: what is left at the departure; the reserve is never above that."""
    if parked.electrics.source is Source.GRID or parked.departure is None:
        return
    allowance = spare(parked.vehicle, parked.vehicle.battery.departure_percent)
    left = allowance - consumed(parked.base, parked.departure)
    spent: list[Sum] = [
        case.power * (case.stay.until - case.stay.start) * made.number(template)
        for template, case in made.cases.items()
    ]
    start, before = next(iter(made.cases.values())).stay.start, 0
    for end, literal in sorted(made.stays.items()):
        alone = _alone(parked, start, end)
        spent.append(parked.electrics.standby * (alone - before) * literal)
        before = alone
    made.model.add(sum(spent) <= max(left, 0))
    if left < 0:
        made.model.add(sum(spent) < 0)


def _alone(parked: Parked, start: Instant, end: Instant) -> int:
    """Milliseconds of a stay in which no running pod has standby drawn already."""
    covered = sum(max(min(step.end, end) - max(step.start, start), 0) for step in parked.base)
    return end - start - covered


def edges_of(made: Bay) -> set[Instant]:
    """The instants at which the computing of a candidate may change, once its pods have started."""
    parked = made.parked
    running: Iterable[Instant] = ()
    if parked is not None:
        running = (edge for step in parked.base for edge in (step.start, step.end))
    stays: Sequence[Instant] = [
        edge for case in made.cases.values() for edge in (case.stay.start, case.stay.until)
    ]
    return {*stays, *running, *(parked.charging_edges if parked is not None else ())}
