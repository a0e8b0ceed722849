"""A circuit is never over its limit, and sheds what is too much when less is allowed."""

from typing import Any

from tests.e2e import workloads
from tests.e2e.stage import Stage

SHED_WITHIN_SECONDS = 20
POWER_WATTS = 100
CIRCUIT = "depot/row-a"


def test_a_full_circuit_takes_no_more(cars: Stage) -> None:
    """Pods are placed up to the limit; who waits is told of the circuit, and nobody is drained."""
    app = "load"
    cars.api.apply(workloads.a_deployment(app, 12, power_watts=POWER_WATTS))
    cars.wait(
        lambda: any("on a full circuit" in note for note in cars.told("FailedScheduling", app)),
        "an event says that the circuit is full",
    )
    cars.settle(app)
    waiting = next(pod for pod in cars.pods(app) if not pod["spec"].get("nodeName"))
    which = f"involvedObject.name={waiting['metadata']['name']}"
    cars.screen("full-circuit", "get", "events", "-n", "e2e", "--field-selector", which)
    limit = limit_watts(cars)
    load = cars.load_watts()
    assert load <= limit
    assert load + POWER_WATTS * 100 / 88 > limit
    assert cars.told("Draining", app) == []
    cars.figures.note("circuit: limit (W)", limit)
    cars.figures.note("circuit: load when full (W)", float(load))


def test_a_curtailed_circuit_sheds(cars: Stage) -> None:
    """The grid allows less: as many leave as have to, and come back when it allows more."""
    app = "shed"
    cars.place(workloads.a_deployment(app, 6, power_watts=POWER_WATTS))
    allowed = int(cars.load_watts()) - POWER_WATTS
    caused = cars.cars.set(CIRCUIT, limit=allowed)
    try:
        within = cars.wait(
            lambda: cars.load_watts() <= allowed, "the load is within it", SHED_WITHIN_SECONDS
        )
        cars.figures.note("curtailment: from the signal until within it (s)", within - caused)
        assert any("over its limit" in note for note in cars.told("Draining", app))
        assert len(cars.running(app)) >= 3
    finally:
        cars.cars.set(CIRCUIT, limit=None)
    cars.wait(lambda: sum(cars.ready_on(app).values()) == 6, "all run again", 90)


def limit_watts(cars: Stage) -> int:
    """The circuit's own limit."""
    circuits: list[dict[str, Any]] = cars.api.get("ParkingSite", "depot")["spec"]["circuits"]
    return next(int(each["importCapacityLimitWatts"]) for each in circuits if "parent" in each)
