"""Nodes as pods see them: each expression is asked once of each value of its label.

Ten thousand Nodes have a handful of values as far as the selectors and tolerations of the pending
pods can tell. What a requirement makes of a label, and a pod of taints, is asked of each of these.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.clauses.affinity import tolerates, unmet_points
from idlewatt_scheduler.model.workload import Node, NodeSelectorTerm, Pod, Requirement
from idlewatt_scheduler.selectors import is_selected
from idlewatt_scheduler.tables.layout import Flags, Indices

Words: TypeAlias = set[str] | None
"""The values of a label that some pod names; None: it is compared as a number."""

Key: TypeAlias = tuple[str, bool]
"""The name of a label, or of a field of the Node."""

_OTHER: Final = "\0"
"""Stands for every value that nobody names; no label can have it."""

_COMPARISONS: Final = frozenset({"Gt", "Lt"})
_NAME: Final = "metadata.name"


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one label: which of them each Node has, the last of them meaning none."""

    of: Indices
    samples: tuple[str | None, ...]

    def ask(self, question: Callable[[str | None], bool]) -> Flags:
        """The answer for every Node, asked of each value."""
        answers: Flags = np.array([question(value) for value in self.samples], np.bool_)[self.of]
        return answers


class Matching:
    """What templates make of Nodes; each requirement and each set of tolerations is asked once."""

    def __init__(self, candidates: Sequence[Candidate], pods: Iterable[Pod]) -> None:
        """`pods` are those that will be asked about."""
        self._nodes = [candidate.node for candidate in candidates]
        self._words = _words(pods)
        self._values: dict[Key, _Values] = {}
        self._held: dict[tuple[Key, Requirement], Flags] = {}
        self._selected: dict[Hashable, Flags] = {}
        self._tolerated: dict[Hashable, Flags] = {}
        self._points: dict[Hashable, NDArray[np.int32]] = {}
        self._there = np.array([node is not None for node in self._nodes], np.bool_)
        self._tainted, self._taints = self._by_taints(candidates)

    def selected(self, pod: Pod) -> Flags:
        """bool: whether its node selector and its required affinity match each candidate."""
        key = tuple(sorted(pod.node_selector.items())), pod.node_affinity
        found = self._selected.get(key)
        if found is None:
            found = self._there
            for label, value in pod.node_selector.items():
                found = found & self._holds((label, False), Requirement(label, "In", (value,)))
            if pod.node_affinity is not None:
                nowhere = np.zeros(len(found), np.bool_)
                found = found & reduce(
                    np.logical_or, map(self._matches, pod.node_affinity), nowhere
                )
            self._selected[key] = found
        return found

    def tolerated(self, pod: Pod) -> Flags:
        """bool: whether it tolerates what keeps pods away from each candidate."""
        found = self._tolerated.get(pod.tolerations)
        if found is None:
            answers = [
                node is not None and tolerates(pod, node, asleep=asleep)
                for node, asleep in self._taints
            ]
            found = self._tolerated[pod.tolerations] = np.array(answers, np.bool_)[self._tainted]
        return found

    def points(self, pod: Pod) -> NDArray[np.int32]:
        """int32: what of its preferences each candidate's Node does not meet."""
        key = pod.preferred_affinity, pod.tolerations
        found = self._points.get(key)
        if found is None:
            mild = replace(pod, preferred_affinity=())
            answers = [node is not None and unmet_points(mild, node) for node, _ in self._taints]
            found = np.array(answers, np.int32)[self._tainted]
            for preference in pod.preferred_affinity:
                if preference.term.labels or preference.term.fields:
                    unmet = self._there & ~self._matches(preference.term)
                    found = found + np.int32(preference.points) * unmet
            self._points[key] = found
        return found

    def _matches(self, term: NodeSelectorTerm) -> Flags:
        """All of its expressions hold, and there are some."""
        if not term.labels and not term.fields:
            return np.zeros(len(self._nodes), np.bool_)
        found = self._there
        for requirements, is_field in ((term.labels, False), (term.fields, True)):
            for requirement in requirements:
                found = found & self._holds((requirement.key, is_field), requirement)
        return found

    def _holds(self, key: Key, requirement: Requirement) -> Flags:
        found = self._held.get((key, requirement))
        if found is None:
            asked, name = (requirement,), requirement.key
            found = self._of(key).ask(
                lambda value: is_selected(asked, {} if value is None else {name: value})
            )
            self._held[key, requirement] = found
        return found

    def _of(self, key: Key) -> _Values:
        found = self._values.get(key)
        if found is None:
            name, is_field = key
            words = self._words.get(key, set())
            if is_field:
                stated = [n.name if n is not None and name == _NAME else None for n in self._nodes]
            else:
                stated = [None if n is None else n.labels.get(name) for n in self._nodes]
            numbers = {value: number for number, value in enumerate(dict.fromkeys(stated))}
            kept: dict[str | None, int] = {}
            meaning = [kept.setdefault(_word(value, words), len(kept)) for value in numbers]
            which = np.array([numbers[value] for value in stated], np.int32)
            found = _Values(np.array(meaning, np.int32)[which], tuple(kept))
            self._values[key] = found
        return found

    def _by_taints(
        self, candidates: Sequence[Candidate]
    ) -> tuple[Indices, list[tuple[Node | None, bool]]]:
        """Which taints each candidate has, one Node of each kind, and whether its car is asleep."""
        known: dict[Hashable, int] = {}
        samples: list[tuple[Node | None, bool]] = []
        of = np.empty(len(candidates), np.int32)
        for index, candidate in enumerate(candidates):
            node, parked = candidate.node, candidate.parked
            asleep = parked is not None and parked.case.asleep
            kind = None if node is None else (asleep, node.unschedulable, node.taints)
            found = known.get(kind)
            if found is None:
                found = known[kind] = len(samples)
                samples.append((node, asleep))
            of[index] = found
        return of, samples


def _words(pods: Iterable[Pod]) -> dict[Key, Words]:
    """The values that make a difference to some of these pods."""
    words: dict[Key, Words] = {}
    for pod in pods:
        for key, value in pod.node_selector.items():
            _note(words, (key, False), Requirement(key, "In", (value,)))
        for term in _terms(pod):
            for requirement in term.labels:
                _note(words, (requirement.key, False), requirement)
            for requirement in term.fields:
                _note(words, (requirement.key, True), requirement)
    return words


def _terms(pod: Pod) -> Iterable[NodeSelectorTerm]:
    yield from pod.node_affinity or ()
    yield from (preference.term for preference in pod.preferred_affinity)


def _note(known: dict[Key, Words], key: Key, requirement: Requirement) -> None:
    words = known.setdefault(key, set())
    if requirement.operator in _COMPARISONS:
        known[key] = None
    elif words is not None:
        words.update(requirement.values)


def _word(value: str | None, words: Words) -> str | None:
    return value if value is None or words is None or value in words else _OTHER
