"""The link of a car is cut for ten minutes, while it runs pods: the beginning of it."""

import time

from tests.e2e import workloads
from tests.e2e.cut import Cut
from tests.e2e.stage import Stage

LEAVES_IN_SECONDS = 420
APP = workloads.BEHIND_THE_CUT


def test_the_link_is_cut(fleet: Stage, long_cut: Cut) -> None:
    """Two pods run on a car that is to leave in seven minutes; then nobody can reach it."""
    far = fleet.far
    fleet.cars.park(far)
    fleet.timeline["departure"] = time.time() + LEAVES_IN_SECONDS
    fleet.cars.set(far, departure=f"+{LEAVES_IN_SECONDS}s")
    fleet.allow(APP, far)
    fleet.place(workloads.a_deployment(APP, 2, held=True), far)
    fleet.wait(lambda: len(fleet.running(APP, far)) == 2, "containerd shows both")
    fleet.apart.add(APP)
    long_cut.start()
    # From here on their replacements may run on another car.
    fleet.allow(APP, fleet.other)
    for pod in fleet.pods(APP):
        assert pod["spec"]["activeDeadlineSeconds"] <= LEAVES_IN_SECONDS - workloads.GRACE_SECONDS
