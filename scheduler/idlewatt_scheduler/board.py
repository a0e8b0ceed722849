"""The board: what a plan has placed so far, and what it leaves of charge, machines, circuits."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from idlewatt_scheduler.candidates import Candidate, Fleet, total
from idlewatt_scheduler.circuits import Change, Headroom, Room, RoomKey, Share
from idlewatt_scheduler.clauses.affinity import unmet_points
from idlewatt_scheduler.clauses.live import (
    Placed,
    draw_changes,
    first_live_reason,
    holding,
    stretch_of,
)
from idlewatt_scheduler.clauses.pod import PodCase, first_fixed_reason, pod_case
from idlewatt_scheduler.clauses.together import Together
from idlewatt_scheduler.costs import NOTHING, Cost, Rates, cost_of, rates_of
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import PodReason, Reason
from idlewatt_scheduler.site_costs import site_terms
from idlewatt_scheduler.templates import Template

Held = tuple[tuple[PodCase, int], ...]
"""Pods on one candidate: each case, and how many alike."""


class Board:
    """One plan in the making; candidates and templates are known by their index.

    Args:
        leavers: the running pods that have to leave: gangs and spread do not count them.
    """

    def __init__(
        self, fleet: Fleet, templates: tuple[Template, ...], leavers: Iterable[Leaving] = ()
    ) -> None:
        self.fleet = fleet
        self.templates = templates
        self.placed = [holding(candidate) for candidate in fleet.candidates]
        self.rooms: dict[RoomKey, Headroom] = {
            key: room.copy()
            for each in (fleet.headroom, fleet.phases)
            for key, room in each.items()
        }
        self.rates: list[Rates | None] = [rates_of(candidate) for candidate in fleet.candidates]
        self.left = [len(template.pods) for template in templates]
        self.together = Together(fleet, templates, leavers)
        self.sites = site_terms(fleet)
        self._site = {c: name for name, each in self.sites.items() for c in each.candidates}
        self.whole = total(*(candidate.capacity for candidate in fleet.candidates))
        self._index = {id(template.sample): index for index, template in enumerate(templates)}
        self._fixed: dict[tuple[int, int], tuple[PodCase, PodReason | None]] = {}

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Those of the fleet, in its order."""
        return self.fleet.candidates

    def case(self, template: int, candidate: int) -> tuple[PodCase, PodReason | None]:
        """A pod of the template there, and the first fixed clause that fails; looked up once."""
        found = self._fixed.get((template, candidate))
        if found is None:
            snapshot = self.fleet.snapshot
            pod, where = self.templates[template].sample, self.candidates[candidate]
            case = pod_case(pod, where, snapshot.policy, snapshot.at)
            found = self._fixed[template, candidate] = case, first_fixed_reason(case)
        return found

    def takers(self, template: int) -> list[int]:
        """The candidates of which no vehicle clause and no fixed clause keeps the pod away."""
        return [
            index
            for index, candidate in enumerate(self.candidates)
            if candidate.refusal is None and self.case(template, index)[1] is None
        ]

    def reason(self, template: int, candidate: int) -> Reason | None:
        """The first clause that fails for one more such pod there; None: it fits."""
        refusal = self.candidates[candidate].refusal
        if refusal is not None:
            return refusal
        case, fixed = self.case(template, candidate)
        failing = fixed or self.live_reason(case, candidate)
        if failing is None and not self.together.is_complete(template):
            return PodReason.GANG_INCOMPLETE
        return failing

    def live_reason(self, case: PodCase, candidate: int, count: int = 1) -> PodReason | None:
        """The first clause that depends on the plan and fails for so many more pods.

        Whether their gang is complete is not asked: it may be once they are placed.
        """
        reason = self.own_reason(case, candidate, count)
        if reason is None and self.together.spreads:
            template = self._index.get(id(case.pod))
            if template is not None and not self.together.takes(template, candidate, count):
                return PodReason.TOPOLOGY_SPREAD
        return reason

    def own_reason(self, case: PodCase, candidate: int, count: int = 1) -> PodReason | None:
        """The same of the clauses about charge, machine and circuits alone."""
        return first_live_reason(case, self.placed[candidate], self.circuits(candidate), count)

    def may_ever_take(self, template: int, candidate: int) -> bool:
        """Whether one such pod fits there were it the only new one, its domains aside.

        Expects a candidate that holds no new pod.
        """
        if self.candidates[candidate].refusal is not None:
            return False
        case, fixed = self.case(template, candidate)
        return (
            fixed is None
            and self.together.has_domains(template, candidate)
            and self.own_reason(case, candidate) is None
        )

    def circuits(self, candidate: int) -> list[Room]:
        """What is left for a candidate of the circuits above it, and of their phases."""
        parked = self.candidates[candidate].parked
        if parked is None:
            return []
        return [
            self.rooms[key] if parts == 1 else Share(self.rooms[key], parts)
            for key, parts in parked.loads
        ]

    def cost(self, candidate: int, extra: Held = ()) -> Cost:
        """What the new pods there cost, with some more or as they are."""
        return self.cost_alone(candidate, (*self.placed[candidate].cases, *extra))

    def added(self, candidate: int, extra: Held) -> Fraction:
        """What more new pods there add to the plan's cost, the site's share of it included."""
        more = self.cost(candidate, extra).money - self.cost(candidate).money
        name = self._site.get(candidate)
        if name is None:
            return more
        then = holding(self.candidates[candidate], (*self.placed[candidate].cases, *extra))
        held = {c: self.placed[c] for c in self.sites[name].candidates}
        return more + self.site_money(name, {**held, candidate: then}) - self.site_money(name, held)

    def site_of(self, candidate: int) -> str | None:
        """The site of a candidate, if that has a cost of its own."""
        return self._site.get(candidate)

    def site_money(self, name: str, held: Mapping[int, Placed]) -> Fraction:
        """What a site costs besides its vehicles, if these held that."""
        cars = ((self.candidates[candidate].parked, placed) for candidate, placed in held.items())
        return self.sites[name].money((car, placed) for car, placed in cars if car is not None)

    def cost_alone(self, candidate: int, held: Iterable[tuple[PodCase, int]]) -> Cost:
        """What these pods would cost there if they were all the new ones."""
        parked, rates = self.candidates[candidate].parked, self.rates[candidate]
        if parked is None or rates is None:
            return Cost()
        new = tuple(held)
        paid = cost_of(parked, rates, [stretch_of(*each) for each in new])
        unmet = sum((count * self.preference(case) for case, count in new), NOTHING)
        return Cost(paid.money + unmet, paid.energy_watt_hours) if unmet else paid

    def preference(self, case: PodCase) -> Fraction:
        """What one pod's unmet preferences weigh there, in the plan's currency."""
        points = unmet_points(case.pod, case.candidate.node) if case.candidate.node else 0
        return points * Fraction(case.policy.preference_cost_per_point) if points else NOTHING

    def put(self, template: int, candidate: int, count: int = 1) -> None:
        """Place so many pods of the template there."""
        case, _ = self.case(template, candidate)
        self.hold(candidate, (*self.placed[candidate].cases, (case, count)))

    def hold(self, candidate: int, held: Iterable[tuple[PodCase, int]]) -> None:
        """Let a candidate hold exactly these new pods, and nothing else."""
        before = self.placed[candidate]
        after = holding(self.candidates[candidate], held)
        for start, end, more in self._changes(candidate, before, after):
            for room in self.circuits(candidate):
                room.take(start, end, more)
        self.placed[candidate] = after
        for sign, placed in ((1, before), (-1, after)):
            for case, count in placed.cases:
                template = self.template_of(case)
                self.left[template] += sign * count
                self.together.change(template, candidate, -sign * count)

    def template_of(self, case: PodCase) -> int:
        """The template that a case was made of."""
        return self._index[id(case.pod)]

    @property
    def weighing(self) -> int:
        """What all pending pods weigh."""
        return sum(template.weight * len(template.pods) for template in self.templates)

    @property
    def weight(self) -> int:
        """The placed weight."""
        return sum(
            template.weight * (len(template.pods) - left)
            for template, left in zip(self.templates, self.left, strict=True)
        )

    @property
    def money(self) -> Fraction:
        """The plan's cost so far."""
        sites = (
            self.site_money(name, {c: self.placed[c] for c in each.candidates})
            for name, each in self.sites.items()
        )
        vehicles = (self.cost(index).money for index in range(len(self.placed)))
        return sum(vehicles, Fraction(0)) + sum(sites, Fraction(0))

    def _changes(self, candidate: int, before: Placed, after: Placed) -> list[Change]:
        parked = self.candidates[candidate].parked
        return draw_changes(parked, before.line, after.line) if parked else []
