"""Images into nodes: each goes where it is not, and nowhere else."""

from tests.cluster.image_loading import missing


def test_a_node_wants_what_it_has_not() -> None:
    """A node without the image and one with another of that tag want it; who has it does not."""
    loaded = {"two": {"a:1": "old"}, "three": {"a:1": "new", "b:1": "b"}}
    ids = {"a:1": "new", "b:1": "b"}
    assert missing(loaded, ["one", "two", "three"], ids) == {
        "one": ["a:1", "b:1"],
        "two": ["a:1", "b:1"],
    }
    assert missing(loaded, ["three"], ids) == {}
