"""What the operator said and did, as facts with sentences that a person understands."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from idlewatt_operator.gateways.protocols import EventNote
from idlewatt_operator.reconcile.drain import Drain
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.journal import Fact, Journal, Kind
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.scenario import Scenario

_NAMES_SHOWN = 4


class Story:
    """Reads the cluster's events and containers after each cycle and writes facts of them."""

    def __init__(self, scenario: Scenario, cluster: MemoryCluster, journal: Journal) -> None:
        self._scenario = scenario
        self._cluster = cluster
        self._journal = journal
        self._events_read = 0
        self._drained: set[str] = set()
        self._runs_read = 0
        self._open: list[Run] = []
        self._off_peak: bool | None = None
        self._why_waiting = ""

    def tell(self, report: Report) -> None:
        """Write down what is new since the last time."""
        self._tell_ends()
        for drain in report.decisions.drain:
            self._tell_drained(drain)
        for giving_up in report.decisions.give_up:
            for record in giving_up.remove:
                self._tell_given_up(giving_up.vehicle, record)
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

    def _tell_drained(self, drain: Drain) -> None:
        """Once for each pod: a drain that is blocked is tried again."""
        pod = drain.record.pod
        if pod.uid not in self._drained:
            self._drained.add(pod.uid)
            text = f"{pod.name} is drained from {drain.vehicle}: {drain.because}"
            self._note(Kind.DRAINED, text, drain.vehicle, pod.name)

    def _tell_given_up(self, vehicle: str, record: PodRecord) -> None:
        name = record.pod.name
        text = f"{name} on {vehicle} is given up; another starts, and it still counts"
        self._note(Kind.GIVEN_UP, text, vehicle, name)

    def _tell_waiting(self, notes: list[EventNote]) -> None:
        """The commonest reason, when it is another than last time."""
        if not notes:
            return
        message, count = Counter(note.message for note in notes).most_common(1)[0]
        leading = message.partition(":")[2].strip().partition(",")[0].lstrip("0123456789 ")
        if leading != self._why_waiting:
            self._why_waiting = leading
            self._note(Kind.SUBMITTED, f"{_count(count, 'pod')} wait: {message}")

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
        for run in done:
            if run.ended_by is EndedBy.DEADLINE:
                self._note(
                    Kind.ENDED,
                    f"{run.pod} on {run.node} is ended by its deadline",
                    run.node,
                    run.pod,
                )

    def _note(self, kind: Kind, text: str, vehicle: str = "", pod: str = "") -> None:
        self._journal.note(Fact(self._cluster.clock.now(), kind, text, vehicle, pod))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _by_workload(names: Iterable[str]) -> str:
    """`chat-8b 4, embed 6`: the commonest few of the workloads these pods belong to."""
    counts = Counter(name.rpartition("-")[0] for name in names)
    shown = [f"{name} {count}" for name, count in counts.most_common(_NAMES_SHOWN)]
    rest = len(counts) - len(shown)
    return ", ".join([*shown, f"{rest} more"] if rest else shown)
