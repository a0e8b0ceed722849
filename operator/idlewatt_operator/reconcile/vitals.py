"""Whether the process is better left alone, and whether it can do its work: for the kubelet.

A standby is ready: it can take over at once, and a rollout may go on. It is alive while it goes on
reaching for the lease. The one that leads is alive while its cycles end, and end well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from idlewatt_operator.gateways.leadership import Tenure
from idlewatt_operator.gateways.listening import Verdict
from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.metrics import Metrics
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import SECOND


class Candidate(Protocol):
    """Who reaches for the lease."""

    identity: str
    tenure: Tenure

    @property
    def holder(self) -> str:
        """Who was last seen to hold it."""

    @property
    def attempt_age_seconds(self) -> float:
        """How long ago it last tried."""


@dataclass
class ProcessVitals:
    """`Vitals` of the operator; what is not there yet is None.

    Attributes:
        synced: whether every kind was listed.
        telemetry: what its state is, in a sentence, and whether it may be worked with.
    """

    settings: Settings
    shown: Metrics
    loop: Loop | None = None
    candidate: Candidate | None = None
    synced: Callable[[], bool] = lambda: False
    telemetry: Callable[[], Verdict] = lambda: Verdict(good=False, lines=("telemetry: starting",))

    def alive(self) -> Verdict:
        """Whether it is better left alone than started anew."""
        limit_seconds = self.settings.heartbeat_age_limit // SECOND
        if self.loop is not None:
            age = self.loop.heartbeat_age / SECOND
            told = f"cycles: one last ended well {age:.0f} s ago; {limit_seconds} s are the most"
            return Verdict(not self.loop.is_zombie, (told,))
        if self.candidate is not None:
            age = self.candidate.attempt_age_seconds
            told = f"lease: last looked at {age:.0f} s ago; {limit_seconds} s are the most"
            return Verdict(age <= limit_seconds, (told,))
        return Verdict(good=True, lines=("starting",))

    def ready(self) -> Verdict:
        """Whether it can do its work, or take it over."""
        synced, telemetry = self.synced(), self.telemetry()
        watches = "watches: every kind is listed" if synced else "watches: not every kind is listed"
        return Verdict(
            synced and telemetry.good, (watches, *telemetry.lines, f"lease: {self._lease()}")
        )

    def metrics(self) -> tuple[bytes, str]:
        """The metrics as Prometheus reads them, and their content type."""
        return self.shown.text()

    def _lease(self) -> str:
        candidate = self.candidate
        if candidate is None:
            return "none is asked for"
        if candidate.tenure.is_valid:
            return f"{candidate.identity} leads, which is this one"
        return f"{candidate.holder or 'nobody'} leads; {candidate.identity}, this one, stands by"
