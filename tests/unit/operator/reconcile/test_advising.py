"""The advice of waiting pods: for a few kinds a cycle, for all pods of a kind, and told once."""

import re

import pytest
from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.reconcile import advising
from idlewatt_scheduler.model.units import HOUR, MINUTE

LONG = {"demand__expected_runtime": 20 * HOUR}


async def test_the_event_and_the_condition_carry_the_advice() -> None:
    """Three cars would take a shorter stay: it is told, rounded to quarters of an hour."""
    scene = Scene(3)
    scene.service("long", **LONG)
    await scene.run()
    (event,) = scene.events("FailedScheduling")
    stay = re.search(r"a stay of (\S+?)[,; ]", event)
    assert stay is not None, event
    assert re.fullmatch(r"(\d+h)?(15m|30m|45m)?", stay[1])
    assert event.endswith("`idlewatt why default/long-1` says more")
    assert scene.pod("long-1").waiting_message == event


async def test_no_event_names_a_vehicle_or_when_one_leaves() -> None:
    """With two cars, that a shorter stay would do is all that is said."""
    scene = Scene(2)
    scene.service("long", **LONG)
    await scene.run()
    (event,) = scene.events("FailedScheduling")
    assert "Enough would be a shorter stay" in event
    assert re.search(r"v-\d", event) is None


async def test_the_reasons_of_all_are_told_at_once_and_advice_when_it_is_there() -> None:
    """Five kinds, two a cycle: everybody hears the reasons at once, the advice within moments."""
    scene = Scene(3)
    for number in range(5):
        scene.service(f"long-{number}", demand__expected_runtime=(20 + number) * HOUR)
    await scene.run()
    first = scene.events("FailedScheduling")
    assert len(first) == 5
    assert sum("Enough would be" in each for each in first) == 2
    await scene.run(60)
    for number in range(5):
        assert "Enough would be" in scene.pod(f"long-{number}-1").waiting_message
    told = len(scene.events("FailedScheduling"))
    assert told == 5 + 3
    await scene.run(2 * MINUTE // 1_000)
    assert len(scene.events("FailedScheduling")) == told


async def test_a_fault_of_ours_costs_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong with advice, the reasons are told and the cycle ends."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(advising, "brief", broken)
    scene = Scene(3)
    scene.service("long", **LONG)
    await scene.run()
    (event,) = scene.events("FailedScheduling")
    assert "Enough would be" not in event
