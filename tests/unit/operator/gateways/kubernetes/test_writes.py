"""Writes are counted by how they ended; one that was not sent is told apart from all others."""

from math import inf

from tests.unit.operator.gateways.kubernetes.scripted_server import Script, a_status, serving

from idlewatt_operator.gateways.kubernetes.session import Call
from idlewatt_operator.gateways.kubernetes.writes import Writes
from idlewatt_operator.gateways.leadership import Nobody
from idlewatt_operator.gateways.protocols import Outcome

A_BINDING = Call("POST", "/x/binding", body={})


async def test_how_each_ended_is_counted() -> None:
    """By its kind; an answer that never came is unknown."""
    script = Script(writes=[a_status(201), a_status(409), a_status(201)])
    async with serving(script) as (session, source):
        writes = Writes(session)
        for _ in range(3):
            await writes.write("bind", A_BINDING)
        source.server = "http://127.0.0.1:1"
        await session._renew(session._credentials)  # noqa: SLF001 # the server moves away
        assert (await writes.write("evict", A_BINDING)).outcome is Outcome.UNKNOWN
    assert writes.counts == {"bind": 3, "evict": 1}
    assert writes.outcomes == {
        ("bind", "Done"): 2,
        ("bind", "Conflict"): 1,
        ("evict", "Unknown"): 1,
    }


async def test_what_is_withheld_was_not_sent() -> None:
    """Whoever decided it treats it as unknown, and reads on are anybody's."""
    script = Script(lists=[a_status(200)], writes=[a_status(201)])
    async with serving(script) as (session, _):
        writes = Writes(session, Nobody())
        result = await writes.write("bind", A_BINDING)
        assert result.outcome is Outcome.UNKNOWN
        assert "It was not sent" in result.message
        assert not writes.may_write
        assert (await writes.read("/x")).ok
    assert writes.counts["bind"] == 0
    assert writes.outcomes == {("bind", "Withheld"): 1}
    assert len(script.asked) == 1


async def test_a_write_that_may_still_be_done_is_remembered() -> None:
    """One without an answer, and one that the server gave up; not one that was not sent."""
    script = Script(writes=[a_status(201), a_status(504), a_status(409)])
    now = [100.0]
    async with serving(script) as (session, source):
        writes = Writes(session, now=lambda: now[0])
        await writes.write("bind", A_BINDING)
        assert writes.unknown_age_seconds == inf
        await writes.write("bind", A_BINDING)
        now[0] = 107.0
        await writes.write("bind", A_BINDING)
        assert writes.unknown_age_seconds == 7.0
        source.server = "http://127.0.0.1:1"
        await session._renew(session._credentials)  # noqa: SLF001 # the server moves away
        await writes.write("bind", A_BINDING)
        assert writes.unknown_age_seconds == 0.0
        withheld = Writes(session, Nobody())
        await withheld.write("bind", A_BINDING)
        assert withheld.unknown_age_seconds == inf
