"""Whether a waiting pod could be placed if new pods of lower priority were left out."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import product

from idlewatt_scheduler.feasibility.kinds import kind_of
from idlewatt_scheduler.feasibility.reading import Candidate, Stay
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.workload import Pod


def may_be_left_out(stay: Stay, pod: Pod) -> bool:
    """Whether a new pod may be left out for a waiting one."""
    return stay.pod.priority < pod.priority and stay.pod.demand.gang is None


def displaced(scene: Scene, pod: Pod, candidate: Candidate) -> Sequence[Stay]:
    """The new pods there that would make room by being left out; none: no such pods do.

    A waiting pod of a gang that is not complete is not asked, nor is a plain node.
    """
    if candidate.vehicle is None or scene.gangs.is_incomplete(pod):
        return ()
    new = scene.new_on(candidate.name)
    lower = [stay for stay in new if may_be_left_out(stay, pod)]
    # No clause about one candidate or its circuits fails because fewer pods are there.
    if not lower or _fails_without(scene, pod, candidate, lower):
        return ()
    for left_out in _choices(scene, lower):
        holds = scene.crowd.would_hold(pod, candidate.name, [stay.pod for stay in left_out])
        if holds and not _fails_without(scene, pod, candidate, left_out):
            return left_out
    return ()


def _fails_without(scene: Scene, pod: Pod, candidate: Candidate, left_out: Sequence[Stay]) -> bool:
    kept = tuple(stay for stay in scene.new_on(candidate.name) if stay not in left_out)
    return scene.first_failing_alone(pod, candidate, beside=kept) is not None


def _choices(scene: Scene, lower: Sequence[Stay]) -> Iterator[Sequence[Stay]]:
    """Whom to leave out: all; then, as a pod that is missed may break a spread, only some."""
    yield lower
    counted: defaultdict[Hashable, list[Stay]] = defaultdict(list)
    others: list[Stay] = []
    for stay in lower:
        if scene.crowd.counting(stay.pod):
            counted[kind_of(stay.pod)].append(stay)
        else:
            others.append(stay)
    for numbers in product(*(range(len(alike) + 1) for alike in counted.values())):
        some = [
            stay
            for alike, number in zip(counted.values(), numbers, strict=True)
            for stay in alike[:number]
        ]
        if len(some) + len(others) < len(lower):
            yield [*others, *some]
