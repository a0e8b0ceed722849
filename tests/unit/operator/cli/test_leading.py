"""The block in which an operator leads: how it is entered, left in order, and left at once."""

import asyncio
import os

import pytest
from tests.unit.operator.gateways.kubernetes.test_election import (
    Held,
    Time,
    an_elector,
    of_another,
)

from idlewatt_operator.cli.leading import LOST, StoppedShort, elected


@pytest.fixture
def store() -> Held:
    """A lease that is not there yet."""
    return Held()


async def test_it_leads_and_gives_the_lease_back(store: Held) -> None:
    """Once the block has ended nothing may be written, and the next one need not wait."""
    elector = an_elector(store, Time())
    async with elected(elector, asyncio.Event()) as leads:
        assert leads
        assert elector.tenure.is_valid
        assert (store.spec or {})["holderIdentity"] == "we"
    assert not elector.tenure.is_valid
    assert "holderIdentity" not in (store.spec or {})


async def test_without_an_election_it_leads_at_once() -> None:
    """And a cycle that was cut short is no fault either."""
    async with elected(None, asyncio.Event()) as leads:
        assert leads
        raise StoppedShort


async def test_a_standby_that_is_stopped_leaves_the_lease_alone() -> None:
    """It never led, so it has nothing to give back."""
    store, stop = Held(of_another()), asyncio.Event()
    stop.set()
    async with elected(an_elector(store, Time()), stop) as leads:
        assert not leads
    assert store.spec == of_another()


async def test_a_cycle_that_was_cut_short_keeps_the_lease(store: Held) -> None:
    """What it sent last may still be done: another has to wait for the lease to run out."""
    elector = an_elector(store, Time())
    async with elected(elector, asyncio.Event()):
        raise StoppedShort
    assert (store.spec or {})["holderIdentity"] == "we"
    assert not elector.tenure.is_valid


async def test_a_fault_is_passed_on_and_nothing_is_given_back(store: Held) -> None:
    """Whatever it was, what was sent before it may not have been answered."""

    async def lead() -> None:
        async with elected(an_elector(store, Time()), asyncio.Event()):
            fault = "a fault"
            raise RuntimeError(fault)

    with pytest.raises(RuntimeError, match="a fault"):
        await lead()
    assert (store.spec or {})["holderIdentity"] == "we"


async def test_where_the_lease_is_lost_the_process_ends(
    store: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the spot, with a status of its own, whatever the block is doing."""
    statuses: list[int] = []
    monkeypatch.setattr(os, "_exit", statuses.append)
    monkeypatch.setattr("logging.shutdown", lambda: None)
    elector = an_elector(store, Time())
    async with elected(elector, asyncio.Event()):
        store.put(of_another())
        for _ in range(50):
            await asyncio.sleep(0)
        assert statuses == [LOST]
    assert store.spec == of_another()
