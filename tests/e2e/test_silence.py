"""A car of which nothing is heard, and one that sleeps: not the same. The beginning of it."""

from tests.e2e import workloads
from tests.e2e.stage import Stage

APP = "listener"


def test_one_car_falls_silent_and_one_asleep(fleet: Stage) -> None:
    """A pod runs on the car that falls silent; the sleeping one reported its charge before."""
    near, other = fleet.near, fleet.other
    fleet.park()
    fleet.allow(APP, near)
    fleet.place(workloads.a_deployment(APP, held=True), near)
    fleet.apart.add(APP)
    fleet.allow(APP, near, other)
    fleet.cars.set(other, power="Asleep")
    fleet.timeline["silent"] = fleet.cars.set(near, online=False)
