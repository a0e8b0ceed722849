"""Pods that are left alone for a while, so that one that cannot be bound does not spin."""

from collections.abc import Container
from dataclasses import dataclass, field, replace

from idlewatt_scheduler.model.units import Instant, Milliseconds


@dataclass(frozen=True, slots=True)
class Patience:
    """How often it went wrong, and until when the pod is left alone."""

    refusals: int
    until: Instant


@dataclass
class Backoffs:
    """Patience by the pod's UID."""

    first: Milliseconds
    most: Milliseconds
    _by_uid: dict[str, Patience] = field(default_factory=dict)

    def refused(self, uid: str, at: Instant) -> Patience:
        """It went wrong once more."""
        before = self._by_uid.get(uid, Patience(0, at))
        delay = min(self.most, self.first << min(before.refusals, 16))
        self._by_uid[uid] = replace(before, refusals=before.refusals + 1, until=at + delay)
        return self._by_uid[uid]

    def settled(self, uid: str) -> None:
        """It went well: whatever goes wrong next is the first time again."""
        self._by_uid.pop(uid, None)

    def holds(self, uid: str, at: Instant) -> bool:
        """Whether the pod is still left alone."""
        patience = self._by_uid.get(uid)
        # What is further away than any delay was set before the clock was set back.
        return patience is not None and at < patience.until <= at + self.most

    def keep_only(self, uids: Container[str]) -> None:
        """Forget the pods that are no more."""
        self._by_uid = {uid: each for uid, each in self._by_uid.items() if uid in uids}
