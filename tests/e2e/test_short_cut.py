"""The link of a second car is cut, for two minutes, and the car leaves before it is mended."""

import time

from tests.e2e import workloads
from tests.e2e.cut import Cut
from tests.e2e.stage import Stage

APP = "two-minutes"
LEAVES_IN_SECONDS = 125  # its last pod could be placed 90 s before


def test_the_link_is_cut(fleet: Stage, short_cut: Cut) -> None:
    """A pod runs on a car that is to leave in two minutes; then nobody can reach it."""
    fleet.park()
    near = fleet.near
    fleet.timeline["second departure"] = time.time() + LEAVES_IN_SECONDS
    fleet.cars.set(near, departure=f"+{LEAVES_IN_SECONDS}s")
    fleet.allow(APP, near)
    fleet.place(workloads.a_deployment(APP, held=True), near, seconds=30)
    fleet.apart.add(APP)
    short_cut.start()
    # From here on its replacement may run on another car.
    fleet.allow(APP, fleet.other)
