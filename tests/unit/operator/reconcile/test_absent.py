"""An operator that starts while Redis is away: what goes on, what waits, and for how long."""

from dataclasses import replace

import pytest
from tests.unit.operator.reconcile.scene import DEPARTURE, Scene

from idlewatt_operator.gateways.protocols import Telemetry
from idlewatt_operator.reconcile.absent import without_reports
from idlewatt_scheduler.model.units import MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Quality
from idlewatt_scheduler.testing import AT, a_snapshot, a_vehicle, an_observation


async def deaf_scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A pod runs, the operator is started anew, and Redis cannot be reached."""
    scene = Scene()
    scene.service()
    await scene.run(90)
    status = dict(scene.cluster.view().vehicles["v-0"].status)
    assert "battery" in status
    scene.restart()
    monkeypatch.setattr(type(scene.telemetry), "latest", lambda _: Telemetry(absent=True))
    return scene


def back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis can be reached again."""
    monkeypatch.undo()


async def test_nothing_new_is_placed_and_nobody_is_drained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For as long as stale telemetry may last."""
    scene = await deaf_scene(monkeypatch)
    scene.service("new")
    await scene.run(9 * 60)
    assert scene.writes("evict", "release") == []
    assert scene.pod("svc-1").node == "v-0"
    assert scene.pod("new-1").node is None
    assert "stale telemetry" in scene.events("FailedScheduling")[-1]


async def test_what_the_status_says_was_observed_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows anything newer; only that it is stale is told."""
    scene = await deaf_scene(monkeypatch)
    before = dict(scene.cluster.view().vehicles["v-0"].status)
    await scene.run(5 * 60)
    after = dict(scene.cluster.view().vehicles["v-0"].status)
    assert [after[name] for name in ("battery", "parking", "connection")] == [
        before[name] for name in ("battery", "parking", "connection")
    ]
    assert scene.condition("VehicleNode", "v-0", "TelemetryFresh")[0] == "False"


async def test_after_that_silence_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """`staleDrainSeconds` after the start the vehicle is vacated, as by any other silence."""
    scene = await deaf_scene(monkeypatch)
    await scene.run(11 * 60)
    assert scene.writes("evict", "release") != []


async def test_once_redis_is_back_and_empty_it_is_listened_to_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has reported yet, which is not the vehicles' silence."""
    scene = await deaf_scene(monkeypatch)
    await scene.run(8 * 60)
    back(monkeypatch)
    scene.telemetry.vehicles.clear()
    await scene.run(9 * 60)
    assert scene.writes("evict", "release") == []
    assert scene.pod("svc-1").node == "v-0"


async def test_once_redis_is_back_pods_are_placed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, by what vehicles report."""
    scene = await deaf_scene(monkeypatch)
    scene.service("new")
    await scene.run(60)
    back(monkeypatch)
    await scene.run(20)
    assert scene.pod("new-1").node == "v-0"


async def test_a_departure_is_kept_without_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window is known from the calendar and from the site in the status."""
    scene = Scene()
    scene.service()
    await scene.run(90)
    scene.clock.advance_to(DEPARTURE - 5 * MINUTE)
    await scene.run(0)
    assert scene.pod("svc-1").node == "v-0"
    scene.restart()
    monkeypatch.setattr(type(scene.telemetry), "latest", lambda _: Telemetry(absent=True))
    await scene.run(5 * 60)
    assert scene.writes("evict") != []


def test_what_is_invalid_stays_so_and_what_is_missing_stays_missing() -> None:
    """Only what was good turns stale, as of the moment that is given, or of a later one."""
    observed = an_observation()
    assert observed.battery is not None
    assert observed.parking is not None
    later = AT + 5 * SECOND
    vehicle = replace(
        a_vehicle(),
        observed=replace(
            observed,
            battery=replace(observed.battery, quality=Quality.INVALID),
            parking=replace(observed.parking, observed_at=later),
            compute=None,
        ),
    )
    (changed,) = without_reports(a_snapshot(vehicles=(vehicle,)), AT + 1).vehicles
    assert changed.observed.battery == vehicle.observed.battery
    assert changed.observed.compute is None
    assert changed.observed.parking is not None
    assert changed.observed.parking.quality is Quality.STALE
    assert changed.observed.parking.observed_at == later
    assert changed.observed.connection is not None
    assert changed.observed.connection.observed_at == AT + 1
