"""What was reported of circuits stands in their site's status, rounded and not too often."""

from dataclasses import replace

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import AT

MAIN = ObservedCircuit("main", 5_123, AT)


def standing(scene: Scene) -> dict[str, ObservedCircuit]:
    """The circuits in the site's status, by name."""
    found = scene.cluster.view().sites["depot-7"].observed_circuits
    return {each.name: each for each in found}


async def test_a_load_is_written_rounded_up() -> None:
    """To 100 W: never less than was measured."""
    scene = Scene()
    scene.telemetry.circuits = {"depot-7": (MAIN,)}
    await scene.run()
    assert standing(scene) == {"main": replace(MAIN, uncontrolled_load_watts=5_200)}


async def test_nothing_is_written_where_nothing_changed() -> None:
    """A few watts and a new time of observation are no change; once an hour the time is."""
    scene = Scene()
    scene.telemetry.circuits = {"depot-7": (MAIN,)}
    await scene.run()
    scene.telemetry.circuits = {"depot-7": (ObservedCircuit("main", 5_140, AT + 10 * MINUTE),)}
    await scene.run(600, every=60)
    assert len(scene.writes("write_circuits")) == 1
    seen = AT + HOUR + MINUTE
    scene.telemetry.circuits = {"depot-7": (ObservedCircuit("main", 5_140, seen),)}
    await scene.run(3_060, every=60)
    assert standing(scene)["main"].observed_at == seen


async def test_a_site_is_written_once_a_minute_at_most() -> None:
    """However its load moves."""
    scene = Scene()
    for load in range(1_000, 7_000, 500):
        scene.telemetry.circuits = {"depot-7": (ObservedCircuit("main", load, AT),)}
        await scene.run(10)
    assert len(scene.writes("write_circuits")) == 2


async def test_a_curtailment_that_is_withdrawn_is_withdrawn() -> None:
    """Both ways are a change."""
    scene = Scene()
    curtailed = replace(MAIN, curtailed_to_watts=30_000, curtailed_until=AT + HOUR)
    scene.telemetry.circuits = {"depot-7": (curtailed,)}
    await scene.run()
    assert standing(scene)["main"].curtailed_to_watts == 30_000
    scene.telemetry.circuits = {"depot-7": (MAIN,)}
    await scene.run(70)
    assert standing(scene)["main"].curtailed_to_watts is None


async def test_what_stands_outlives_a_restart_beside_an_empty_telemetry() -> None:
    """A circuit that was measured and is silent now is known to have been measured."""
    scene = Scene()
    scene.telemetry.circuits = {"depot-7": (MAIN,)}
    await scene.run()
    scene.telemetry.circuits = {}
    scene.restart()
    report = await scene.run(10)
    (seen,) = report.situation.snapshot.sites["depot-7"].observed_circuits
    assert seen.uncontrolled_load_watts == 5_200


async def test_a_circuit_that_the_site_lacks_is_not_written() -> None:
    """It was reported by somebody who is mistaken, or before the site was changed."""
    scene = Scene()
    scene.telemetry.circuits = {"depot-7": (ObservedCircuit("elsewhere", 1, AT),)}
    await scene.run()
    assert scene.writes("write_circuits") == []


async def test_what_relieves_a_circuit_is_written_rounded_down() -> None:
    """Generation and export never more than was measured, currents never less."""
    scene = Scene()
    measured = replace(
        MAIN,
        generation_watts=9_199,
        export_watts=99,
        uncontrolled_milliamps=(7_001, 8_000, 0),
        peak_watts=41_234,
        peak_at=AT - HOUR,
    )
    scene.telemetry.circuits = {"depot-7": (measured,)}
    await scene.run()
    assert standing(scene)["main"] == replace(
        measured,
        uncontrolled_load_watts=5_200,
        generation_watts=9_100,
        export_watts=0,
        uncontrolled_milliamps=(7_500, 8_000, 0),
    )
