"""The fleet as it would be if some running pods were gone, and some pods were placed."""

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from idlewatt_scheduler.feasibility.circuits import Grid
from idlewatt_scheduler.feasibility.pod import Question, first_failing_pod_clause
from idlewatt_scheduler.feasibility.power import Counting
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, Stay, identity
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.workload import Pod


class Imagined:
    """What a plan leaves, changed step by step.

    Vehicle clauses stay what they are with all that runs. `gone` are running pods that are not
    there any more, in charge, circuits, resources and spread.
    """

    def __init__(self, scene: Scene, gone: AbstractSet[Identity] = frozenset()) -> None:
        self._scene = scene
        self.reading = scene.reading
        self._gone = set(gone)
        self._running: dict[str, tuple[Stay, ...]] = {}
        self._new = dict(scene.new)
        self._crowd = scene.crowd_without(self._gone)
        self._grid = Grid(
            scene.reading,
            lambda car: self.running_on(car.name) + self.new_on(car.name),
            Counting.EITHER,
        )

    def running_on(self, name: str) -> tuple[Stay, ...]:
        """The running pods that are still there."""
        if name not in self._running:
            self._running[name] = tuple(
                stay
                for stay in self.reading.running_on(name)
                if identity(stay.pod) not in self._gone
            )
        return self._running[name]

    def new_on(self, name: str) -> tuple[Stay, ...]:
        """The plan's new stays and those imagined."""
        return self._new.get(name, ())

    def could_take(self, pod: Pod, candidate: Candidate, without: Collection[Pod] = ()) -> bool:
        """Whether the pod could be placed there, these running pods gone as well."""
        if candidate.vehicle is None or self._scene.vehicle_reason(candidate) is not None:
            return False
        less = {identity(each) for each in without}
        running = self.running_on(candidate.name)
        asked = Question(
            self.reading,
            self._grid,
            candidate,
            self.reading.new_stay(pod, candidate),
            tuple(each for each in running if identity(each.pod) not in less),
            self.new_on(candidate.name),
        )
        if first_failing_pod_clause(asked) is not None or self._scene.gangs.is_incomplete(pod):
            return False
        with self._not_counting(without, candidate.name):
            return self._crowd.would_hold(pod, candidate.name)

    def put(self, pod: Pod, candidate: Candidate) -> None:
        """The pod is placed there from now on."""
        stay = self.reading.new_stay(pod, candidate)
        self._new[candidate.name] = (*self.new_on(candidate.name), stay)
        self._crowd.add(pod, candidate.name, placed=True)
        self._grid.forget(candidate)

    def let_go(self, pods: Iterable[Pod], candidate: Candidate) -> None:
        """These running pods are gone from now on."""
        for pod in pods:
            self._gone.add(identity(pod))
            self._crowd.remove(pod, candidate.name)
        self._running.pop(candidate.name, None)
        self._grid.forget(candidate)

    def count_no_more(self, pod: Pod, node: str) -> None:
        """From now on spread does not count a running pod where it runs."""
        self._crowd.remove(pod, node)

    @contextmanager
    def not_counting(self, pod: Pod, node: str) -> Iterator[None]:
        """Meanwhile spread does not count a running pod where it runs."""
        with self._not_counting([pod], node):
            yield

    @contextmanager
    def _not_counting(self, pods: Iterable[Pod], node: str) -> Iterator[None]:
        there = [pod for pod in pods if self._crowd.counts(pod, node)]
        for pod in there:
            self._crowd.remove(pod, node)
        yield
        for pod in there:
            self._crowd.add(pod, node, placed=False)
