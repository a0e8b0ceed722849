"""A car of which nothing is heard, and one that sleeps: not the same."""

import time

from tests.e2e import workloads
from tests.e2e.stage import Stage

MAX_AGE_SECONDS = 30
STALE_DRAIN_SECONDS = 60
APP = "listener"


def test_a_silent_car_is_emptied_and_a_sleeping_one_woken_for_it(cars: Stage) -> None:
    """Stale telemetry drains, after its time and not before; the pod wakes the car that sleeps.

    The sleeping car is as silent as the other one. It reported its charge before, which holds.
    """
    near, other = cars.near, cars.other
    cars.allow(APP, near)
    cars.place(workloads.a_deployment(APP, held=True), near)
    cars.allow(APP, near, other)
    cars.cars.set(other, power="Asleep")
    cars.cars.set(near, online=False)
    silent = time.time()

    cars.wait(
        lambda: any(
            "it has not reported for too long" in note for note in cars.told("Draining", APP)
        ),
        "the silent car is drained",
        MAX_AGE_SECONDS + STALE_DRAIN_SECONDS + 30,
    )
    decided = cars.decided_at(APP, silent)
    assert decided is not None
    assert (
        decided - silent >= MAX_AGE_SECONDS + STALE_DRAIN_SECONDS - 6
    )  # the last report was before
    ended = cars.vacated(APP, near)
    cars.figures.note("stale: from the last report until its containers ended (s)", ended - silent)
    cars.figures.note("stale: from the decision until they ended (s)", ended - decided)

    woken = cars.wait(
        lambda: f'{other} {{"online": true, "wakes": true, "power": "Awake"' in cars.cars.show(),
        "the sleeping car was woken",
    )
    ready = cars.wait(lambda: cars.ready_on(APP) == {other: 1}, "the pod runs there")
    assert ready >= woken
    cars.figures.note(
        "asleep: from the drain until its pod runs on the woken car (s)", ready - decided
    )


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
