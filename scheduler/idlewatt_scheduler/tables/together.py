"""Gangs and spread groups as columns."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.candidates import Candidate, Fleet
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.workload import Pod, Spread
from idlewatt_scheduler.selectors import is_selected
from idlewatt_scheduler.tables.layout import Flags, Indices, Ints, Spreads
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.templates import Template

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Running:
    """The running pods that gangs and spread count, with the names of their nodes."""

    pods: tuple[tuple[Pod, str], ...]

    @classmethod
    def of(cls, fleet: Fleet, leavers: Iterable[Leaving]) -> "Running":
        """Those of a fleet, but for those who leave."""
        gone = {(each.pod.key, each.pod.uid, each.node) for each in leavers}
        return cls(
            tuple(
                (running.pod, running.node)
                for running in fleet.snapshot.running
                if not running.being_deleted
                and running.counts_until is None
                and (running.pod.key, running.pod.uid, running.node) not in gone
            )
        )


def gangs_of(templates: Sequence[Template], running: Running) -> tuple[Indices, Ints]:
    """The gang of each template, -1 for none, and how many pods each gang needs."""
    run = Counter((pod.namespace, pod.demand.gang) for pod, _ in running.pods)
    gang = np.full(len(templates), -1, np.int32)
    numbers: dict[tuple[str, str], int] = {}
    size: dict[tuple[str, str], int] = {}
    for index, template in enumerate(templates):
        demand = template.sample.demand
        if demand.gang is not None:
            name = template.sample.namespace, demand.gang
            gang[index] = numbers.setdefault(name, len(numbers))
            size[name] = max(size.get(name, 0), demand.gang_size)
    return gang, np.array([max(size[name] - run[name], 0) for name in numbers], np.int64)


def spreads_of(
    fleet: Fleet,
    templates: Sequence[Template],
    running: Running,
    takers: Sequence[Candidate],
    matching: Matching,
) -> Spreads:
    """The spread groups, their domains by taker.

    Args:
        fleet: the fleet.
        templates: of the pending pods.
        running: who runs and is counted.
        takers: the candidates that no vehicle clause keeps pods away from, in the fleet's order.
        matching: about the Nodes of these.
    """
    labels = _Labels(takers)
    found: dict[tuple[str, Spread, tuple[str, ...]], list[int]] = {}
    for index, template in enumerate(templates):
        pod = template.sample
        for spread in pod.spread:
            domains = labels.domains(spread.topology_key, matching.selected(pod))
            found.setdefault((pod.namespace, spread, domains), []).append(index)
    subject = np.zeros((len(found), len(templates)), np.bool_)
    counted = np.zeros((len(found), len(templates)), np.bool_)
    domain = np.full((len(found), len(takers)), NOWHERE, np.int32)
    first, run = [0], list[int]()
    for row, ((namespace, spread, domains), holders) in enumerate(found.items()):
        subject[row, holders] = True
        counted[row] = [is_counted(namespace, spread, template.sample) for template in templates]
        numbers = {name: first[-1] + index for index, name in enumerate(domains)}
        domain[row] = labels.numbered(spread.topology_key, numbers)
        there = _running_by_value(fleet, running, namespace, spread)
        run.extend(there[name] for name in domains)
        first.append(first[-1] + len(domains))
    return Spreads(
        subject=subject,
        counted=counted,
        domain=domain,
        first=np.array(first, np.int64),
        running=np.array(run, np.int64),
        skew=np.array([spread.max_skew for _, spread, _ in found], np.int64),
        floor_is_zero=np.array([len(d) < s.min_domains for _, s, d in found], np.bool_),
    )


class _Labels:
    """The values of labels of some candidates' Nodes, as numbers."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._nodes = [candidate.node for candidate in candidates]
        self._known: dict[str, tuple[tuple[str, ...], Indices]] = {}

    def domains(self, key: str, selected: Flags) -> tuple[str, ...]:
        """The values of a key among the Nodes that are selected, in order."""
        values, number = self._of(key)
        present = np.unique(number[selected])
        return tuple(sorted(values[index] for index in present.tolist() if index >= 0))

    def numbered(self, key: str, numbers: Mapping[str, int]) -> Indices:
        """What these numbers are of each candidate's value, `NOWHERE` where there is none."""
        values, number = self._of(key)
        table = np.array([numbers.get(value, NOWHERE) for value in values] + [NOWHERE], np.int32)
        return table[number]

    def _of(self, key: str) -> tuple[tuple[str, ...], Indices]:
        if key not in self._known:
            known: dict[str, int] = {}
            number = np.full(len(self._nodes), NOWHERE, np.int32)
            for index, node in enumerate(self._nodes):
                value = None if node is None else node.labels.get(key)
                if value is not None:
                    number[index] = known.setdefault(value, len(known))
            self._known[key] = tuple(known), number
        return self._known[key]


def _running_by_value(
    fleet: Fleet, running: Running, namespace: str, spread: Spread
) -> Counter[str]:
    """How many running pods a constraint counts, by the value of its key."""
    found: Counter[str] = Counter()
    nodes = fleet.snapshot.nodes
    for pod, name in running.pods:
        node = nodes.get(name)
        value = None if node is None else node.labels.get(spread.topology_key)
        if value is not None and is_counted(namespace, spread, pod):
            found[value] += 1
    return found


def is_counted(namespace: str, spread: Spread, pod: Pod) -> bool:
    """Whether a constraint of the pods of a namespace counts this pod."""
    return pod.namespace == namespace and is_selected(spread.selector, pod.labels)
