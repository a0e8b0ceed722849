"""The nodes' image: kind's own where it can be had, else one whose name tells what is in it."""

import io
import shutil
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path

import pytest
from tests.cluster import node_build, node_image
from tests.cluster.binaries import KUBERNETES_NODE, module_version
from tests.cluster.places import SetupError


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give the tags that an engine has, to be filled; what is built or pulled is added."""
    tags: set[str] = set()

    def pulled(image: str) -> str:
        tags.add(image)
        return image

    monkeypatch.setattr(node_image, "image_exists", tags.__contains__)
    monkeypatch.setattr(node_image, "_build_once", tags.add)
    monkeypatch.setattr(node_image, "_pulled", pulled)
    return tags


@pytest.mark.parametrize("answers", [True, False])
def test_a_registry_that_answers_gives_kinds_own(
    engine: set[str], monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    """With a registry kind's image is pulled, without one ours is built."""
    monkeypatch.setattr(node_image, "registry_answers", lambda: answers)
    image = node_image.node_image()
    assert engine == {image}
    assert node_image.is_built_here(image) is not answers


@pytest.mark.parametrize("present", [node_image.KINDS_OWN, node_image.built_tag()])
def test_what_is_there_is_taken(
    engine: set[str], monkeypatch: pytest.MonkeyPatch, present: str
) -> None:
    """An image that the engine has is used without asking any registry."""
    monkeypatch.setattr(node_image, "registry_answers", lambda: pytest.fail("asked"))
    engine.add(present)
    assert node_image.node_image() == present


def test_a_pull_that_fails_is_replaced_by_a_build(
    engine: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry that answers and then refuses does not stop the run."""

    def refused(_: str) -> str:
        message = "toomanyrequests"
        raise SetupError(message)

    monkeypatch.setattr(node_image, "registry_answers", lambda: True)
    monkeypatch.setattr(node_image, "_pulled", refused)
    assert node_image.is_built_here(node_image.node_image())
    assert engine == {node_image.built_tag()}


@pytest.mark.parametrize(
    ("header", "answers"), [("Docker-Distribution-Api-Version", True), ("Server", False)]
)
def test_a_registry_is_known_by_what_it_says(
    monkeypatch: pytest.MonkeyPatch, header: str, *, answers: bool
) -> None:
    """A registry that asks who we are has answered; a proxy's own page has not."""
    headers = Message()
    headers[header] = "registry/2.0"

    def asked(url: str, timeout: float) -> None:
        assert timeout <= 10
        raise urllib.error.HTTPError(url, 401, "Unauthorized", headers, io.BytesIO())

    monkeypatch.setattr(urllib.request, "urlopen", asked)
    assert node_image.registry_answers() is answers


def test_no_way_to_a_registry_is_no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody resolves is an answer, too."""

    def unreachable(_: str, timeout: float) -> None:
        assert timeout <= 10
        raise urllib.error.URLError(OSError(-2, "Name or service not known"))

    monkeypatch.setattr(urllib.request, "urlopen", unreachable)
    assert not node_image.registry_answers()


def test_the_tag_tells_version_and_content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tag has Kubernetes' version; any byte that goes into a node changes the rest of it."""
    tag = node_image.built_tag()
    assert tag.startswith(f"idlewatt/kind-node:{module_version(KUBERNETES_NODE)}-")
    shutil.copytree(node_build.NODE, tmp_path / "node")
    monkeypatch.setattr(node_build, "NODE", tmp_path / "node")
    assert node_image.built_tag() == tag
    with (tmp_path / "node" / "entrypoint").open("a") as file:
        file.write("\n")
    assert node_image.built_tag() != tag
