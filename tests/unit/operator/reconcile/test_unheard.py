"""An operator that starts beside an empty Redis: it listens before it drains."""

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_scheduler.model.units import MINUTE
from idlewatt_scheduler.testing import AT


async def _scene_that_lost_its_reports() -> Scene:
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.telemetry.vehicles.clear()
    scene.restart()
    return scene


async def test_a_restart_beside_an_empty_redis_drains_nothing() -> None:
    """Nobody has said anything yet, so nobody is asked to leave, and nothing new is placed."""
    scene = await _scene_that_lost_its_reports()
    scene.service("new")
    await scene.run(9 * 60)
    assert scene.writes("evict") == []
    assert scene.pod("svc-1").node == "v-0"
    assert scene.pod("new-1").node is None


async def test_a_vehicle_that_stays_silent_is_drained_once_stale_telemetry_may_not_last() -> None:
    """Ten minutes after the start its silence is its own."""
    scene = await _scene_that_lost_its_reports()
    report = await scene.run(11 * 60)
    assert report.situation.at >= AT + 11 * MINUTE
    assert [each.subject for each in scene.writes("evict")] == ["default/svc-1"]


async def test_a_block_that_went_missing_is_not_waited_for() -> None:
    """A vehicle that reports, but not its parking, is known to have nothing to show."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.observe("v-0", parking=None)
    scene.restart()
    await scene.run(20)
    assert [each.subject for each in scene.writes("evict")] == ["default/svc-1"]
