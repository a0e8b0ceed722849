"""Tariffs with a source: asked when due, the last good answer in force, nothing half believed."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from idlewatt_operator.gateways.leadership import Leadership, Nobody
from idlewatt_operator.gateways.tariffs.keeping import KeepingError
from idlewatt_operator.gateways.tariffs.refreshing import LOOK_SECONDS, TariffSources
from idlewatt_operator.gateways.tariffs.series import SeriesError
from idlewatt_operator.resources.energytariff import Source
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.testing import AT, a_tariff


def answer(price: str) -> bytes:
    """An hour at a price."""
    payloads = [{"type": "PRICE", "value": price}]
    interval = {"start": "2026-01-15T22:00:00Z", "durationSeconds": 3600, "payloads": payloads}
    return json.dumps({"intervals": [interval], "publisher": "somebody"}).encode()


def a_source(**fields: object) -> Source:
    """One that is asked every hour."""
    given: dict[str, Any] = {"type": "File", "path": "prices.json", **fields}
    return Source.model_validate(given)


@dataclass
class Kept:
    """`Keeping` in memory."""

    there: dict[tuple[str, str | None], tuple[bytes, int]] = field(default_factory=dict)
    away: bool = False

    async def read(self, tariff: str, source: Source) -> tuple[bytes, int] | None:
        """What is kept of this source."""
        if self.away:
            message = "Redis is away."
            raise KeepingError(message)
        return self.there.get((tariff, source.path))

    async def write(self, tariff: str, source: Source, text: bytes, at: int) -> None:
        """Keep it."""
        if self.away:
            message = "Redis is away."
            raise KeepingError(message)
        self.there[tariff, source.path] = text, at

    async def forget(self, tariffs: frozenset[str]) -> None:
        """Drop the others."""
        self.there = {key: kept for key, kept in self.there.items() if key[0] in tariffs}


class Stage:
    """A publisher, a clock and the sources between them; one step a look."""

    def __init__(self, keeping: Kept | None = None, leadership: Leadership | None = None) -> None:
        self.clock = ManualClock(AT)
        self.wanted: Mapping[str, Source] | None = {"depot": a_source()}
        self.says: bytes | Exception = answer("0.20")
        self.asked = 0
        self.changes = 0
        self.sources = TariffSources(
            lambda: self.wanted,
            self._ask,
            self.clock,
            on_change=self._changed,
            jitter=lambda: 0.0,
            keeping=keeping,
            sleep=self._sleep,
            leadership=leadership,
        )
        self.tariff = a_tariff(zones=(), max_age=HOUR)
        self._looks = 0

    async def _ask(self, source: Source) -> bytes:
        assert source.type == "File"
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        if source.path == "odd.json":
            raise UnicodeError
        return self.says

    def _changed(self) -> None:
        self.changes += 1

    async def _sleep(self, seconds: float) -> None:
        assert seconds == LOOK_SECONDS
        self._looks -= 1
        if self._looks <= 0:
            raise asyncio.CancelledError

    async def look(self, times: int = 1) -> None:
        """Run until it has looked so often."""
        self._looks = times
        with pytest.raises(asyncio.CancelledError):
            await self.sources.run()

    async def after(self, milliseconds: int) -> None:
        """Look again later."""
        self.clock.advance_to(self.clock.now() + milliseconds)
        await self.look()

    @property
    def shown(self) -> Tariff:
        """The tariff as a cycle sees it."""
        return self.sources.completed({"depot": self.tariff})["depot"]


async def test_an_answer_completes_the_tariff_and_asks_for_a_cycle() -> None:
    """With the time at which it came."""
    stage = Stage()
    await stage.look()
    assert [each.price_per_kwh for each in stage.shown.intervals] == [Decimal("0.20")]
    assert stage.shown.refreshed_at == AT
    assert stage.changes == 1
    assert stage.shown is stage.shown


async def test_a_source_that_makes_us_stumble_does_not_end_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What nobody foresaw is logged and put off, and every tariff goes on being supplied."""
    stage = Stage()
    stage.wanted = {"odd": a_source(path="odd.json"), "depot": a_source()}
    await stage.look()
    assert stage.shown.refreshed_at == AT
    assert stage.sources.troubles() == {"odd": "It could not be asked: UnicodeError."}
    assert stage.sources.state().answers == {"good": 1, "failed": 1, "refused": 0}
    assert "odd could not be asked" in caplog.text


async def test_it_is_asked_when_it_is_due_and_not_before() -> None:
    """Once an hour."""
    stage = Stage()
    await stage.look()
    await stage.after(59 * MINUTE)
    assert stage.asked == 1
    await stage.after(MINUTE)
    assert stage.asked == 2
    assert stage.shown.refreshed_at == AT + HOUR


