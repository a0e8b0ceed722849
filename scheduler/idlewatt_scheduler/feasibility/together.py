"""Gangs, and spread constraints: what is asked of several pods at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from idlewatt_scheduler.feasibility.matching import all_hold, selects_node
from idlewatt_scheduler.feasibility.reading import Identity, Reading, identity
from idlewatt_scheduler.model.workload import Node, NodeSelectorTerm, Pod, RunningPod, Spread

GangName = tuple[str, str]
Placed = tuple[Pod, str]
"""A pod, and the name of the Node it is placed on or runs on."""


def gang_of(pod: Pod) -> GangName | None:
    """The namespace and the name of the pod's gang."""
    return None if pod.demand.gang is None else (pod.namespace, pod.demand.gang)


def still_running(
    running: Iterable[RunningPod], leaving: AbstractSet[Identity]
) -> Iterator[RunningPod]:
    """Those that are bound, are not being deleted, and stay."""
    return (
        each
        for each in running
        if each.counts_until is None and not each.being_deleted
        if identity(each.pod) not in leaving
    )


class Gangs:
    """How many pods each gang has, and how many it has to have."""

    def __init__(
        self, reading: Reading, placed: Iterable[Pod], leaving: AbstractSet[Identity]
    ) -> None:
        self._size: dict[GangName, int] = {}
        for pod in reading.pending.values():
            gang = gang_of(pod)
            if gang is not None:
                self._size[gang] = max(self._size.get(gang, 0), pod.demand.gang_size)
        there = [each.pod for each in still_running(reading.snapshot.running, leaving)]
        self._has = Counter(gang_of(pod) for pod in (*placed, *there))

    def is_incomplete(self, pod: Pod) -> bool:
        """Whether the pod is in a gang that has fewer pods than it has to."""
        gang = gang_of(pod)
        return gang is not None and self._has[gang] < self._size.get(gang, 0)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A spread constraint, with what else decides on its domains and on who is counted."""

    namespace: str
    spread: Spread
    node_selector: frozenset[tuple[str, str]]
    node_affinity: tuple[NodeSelectorTerm, ...] | None

    @classmethod
    def of(cls, pod: Pod, spread: Spread) -> "Constraint":
        """A pod's own constraint."""
        selector = frozenset(pod.node_selector.items())
        return cls(pod.namespace, spread, selector, pod.node_affinity)

    def counts(self, pod: Pod) -> bool:
        """Whether the pod is one of those that are counted."""
        return pod.namespace == self.namespace and all_hold(self.spread.selector, pod.labels)

    def is_had_by(self, pod: Pod) -> bool:
        """Whether it is one of the pod's own."""
        return any(Constraint.of(pod, spread) == self for spread in pod.spread)


class Tally:
    """How many pods a constraint counts in each domain."""

    def __init__(self, constraint: Constraint, domains: AbstractSet[str]) -> None:
        self.constraint = constraint
        self._domains = domains
        self._counted: Counter[str] = Counter()
        self._subjects: Counter[str] = Counter()
        self._levels = Counter({0: len(domains)})
        self._most: int | None = None

    def count(self, pod: Pod, domain: str, by: int, *, placed: bool) -> None:
        """So many more of a pod in a domain; what is `placed` has its constraints looked at."""
        self._most = None
        if placed and self.constraint.is_had_by(pod):
            self._subjects[domain] += by
        if self.constraint.counts(pod):
            if domain in self._domains:
                self._levels[self._counted[domain]] -= 1
                self._levels[self._counted[domain] + by] += 1
            self._counted[domain] += by

    def holds(self, domain: str, more: int = 0) -> bool:
        """Whether it holds of a pod in a domain, with so many more pods counted there."""
        return self._within(self._counted[domain] + more, domain, more)

    def holds_of_placed(self, domain: str, more: int, fewer_subjects: int) -> bool:
        """Whether it holds of all placed pods that have it, with so many more pods in a domain."""
        left = self._subjects[domain] - fewer_subjects
        if more < 0 or left < self._subjects[domain]:
            most = max((self._counted[each] for each in self._others(domain)), default=0)
        else:
            most = self._greatest()
        if left > 0:
            most = max(most, self._counted[domain] + more)
        return self._within(most, domain, more)

    def _greatest(self) -> int:
        if self._most is None:
            held = (self._counted[each] for each, number in self._subjects.items() if number > 0)
            self._most = max(held, default=0)
        return self._most

    def _others(self, domain: str) -> Iterator[str]:
        return (each for each, number in self._subjects.items() if number > 0 and each != domain)

    def _within(self, count: int, domain: str, more: int) -> bool:
        return count - self._least(domain, more) <= self.constraint.spread.max_skew

    def _least(self, domain: str, more: int) -> int:
        if not self._domains or len(self._domains) < self.constraint.spread.min_domains:
            return 0
        now = self._counted[domain]
        changed = domain in self._domains
        levels = [
            level for level, number in self._levels.items() if number > (changed and level == now)
        ]
        return min([*levels, now + more] if changed else levels)


