"""The link that was cut for ten minutes: what came of the pods, and how it is once it is mended."""

import time

import pytest
from tests.e2e import workloads
from tests.e2e.cut import Cut
from tests.e2e.stage import Stage

APP = workloads.BEHIND_THE_CUT


@pytest.fixture
def cut(long_cut: Cut) -> Cut:
    """Give the cut, if it was begun: these tests are the end of a story."""
    if long_cut.began is None:
        pytest.skip("the link was not cut: run test_link_is_cut with it")
    return long_cut


def test_replacements_ran_meanwhile(fleet: Stage, cut: Cut) -> None:
    """They were started elsewhere while the first ones still ran behind the cut link."""
    fleet.wait(lambda: fleet.ready_on(APP) == {fleet.other: 2}, "the replacements run", 240)
    spans = fleet.witness.spans(workloads.NAMESPACE, APP)
    _, second, *_ = sorted(span.began for span in spans if span.vehicle == fleet.other)
    fleet.figures.note("link cut for 10 min: replacements run after (s)", cut.since(second))
    first_ended = min(span.ended or time.time() for span in spans if span.vehicle == fleet.far)
    assert second < first_ended


def test_their_containers_ended_by_themselves_in_time(fleet: Stage, cut: Cut) -> None:
    """Before the car's last safe time the kubelet alone ended what nobody could tell it to end."""
    last_safe = fleet.timeline["departure"] - workloads.GRACE_SECONDS
    fleet.wait(
        lambda: not fleet.running(APP, fleet.far),
        "the containers behind the cut link ended",
        max(1.0, last_safe - time.time() + 5),
    )
    spans = [
        span for span in fleet.witness.spans(workloads.NAMESPACE, APP) if span.vehicle == fleet.far
    ]
    assert len(spans) == 2
    ended = [span.ended or 0.0 for span in spans]
    assert max(ended) <= last_safe
    # They ran for as long as they might: it was the deadline that ended them, nothing else.
    assert min(ended) > last_safe - 30
    fleet.figures.note("link cut for 10 min: containers ended after (s)", cut.since(max(ended)))
    fleet.figures.note(
        "link cut for 10 min: ended before the last safe time by (s)", last_safe - max(ended)
    )


def test_nothing_runs_twice_after_it_is_mended(fleet: Stage, cut: Cut) -> None:
    """The link is mended after ten minutes: the old pods are gone, and do not start again."""
    mended = cut.wait()
    assert cut.since(mended) >= 600
    ready = cut.ready_again()
    fleet.figures.note("link mended: its Node is Ready after (s)", max(0.0, ready - mended))
    bound_there = fleet.api.list(
        "Pod", workloads.NAMESPACE, fieldSelector=f"spec.nodeName={fleet.far}"
    )
    assert bound_there == []
    since = [
        span
        for span in fleet.witness.spans(workloads.NAMESPACE, APP)
        if span.vehicle == fleet.far and span.began > mended
    ]
    assert since == []
    assert fleet.ready_on(APP) == {fleet.other: 2}


def test_the_car_is_taken_into_service_again(fleet: Stage) -> None:
    """Once its gateway reports again and its owner stays, it takes pods as before."""
    fleet.apart.discard(APP)
    fleet.cars.park(fleet.far)
    fleet.allow("back-again", fleet.far)
    fleet.place(workloads.a_deployment("back-again", held=True), fleet.far, seconds=90)
    fleet.remove("back-again", APP)
    noted = fleet.api.get("VehicleNode", fleet.far)["metadata"].get("annotations", {})
    assert noted.get("idlewatt.dev/given-up", "[]") == "[]"
