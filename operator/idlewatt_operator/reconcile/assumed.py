"""Bindings that were sent and are not settled: they count until the watch or a GET says more.

A binding whose answer was lost may have been done. To forget it would be to give its place away
twice; to believe it for ever would be to lose the place. So it counts, and the pod is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idlewatt_operator.gateways.protocols import ClusterGateway, ClusterView
from idlewatt_operator.reconcile.flight import each
from idlewatt_operator.reconcile.snapshot import Assumed
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.model.units import Instant, Milliseconds


@dataclass(frozen=True, slots=True)
class Sent:
    """A binding under way.

    Attributes:
        ask_at: from then on the pod itself is asked; the watch has had its time.
        promised: the API server said that it was done, or the pod said so itself.
    """

    namespace: str
    name: str
    binding: Assumed
    ask_at: Instant
    promised: bool = False


@dataclass
class SentBindings:
    """Every binding that is not settled, by the pod's UID."""

    settles_within: Milliseconds
    _by_uid: dict[str, Sent] = field(default_factory=dict)

    def counted(self) -> Mapping[str, Assumed]:
        """What the snapshot counts."""
        return {uid: sent.binding for uid, sent in self._by_uid.items()}

    def sending(self, record: PodRecord, binding: Assumed, at: Instant) -> None:
        """Before it is sent: whatever happens from here on, it may have been done."""
        self._by_uid[record.pod.uid] = Sent(
            record.pod.namespace, record.pod.name, binding, ask_at=at
        )

    def done(self, uid: str, at: Instant) -> None:
        """The API server said that it was done; the watch will show it."""
        sent = self._by_uid.get(uid)
        if sent is not None:
            self._by_uid[uid] = Sent(
                sent.namespace,
                sent.name,
                sent.binding,
                ask_at=at + self.settles_within,
                promised=True,
            )

    def forget(self, uid: str) -> None:
        """It was certainly not done."""
        self._by_uid.pop(uid, None)

    def settle_by_watch(self, view: ClusterView) -> None:
        """Drop what the watch shows bound, ended, deleted or gone."""
        for uid in list(self._by_uid):
            record = view.pods.get(uid)
            if record is None or record.node is not None or record.ended or record.being_deleted:
                del self._by_uid[uid]

    async def settle_by_asking(self, cluster: ClusterGateway, at: Instant, in_flight: int) -> None:
        """Ask the pods whose answer was lost, or that the watch has not shown for too long."""
        due = [(uid, sent) for uid, sent in self._by_uid.items() if sent.ask_at <= at]

        async def ask(entry: tuple[str, Sent]) -> None:
            uid, sent = entry
            try:
                record = await cluster.pod(sent.namespace, sent.name)
            except (OSError, TimeoutError):
                return  # it counts on, and is asked again in the next cycle
            if record is None or record.pod.uid != uid or record.node is None:
                self.forget(uid)
            else:
                found = Assumed(
                    record.node,
                    sent.binding.power if record.bound_power is None else record.bound_power,
                    sent.binding.until if record.bound_until is None else record.bound_until,
                )
                self._by_uid[uid] = Sent(sent.namespace, sent.name, found, ask_at=at)
                self.done(uid, at)

        await each(due, ask, in_flight)
