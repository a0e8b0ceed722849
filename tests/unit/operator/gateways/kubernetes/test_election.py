"""Who takes the lease, who keeps it, and who notices that it is lost: on clocks of a test's own."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from idlewatt_operator.gateways.kubernetes.election import Elector
from idlewatt_operator.gateways.kubernetes.lease import Lease, LeaseStore
from idlewatt_operator.gateways.kubernetes.session import ApiUnreachable
from idlewatt_operator.gateways.leadership import Tenure, Terms
from idlewatt_operator.gateways.protocols import Clock
from idlewatt_scheduler.model.units import Instant


class Time(Clock):
    """A wall clock and a steady one; sleeping moves both, and lets others run."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.then: dict[float, Callable[[], Awaitable[None]]] = {}

    def now(self) -> Instant:
        """The wall's, which somebody may have set."""
        return 1_800_000_000_000 + int(self.seconds * 1_000)

    def steady(self) -> float:
        """The steady one."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Move on, doing on the way what a test planned for then."""
        await asyncio.sleep(0)
        until = self.seconds + seconds
        for moment in sorted(moment for moment in self.then if moment <= until):
            self.seconds = max(self.seconds, moment)
            await self.then.pop(moment)()
        self.seconds = max(self.seconds, until)


class Held(LeaseStore):
    """A Lease in memory, at versions, as the API server keeps it.

    Attributes:
        away: no answer comes.
        lost: a write is done, and its answer does not come.
    """

    def __init__(self, spec: dict[str, Any] | None = None) -> None:
        self.spec = spec
        self.version = 1
        self.writes = 0
        self.away = False
        self.lost = False

    async def read(self) -> Lease | None:
        """As it stands."""
        self._answer()
        return None if self.spec is None else self._standing()

    async def create(self, spec: dict[str, Any]) -> Lease | None:
        """Where there is none."""
        self._answer()
        return None if self.spec is not None else self._take(spec)

    async def write(self, lease: Lease, spec: dict[str, Any]) -> Lease | None:
        """Where it stands at the version that was read."""
        self._answer()
        if self.spec is None or lease.manifest["version"] != self.version:
            return None
        return self._take(spec)

    def put(self, spec: dict[str, Any] | None) -> None:
        """Somebody else writes it, or deletes it."""
        self.spec = spec
        self.version += 1

    def _take(self, spec: dict[str, Any]) -> Lease:
        self.writes += 1
        self.put(spec)
        if self.lost:
            self._fail()
        return self._standing()

    def _standing(self) -> Lease:
        assert self.spec is not None
        return Lease(dict(self.spec), {"version": self.version})

    def _answer(self) -> None:
        if self.away:
            self._fail()

    @staticmethod
    def _fail() -> None:
        sentence = "no answer"
        raise ApiUnreachable(sentence)


def of_another(
    renewed: str = "2027-01-15T08:00:00.000000Z", seconds: object = 15
) -> dict[str, Any]:
    """What another holder writes."""
    return {
        "holderIdentity": "another",
        "leaseDurationSeconds": seconds,
        "renewTime": renewed,
        "acquireTime": renewed,
        "leaseTransitions": 3,
    }


def an_elector(store: Held, time: Time, identity: str = "we") -> Elector:
    """A candidate with the usual terms."""
    tenure = Tenure(Terms(), time.steady)
    return Elector(
        store,
        identity,
        tenure,
        time,
        jitter=lambda: 0.0,
        now=time.steady,
        sleep=time.sleep,
    )


async def until_acquired(elector: Elector, within_turns: int = 500) -> "asyncio.Task[None]":
    """Run it until it leads."""
    task = asyncio.create_task(elector.run())
    for _ in range(within_turns):
        if elector.acquired.is_set() or task.done():
            return task
        await asyncio.sleep(0)
    task.cancel()
    sentence = "it never took the lease"
    raise AssertionError(sentence)


async def until(true: Callable[[], bool]) -> None:
    """Let the others run until it is true."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0)
    sentence = "it never came true"
    raise AssertionError(sentence)


async def ended(task: "asyncio.Task[None]") -> None:
    """Let it go."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def time() -> Time:
    """Clocks that stand still."""
    return Time()


