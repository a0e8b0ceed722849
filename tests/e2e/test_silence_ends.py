"""A silent car is emptied once that has lasted, and a sleeping one woken for what ran there."""

from collections.abc import Iterator

import pytest
from tests.e2e import workloads
from tests.e2e.stage import EXAMPLE_POLICY, Stage

REPORT_EVERY_SECONDS = 5
APP = "listener"


@pytest.fixture(scope="module", autouse=True)
def end_of_story(fleet: Stage) -> Iterator[None]:
    """Whatever comes of it, what ran there is nobody's any more."""
    yield
    fleet.apart.discard(APP)
    fleet.clear()


def test_a_silent_car_is_emptied(fleet: Stage) -> None:
    """Stale telemetry drains, after its time and not before."""
    silent = since_silent(fleet)
    patience = EXAMPLE_POLICY["telemetryMaxAgeSeconds"] + EXAMPLE_POLICY["staleDrainSeconds"]
    fleet.wait(
        lambda: any(
            "has not reported for too long" in note for note in fleet.told("Draining", APP)
        ),
        "the silent car is drained",
        patience + 30,
    )
    decided = fleet.decided_at(APP, silent)
    assert decided is not None
    assert decided - silent >= patience - REPORT_EVERY_SECONDS - 1  # the last report was before
    ended = fleet.vacated(APP, fleet.near)
    fleet.figures.note("stale: from the last report until its container ended (s)", ended - silent)
    fleet.figures.note("stale: from the decision until it ended (s)", ended - decided)


def test_a_sleeping_car_is_woken_for_a_placement(fleet: Stage) -> None:
    """It was as silent as the other one all the while, and takes the pod that left there."""
    silent = since_silent(fleet)
    other = fleet.other
    fleet.wait(
        lambda: fleet.ready_on(APP) == {other: 1} and fleet.running(APP) == [other],
        "the pod runs on the car that slept",
    )
    assert f'{other} {{"online": true, "wakes": true, "power": "Awake"' in fleet.cars.show()
    began = min(
        span.began
        for span in fleet.witness.spans(workloads.NAMESPACE, APP)
        if span.vehicle == other
    )
    decided = fleet.decided_at(APP, silent)
    assert decided is not None
    assert began >= decided
    fleet.figures.note(
        "asleep: from the drain until the pod runs on the woken car (s)", began - decided
    )


def since_silent(fleet: Stage) -> float:
    """When the car fell silent; these tests are the end of a story."""
    if "silent" not in fleet.timeline:
        pytest.skip("no car fell silent: run test_silence with it")
    return fleet.timeline["silent"]


def test_a_car_that_does_not_wake_is_left_alone(cars: Stage) -> None:
    """Nobody binds to a car that sleeps on, and the pod goes to the next that can have it."""
    near, other = cars.near, cars.other
    app = "early-bird"
    cars.cars.set(near, wakes=False, power="Asleep")
    cars.cars.set(other, occupied=True)
    cars.allow(app, near, other)
    cars.api.apply(workloads.a_deployment(app, held=True))
    cars.wait(
        lambda: any("being woken" in _waits(pod) for pod in cars.pods(app)), "it is told to wait"
    )
    assert cars.running(app) == []
    cars.cars.set(other, occupied=False)
    cars.wait(lambda: cars.ready_on(app) == {other: 1}, "it runs on the other car")


def _waits(pod: dict[str, dict[str, list[dict[str, str]]]]) -> str:
    conditions = pod["status"].get("conditions", [])
    return next((c.get("message", "") for c in conditions if c["type"] == "PodScheduled"), "")
