"""The link of a car is cut for two minutes, and the car leaves before it is mended."""

import time

from tests.e2e import workloads
from tests.e2e.cut import Cut
from tests.e2e.stage import Stage

APP = "two-minutes"
CUT_SECONDS = 120
LEAVES_IN_SECONDS = 125  # its last pod could be placed 90 s before


def test_a_link_is_cut_for_two_minutes(cars: Stage) -> None:
    """Its containers end by themselves by the last safe time; the replacement runs before that."""
    near = cars.near
    departure = time.time() + LEAVES_IN_SECONDS
    cars.cars.set(near, departure=f"+{LEAVES_IN_SECONDS}s")
    cars.allow(APP, near)
    cars.place(workloads.a_deployment(APP, held=True), near, seconds=30)
    cars.wait(lambda: cars.running(APP, near), "containerd shows it")
    cut = Cut(cars, near, CUT_SECONDS).start()
    cars.allow(APP, cars.other)
    last_safe = departure - workloads.GRACE_SECONDS

    replaced = cars.wait(
        lambda: cars.ready_on(APP).get(cars.other) == 1, "a replacement runs", CUT_SECONDS
    )
    cars.figures.note("link cut for 2 min: replacement ready after (s)", cut.since(replaced))
    assert replaced < departure
    cars.screen("cut-nodes", "get", "nodes")
    cars.screen("cut-off", "get", "pods", "-n", "e2e", "-l", f"app={APP}", "-o", "wide")
    cars.wait(
        lambda: not cars.running(APP, near),
        "its container ended by itself",
        max(1.0, last_safe - time.time() + 3),
    )
    (first,) = [
        span for span in cars.witness.spans(workloads.NAMESPACE, APP) if span.vehicle == near
    ]
    assert first.ended is not None
    assert first.ended <= last_safe
    cars.figures.note("link cut for 2 min: container ended after (s)", cut.since(first.ended))

    mended = cut.wait()
    assert first.ended < mended
    cars.wait(lambda: _is_ready(cars, near), "the Node is Ready again", 90)
    cars.wait(lambda: not _bound_to(cars, near), "the object of the old pod is gone")
    assert cars.running(APP, near) == []
    assert cars.running(APP) == [cars.other]


def _is_ready(cars: Stage, node: str) -> bool:
    conditions = cars.api.get("Node", node)["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _bound_to(cars: Stage, node: str) -> list[str]:
    found = cars.api.list("Pod", workloads.NAMESPACE, fieldSelector=f"spec.nodeName={node}")
    return [pod["metadata"]["name"] for pod in found]