async def test_the_same_answer_keeps_the_very_same_intervals() -> None:
    """What was compiled from them is found again; only their age is new."""
    stage = Stage()
    await stage.look()
    before = stage.shown.intervals
    await stage.after(HOUR)
    assert stage.shown.intervals is before
    stage.says = answer("0.30")
    await stage.after(HOUR)
    assert stage.shown.intervals != before


@pytest.mark.parametrize(
    "says",
    [
        SeriesError("the publisher is away."),
        b"<html>an error page</html>",
        b"{}",
        b'{"intervals": []}',
        answer("0.20").replace(b'"0.20"', b'"cheap"'),
        answer("0.20").replace(b"3600", b"0"),
    ],
)
async def test_what_cannot_be_used_leaves_the_last_good_answer(says: bytes | Exception) -> None:
    """With its age, so that it becomes unknown in time; it is asked again soon, then less often."""
    stage = Stage()
    await stage.look()
    stage.says = says
    await stage.after(HOUR)
    assert [each.price_per_kwh for each in stage.shown.intervals] == [Decimal("0.20")]
    assert stage.shown.refreshed_at == AT
    assert stage.sources.troubles()["depot"]
    await stage.after(2 * SECOND)
    assert stage.asked == 2
    await stage.after(SECOND)
    assert stage.asked == 3
    await stage.after(3 * SECOND)
    assert stage.asked == 3
    stage.says = answer("0.30")
    await stage.after(10 * MINUTE)
    assert stage.shown.intervals[0].price_per_kwh == Decimal("0.30")
    assert not stage.sources.troubles()


async def test_without_any_answer_a_tariff_has_nothing_and_is_settled_all_the_same() -> None:
    """Nobody waits for a publisher that is away."""
    stage = Stage()
    stage.says = SeriesError("away.")
    await stage.look()
    await asyncio.wait_for(stage.sources.wait_settled(), 1)
    assert stage.shown is stage.tariff
    assert stage.sources.state().stale == 1


async def test_a_restart_knows_what_was_answered_before_and_how_old_it_is() -> None:
    """The publisher is away, and the prices of a quarter of an hour ago hold for the rest."""
    keeping = Kept()
    before = Stage(keeping)
    await before.look()
    after = Stage(keeping)
    after.clock.advance_to(AT + 15 * MINUTE)
    after.says = SeriesError("away.")
    await after.look()
    assert after.asked == 0
    assert after.shown.refreshed_at == AT
    assert after.shown.intervals == before.shown.intervals
    await after.after(45 * MINUTE)
    assert after.asked == 1


async def test_what_another_source_gave_is_not_believed() -> None:
    """The tariff reads another file by now."""
    keeping = Kept()
    await Stage(keeping).look()
    other = Stage(keeping)
    other.wanted = {"depot": a_source(path="others.json")}
    other.says = SeriesError("away.")
    await other.look()
    assert other.shown.intervals == ()


async def test_redis_away_is_no_reason_to_stop() -> None:
    """The answer is in force; it is only not kept."""
    stage = Stage(Kept(away=True))
    await stage.look()
    assert stage.shown.refreshed_at == AT


async def test_who_does_not_lead_keeps_nothing() -> None:
    """It knows the prices, for the moment in which it will."""
    keeping = Kept()
    stage = Stage(keeping, leadership=Nobody())
    await stage.look()
    assert stage.shown.refreshed_at == AT
    assert keeping.there == {}


async def test_a_tariff_that_is_gone_is_forgotten() -> None:
    """In memory and in what is kept."""
    keeping = Kept()
    stage = Stage(keeping)
    await stage.look()
    stage.wanted = {}
    await stage.look()
    assert keeping.there == {}
    assert stage.shown is stage.tariff


async def test_a_tariff_without_a_source_any_more_is_shown_as_it_is() -> None:
    """It has zones of its own by now."""
    stage = Stage()
    await stage.look()
    stage.tariff = a_tariff()
    assert stage.shown is stage.tariff


async def test_a_shorter_schedule_counts_at_once() -> None:
    """From an hour to a minute."""
    stage = Stage()
    await stage.look()
    stage.wanted = {"depot": a_source(refreshSeconds=60)}
    await stage.after(MINUTE)
    assert stage.asked == 2


async def test_while_nobody_knows_the_tariffs_nothing_is_settled() -> None:
    """The cluster was not listed yet."""
    stage = Stage()
    stage.wanted = None
    await stage.look()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stage.sources.wait_settled(), 0.01)


async def test_what_came_of_asking_is_counted() -> None:
    """Good, failed and refused."""
    stage = Stage()
    await stage.look()
    stage.says = b"garbage"
    await stage.after(HOUR)
    stage.says = SeriesError("away.")
    await stage.after(10 * MINUTE)
    state = stage.sources.state()
    assert state.answers == {"good": 1, "failed": 1, "refused": 1}
    assert (state.fresh, state.stale) == (1, 0)