class Crowd:
    """All pods that are counted together: those placed, and those that run on.

    It can be changed, so that one may ask what would be if a pod were elsewhere.
    """

    def __init__(self, nodes: Mapping[str, Node], open_to_pods: Iterable[str]) -> None:
        """`open_to_pods` are the candidates that no vehicle clause keeps pods away from."""
        self._nodes = nodes
        self._open = [nodes[name] for name in open_to_pods if name in nodes]
        self._everyone: dict[tuple[Identity, str], tuple[Pod, str, bool]] = {}
        self._tallies: dict[Constraint, Tally] = {}
        self._counting: dict[tuple[str, frozenset[tuple[str, str]]], tuple[Pod, list[Tally]]] = {}

    def add(self, pod: Pod, node: str, *, placed: bool) -> None:
        """One more pod; `placed`: its own constraints have to hold."""
        if placed:
            self._own(pod)
        self._everyone[identity(pod), node] = (pod, node, placed)
        self._count(pod, node, 1, placed=placed)

    def remove(self, pod: Pod, node: str) -> None:
        """One pod less; one that is not there is none."""
        found = self._everyone.pop((identity(pod), node), None)
        if found is not None:
            self._count(pod, node, -1, placed=found[2])

    def counts(self, pod: Pod, node: str) -> bool:
        """Whether the pod is counted on that Node."""
        return (identity(pod), node) in self._everyone

    def holds_of_placed(self, pod: Pod, node: str) -> bool:
        """Whether the constraints of a pod that is placed there hold of it."""
        for tally in self._own(pod):
            domain = self._domain(tally, node)
            if domain is None or not tally.holds(domain):
                return False
        return True

    def would_hold(self, pod: Pod, node: str, without: Iterable[Pod] = ()) -> bool:
        """Whether a waiting pod's constraints, and those that count it, would hold with it there.

        `without` are pods placed on the same Node that would make room; those that count them
        have to hold, too.
        """
        less = tuple(without)
        for tally in self._own(pod):
            domain, more = self._domain(tally, node), _change(tally, pod, less)
            if domain is None or not tally.holds(domain, more):
                return False
        for tally in {each for one in (pod, *less) for each in self.counting(one)}:
            domain = self._domain(tally, node)
            if domain is not None:
                gone = sum(map(tally.constraint.is_had_by, less))
                if not tally.holds_of_placed(domain, _change(tally, pod, less), gone):
                    return False
        return True

    def counting(self, pod: Pod) -> list[Tally]:
        """The tallies, of those there are by now, that count the pod or have it as a subject."""
        alike = (pod.namespace, frozenset(pod.labels.items()))
        if alike not in self._counting:
            tallies = [each for each in self._tallies.values() if each.constraint.counts(pod)]
            self._counting[alike] = pod, tallies
        return self._counting[alike][1]

    def domains_of(self, pod: Pod, node: str) -> tuple[str | None, ...]:
        """All that `would_hold` depends on of a Node."""
        return tuple(self._domain(tally, node) for tally in (*self._own(pod), *self.counting(pod)))

    def _count(self, pod: Pod, node: str, by: int, *, placed: bool) -> None:
        for tally in {*self.counting(pod), *(self._own(pod) if placed else ())}:
            domain = self._domain(tally, node)
            if domain is not None:
                tally.count(pod, domain, by, placed=placed)

    def _own(self, pod: Pod) -> list[Tally]:
        return [self._tally(Constraint.of(pod, spread)) for spread in pod.spread]

    def _tally(self, constraint: Constraint) -> Tally:
        if constraint not in self._tallies:
            tally = Tally(constraint, self._domains(constraint))
            self._tallies[constraint] = tally
            for sample, tallies in self._counting.values():
                if constraint.counts(sample):
                    tallies.append(tally)
            for pod, node, placed in self._everyone.values():
                domain = self._domain(tally, node)
                if domain is not None:
                    tally.count(pod, domain, 1, placed=placed)
        return self._tallies[constraint]

    def _domains(self, constraint: Constraint) -> frozenset[str]:
        key = constraint.spread.topology_key
        asking = Pod(
            constraint.namespace,
            "",
            node_selector=dict(constraint.node_selector),
            node_affinity=constraint.node_affinity,
        )
        return frozenset(
            node.labels[key]
            for node in self._open
            if key in node.labels and selects_node(asking, node)
        )

    def _domain(self, tally: Tally, node: str) -> str | None:
        labels = self._nodes[node].labels if node in self._nodes else {}
        return labels.get(tally.constraint.spread.topology_key)


def _change(tally: Tally, pod: Pod, less: Iterable[Pod]) -> int:
    """By how many pods more it counts with this one in the place of those."""
    return tally.constraint.counts(pod) - sum(map(tally.constraint.counts, less))
