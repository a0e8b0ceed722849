"""Reports that could not be used: all counted, and of each vehicle one sentence a minute."""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from idlewatt_scheduler.model.units import MINUTE, Instant

_LOG: Final = logging.getLogger(__name__)

_KEPT: Final = 20
_SUBJECTS_MAX: Final = 10_000
_LOGGED_EVERY: Final = 10 * MINUTE


class Refusals:
    """Collects sentences without ever growing.

    Args:
        now: the present instant.
    """

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._sentences: deque[str] = deque(maxlen=_KEPT)
        self._said_at: dict[str, Instant] = {}
        self._logged_at: Instant | None = None
        self.count = 0

    def note(self, subject: str, sentence: str) -> None:
        """Count it; say it unless something was said of this subject a moment ago."""
        self.count += 1
        now = self._now()
        said_at = self._said_at.get(subject)
        if said_at is not None and now - said_at < MINUTE:
            return
        if len(self._said_at) >= _SUBJECTS_MAX:
            self._said_at.clear()
        self._said_at[subject] = now
        text = f"{subject}: {sentence}"
        self._sentences.append(text)
        if self._logged_at is None or now - self._logged_at >= _LOGGED_EVERY:
            self._logged_at = now
            _LOG.warning(
                "Telemetry that cannot be used, %d parts of reports so far; the latest: %s",
                self.count,
                text,
            )

    def latest(self) -> tuple[str, ...]:
        """The last few sentences, newest last."""
        return tuple(self._sentences)
