"""The informer on a server's bad days."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
from tests.unit.operator.gateways.kubernetes.scripted_server import (
    Script,
    a_line,
    a_page,
    a_status,
    a_watch,
    an_object,
    serving,
)

from idlewatt_operator.gateways.kubernetes.informer import Informer, Patience, Watched
from idlewatt_operator.resources.records import Refused

WATCHED: Watched[int] = Watched(
    name="things",
    kind="Thing",
    path="/things",
    key=lambda metadata: metadata.name,
    read=lambda raw: msgspec.json.decode(raw)["spec"]["size"],
    matters=lambda old, new: old != new,
    field_selector="a=b",
)
PATIENCE = Patience(watch_seconds=200, silence_seconds=0.3, page_objects=2)


class Running:
    """An informer at work on a script."""

    informer: Informer[int]

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.changes = 0

    def changed(self) -> None:
        """Count a request for a cycle."""
        self.changes += 1

    async def sleep(self, seconds: float) -> None:
        """Note how long it would have been."""
        self.slept.append(seconds)
        await asyncio.sleep(0)

    @property
    def shown(self) -> dict[str, int]:
        """What the store shows."""
        return dict(self.informer.store.shown())

    async def until(self, reached: Callable[[], bool], seconds: float = 5) -> None:
        """Wait until it is so."""
        give_up_at = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < give_up_at, self.shown
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def watching(
    script: Script, patience: Patience = PATIENCE, watched: Watched[int] = WATCHED
) -> AsyncIterator[Running]:
    """An informer that runs on the script, and does not sleep between its attempts."""
    running = Running()
    async with serving(script) as (session, _):
        running.informer = Informer(
            session,
            watched,
            running.changed,
            jitter=lambda: 0.5,
            patience=patience,
            sleep=running.sleep,
        )
        task = asyncio.create_task(running.informer.run())
        try:
            yield running
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


LONG = Patience(watch_seconds=200, silence_seconds=30, page_objects=2)


async def test_pages_are_joined_and_watched_from_their_version() -> None:
    """All pages make one listing; the watch starts at its version, with bookmarks asked for."""
    script = Script(
        lists=[
            a_page(an_object("a", 1, size=1), an_object("b", 2, size=2), more="more"),
            a_page(an_object("c", 3, size=3), version=12),
        ]
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: len(script.asked) == 3)
        assert running.shown == {"a": 1, "b": 2, "c": 3}
        assert running.informer.synced
        assert running.changes == 1
    first, second, watch = script.asked
    assert first == {"limit": "2", "fieldSelector": "a=b"}
    assert second == {"limit": "2", "continue": "more", "fieldSelector": "a=b"}
    assert watch == {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": "12",
        "timeoutSeconds": "175",
        "fieldSelector": "a=b",
    }


async def test_a_token_that_expires_between_pages_starts_the_list_anew() -> None:
    """Where the pages went out of date the whole is asked for in one."""
    script = Script(
        lists=[
            a_page(an_object("old", 1, size=1), more="more"),
            a_status(410),
            a_page(an_object("a", 5, size=5)),
        ]
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.informer.synced)
        assert running.shown == {"a": 5}
    assert "limit" not in script.listings[2]


async def test_events_change_what_is_shown() -> None:
    """Additions, changes and deletions are shown; what does not matter asks for no cycle."""
    script = Script(
        lists=[a_page(an_object("a", 1, size=1), an_object("b", 2, size=2))],
        watches=[
            a_watch(
                a_line("ADDED", an_object("c", 11, size=3)),
                a_line("MODIFIED", an_object("a", 12, size=9)),
                a_line("MODIFIED", an_object("b", 13, size=2)),
                a_line("DELETED", an_object("c", 14, size=3)),
            )
        ],
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.shown == {"a": 9, "b": 2} and running.changes >= 4)
        assert running.changes == 4


async def test_lines_may_arrive_in_pieces() -> None:
    """A line that is cut anywhere is put together again; several may come at once."""
    text = a_line("ADDED", an_object("c", 11, size=3)) + a_line("ADDED", an_object("d", 12, size=4))
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    script = Script(lists=[a_page()], watches=[a_watch(*pieces)])
    async with watching(script, LONG) as running:
        await running.until(lambda: running.shown == {"c": 3, "d": 4})
    assert script.watched_from == ["10"]


async def test_an_ended_watch_goes_on_where_it_was() -> None:
    """After the server's time-out the watch goes on from the last version, a bookmark's too."""
    script = Script(
        lists=[a_page()],
        watches=[
            a_watch(a_line("ADDED", an_object("c", 11, size=3)), then="end"),
            a_watch(a_line("BOOKMARK", an_object("", 99)), then="end"),
        ],
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: len(script.watched_from) == 3)
        assert running.slept == []
    assert script.watched_from == ["10", "11", "99"]
    assert len(script.listings) == 1


async def test_a_cut_line_is_taken_up_again() -> None:
    """A line that breaks costs a moment and no listing."""
    script = Script(
        lists=[a_page()],
        watches=[
            a_watch(a_line("ADDED", an_object("c", 11, size=3)), then="cut"),
            a_watch(a_line("ADDED", an_object("d", 12, size=4))),
        ],
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.shown == {"c": 3, "d": 4})
        assert running.slept == [0.375]
    assert script.watched_from == ["10", "11"]
    assert len(script.listings) == 1


async def test_silence_is_not_believed() -> None:
    """A line on which nothing comes, not even a bookmark, is opened anew, without a listing."""
    script = Script(lists=[a_page()], watches=[a_watch(), a_watch(), a_watch()])
    async with watching(script) as running:
        await running.until(lambda: len(script.watched_from) == 4)
        assert running.slept == []
    assert script.watched_from == ["10"] * 4
    assert len(script.listings) == 1


@pytest.mark.parametrize(
    "gone",
    [
        a_status(410),
        a_watch(a_line("ERROR", {"kind": "Status", "code": 410, "message": "too old"})),
    ],
    ids=["as an answer", "as an event"],
)
async def test_a_version_that_is_gone_is_listed_again(gone: object) -> None:
    """410, as the answer to the watch or as an event of it, starts with a new listing."""
    script = Script(
        lists=[
            a_page(an_object("a", 1, size=1), an_object("b", 2, size=2)),
            a_page(an_object("b", 2, size=2), an_object("c", 20, size=3), version=20),
        ],
        watches=[gone],  # type: ignore[list-item] # one of the script's answers
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.shown == {"b": 2, "c": 3})
        assert running.informer.synced
        await running.until(lambda: script.watched_from == ["10", "20"])


async def test_another_error_event_goes_on_from_the_version() -> None:
    """An error that says nothing of the version costs no listing."""
    error = {"kind": "Status", "code": 500, "message": "etcd is busy"}
    script = Script(lists=[a_page()], watches=[a_watch(a_line("ERROR", error))])
    async with watching(script, LONG) as running:
        await running.until(lambda: len(script.watched_from) == 2)
        assert len(running.slept) == 1
    assert len(script.listings) == 1


@pytest.mark.parametrize(
    "garbage",
    [b"<html>\n", b'{"type": "ADDED"}\n', b'{"type": "ADDED", "object": 7}\n', b"\xff\xfe\n"],
)
async def test_garbage_leads_to_a_new_listing(garbage: bytes) -> None:
    """What cannot be read may have been a change: nothing is trusted but a new listing."""
    script = Script(
        lists=[a_page(an_object("a", 1, size=1)), a_page(an_object("a", 2, size=2))],
        watches=[a_watch(garbage)],
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.shown == {"a": 2})
        assert len(running.slept) == 1


async def test_an_object_that_trips_us_over_hides_no_other() -> None:
    """An object that cannot be used is refused with a sentence, and changes again once it can."""
    script = Script(
        lists=[a_page(an_object("a", 1, size=1), an_object("bad", 2))],
        watches=[
            a_watch(
                a_line("ADDED", an_object("c", 11, size=3)),
                a_line("MODIFIED", an_object("bad", 12, size=7)),
            )
        ],
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.informer.synced)
        (refused,) = running.informer.store.refused()
        assert isinstance(refused, Refused)
        assert (refused.kind, refused.name) == ("Thing", "bad")
        await running.until(lambda: running.shown == {"a": 1, "c": 3, "bad": 7})
        assert running.informer.store.refused() == ()


async def test_a_server_that_asks_for_patience_gets_it() -> None:
    """The wait before the next attempt is never under `Retry-After`."""
    script = Script(lists=[a_status(429, **{"Retry-After": "17"}), a_page()])
    async with watching(script, LONG) as running:
        await running.until(lambda: running.informer.synced)
        assert running.slept == [17.0]


async def test_failures_wait_longer_each_time() -> None:
    """Attempts that fail come at ever longer distances, until one goes well."""
    script = Script(lists=[a_status(500), a_status(403), a_status(503), a_page()])
    async with watching(script, LONG) as running:
        await running.until(lambda: running.informer.synced)
        assert running.slept == [0.375, 0.75, 1.5]
        assert running.changes == 1


async def test_watches_that_end_at_once_do_not_spin() -> None:
    """A server that ends every watch at once is asked ever more seldom, then for a listing."""
    script = Script(
        lists=[a_page(), a_page(an_object("a", 1, size=1))], watches=[a_watch(then="end")] * 6
    )
    async with watching(script, LONG) as running:
        await running.until(lambda: running.shown == {"a": 1})
        assert running.slept[:4] == [0.375, 0.75, 1.5, 3.0]


async def test_only_what_changed_is_read_again() -> None:
    """A listing reads anew no object whose version is known."""
    reads: list[int] = []

    def read(raw: bytes) -> int:
        size = int(json.loads(raw)["spec"]["size"])
        reads.append(size)
        return size

    watched: Watched[int] = Watched("things", "Thing", "/things", WATCHED.key, read, int.__ne__)
    items = [an_object("a", 1, size=1), an_object("b", 2, size=2)]
    script = Script(
        lists=[a_page(*items), a_page(items[0], an_object("b", 3, size=5))],
        watches=[a_status(410)],
    )
    async with watching(script, LONG, watched) as running:
        await running.until(lambda: running.shown == {"a": 1, "b": 5})
    assert reads == [1, 2, 5]
