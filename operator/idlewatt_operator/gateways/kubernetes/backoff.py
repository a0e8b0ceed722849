"""How long to wait before trying again."""

from collections.abc import Callable


class Backoff:
    """Delays that double from `first_seconds` to `most_seconds`, each shortened at random.

    Attributes:
        jitter: gives numbers in [0, 1); passed in so that a test knows what comes.
    """

    def __init__(
        self,
        jitter: Callable[[], float],
        first_seconds: float = 0.5,
        most_seconds: float = 30.0,
    ) -> None:
        self.jitter = jitter
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds
        self._failures = 0

    def next_seconds(self, at_least_seconds: float = 0.0) -> float:
        """The delay before the next attempt; never under what the server asked for."""
        ceiling = min(self._most_seconds, self._first_seconds * (1 << min(self._failures, 16)))
        self._failures += 1
        return max(at_least_seconds, ceiling * (0.5 + self.jitter() / 2))

    def reset(self) -> None:
        """It went well: the next delay is the first one again."""
        self._failures = 0

    @property
    def failures(self) -> int:
        """How many attempts failed since the last that went well."""
        return self._failures
