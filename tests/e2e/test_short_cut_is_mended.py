"""The link that was cut for two minutes: what came of the pod, and how it is once it is mended."""

from collections.abc import Iterator

import pytest
from tests.e2e import workloads
from tests.e2e.cut import Cut
from tests.e2e.stage import Stage

APP = "two-minutes"


@pytest.fixture
def cut(short_cut: Cut) -> Cut:
    """Give the cut, if it was begun: these tests are the end of a story."""
    if short_cut.began is None:
        pytest.skip("the link was not cut: run test_short_cut with it")
    return short_cut


@pytest.fixture(scope="module", autouse=True)
def end_of_story(fleet: Stage) -> Iterator[None]:
    """Whatever comes of it, what ran there is nobody's any more."""
    yield
    fleet.apart.discard(APP)
    fleet.clear()


def test_a_replacement_ran_meanwhile(fleet: Stage, cut: Cut) -> None:
    """It was started on another car before the first one would have left."""
    fleet.wait(lambda: fleet.ready_on(APP).get(fleet.other) == 1, "a replacement runs", 120)
    fleet.screen("cut-nodes", "get", "nodes", *fleet.nodes)
    fleet.screen("cut-off", "get", "pods", "-n", "e2e", "-l", f"app={APP}", "-o", "wide")
    # The API server may say so before containerd was looked at again.
    fleet.wait(lambda: _began_on_the_other(fleet), "the replacement was seen to run")
    replaced = min(_began_on_the_other(fleet))
    fleet.figures.note("link cut for 2 min: replacement runs after (s)", cut.since(replaced))
    assert replaced < fleet.timeline["second departure"]


def _began_on_the_other(fleet: Stage) -> list[float]:
    spans = fleet.witness.spans(workloads.NAMESPACE, APP)
    return [span.began for span in spans if span.vehicle == fleet.other]


def test_its_container_ended_by_itself_in_time(fleet: Stage, cut: Cut) -> None:
    """Before the car's last safe time, and before anybody could reach it."""
    last_safe = fleet.timeline["second departure"] - workloads.GRACE_SECONDS
    fleet.wait(lambda: not fleet.running(APP, fleet.near), "its container ended by itself", 120)
    (first,) = [
        span for span in fleet.witness.spans(workloads.NAMESPACE, APP) if span.vehicle == fleet.near
    ]
    assert first.ended is not None
    assert first.ended <= last_safe
    assert first.ended < cut.wait()
    fleet.figures.note("link cut for 2 min: container ended after (s)", cut.since(first.ended))
    fleet.figures.note(
        "link cut for 2 min: ended before the last safe time by (s)", last_safe - first.ended
    )


def test_it_does_not_start_again(fleet: Stage, cut: Cut) -> None:
    """Once the link is mended the object of the old pod goes, and one container runs in all."""
    cut.wait()
    cut.ready_again()

    def left_behind() -> list[str]:
        selector = f"spec.nodeName={fleet.near}"
        found = fleet.api.list("Pod", workloads.NAMESPACE, fieldSelector=selector)
        return [pod["metadata"]["name"] for pod in found]

    fleet.wait(lambda: left_behind() == [], "the object of the old pod is gone")
    assert fleet.running(APP) == [fleet.other]
