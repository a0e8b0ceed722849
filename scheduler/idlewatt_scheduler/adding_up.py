"""Adding up: what each placement of a plan costs, and all of them together, exactly.

A placement's cost is what it adds to its vehicle, and to its site, after those before it in the
plan's order: by priority, then by age. All new pods on a vehicle start together, so that what they
cost is a sum over the pieces of time between the ends of their stays, in whole numbers.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from idlewatt_scheduler.candidates import Candidate, Fleet, Parked
from idlewatt_scheduler.clauses.affinity import unmet_points
from idlewatt_scheduler.clauses.live import Placed, holding
from idlewatt_scheduler.clauses.pod import PodCase, pod_case
from idlewatt_scheduler.model.plan import Placement
from idlewatt_scheduler.model.units import (
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
    Milliwatts,
)
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.site_costs import SiteTerms, site_terms
from idlewatt_scheduler.stay import Stay
from idlewatt_scheduler.tables.layout import Count
from idlewatt_scheduler.tallies import Tally, tally_of
from idlewatt_scheduler.templates import Template

NOTHING: Final = Fraction(0)
FULL_PERCENT: Final = 100
NOWHERE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Added:
    """The placements in the plan's order, and what they cost together.

    Attributes:
        billed: by candidate, for the next time.
    """

    placements: tuple[Placement, ...]
    money: Fraction
    billed: Mapping[int, "Billed"]


@dataclass(frozen=True, slots=True)
class Known:
    """What was worked out already.

    Attributes:
        tallies: what candidates are paid.
        billed: what was added up for the last plan.
    """

    tallies: Mapping[int, Tally | None] = field(default_factory=dict)
    billed: Mapping[int, "Billed"] = field(default_factory=dict)

    def tally(self, index: int, candidate: Candidate) -> Tally | None:
        """What a candidate is paid."""
        return self.tallies[index] if index in self.tallies else tally_of(candidate)


NOTHING_KNOWN: Final = Known()


def add_up(
    fleet: Fleet,
    templates: Sequence[Template],
    counts: Iterable[Count],
    before: Mapping[str, str] = NOWHERE,
    known: Known = NOTHING_KNOWN,
) -> Added:
    """Give the pods of each template their places, and say what each of them costs.

    Args:
        fleet: that was planned for.
        templates: of its pending pods, in the plan's order.
        counts: sorted; a candidate and a template at most once. The oldest pods are placed, on the
            first candidates first.
        before: the names of the nodes on which pods, by `namespace/name`, were placed when last
            planned: of pods alike each keeps its place if there is still one for it.
        known: what has not to be worked out again.
    """
    places: list[list[_Place]] = [[] for _ in templates]
    parts: Counter[int] = Counter()
    points = 0
    billed: dict[int, Billed] = {}
    for candidate, held in _by_candidate(counts):
        pods = [(templates[template].sample, number) for template, number in held]
        bill = billed[candidate] = _billed(fleet, candidate, pods, known)
        for (number, _), place in zip(held, bill.places, strict=True):
            places[number].append(place)
            parts[place.scale] += sum(place.parts)
            points += len(place.parts) * place.points
    per_point = Fraction(fleet.snapshot.policy.preference_cost_per_point)
    shares, fractions = _Shares(fleet), _Fractions()
    placements: list[Placement] = []
    for template, here in zip(templates, places, strict=True):
        rows = [
            place.placements(fleet.candidates[place.candidate].name, per_point, fractions)
            for place in here
        ]
        for pod, number in _given(template.pods, here, fleet.candidates, before):
            share = shares.add(here[number].candidate, here[number].case)
            placements.append(rows[number](pod, share))
    money = sum((Fraction(each, scale) for scale, each in parts.items()), Fraction(0))
    return Added(tuple(placements), money + points * per_point + shares.money, billed)


def _by_candidate(counts: Iterable[Count]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    held: list[tuple[int, int]] = []
    last = -1
    for candidate, template, number in counts:
        if candidate != last and held:
            yield last, held
            held = []
        last = candidate
        if number:
            held.append((template, number))
    if held:
        yield last, held


class _Fractions(dict[tuple[int, int], Fraction]):
    """Fractions by numerator and denominator; the same ones come again and again."""

    def __missing__(self, ratio: tuple[int, int]) -> Fraction:
        made = self[ratio] = Fraction(*ratio)
        return made


@dataclass(frozen=True, slots=True)
class _Place:
    """So many pods of a template on a candidate.

    Attributes:
        scale: of `parts`: so many make one unit of the plan's currency.
        parts: what each of them adds to what its vehicle is paid.
        energy: milliwatt-milliseconds AC that each of them adds.
        points: of its preferences that are not met.
    """

    candidate: int
    case: PodCase
    scale: int
    parts: tuple[int, ...]
    energy: tuple[int, ...]
    points: int

    def placements(
        self, name: str, per_point: Fraction, fractions: _Fractions
    ) -> Callable[[Pod, Fraction], Placement]:
        """Makes placements here, of the first pod first; each with its share of the site's cost."""
        stay, power, scale = self.case.stay, self.case.power, self.scale
        rest = iter(zip(self.parts, self.energy, strict=True))
        unmet = self.points * per_point

        def placed(pod: Pod, share: Fraction) -> Placement:
            parts, energy = next(rest)
            money = fractions[parts, scale]
            return Placement(
                pod=pod,
                node=name,
                start=stay.start,
                ready_at=stay.ready_at,
                until=stay.until,
                power=power,
                cost=money + unmet + share if unmet or share else money,
                energy_watt_hours=fractions[energy, MILLIWATT_MILLISECONDS_PER_WATT_HOUR],
            )

        return placed


