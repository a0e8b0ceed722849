"""Pods run on cars that are available, and nowhere else; one that waits says why."""

from tests.e2e import workloads
from tests.e2e.stage import Stage

UNAVAILABLE: dict[str, dict[str, object]] = {
    "occupied": {"occupied": True},
    "not parked": {"parked": False},
    "below reserve": {"charge": 12},
    "at an unknown site or circuit": {"site": "nowhere"},
    "too cold": {"temperature": -7},
}


def test_a_car_that_is_not_available_takes_no_pod(cars: Stage) -> None:
    """A pod that could run there alone waits and says why; once that is over, it is placed."""
    apps = {says: f"waits-{number}" for number, says in enumerate(UNAVAILABLE)}
    for says, state in UNAVAILABLE.items():
        app = apps[says]
        cars.cars.park(cars.near, **state)
        cars.allow(app, cars.near)
        cars.api.apply(workloads.a_deployment(app, held=True))
        cars.wait(
            lambda app=app, says=says: any(  # type: ignore[misc]
                f"1 {says}" in note for note in cars.told("FailedScheduling", app)
            ),
            f"an event says that a vehicle is {says}",
        )
        assert cars.running(app) == []
    waiting = cars.screen("waiting", "get", "events", "-n", "e2e", "--field-selector=type=Warning")
    assert all(says in waiting for says in UNAVAILABLE)
    cars.cars.park(cars.near)
    for app in apps.values():
        cars.wait(lambda app=app: cars.ready_on(app) == {cars.near: 1}, f"{app} is placed")  # type: ignore[misc]


def test_pods_go_where_they_may(cars: Stage) -> None:
    """Of two cars one is occupied: all pods are on the other, until it is the other way round."""
    cars.cars.set(cars.near, occupied=True)
    cars.place(workloads.a_deployment("crew", 3), cars.other)
    cars.cars.set(cars.near, occupied=False)
    cars.cars.set(cars.other, occupied=True)
    cars.wait(lambda: cars.ready_on("crew") == {cars.near: 3}, "all have moved")
    cars.vacated("crew", cars.other)


def test_other_pods_stay_off_the_cars(cars: Stage) -> None:
    """A pod of the default scheduler does not get there, though no other node will have it."""
    stray = workloads.a_deployment("stray")
    stray["spec"]["template"]["spec"]["schedulerName"] = "default-scheduler"
    cars.api.apply(stray)
    cars.wait(
        lambda: any(
            "4 node(s) had untolerated taint" in note
            for note in cars.told("FailedScheduling", "stray")
        ),
        "kube-scheduler says that taints keep it away",
    )
    assert cars.running("stray") == []
