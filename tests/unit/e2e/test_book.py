"""What is kept of a pod once it is gone."""

from tests.e2e.book import Entry, entry_of


def test_a_pod_that_is_not_bound_has_no_watts() -> None:
    """Nor a vehicle."""
    pod = {"metadata": {"namespace": "e2e", "name": "a-1"}, "spec": {}}
    assert entry_of(pod) == Entry("e2e", "a-1", None, None)


def test_a_bound_pod_has_what_its_binding_carried() -> None:
    """The watts it counts with, on the vehicle it runs on."""
    metadata = {
        "namespace": "e2e",
        "name": "a-1",
        "annotations": {"idlewatt.dev/bound-watts": "60"},
    }
    pod = {"metadata": metadata, "spec": {"nodeName": "v-1"}}
    assert entry_of(pod) == Entry("e2e", "a-1", "v-1", 60)
