"""Containers on simulated nodes: what the API server cannot see while a link is down.

A run is what really happens on the vehicle. The pod object is only what was last reported, and
the two part company as soon as the link is cut: then a run goes on until its own end or until
the deadline that the kubelet last read, whatever becomes of the object.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.units import SECOND, Instant


class EndedBy(StrEnum):
    """What ended a run's containers."""

    ITSELF = "Itself"
    DEADLINE = "Deadline"
    DRAIN = "Drain"
    CAR = "Car"


@dataclass(slots=True)
class Run:
    """Containers of one pod on one node.

    Attributes:
        deadline: the instant at which the kubelet ends it by `activeDeadlineSeconds`.
        finish: the instant at which it ends by itself; None for a service.
        ready_at: when its image was fetched and its model loaded; until then it does no work.
        told_at: when it was told to stop; it ends when its stop time is over.
        reported: the API server was told that it ended.
    """

    uid: str
    pod: str
    node: str
    started_at: Instant
    deadline: Instant | None = None
    finish: Instant | None = None
    ready_at: Instant | None = None
    told_at: Instant | None = None
    ended_at: Instant | None = None
    ended_by: EndedBy | None = None
    reported: bool = False


@dataclass
class Kubelets:
    """The kubelets of every node, and the links they hang on.

    Attributes:
        on_end: called with a run whose end the API server learns of now.
        on_change: called with the node whenever containers started, were told to end, or ended
            there, whether the API server learns of it or not.
        runs: every run there ever was, in the order of its start.
    """

    clock: ManualClock
    on_end: Callable[[Run], None]
    on_change: Callable[[str], None] | None = None
    runs: list[Run] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)
    _live: dict[str, Run] = field(default_factory=dict)

    def linked(self, node: str) -> bool:
        """Whether the node reaches the API server."""
        return node not in self.cut

    def run_of(self, uid: str) -> Run | None:
        """The run of this pod whose end the API server does not know yet."""
        return self._live.get(uid)

    def on_node(self, node: str) -> list[Run]:
        """The runs on a node whose containers have not ended."""
        return [run for run in self._live.values() if run.node == node and run.ended_at is None]

    def serves(self, uid: str) -> bool:
        """Whether the API server can be told that this pod is ready."""
        run = self._live.get(uid)
        if run is None or run.ended_at is not None or not self.linked(run.node):
            return False
        return run.ready_at is not None and run.ready_at <= self.clock.now()

    def start(self, run: Run) -> None:
        """Start the containers of `run` now."""
        self.runs.append(run)
        self._live[run.uid] = run
        self._watch(run)
        self._tell(run.node)

    def set_deadline(self, uid: str, deadline: Instant) -> None:
        """Tell the kubelet a new deadline; lost if the link is down."""
        run = self._live.get(uid)
        if run is not None and self.linked(run.node):
            run.deadline = deadline
            self._watch(run)

    def stop(self, uid: str, stop_seconds: int) -> None:
        """Tell the kubelet to end a run, which takes `stop_seconds`; lost if the link is down."""
        run = self._live.get(uid)
        if run is None or not self.linked(run.node) or run.told_at is not None:
            return
        run.told_at = self.clock.now()
        self._tell(run.node)
        end_at = self.clock.now() + stop_seconds * SECOND
        self.clock.call_at(end_at, lambda: self._end(run, EndedBy.DRAIN))

    def power_off(self, node: str) -> list[Run]:
        """The car takes its power back: everything on it ends at once."""
        ended = self.on_node(node)
        for run in ended:
            self._end(run, EndedBy.CAR)
        return ended

    def report(self, node: str) -> None:
        """The link is back: tell the API server what ended meanwhile."""
        for run in [run for run in self._live.values() if run.node == node]:
            if run.ended_at is not None:
                self._report(run)

    def _watch(self, run: Run) -> None:
        for at in (run.deadline, run.finish):
            if at is not None:
                self.clock.call_at(at, lambda: self._look(run))

    def _look(self, run: Run) -> None:
        """What is being stopped already is stopped no sooner by a deadline."""
        if run.ended_at is not None:
            return
        now = self.clock.now()
        if run.finish is not None and run.finish <= now:
            self._end(run, EndedBy.ITSELF)
        elif run.deadline is not None and run.deadline <= now and run.told_at is None:
            self._end(run, EndedBy.DEADLINE)

    def _end(self, run: Run, cause: EndedBy) -> None:
        if run.ended_at is not None:
            return
        run.ended_at, run.ended_by = self.clock.now(), cause
        self._tell(run.node)
        if self.linked(run.node):
            self._report(run)

    def _tell(self, node: str) -> None:
        if self.on_change is not None:
            self.on_change(node)

    def _report(self, run: Run) -> None:
        run.reported = True
        self._live.pop(run.uid, None)
        self.on_end(run)
