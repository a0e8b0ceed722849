"""What a waiting pod is to say: every candidate under its first failing clause."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from idlewatt_scheduler.feasibility.kinds import kind_of
from idlewatt_scheduler.feasibility.pod import Question, first_lasting_pod_clause
from idlewatt_scheduler.feasibility.reading import Candidate
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.stability import displaced
from idlewatt_scheduler.feasibility.throughout import Throughout
from idlewatt_scheduler.model.reasons import NO_TIME_OR_CHARGE_WOULD_HELP, WaitingCondition
from idlewatt_scheduler.model.workload import Pod

WORTH_COLUMNS: Final = 40
"""Fewer vehicles are asked sooner one by one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a waiting pod.

    Attributes:
        reasons: every candidate that does not take it, under its first failing clause.
        condition: what its `PodScheduled` must say.
        could_be_placed: a sentence for each candidate that could take it.
    """

    reasons: Mapping[str, int]
    condition: WaitingCondition
    could_be_placed: tuple[str, ...]


class Judge:
    """Judges waiting pods, those of one kind once.

    From `worth_columns` vehicles on it asks one by one only where columns leave it open.
    """

    def __init__(self, scene: Scene, worth_columns: int = WORTH_COLUMNS) -> None:
        self._scene = scene
        self._verdicts: dict[Hashable, Verdict] = {}
        many = len(scene.reading.vehicles) >= worth_columns
        self._throughout = Throughout(scene) if many else None

    def verdict(self, pod: Pod) -> Verdict:
        """What this pod is to say."""
        kind = kind_of(pod)
        if kind not in self._verdicts:
            self._verdicts[kind] = self._judged(pod)
        return self._verdicts[kind]

    def _judged(self, pod: Pod) -> Verdict:
        scene, counted = self._scene, Counter[str]()
        if self._throughout is None:
            open_ones: Iterable[Candidate] = scene.reading.candidates.values()
            displacing = open_ones
            helps = might_ever_be_placed(scene, pod, open_ones)
        else:
            found = self._throughout.ask(pod)
            counted.update(found.counted)
            open_ones = (*found.open, *scene.reading.plain.values())
            displacing = found.displacing
            helps = found.might_ever_take or might_ever_be_placed(
                scene, pod, scene.reading.plain.values()
            )
        could = list(_asked_singly(scene, pod, open_ones, counted))
        could += _making_room(scene, pod, displacing)
        condition = WaitingCondition.WAITING_FOR_ENERGY if helps else WaitingCondition.UNSCHEDULABLE
        return Verdict(dict(counted), condition, tuple(could))


def _asked_singly(
    scene: Scene, pod: Pod, candidates: Iterable[Candidate], counted: Counter[str]
) -> Iterator[str]:
    for candidate in candidates:
        reason = scene.first_failing(pod, candidate)
        if reason is None:
            yield f"It waits, but {candidate.name} could take it as the plan stands."
        else:
            counted[str(reason)] += 1


def _making_room(scene: Scene, pod: Pod, candidates: Iterable[Candidate]) -> Iterator[str]:
    for candidate in candidates:
        lower = displaced(scene, pod, candidate)
        if lower:
            names = ", ".join(stay.pod.key for stay in lower)
            yield f"It waits, but {candidate.name} could take it without {names}, of less priority."


def might_ever_be_placed(scene: Scene, pod: Pod, candidates: Iterable[Candidate]) -> bool:
    """Whether some time or some charge of these candidates could place the pod."""
    for candidate in candidates:
        if candidate.node is None:
            continue
        stay = scene.reading.new_stay(pod, candidate)
        reason = first_lasting_pod_clause(Question(scene.reading, scene.grid, candidate, stay))
        if reason not in NO_TIME_OR_CHARGE_WOULD_HELP:
            return True
    return False
