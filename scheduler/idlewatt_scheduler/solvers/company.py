"""Gangs and spread in the exact model: what holds of the pods of several candidates together.

Pods on candidates that are no part of the model stay as they are on the board, and are counted.
"""

from collections.abc import Iterable, Mapping

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.together import NOWHERE
from idlewatt_scheduler.solvers.bay import Berth, Literal, Sum
from idlewatt_scheduler.solvers.stability import Envy


class Company:
    """The literals and limits of gangs and of spread constraints.

    Expects a board whose candidates of the model are empty.
    """

    def __init__(self, model: cp_model.CpModel, board: Board, bays: Mapping[int, Berth]) -> None:
        self._model, self._together, self._bays = model, board.together, bays
        self._whole: dict[int, Literal] = {}
        self._stand: dict[tuple[int, int], Literal] = {}
        self._differ: dict[tuple[int, int, int, bool], Literal] = {}
        self._counts = [
            [running + self._number(index, domain) for domain, running in enumerate(counts)]
            for index, counts in enumerate(self._together.counts)
        ]
        for gang in range(len(self._together.gangs)):
            self._keep_whole(gang)
        for index in range(len(self._together.spreads)):
            self._keep_spread(index)

    def ways_out(self, envy: Envy, kept: Mapping[int, int]) -> Iterable[cp_model.LiteralT]:
        """Literals of which one is true where the pod's gang, or spread, takes the envy away.

        Args:
            envy: a pod that would fit on a candidate.
            kept: the pods it would fit beside, by template.
        """
        gang = self._together.gang_of.get(envy.template)
        if gang in self._whole:
            yield self._whole[gang].negated()
        if envy.gone:
            yield from self._whatever_else(envy, kept)
            return
        for index in self._together.concerning(envy.template):
            spread = self._together.spreads[index]
            here = spread.domain[envy.candidate]
            if here != NOWHERE:
                yield from self._crowded(envy, index, here)

    def _keep_whole(self, gang: int) -> None:
        """None of its pods, or enough."""
        needs = self._together.gangs[gang].needs
        members = self._together.gangs[gang].members
        there = [(made, t) for made in self._bays.values() for t in members if made.most(t)]
        if not needs or not there:
            return
        whole = self._whole[gang] = self._model.new_bool_var("")
        placed = self._together.placed[gang] + sum(made.number(t) for made, t in there)
        self._model.add(placed >= needs).only_enforce_if(whole)
        self._model.add(placed == 0).only_enforce_if(whole.negated())

    def _keep_spread(self, index: int) -> None:
        """Where a pod stands that asks for it, no more than the skew above the emptiest."""
        spread, counts = self._together.spreads[index], self._counts[index]
        least: Sum = 0
        if not spread.floor_is_zero:
            most = min(self._at_most(index, domain) for domain in range(len(counts)))
            least = self._model.new_int_var(0, most, "")
            for count in counts:
                self._model.add(least <= count)
        for domain, count in enumerate(counts):
            within = self._model.add(count - least <= spread.skew)
            if not self._together.standing[index][domain]:
                within.only_enforce_if(self._stands(index, domain))

    def _number(self, index: int, domain: int) -> Sum:
        """How many counted pods the model has in a domain."""
        spread = self._together.spreads[index]
        return sum(
            made.number(template)
            for candidate, made in self._bays.items()
            if spread.domain[candidate] == domain
            for template in spread.counted & made.cases.keys()
        )

    def _at_most(self, index: int, domain: int) -> int:
        spread = self._together.spreads[index]
        return self._together.counts[index][domain] + sum(
            made.most(template)
            for candidate, made in self._bays.items()
            if spread.domain[candidate] == domain
            for template in spread.counted & made.cases.keys()
        )

    def _stands(self, index: int, domain: int) -> Literal:
        """A literal for: a pod stands in the domain that the constraint has to hold of."""
        found = self._stand.get((index, domain))
        if found is None:
            spread = self._together.spreads[index]
            found = self._stand[index, domain] = self._model.new_bool_var("")
            there = [
                made.more_than(template, 0)
                for candidate, made in self._bays.items()
                if spread.domain[candidate] == domain
                for template in spread.subject & made.cases.keys()
                if made.most(template)
            ]
            self._model.add_max_equality(found, [*there, 0])
        return found

    def _crowded(self, envy: Envy, index: int, here: int) -> Iterable[cp_model.LiteralT]:
        """Nobody who is counted was left out: more pods here, or fewer in some other domain."""
        spread, counts = self._together.spreads[index], list(envy.counts[index])
        if envy.template not in spread.subject and not envy.standing[index][here]:
            yield self._stands(index, here)
            return
        yield from self._more(index, here, counts[here] + 1)
        counts[here] += envy.template in spread.counted
        least = spread.least(counts)
        for domain in range(len(counts)) if not spread.floor_is_zero else ():
            if domain != here:
                yield from self._fewer(index, domain, least - 1)

    def _whatever_else(self, envy: Envy, kept: Mapping[int, int]) -> Iterable[cp_model.LiteralT]:
        """Some who are counted were left out: any other number of pods in a domain, or there."""
        made = self._bays[envy.candidate]
        gone = dict(envy.gone)
        for template, number in gone.items():
            there = number + kept.get(template, 0)
            if there < made.most(template):
                yield made.more_than(template, there)
            yield ~made.more_than(template, there - 1)
        concerned = {
            index
            for template in (envy.template, *gone)
            for index in self._together.concerning(template)
        }
        for index in sorted(concerned):
            for domain, count in enumerate(envy.counts[index]):
                yield from self._more(index, domain, count + 1)
                yield from self._fewer(index, domain, count - 1)
                if not envy.standing[index][domain]:
                    yield self._stands(index, domain)

    def _more(self, index: int, domain: int, number: int) -> Iterable[cp_model.LiteralT]:
        """A literal that can be true only if so many pods or more are counted in a domain."""
        if number <= self._at_most(index, domain):
            literal = self._differing(index, domain, number, above=True)
            self._model.add(self._counts[index][domain] >= number).only_enforce_if(literal)
            yield literal

    def _fewer(self, index: int, domain: int, number: int) -> Iterable[cp_model.LiteralT]:
        """A literal that can be true only if so many pods or fewer are counted in a domain."""
        if number >= self._together.counts[index][domain]:
            literal = self._differing(index, domain, number, above=False)
            self._model.add(self._counts[index][domain] <= number).only_enforce_if(literal)
            yield literal

    def _differing(self, index: int, domain: int, number: int, *, above: bool) -> Literal:
        key = index, domain, number, above
        if key not in self._differ:
            self._differ[key] = self._model.new_bool_var("")
        return self._differ[key]
