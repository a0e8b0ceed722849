"""A new leader's consistent list: it begins after the wish, and what the watches held gives way."""

import asyncio

from tests.unit.operator.gateways.kubernetes.scripted_server import (
    Script,
    a_page,
    a_status,
    a_watch,
    an_object,
    serving,
)
from tests.unit.operator.gateways.kubernetes.test_informer import LONG, WATCHED

from idlewatt_operator.gateways.kubernetes.informer import Informer, Watching


async def no_time(seconds: float) -> None:
    """Sleep as short as can be."""
    del seconds
    await asyncio.sleep(0)


async def seen_anew(script: Script) -> dict[str, int]:
    """What is known once everything was listed again, while the watch says nothing."""
    async with serving(script) as (session, _):
        informer = Informer(
            session, WATCHED, lambda: None, jitter=lambda: 0.0, patience=LONG, sleep=no_time
        )
        watching = Watching(informer)
        async with watching.running():
            await informer.wait_synced()
            await asyncio.wait_for(watching.look_anew(), 5)
            assert informer.synced
            return dict(informer.store.shown())


async def test_what_a_silent_watch_did_not_show_is_listed() -> None:
    """A watch that is late, or dead, keeps nothing from a new leader; no cache is asked."""
    before, after = an_object("a", 1, size=1), an_object("b", 9, size=2)
    script = Script(
        lists=[a_page(before), a_page(before, after, version=20)], watches=[a_watch(), a_watch()]
    )
    assert await seen_anew(script) == {"a": 1, "b": 2}
    assert all("resourceVersion" not in query for query in script.listings)


async def test_it_is_waited_for_until_the_server_answers() -> None:
    """A list that is refused meanwhile is asked for again; what is known stays until then."""
    old, new = an_object("a", 1, size=1), an_object("a", 7, size=5)
    script = Script(lists=[a_page(old), a_status(500), a_status(429), a_page(new, version=20)])
    assert await seen_anew(script) == {"a": 5}
    assert len(script.listings) == 4
