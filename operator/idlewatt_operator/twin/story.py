"""What the operator said and did, as facts with sentences that a person understands."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from idlewatt_operator.gateways.protocols import EventNote
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.journal import Fact, Journal, Kind
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason

_NAMES_SHOWN = 4
_PODS_SHOWN = 2
_WHY: Final[Mapping[Reason | None, str]] = {
    VehicleReason.OCCUPIED: "somebody got in",
    VehicleReason.NOT_PARKED: "it is being driven",
    PodReason.LEAVES_TOO_EARLY: "it leaves soon",
    PodReason.OUTSIDE_PARKING_WINDOW: "its parking window is over",
    PodReason.DEPARTURE_CHARGE_AT_RISK: "it has to charge",
    PodReason.BELOW_RESERVE: "its charge is under the reserve",
}
"""What a cluster's event keeps to itself, being the owner's business: a play may tell it."""


class Story:
    """Reads the cluster's events and containers after each cycle and writes facts of them."""

    def __init__(self, scenario: Scenario, cluster: MemoryCluster, journal: Journal) -> None:
        self._scenario = scenario
        self._cluster = cluster
        self._journal = journal
        self._events_read = 0
        self._drained: set[tuple[str, bool]] = set()
        self._runs_read = 0
        self._open: list[Run] = []
        self._off_peak: bool | None = None
        self._why_waiting = ""

    def tell(self, report: Report) -> None:
        """Write down what is new since the last time."""
        self._tell_ends()
        self._tell_released(report)
        self._tell_drained(report)
        for giving_up in report.decisions.give_up:
            if giving_up.remove:
                self._tell_given_up(giving_up.vehicle, giving_up.remove)
        events = self._cluster.events[self._events_read :]
        self._events_read = len(self._cluster.events)
        by_reason: defaultdict[str, list[EventNote]] = defaultdict(list)
        for _, note in events:
            by_reason[note.reason].append(note)
        if by_reason["Scheduled"]:
            self._tell_placed(by_reason.pop("Scheduled"))
        self._tell_waiting(by_reason.pop("FailedScheduling", []))

    def turn(self, off_peak: bool, price: float | None) -> None:  # noqa: FBT001 - one subject
        """Write down that off-peak began or ended."""
        if self._off_peak is not None and off_peak != self._off_peak:
            word = "begins" if off_peak else "ends"
            shown = "" if price is None else f" at ${price:.3f} a kWh"
            kind = Kind.OFF_PEAK if off_peak else Kind.ON_PEAK
            self._note(kind, f"off-peak {word}{shown}")
        self._off_peak = off_peak

    def _tell_placed(self, notes: list[EventNote]) -> None:
        pods = self._cluster.view().pods
        nodes = {pods[note.uid].node for note in notes if note.uid in pods}
        text = (
            f"{_count(len(notes), 'pod')} {'lands' if len(notes) == 1 else 'land'} on "
            f"{_count(len(nodes), 'vehicle')}: {_by_workload(note.name for note in notes)}"
        )
        self._note(Kind.PLACED, text)

    def _tell_released(self, report: Report) -> None:
        """A pod is released once: from then on it waits for its replacement."""
        why = {leaving.pod.uid: leaving.reason for leaving in report.plan.leaving}
        told: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for release in report.decisions.release:
            drain = release.drain
            because = _WHY.get(why.get(drain.record.pod.uid), drain.because)
            told[drain.vehicle, because].append(drain.record.pod.name)
        for (vehicle, because), names in told.items():
            verb = "has" if len(names) == 1 else "have"
            text = f"{_listed(names)} {verb} to leave {vehicle}, replacement first: {because}"
            self._note(Kind.RELEASED, text, vehicle)

    def _tell_drained(self, report: Report) -> None:
        """Once for each pod: a drain that is blocked is tried again."""
        why = {leaving.pod.uid: leaving.reason for leaving in report.plan.leaving}
        told: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
        pods = self._cluster.view().pods
        for drain in report.decisions.drain:
            pod = drain.record.pod
            now = pods.get(pod.uid)
            blocked = now is not None and not now.being_deleted
            if (pod.uid, blocked) not in self._drained:
                self._drained.add((pod.uid, blocked))
                because = _WHY.get(why.get(pod.uid), drain.because)
                told[drain.vehicle, because, blocked].append(pod.name)
        for (vehicle, because, blocked), names in told.items():
            verb = "is" if len(names) == 1 else "are"
            text = f"{_listed(names)} {verb} drained from {vehicle}: {because}"
            if blocked:
                text = f"a disruption budget still holds {_listed(names)} on {vehicle}: {because}"
            self._note(Kind.WAITING if blocked else Kind.DRAINED, text, vehicle)

    def _tell_given_up(self, vehicle: str, records: Sequence[PodRecord]) -> None:
        names = _listed([record.pod.name for record in records])
        text = f"{names} on {vehicle}: given up; others start elsewhere, and these still count"
        self._note(Kind.GIVEN_UP, text, vehicle)

    def _tell_waiting(self, notes: list[EventNote]) -> None:
        """The commonest reason, when it is another than last time."""
        if not notes:
            return
        message, count = Counter(note.message for note in notes).most_common(1)[0]
        leading = message.partition(":")[2].strip().partition(",")[0].lstrip("0123456789 ")
        if leading != self._why_waiting:
            self._why_waiting = leading
            verb = "waits" if count == 1 else "wait"
            self._note(Kind.WAITING, f"{_count(count, 'pod')} {verb}: {message}")

    def _tell_ends(self) -> None:
        runs = self._cluster.kubelets.runs
        self._open += runs[self._runs_read :]
        self._runs_read = len(runs)
        done = [run for run in self._open if run.ended_at is not None]
        self._open = [run for run in self._open if run.ended_at is None]
        finished = [run for run in done if run.ended_by is EndedBy.ITSELF]
        if finished:
            names = _by_workload(run.pod.partition("/")[2] for run in finished)
            self._note(Kind.ENDED, f"{_count(len(finished), 'job pod')} done: {names}")
        fenced: defaultdict[str, list[str]] = defaultdict(list)
        for run in done:
            if run.ended_by is EndedBy.DEADLINE:
                fenced[run.node].append(run.pod.partition("/")[2])
        for vehicle, pods in fenced.items():
            text = f"the fence ends {_listed(pods)} on {vehicle}: its kubelet does that alone"
            self._note(Kind.FENCED, text, vehicle)

    def _note(self, kind: Kind, text: str, vehicle: str = "", pod: str = "") -> None:
        self._journal.note(Fact(self._cluster.clock.now(), kind, text, vehicle, pod))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _listed(names: Sequence[str]) -> str:
    """`embed-1, embed-2 and 3 more`."""
    rest = len(names) - _PODS_SHOWN
    shown = ", ".join(names[:_PODS_SHOWN])
    return f"{shown} and {rest} more" if rest > 0 else shown


def _by_workload(names: Iterable[str]) -> str:
    """`chat-8b 4, embed 6`: the commonest few of the workloads these pods belong to."""
    counts = Counter(name.rpartition("-")[0] for name in names)
    shown = [f"{name} {count}" for name, count in counts.most_common(_NAMES_SHOWN)]
    rest = len(counts) - len(shown)
    return ", ".join([*shown, f"{rest} more"] if rest else shown)
