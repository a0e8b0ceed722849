"""Who may write: for how long from now nobody else can lead, asked right before each write.

Of two operators that both believe to lead, one decides on what is not true any more. The one
that holds the Lease therefore believes it only until its renew deadline, counted on its own
steady clock from the moment it asked for the last renewal that was granted, which is before
anybody else can have seen it. Between that deadline and the end of the lease what is still on
the line has its time to end.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

LEASE_SECONDS_MAX: Final = 60.0
"""A lease that says it lasts longer was written by no operator of ours, and is not believed."""

MARGIN_SECONDS: Final = 1.0
"""Two clocks may differ in pace, and a server ends no request on the spot."""


class NotLeading(ConnectionError):  # noqa: N818 # it names a state of the world
    """Nothing was sent: somebody else may lead by now."""

    def __init__(self) -> None:
        super().__init__("It was not sent: this operator does not lead, or not for long enough.")


class Leadership(Protocol):
    """What every write asks first."""

    def left_seconds(self) -> float:
        """How long what is sent now may take; 0 or less: nothing may be sent."""


class Unchallenged:
    """Nobody else can lead: there is no election."""

    def left_seconds(self) -> float:
        """For ever."""
        return math.inf


class Nobody:
    """A dry run: nothing is ever sent."""

    def left_seconds(self) -> float:
        """Not at all."""
        return 0.0


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a lease, as client-go knows them.

    Attributes:
        lease_seconds: so long after a renewal was last seen, another may take the lease.
        renew_deadline_seconds: so long after a renewal was asked for, the holder stops writing.
        retry_seconds: between two attempts, to take it or to renew it.

    Raises:
        ValueError: they contradict each other.
    """

    lease_seconds: float = 15.0
    renew_deadline_seconds: float = 10.0
    retry_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse terms under which two could lead, or nobody for long."""
        if not 0 < 1.2 * self.retry_seconds < self.renew_deadline_seconds:
            sentence = "The renew deadline must be longer than 1.2 times the time between attempts."
            raise ValueError(sentence)
        if self.renew_deadline_seconds + MARGIN_SECONDS >= self.lease_seconds:
            sentence = f"The lease must last over {MARGIN_SECONDS:g} s beyond the renew deadline."
            raise ValueError(sentence)
        if self.lease_seconds > LEASE_SECONDS_MAX:
            sentence = f"A lease may last {LEASE_SECONDS_MAX:g} s at most."
            raise ValueError(sentence)


def steady_seconds() -> float:
    """Seconds on a clock that nobody sets, and that runs on while this process is stopped.

    Where the system has one, also while the machine sleeps.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Tenure:
    """A `Leadership` that lasts from renewal to renewal, and that does not come back once lost."""

    def __init__(self, terms: Terms, now: Callable[[], float] = steady_seconds) -> None:
        self.terms = terms
        self._now = now
        self._renewed_at: float | None = None
        self._is_over = False

    def renewed(self, asked_at: float) -> None:
        """A renewal that was asked for at `asked_at`, on the steady clock, was granted."""
        self.left_seconds()  # one that came too late revives nothing
        self._renewed_at = asked_at

    def end(self) -> None:
        """Nothing may be sent any more."""
        self._is_over = True

    @property
    def was_held(self) -> bool:
        """The lease was held at some time, now or before."""
        return self._renewed_at is not None

    @property
    def is_valid(self) -> bool:
        """Something may be sent now."""
        return self.left_seconds() > 0

    def until_deadline_seconds(self) -> float:
        """How long until the renew deadline; 0 or less once it is lost, or was never held."""
        if self._is_over or self._renewed_at is None:
            return 0.0
        left = self._renewed_at + self.terms.renew_deadline_seconds - self._now()
        if left <= 0:
            self._is_over = True
        return left

    def left_seconds(self) -> float:
        """How long what is sent now may take: until another may lead, less a margin."""
        before_deadline = self.until_deadline_seconds()
        if before_deadline <= 0:
            return 0.0
        beyond = self.terms.lease_seconds - self.terms.renew_deadline_seconds
        return before_deadline + beyond - MARGIN_SECONDS