async def test_a_lease_that_is_not_there_is_made_and_held(time: Time) -> None:
    """The first one leads at once."""
    store = Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    assert time.seconds == 1_000
    assert store.spec is not None
    assert store.spec["holderIdentity"] == "we"
    assert store.spec["leaseDurationSeconds"] == 15
    assert store.spec["renewTime"].endswith("000Z")
    assert elector.tenure.is_valid
    await ended(task)


async def test_a_held_lease_is_taken_once_it_was_not_renewed_for_its_duration(time: Time) -> None:
    """Counted from when it was first seen, whatever its times say: clocks differ."""
    store = Held(of_another(renewed="1999-01-01T00:00:00.000000Z"))
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    assert 1_015 <= time.seconds <= 1_017
    assert store.spec is not None
    assert store.spec["leaseTransitions"] == 4
    await ended(task)


async def test_a_lease_that_is_renewed_is_left_alone(time: Time) -> None:
    """Whatever its times say: a holder with a slow clock holds it."""
    store = Held(of_another())

    async def renew() -> None:
        store.put(of_another(renewed=f"1999-01-01T00:00:{int(time.seconds) % 60:02d}.000000Z"))

    for second in range(1_010, 1_100, 10):
        time.then[float(second)] = renew
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    assert 1_105 <= time.seconds <= 1_107
    await ended(task)


async def test_a_lease_that_was_given_back_is_taken_at_the_next_look(time: Time) -> None:
    """Its holder ended in order."""
    store = Held(of_another())

    async def give_back() -> None:
        store.put({"leaseDurationSeconds": 1, "leaseTransitions": 3})

    time.then[1_004.5] = give_back
    task = await until_acquired(an_elector(store, time))
    assert time.seconds <= 1_007
    await ended(task)


async def test_a_lease_that_was_deleted_is_believed_for_the_rest_of_its_time(time: Time) -> None:
    """Its holder may not know yet that it is gone, and goes on writing."""
    store = Held(of_another())

    async def delete() -> None:
        store.put(None)

    time.then[1_003.0] = delete
    task = await until_acquired(an_elector(store, time))
    assert 1_015 <= time.seconds <= 1_017
    await ended(task)


async def test_a_lease_that_was_seen_at_the_start_is_believed_though_it_is_deleted_since(
    time: Time,
) -> None:
    """Between the start and the first attempt everything is listed, which takes its time."""
    store = Held(of_another())
    elector = an_elector(store, time)
    await elector.look()
    store.put(None)
    task = await until_acquired(elector)
    assert 1_015 <= time.seconds <= 1_017
    await ended(task)


@pytest.mark.parametrize(
    ("garbage", "latest"),
    [
        ({}, 1_000),
        ({"holderIdentity": ""}, 1_000),
        ({"holderIdentity": 7}, 1_000),
        ({"holderIdentity": "another"}, 1_017),
        (of_another(seconds="soon"), 1_017),
        (of_another(seconds=-1), 1_017),
        (of_another(seconds=86_400_000), 1_062),
        ({**of_another(), "leaseTransitions": "many", "acquireTime": None}, 1_017),
    ],
)
async def test_a_lease_of_garbage_is_taken_in_the_end(
    time: Time, garbage: dict[str, Any], latest: float
) -> None:
    """Whatever somebody wrote into it, nobody waits for ever."""
    store = Held(garbage)
    task = await until_acquired(an_elector(store, time))
    assert time.seconds <= latest
    assert store.spec is not None
    assert store.spec["holderIdentity"] == "we"
    await ended(task)


async def test_of_two_that_reach_for_it_one_gets_it(time: Time) -> None:
    """The write of the other is refused at its version."""
    store = Held({})
    first, second = an_elector(store, time, "one"), an_elector(store, time, "two")
    tasks = [asyncio.create_task(each.run()) for each in (first, second)]
    for _ in range(50):
        await asyncio.sleep(0)
        assert first.tenure.is_valid + second.tenure.is_valid <= 1
    assert first.acquired.is_set() != second.acquired.is_set()
    for task in tasks:
        await ended(task)


