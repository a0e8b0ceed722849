"""What became of each request that a client sent."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SHOWN_FAILURES = 10


@dataclass(slots=True)
class Tally:
    """Counts every request once: as answered, or as failed under one kind. Times in seconds."""

    began: float = 0.0
    ended: float = 0.0
    connections: int = 0
    latencies: list[float] = field(default_factory=list)
    served_by: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    shown: list[dict[str, Any]] = field(default_factory=list)
    latest_answer: float = 0.0
    longest_gap: float = 0.0
    greatest_delay: float = 0.0

    def begin(self, now: float) -> None:
        """Take the time from which everything is counted."""
        self.began = self.latest_answer = now

    def answered(self, seconds: float, server: str, now: float) -> None:
        """Count a request that was answered rightly, by whom, and how long it took."""
        self.latencies.append(seconds)
        self.served_by[server] += 1
        self.longest_gap = max(self.longest_gap, now - self.latest_answer)
        self.latest_answer = now

    def failed(self, kind: str, said: str, now: float) -> None:
        """Count a request that was lost; the first ones are shown with what was said."""
        self.failures[kind] += 1
        if len(self.shown) < SHOWN_FAILURES:
            self.shown.append({"at_second": round(now - self.began, 3), "kind": kind, "said": said})

    def late(self, seconds: float) -> None:
        """Note how far behind the wanted rate a request was sent."""
        self.greatest_delay = max(self.greatest_delay, seconds)

    def end(self, now: float) -> None:
        """Take the time at which the last request was settled."""
        self.ended = now
        self.longest_gap = max(self.longest_gap, now - self.latest_answer)

    def is_clean(self) -> bool:
        """Tell whether there were requests, and all of them were answered."""
        return bool(self.latencies) and not self.failures

    def sentence(self) -> str:
        """Say how it stands."""
        return f"{len(self.latencies)} answered, {self.failures.total()} lost"

    def summary(self, *, batch: int) -> dict[str, Any]:
        """Give everything, ready for JSON."""
        seconds = self.ended - self.began
        answered = len(self.latencies)
        return {
            "sent": answered + self.failures.total(),
            "answered": answered,
            "failed": self.failures.total(),
            "failures": dict(self.failures),
            "first_failures": self.shown,
            "seconds": round(seconds, 3),
            "requests_per_second": round(answered / seconds, 2),
            "texts_per_second": round(answered * batch / seconds, 2),
            "latency_ms": {
                "median": self._milliseconds(0.5),
                "p99": self._milliseconds(0.99),
                "max": self._milliseconds(1.0),
            },
            "longest_gap_ms": round(self.longest_gap * 1000, 1),
            "greatest_delay_ms": round(self.greatest_delay * 1000, 1),
            "connections": self.connections,
            "served_by": dict(self.served_by),
        }

    def _milliseconds(self, share: float) -> float | None:
        """Give the latency that this share of the requests did not exceed (nearest rank)."""
        if not self.latencies:
            return None
        rank = max(1, math.ceil(share * len(self.latencies)))
        return round(sorted(self.latencies)[rank - 1] * 1000, 1)