def _given(
    pods: Sequence[Pod],
    places: Sequence[_Place],
    candidates: Sequence[Candidate],
    before: Mapping[str, str],
) -> Iterator[tuple[Pod, int]]:
    """The oldest pods of a template, each with one of the places, which hold so many each."""
    left = [len(place.parts) for place in places]
    placed = pods[: sum(left)]
    number_of = {candidates[place.candidate].name: n for n, place in enumerate(places)}
    kept: dict[int, int] = {}
    if before:
        for index, pod in enumerate(placed):
            number = number_of.get(before.get(pod.key, ""))
            if number is not None and left[number]:
                left[number] -= 1
                kept[index] = number
    others = iter([number for number, many in enumerate(left) for _ in range(many)])
    for index, pod in enumerate(placed):
        yield pod, kept[index] if index in kept else next(others)


@dataclass(frozen=True, slots=True)
class Billed:
    """What pods add to the bill of a candidate.

    Attributes:
        held: a pod of each kind there, and how many there are.
        places: of each of these.
    """

    candidate: Candidate
    held: Sequence[tuple[Pod, int]]
    places: Sequence[_Place]

    def is_of(self, candidate: Candidate, held: Sequence[tuple[Pod, int]]) -> bool:
        """Whether it is the bill of the very same pods on the very same candidate."""
        return (
            self.candidate is candidate
            and len(self.held) == len(held)
            and all(
                mine is pod and many == number
                for (mine, many), (pod, number) in zip(self.held, held, strict=True)
            )
        )


def _billed(fleet: Fleet, index: int, held: Sequence[tuple[Pod, int]], known: Known) -> Billed:
    """What the pods on a candidate add to its bill; as last time if all is as it was then."""
    candidate, last = fleet.candidates[index], known.billed.get(index)
    if last is not None and last.is_of(candidate, held):
        return last
    tally = known.tally(index, candidate)
    return Billed(candidate, held, list(_places(fleet, index, held, tally)))


def _places(
    fleet: Fleet, index: int, held: Sequence[tuple[Pod, int]], tally: Tally | None
) -> Iterator[_Place]:
    """What the pods of each kind add, one after the other."""
    snapshot, candidate = fleet.snapshot, fleet.candidates[index]
    cases = [pod_case(pod, candidate, snapshot.policy, snapshot.at) for pod, _ in held]
    parked = candidate.parked
    bill = None if parked is None or tally is None else _Bill(parked, tally, cases)
    scale = 1 if tally is None else tally.scale
    for case, (_, number) in zip(cases, held, strict=True):
        if bill is None or candidate.node is None:
            free = (0,) * number
            yield _Place(index, case, scale, free, free, 0)
            continue
        added = [bill.one_more(case) for _ in range(number)]
        parts, energy = zip(*added, strict=True)
        points = unmet_points(case.pod, candidate.node)
        yield _Place(index, case, scale, parts, energy, points)


