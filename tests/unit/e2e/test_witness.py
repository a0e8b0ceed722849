"""Looks at a node's containers are made into spans, and nothing is made up between them."""

from tests.e2e.witness import Container, Sightings, container_of, running_in

POD = Container("e2e", "a-1", "uid-1", "c")
LISTING = """\
1f    4242    RUNNING
2f    0       STOPPED
3f    4250    RUNNING
"""


def test_only_what_runs_is_listed() -> None:
    """A task that has ended is still there, and does not count."""
    assert running_in(LISTING) == ["1f", "3f"]


def test_a_sandbox_is_no_container() -> None:
    """Nor is what no kubelet made."""
    labels = {
        "io.kubernetes.pod.namespace": "e2e",
        "io.kubernetes.pod.name": "a-1",
        "io.kubernetes.pod.uid": "uid-1",
    }
    assert container_of({}) is None
    assert container_of({**labels, "io.cri-containerd.kind": "sandbox"}) is None
    both = {**labels, "io.cri-containerd.kind": "container", "io.kubernetes.container.name": "c"}
    assert container_of(both) == POD


def test_a_container_that_ends_closes_its_span() -> None:
    """It ran from the first look that found it to the first that did not."""
    sightings = Sightings("v-1")
    for at, running in ((1.0, []), (2.0, ["1f"]), (3.0, ["1f"]), (4.0, [])):
        sightings.look(at, running, lambda _: POD)
    (span,) = sightings.spans
    assert (span.began, span.seen, span.ended) == (2.0, 3.0, 4.0)
    assert [span.ran_at(at) for at in (1.9, 2.0, 3.9, 4.0)] == [False, True, True, False]
    assert sightings.looks == [1.0, 2.0, 3.0, 4.0]


def test_one_that_is_started_again_is_another_span() -> None:
    """So that a container that comes back after its end is seen."""
    sightings = Sightings("v-1")
    for at, running in ((1.0, ["1f"]), (2.0, []), (3.0, ["2f"])):
        sightings.look(at, running, lambda _: POD)
    assert [(span.began, span.ended) for span in sightings.spans] == [(1.0, 2.0), (3.0, None)]


def test_whose_it_is_may_be_known_later() -> None:
    """A container whose labels could not be read is asked for again at the next look."""
    known: list[Container | None] = [None, POD]
    sightings = Sightings("v-1")
    sightings.look(1.0, ["1f"], lambda _: known[0])
    sightings.look(2.0, ["1f"], lambda _: known[1])
    assert [span.began for span in sightings.spans] == [2.0]
