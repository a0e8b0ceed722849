"""One candidate in the exact model: which pods stand there, until when, and what they draw.

All new pods on a candidate start together, so its computing is greatest at that start and falls
from stay's end to stay's end. What is not linear in the pods, standby once, availability for a
union of stays, is linear in literals that say "some pod stays at least so long".
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.circuits import Load
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.costs import Cost, Rates, cost_of
from idlewatt_scheduler.energy import Stretch, computing_at
from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.solvers.rows import Row, rows_of

Literal = cp_model.IntVar
Sum = cp_model.LinearExpr | int


@dataclass(slots=True)
class Berth(ABC):
    """One candidate of a model, by the pods that may stand there.

    Attributes:
        cases: by template, one pod of it there.
    """

    model: cp_model.CpModel
    where: Candidate
    cases: dict[int, PodCase]

    @property
    def parked(self) -> Parked | None:
        """What it has because it is a vehicle."""
        return self.where.parked

    @property
    def loads(self) -> Sequence[Load]:
        """What its pods may load: circuits, and phases of them."""
        parked = self.parked
        if parked is None or not parked.electrics.plugged or not self.cases:
            return ()
        return parked.loads

    @abstractmethod
    def number(self, template: int) -> Sum:
        """How many pods of a template stand here."""

    @abstractmethod
    def most(self, template: int) -> int:
        """How many there may be at the most."""

    @abstractmethod
    def more_than(self, template: int, number: int) -> cp_model.LiteralT:
        """A literal for more pods of a template here than `number`, which is below the most."""

    @abstractmethod
    def raised(self, instant: Instant) -> Sum:
        """By how much the new pods raise the draw of the car at an instant, in milliwatts."""

    def raised_at_most(self, instant: Instant) -> Milliwatts:
        """The most that could be."""
        parked = self.parked
        if parked is None or all(instant >= case.stay.until for case in self.cases.values()):
            return 0
        figures, base = parked.electrics, computing_at(parked.base, instant)
        most = 1_000 * parked.vehicle.compute.max_power_watts + figures.standby
        return max(parked.draw(most, instant) - parked.draw(base, instant), 0)


@dataclass(slots=True)
class Bay(Berth):
    """A candidate by literals.

    Attributes:
        stands: by template, a literal for "at least one", "at least two" and so on.
        stays: by end of stay, a literal for "some new pod stays at least until then".
    """

    stands: dict[int, list[Literal]]
    stays: dict[Instant, Literal] = field(default_factory=dict)
    raises: dict[Instant, Sum] = field(default_factory=dict)

    def number(self, template: int) -> Sum:
        """How many pods of a template stand here."""
        return sum(self.stands.get(template, ()))

    def most(self, template: int) -> int:
        """How many there may be at the most."""
        return len(self.stands.get(template, ()))

    def more_than(self, template: int, number: int) -> cp_model.LiteralT:
        """The literal for one more."""
        return self.stands[template][number]

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

    def raised(self, instant: Instant) -> Sum:
        """AC is rounded down for all that computes together, and cut off at the cap."""
        parked = self.parked
        if parked is None:
            return 0
        if instant not in self.raises:
            figures, base = parked.electrics, computing_at(parked.base, instant)
            at_most = 1_000 * parked.vehicle.compute.max_power_watts + figures.standby
            ac = self.model.new_int_var(0, figures.ac(max(at_most, base)), "")
            computing = self.computing(instant)
            self.model.add(figures.efficiency_percent * ac <= 100 * computing)
            self.model.add(100 * computing <= figures.efficiency_percent * (ac + 1) - 1)
            drawn = self.model.new_int_var(0, figures.cap, "")
            self.model.add_min_equality(drawn, [figures.cap, parked.charging_at(instant) + ac])
            self.raises[instant] = drawn - parked.draw(base, instant)
        return self.raises[instant]


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
    for row in rows_of(made.where, made.cases):
        _keep(made, row)
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


def _keep(made: Bay, row: Row) -> None:
    """A row as a constraint, where the pods could take more than there is."""
    taken: list[Sum] = []
    most = max(row.stays.values(), default=0)
    for template, literals in made.stands.items():
        amount = row.pods.get(template, 0)
        taken.extend(amount * literal for literal in literals if amount)
        most += amount * len(literals)
    if most <= row.room:
        return
    before = 0
    for end, literal in sorted(made.stays.items()):
        alone = row.stays.get(end, 0)
        taken.append((alone - before) * literal)
        before = alone
    made.model.add(sum(taken) <= row.room)


def edges_of(made: Berth) -> set[Instant]:
    """The instants at which the computing of a candidate may change, once its pods have started."""
    parked = made.parked
    running: Iterable[Instant] = ()
    if parked is not None:
        running = (edge for step in parked.base for edge in (step.start, step.end))
    stays: Sequence[Instant] = [
        edge for case in made.cases.values() for edge in (case.stay.start, case.stay.until)
    ]
    return {*stays, *running, *(parked.charging_edges if parked is not None else ())}
