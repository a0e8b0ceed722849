"""Rules about several pods: gangs, which are placed whole or not at all, and spread over domains.

What no placement changes is looked up once a plan, in `Gang` and `Spreading`; `Together` counts
what is placed. Templates and candidates are known by their index, as on the board.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

from idlewatt_scheduler.candidates import Candidate, Fleet
from idlewatt_scheduler.clauses.affinity import selects
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.workload import Pod, Requirement, Spread
from idlewatt_scheduler.selectors import is_selected
from idlewatt_scheduler.templates import Template

NOWHERE = -1
"""The domain of a candidate that has none."""


@dataclass(frozen=True, slots=True)
class Gang:
    """Templates whose pods are placed together.

    Attributes:
        needs: so many of its pods have to be placed, or none; 0: enough of them run already.
    """

    members: tuple[int, ...]
    needs: int


@dataclass(frozen=True, slots=True)
class Spreading:
    """A spread constraint of some templates that have the same domains.

    Attributes:
        subject: the templates of which it has to hold.
        counted: the templates whose pods it counts.
        domain: by candidate, the number of its domain, or `NOWHERE`.
        running: by domain, how many pods that run already are counted.
        floor_is_zero: there are fewer domains than asked for: the emptiest counts as empty.
        namespace, selector: whom it counts.
    """

    subject: frozenset[int]
    counted: frozenset[int]
    domain: tuple[int, ...]
    running: tuple[int, ...]
    skew: int
    floor_is_zero: bool
    namespace: str
    selector: tuple[Requirement, ...]

    def counts(self, pod: Pod) -> bool:
        """Whether it counts a pod."""
        return pod.namespace == self.namespace and is_selected(self.selector, pod.labels)

    def least(self, counts: Sequence[int]) -> int:
        """What the counts of all domains are compared with."""
        return 0 if self.floor_is_zero or not counts else min(counts)


class Together:
    """What gangs and spread constraints see of a plan in the making."""

    def __init__(
        self, fleet: Fleet, templates: Sequence[Template], leavers: Iterable[Leaving] = ()
    ) -> None:
        staying = tuple(_staying(fleet, leavers))
        self.gangs = tuple(_gangs(templates, [pod for pod, _ in staying]))
        self.spreads = tuple(_spreads(fleet, templates, staying))
        self.gang_of = {t: index for index, gang in enumerate(self.gangs) for t in gang.members}
        self.placed = [0] * len(self.gangs)
        self.counts = [list(spread.running) for spread in self.spreads]
        self.standing = [[0] * len(spread.running) for spread in self.spreads]
        self._concerning: dict[int, list[int]] = {}
        for index, spread in enumerate(self.spreads):
            for template in spread.subject | spread.counted:
                self._concerning.setdefault(template, []).append(index)

    def copy(self) -> "Together":
        """One in which other pods can be placed without changing this one."""
        made = copy(self)
        made.placed = list(self.placed)
        made.counts = [list(counts) for counts in self.counts]
        made.standing = [list(standing) for standing in self.standing]
        return made

    def run(self, pod: Pod, candidate: int, number: int) -> tuple[int, ...]:
        """So many such pods more, or fewer, run on a candidate; the constraints that count them."""
        counting = tuple(
            index
            for index, spread in enumerate(self.spreads)
            if spread.domain[candidate] != NOWHERE and spread.counts(pod)
        )
        for index in counting:
            self.counts[index][self.spreads[index].domain[candidate]] += number
        return counting

    def change(self, template: int, candidate: int, number: int) -> None:
        """So many pods of a template more, or fewer, are placed on a candidate."""
        gang = self.gang_of.get(template)
        if gang is not None:
            self.placed[gang] += number
        for index in self._concerning.get(template, ()):
            spread = self.spreads[index]
            domain = spread.domain[candidate]
            if domain != NOWHERE:
                self.counts[index][domain] += number * (template in spread.counted)
                self.standing[index][domain] += number * (template in spread.subject)

    def is_complete(self, template: int) -> bool:
        """The template is in no gang, or enough of its gang are placed or run."""
        gang = self.gang_of.get(template)
        return gang is None or self.placed[gang] >= self.gangs[gang].needs

    def is_whole(self, gang: int) -> bool:
        """None of its pods is placed, or enough are."""
        return not self.placed[gang] or self.placed[gang] >= self.gangs[gang].needs

    def concerning(self, template: int) -> Sequence[int]:
        """The spread constraints that the template is subject to, or counted by."""
        return self._concerning.get(template, ())

    def counting(self, candidate: int) -> frozenset[int]:
        """The templates whose pods are counted by some constraint if they are placed there."""
        return frozenset[int]().union(
            *(spread.counted for spread in self.spreads if spread.domain[candidate] != NOWHERE)
        )

    def has_domains(self, template: int, candidate: int) -> bool:
        """The candidate's Node has what the template's own constraints spread it over."""
        return all(
            self.spreads[index].domain[candidate] != NOWHERE
            for index in self.concerning(template)
            if template in self.spreads[index].subject
        )

    def takes(self, template: int, candidate: int, count: int = 1) -> bool:
        """Its constraints hold of so many more pods there, and those of all placed still do."""
        if not self.has_domains(template, candidate):
            return False
        for index in self.concerning(template):
            spread, domain = self.spreads[index], self.spreads[index].domain[candidate]
            if domain == NOWHERE:
                continue
            counts, standing = list(self.counts[index]), list(self.standing[index])
            counts[domain] += count * (template in spread.counted)
            standing[domain] += count * (template in spread.subject)
            if not _holds(spread, counts, standing):
                return False
        return True

    def holds(self) -> bool:
        """The constraints of all placed pods hold."""
        return all(map(_holds, self.spreads, self.counts, self.standing))


def _holds(spread: Spreading, counts: Sequence[int], standing: Sequence[int]) -> bool:
    least = spread.least(counts)
    return all(
        count - least <= spread.skew for count, stand in zip(counts, standing, strict=True) if stand
    )


def _staying(fleet: Fleet, leavers: Iterable[Leaving]) -> Iterator[tuple[Pod, str]]:
    """The running pods that are counted, with their nodes."""
    gone = {(each.pod.key, each.pod.uid, each.node) for each in leavers}
    for running in fleet.snapshot.running:
        pod = running.pod
        given_up = running.counts_until is not None
        if not (running.being_deleted or given_up or (pod.key, pod.uid, running.node) in gone):
            yield pod, running.node


def _gangs(templates: Sequence[Template], staying: Iterable[Pod]) -> Iterator[Gang]:
    run = Counter((pod.namespace, pod.demand.gang) for pod in staying)
    members: dict[tuple[str, str], list[int]] = {}
    for index, template in enumerate(templates):
        pod = template.sample
        if pod.demand.gang is not None:
            members.setdefault((pod.namespace, pod.demand.gang), []).append(index)
    for name, indices in members.items():
        size = max(templates[index].sample.demand.gang_size for index in indices)
        yield Gang(tuple(indices), max(size - run[name], 0))


def _spreads(
    fleet: Fleet, templates: Sequence[Template], staying: Sequence[tuple[Pod, str]]
) -> Iterator[Spreading]:
    """One for each constraint, namespace and set of domains that pods have in common."""
    found: dict[tuple[str, Spread, tuple[str, ...]], set[int]] = {}
    for index, template in enumerate(templates):
        pod = template.sample
        for spread in pod.spread:
            domains = _domains(fleet.candidates, pod, spread.topology_key)
            found.setdefault((pod.namespace, spread, domains), set()).add(index)
    for (namespace, spread, domains), subject in found.items():
        number: dict[str | None, int] = {name: index for index, name in enumerate(domains)}
        running = [0] * len(domains)
        for pod, node in staying:
            domain = number.get(_value(fleet, node, spread.topology_key), NOWHERE)
            if domain != NOWHERE and _counts(namespace, spread, pod):
                running[domain] += 1
        yield Spreading(
            subject=frozenset(subject),
            counted=frozenset(
                index
                for index, template in enumerate(templates)
                if _counts(namespace, spread, template.sample)
            ),
            domain=tuple(
                number.get(_value(fleet, candidate.name, spread.topology_key), NOWHERE)
                for candidate in fleet.candidates
            ),
            running=tuple(running),
            skew=spread.max_skew,
            floor_is_zero=len(domains) < spread.min_domains,
            namespace=namespace,
            selector=spread.selector,
        )


def _domains(candidates: Iterable[Candidate], pod: Pod, key: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                candidate.node.labels[key]
                for candidate in candidates
                if candidate.node is not None
                and candidate.refusal is None
                and key in candidate.node.labels
                and selects(pod, candidate.node)
            }
        )
    )


def _counts(namespace: str, spread: Spread, pod: Pod) -> bool:
    return pod.namespace == namespace and is_selected(spread.selector, pod.labels)


def _value(fleet: Fleet, node: str, key: str) -> str | None:
    found = fleet.snapshot.nodes.get(node)
    return None if found is None else found.labels.get(key)
