"""Tariffs with a source: asked on a schedule beside the cycle, the last good answer in force.

The cycle never waits for a publisher. It is given what was last answered and when; the core decides
that what is too old is unknown. An answer that cannot be used changes nothing but a count.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.leadership import Leadership, Unchallenged
from idlewatt_operator.gateways.protocols import Clock
from idlewatt_operator.gateways.tariffs.asking import Ask
from idlewatt_operator.gateways.tariffs.keeping import Keeping, KeepingError, told
from idlewatt_operator.gateways.tariffs.series import SeriesError
from idlewatt_operator.resources.energytariff import Source
from idlewatt_operator.resources.tariff_answers import AnswerError, answered_intervals
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import SECOND, Instant, seconds

_LOG: Final = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
"""How soon a tariff that is new or changed is asked for."""

FIRST_RETRY_SECONDS: Final = 5.0
LONGEST_RETRY_SECONDS: Final = 600.0
_SPREAD: Final = 0.1
"""Operators that started together do not ask together for ever."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a source answered last, and when."""

    intervals: tuple[TariffInterval, ...]
    at: Instant


@dataclass(slots=True)
class _Asked:
    """A tariff's source, and how asking it goes.

    Attributes:
        due: when it is asked next.
        trouble: why the last attempt failed, in a sentence; empty: it did not.
        last: the last good answer.
        completed: the tariff with it, made once.
    """

    source: Source
    backoff: Backoff
    due: Instant = 0
    trouble: str = ""
    last: Answered | None = None
    completed: tuple[Tariff, Answered, Tariff] | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class SourcesState:
    """For the metrics: how many sources there are, how many are stale, what came of asking."""

    fresh: int
    stale: int
    answers: Mapping[str, int] = field(default_factory=dict)


