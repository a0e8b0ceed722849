"""Nodes as pods see them: told apart only by what some pod asks for, judged once for each kind.

Ten thousand Nodes have a handful of kinds as far as the selectors and tolerations of the pending
pods can tell. What a template makes of a Node is asked of one Node of each kind.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.clauses.affinity import selects, tolerates, unmet_points
from idlewatt_scheduler.model.workload import Node, NodeSelectorTerm, Pod, Requirement
from idlewatt_scheduler.tables.layout import Flags, Indices

Words: TypeAlias = set[str] | None
"""The values of a label that some pod names; None: it is compared as a number."""

_OTHER: Final = "\0"
"""Stands for every value that nobody names; no label can have it."""

_COMPARISONS: Final = frozenset({"Gt", "Lt"})


@dataclass(frozen=True, slots=True)
class Kinds:
    """The Nodes of some candidates by kind.

    Attributes:
        of: int32, the kind of each candidate's Node.
        samples: of each kind, one Node, None where there is none, and whether its car is asleep.
    """

    of: Indices
    samples: tuple[tuple[Node | None, bool], ...]

    def ask(self, question: Callable[[Node | None, bool], int]) -> NDArray[np.int64]:
        """The answer for every candidate, asked of one of each kind."""
        answers = [question(node, asleep) for node, asleep in self.samples]
        return np.array(answers, np.int64)[self.of]


def kinds_of(candidates: Sequence[Candidate], pods: Iterable[Pod]) -> Kinds:
    """The candidates' Nodes, told apart by what any of these pods could look at."""
    labels, names = _words(pods)
    known: dict[Hashable, int] = {}
    samples: list[tuple[Node | None, bool]] = []
    of = np.empty(len(candidates), np.int32)
    for index, candidate in enumerate(candidates):
        node, parked = candidate.node, candidate.parked
        asleep = parked is not None and parked.case.asleep
        kind: Hashable = asleep
        if node is not None:
            kind = (
                asleep,
                node.unschedulable,
                node.taints,
                tuple([_word(node.labels.get(key), words) for key, words in labels.items()]),
                _word(node.name, names),
            )
        found = known.get(kind)
        if found is None:
            found = known[kind] = len(samples)
            samples.append((node, asleep))
        of[index] = found
    return Kinds(of, tuple(samples))


class Matching:
    """What templates make of Nodes; each selector and each set of tolerations is asked once."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._selected: dict[Hashable, Flags] = {}
        self._tolerated: dict[Hashable, Flags] = {}
        self._points: dict[Hashable, NDArray[np.int64]] = {}

    def selected(self, pod: Pod) -> Flags:
        """bool: whether its node selector and its required affinity match each candidate."""
        key = tuple(sorted(pod.node_selector.items())), pod.node_affinity
        if key not in self._selected:
            asked = self._kinds.ask(lambda node, _: node is not None and selects(pod, node))
            self._selected[key] = asked.astype(np.bool_)
        return self._selected[key]

    def tolerated(self, pod: Pod) -> Flags:
        """bool: whether it tolerates what keeps pods away from each candidate."""
        if pod.tolerations not in self._tolerated:
            asked = self._kinds.ask(
                lambda node, asleep: node is not None and tolerates(pod, node, asleep=asleep)
            )
            self._tolerated[pod.tolerations] = asked.astype(np.bool_)
        return self._tolerated[pod.tolerations]

    def points(self, pod: Pod) -> NDArray[np.int64]:
        """int64: what of its preferences each candidate's Node does not meet."""
        key = pod.preferred_affinity, pod.tolerations
        if key not in self._points:
            self._points[key] = self._kinds.ask(
                lambda node, _: 0 if node is None else unmet_points(pod, node)
            )
        return self._points[key]


def _words(pods: Iterable[Pod]) -> tuple[Mapping[str, Words], Words]:
    """By label, and of Nodes' names, the values that make a difference to some of these pods."""
    labels: dict[str, Words] = {}
    names: dict[str, Words] = {}
    for pod in pods:
        for key, value in pod.node_selector.items():
            _note(labels, Requirement(key, "In", (value,)))
        for term in _terms(pod):
            for requirement in term.labels:
                _note(labels, requirement)
            for requirement in term.fields:
                _note(names, requirement)
    return labels, names.get("metadata.name", set())


def _terms(pod: Pod) -> Iterable[NodeSelectorTerm]:
    yield from pod.node_affinity or ()
    yield from (preference.term for preference in pod.preferred_affinity)


def _note(known: dict[str, Words], requirement: Requirement) -> None:
    words = known.setdefault(requirement.key, set())
    if requirement.operator in _COMPARISONS:
        known[requirement.key] = None
    elif words is not None:
        words.update(requirement.values)


def _word(value: str | None, words: Words) -> str | None:
    return value if value is None or words is None or value in words else _OTHER