async def test_the_holder_renews_it_every_two_seconds(time: Time) -> None:
    """And keeps the time at which it took it."""
    store = Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    assert store.spec is not None
    taken_at, before = store.spec["acquireTime"], store.writes
    await until(lambda: time.seconds >= 1_060)
    assert store.writes - before >= 29
    assert store.spec["acquireTime"] == taken_at
    assert store.spec["leaseTransitions"] == 0
    assert elector.tenure.is_valid
    await ended(task)


async def test_without_answers_it_is_lost_at_the_renew_deadline(time: Time) -> None:
    """Ten seconds after the last renewal that was granted; `run` ends."""
    store = Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    await until(lambda: time.seconds >= 1_006)
    renewed_at = time.seconds
    store.away = True
    await task
    assert not elector.tenure.is_valid
    assert renewed_at + 8 <= time.seconds <= renewed_at + 12


async def test_a_renewal_whose_answer_was_lost_is_asked_for_again(time: Time) -> None:
    """It was done, so its version is another; that is no reason to lose the lease."""
    store = Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    store.lost = True
    await until(lambda: store.writes >= 3)
    store.lost = False
    await until(lambda: time.seconds >= 1_040)
    assert elector.tenure.is_valid
    await ended(task)


async def test_whoever_sees_another_hold_it_has_lost_it_at_once(time: Time) -> None:
    """Somebody wrote over it: no deadline is waited for."""
    store = Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    store.put(of_another())
    at = time.seconds
    await task
    assert not elector.tenure.is_valid
    assert time.seconds <= at + 2


async def test_a_holder_makes_its_deleted_lease_again(time: Time) -> None:
    """Nobody else had the time to."""
    store = Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    store.put(None)
    await until(lambda: store.spec is not None)
    assert time.seconds <= 1_004
    assert (store.spec or {})["holderIdentity"] == "we"
    assert elector.tenure.is_valid
    await ended(task)


async def test_a_grant_that_came_too_late_is_not_relied_on(time: Time) -> None:
    """The process was stopped between asking and being told."""
    store = Held()

    async def stopped(spec: dict[str, Any]) -> Lease | None:
        time.seconds += 60
        return store._take(spec)  # noqa: SLF001 - its own

    store.create = stopped  # type: ignore[method-assign]
    elector = an_elector(store, time)
    await elector.run()
    assert not elector.acquired.is_set()
    assert not elector.tenure.is_valid


async def test_what_is_given_back_is_free_and_nothing_is_sent_after(time: Time) -> None:
    """The next one takes it without waiting."""
    store = Held()
    elector = an_elector(store, time)
    await ended(await until_acquired(elector))
    await elector.release()
    assert not elector.tenure.is_valid
    assert store.spec is not None
    assert "holderIdentity" not in store.spec
    other = an_elector(store, time, "other")
    at = time.seconds
    await ended(await until_acquired(other))
    assert time.seconds == at


async def test_what_another_holds_is_not_given_back(time: Time) -> None:
    """Whoever lost it has nothing to give."""
    store = Held()
    elector = an_elector(store, time)
    await ended(await until_acquired(elector))
    store.put(of_another())
    await elector.release()
    assert store.spec == of_another()


async def test_a_renewal_that_is_still_done_does_not_keep_the_lease(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It was cut off when the leader ended, and arrives between the reading and the giving back."""
    caplog.set_level("INFO")
    time, store = Time(), Held()
    elector = an_elector(store, time)
    task = await until_acquired(elector)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    late = [dict(store.spec or {}, renewTime="late")]
    read = store.read

    async def overtaken() -> Lease | None:
        found = await read()
        if late:
            store.put(late.pop())
        return found

    store.read = overtaken  # type: ignore[method-assign] # the renewal arrives then
    await elector.release()
    assert "holderIdentity" not in (store.spec or {})
    assert "we gave the lease back" in caplog.text