class TariffSources:
    """Keeps tariffs with a source supplied; `run` does so until it is cancelled.

    Args:
        wanted: the sources by the names of their tariffs, as the cluster has them now; None while
            that is not known yet.
        ask: asks a source once.
        on_change: called when an answer brought something new.
        jitter: numbers in [0, 1).
        keeping: None: nothing outlives a restart.
        leadership: asked before anything is kept.
    """

    def __init__(  # noqa: PLR0913 # what it is made of, all of it injected
        self,
        wanted: Callable[[], Mapping[str, Source] | None],
        ask: Ask,
        clock: Clock,
        *,
        on_change: Callable[[], None],
        jitter: Callable[[], float],
        keeping: Keeping | None = None,
        leadership: Leadership | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._wanted = wanted
        self._ask = ask
        self._clock = clock
        self._on_change = on_change
        self._jitter = jitter
        self._keeping = keeping
        self._leadership = leadership or Unchallenged()
        self._sleep = sleep
        self._asked: dict[str, _Asked] = {}
        self._settled = asyncio.Event()
        self._counts = {"good": 0, "failed": 0, "refused": 0}

    async def wait_settled(self) -> None:
        """Return once each source was asked, or its kept answer read, whatever came of it."""
        await self._settled.wait()

    def completed(self, tariffs: Mapping[str, Tariff]) -> Mapping[str, Tariff]:
        """The tariffs with what their sources last answered.

        The same objects while nothing changed: what is compiled from a tariff is found again.
        """
        return {name: self._completed(name, tariff) for name, tariff in tariffs.items()}

    def state(self) -> SourcesState:
        """How it goes, for the metrics."""
        now = self._clock.now()
        fresh = sum(
            1
            for each in self._asked.values()
            if each.last is not None and now - each.last.at <= seconds(each.source.max_age_seconds)
        )
        return SourcesState(fresh, len(self._asked) - fresh, dict(self._counts))

    def troubles(self) -> Mapping[str, str]:
        """Why the last attempt to ask a source failed, by tariff."""
        return {name: each.trouble for name, each in self._asked.items() if each.trouble}

    async def run(self) -> None:
        """Ask whatever is due, again and again; only cancellation ends it."""
        while True:
            wanted = self._wanted()
            if wanted is not None:
                await self._follow(wanted)
                now = self._clock.now()
                due = [name for name, each in self._asked.items() if each.due <= now]
                await asyncio.gather(*(self._refresh(name) for name in due))
                if all(each.settled for each in self._asked.values()):
                    self._settled.set()
            await self._sleep(LOOK_SECONDS)

    async def _follow(self, wanted: Mapping[str, Source]) -> None:
        """Take up new sources and those that changed, and drop what is gone."""
        gone = [name for name in self._asked if name not in wanted]
        for name in gone:
            del self._asked[name]
        for name, source in wanted.items():
            known = self._asked.get(name)
            if known is None or told(known.source) != told(source):
                backoff = Backoff(self._jitter, FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS)
                self._asked[name] = _Asked(source, backoff)
                await self._recall(name)
            elif known.source != source:
                known.source = source
                known.due = min(known.due, self._next(known))
        if gone and self._keeping is not None and self._leadership.left_seconds() > 0:
            await self._quietly(self._keeping.forget(frozenset(wanted)))

    async def _recall(self, name: str) -> None:
        """What an operator before this one was answered."""
        asked = self._asked[name]
        if self._keeping is None:
            return
        try:
            kept = await self._keeping.read(name, asked.source)
            if kept is None:
                return
            text, at = kept
            asked.last = Answered(await asyncio.to_thread(answered_intervals, text), at)
        except (KeepingError, AnswerError) as error:
            _LOG.warning("%s", error)
            return
        asked.settled = True
        asked.due = self._next(asked)
        self._on_change()

    async def _refresh(self, name: str) -> None:
        asked = self._asked[name]
        now = self._clock.now()
        try:
            text = await self._ask(asked.source)
            intervals = await asyncio.to_thread(answered_intervals, text)
        except (SeriesError, AnswerError) as error:
            self._counts["refused" if isinstance(error, AnswerError) else "failed"] += 1
            if asked.trouble != str(error):
                _LOG.warning("The source of the tariff %s: %s", name, error)
            self._put_off(asked, str(error), now)
            return
        except Exception as error:  # noqa: BLE001 - one source must not end the asking of the others
            self._counts["failed"] += 1
            _LOG.exception("The source of the tariff %s could not be asked.", name)
            self._put_off(asked, f"It could not be asked: {type(error).__name__}.", now)
            return
        self._counts["good"] += 1
        if asked.trouble:
            _LOG.info("The source of the tariff %s answers again.", name)
        asked.trouble, asked.settled = "", True
        asked.backoff.reset()
        same = asked.last is not None and asked.last.intervals == intervals
        kept = asked.last.intervals if same and asked.last is not None else intervals
        asked.last = Answered(kept, now)
        asked.due = self._next(asked)
        self._on_change()
        if self._keeping is not None and self._leadership.left_seconds() > 0:
            await self._quietly(self._keeping.write(name, asked.source, text, now))

    @staticmethod
    def _put_off(asked: _Asked, trouble: str, now: Instant) -> None:
        asked.trouble, asked.settled = trouble, True
        asked.due = now + round(asked.backoff.next_seconds() * SECOND)

    async def _quietly(self, work: Awaitable[None]) -> None:
        """What Redis does not keep is asked for again after a restart: no reason to stop."""
        try:
            await work
        except KeepingError as error:
            _LOG.warning("%s", error)

    def _next(self, asked: _Asked) -> Instant:
        at = self._clock.now() if asked.last is None else asked.last.at
        every = seconds(asked.source.refresh_seconds)
        return at + every - round(every * _SPREAD * self._jitter())

    def _completed(self, name: str, tariff: Tariff) -> Tariff:
        asked = self._asked.get(name)
        if asked is None or asked.last is None or tariff.max_age is None:
            return tariff
        made = asked.completed
        if made is None or made[0] is not tariff or made[1] is not asked.last:
            last = asked.last
            full = replace(tariff, intervals=last.intervals, refreshed_at=last.at)
            made = asked.completed = (tariff, last, full)
        return made[2]