@dataclass(slots=True)
class _Piece:
    """A piece of time on a vehicle in which no new pod ends, nor the last running one.

    Attributes:
        length: milliseconds.
        once: parts that are paid once some new pod stays, energy aside.
        price: part-milliseconds of the tariff.
        standby: milliwatts that the first new pod adds.
        taken: some new pod stays.
        computing, ac: milliwatts of the new pods, standby included.
    """

    end: Instant
    length: int
    once: int
    price: int
    standby: Milliwatts
    taken: bool = False
    computing: Milliwatts = 0
    ac: Milliwatts = 0


class _Bill:
    """A vehicle, and what the pods that are placed on it one after the other add to its bill."""

    def __init__(self, parked: Parked, tally: Tally, cases: Iterable[PodCase]) -> None:
        self._tally, self._efficiency = tally, parked.electrics.efficiency_percent
        self._waking = tally.waking
        self._pieces = list(_pieces(parked, tally, {case.stay for case in cases}))

    def one_more(self, case: PodCase) -> tuple[int, int]:
        """What one more pod adds: parts of money, and AC energy."""
        tally, until = self._tally, case.stay.until
        parts, self._waking = self._waking, 0
        ac_energy = dc_energy = by_price = 0
        for piece in self._pieces:
            if piece.end > until:
                break
            more = case.power
            if not piece.taken:
                more += piece.standby
                parts += piece.once
                piece.taken = True
            piece.computing += more
            ac = piece.computing * FULL_PERCENT // self._efficiency
            ac_energy += (ac - piece.ac) * piece.length
            dc_energy += more * piece.length
            by_price += (ac - piece.ac) * piece.price
            piece.ac = ac
        if tally.battery is not None:
            parts += dc_energy * tally.battery
        elif tally.energy is not None:
            parts += ac_energy * tally.energy
        else:
            parts += by_price * tally.tariff
        return parts + dc_energy * tally.wear, ac_energy


def _pieces(parked: Parked, tally: Tally, stays: Collection[Stay]) -> Iterator[_Piece]:
    """The time from the start of the new pods to the end of the last, cut where one ends."""
    ends = {stay.until for stay in stays}
    since = next(iter(stays)).start
    # What runs has run since the plan's time: it leaves one gap at the most, and that at the end.
    lone = max(since, parked.base[-1].end) if parked.base else since
    last = max(ends)
    for end in sorted({*ends, min(lone, last)}):
        if end <= since:
            continue
        alone, once = since >= lone, 0
        if alone:
            paid_for = max(end - max(since, tally.connection_from), 0)
            once = (end - since) * tally.availability + paid_for * tally.connection
        yield _Piece(
            end=end,
            length=end - since,
            once=once,
            price=_price(parked, since, end) if tally.tariff else 0,
            standby=parked.electrics.standby if alone else 0,
        )
        since = end


def _price(parked: Parked, start: Instant, end: Instant) -> int:
    if parked.prices is None:
        return 0
    line = parked.prices.timeline
    return line.paid_before(end) - line.paid_before(start)


class _Shares:
    """What each placement adds to the cost of its site, in the plan's order.

    Attributes:
        money: all of it.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._terms: Mapping[int, SiteTerms] = {
            candidate: terms
            for terms in site_terms(fleet).values()
            for candidate in terms.candidates
        }
        self._cases: dict[int, list[tuple[PodCase, int]]] = {}
        self._held: dict[int, dict[int, Placed]] = {}
        self._spent: dict[int, Fraction] = {}
        self.money = Fraction(0)

    def add(self, candidate: int, case: PodCase) -> Fraction:
        """A candidate holds one more pod: by how much its site costs more."""
        terms = self._terms.get(candidate)
        if terms is None:
            return NOTHING
        cases = self._cases.setdefault(candidate, [])
        cases.append((case, 1))
        held = self._held.setdefault(id(terms), {})
        held[candidate] = holding(self._fleet.candidates[candidate], cases)
        cars = ((self._fleet.candidates[each].parked, placed) for each, placed in held.items())
        now = terms.money((car, placed) for car, placed in cars if car is not None)
        more = now - self._spent.get(id(terms), NOTHING)
        self._spent[id(terms)] = now
        self.money += more
        return more
