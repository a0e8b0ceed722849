"""The nodes' image: kind's own where it can be had, else one whose name tells what is in it."""

import io
import shutil
import tarfile
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


def test_names_come_from_kubeadm(tmp_path: Path) -> None:
    """What kubeadm will ask for is what the images are called, nested names too."""
    kubeadm = tmp_path / "kubeadm"
    kubeadm.write_text(
        "#!/bin/sh\necho registry.k8s.io/etcd:3.6.6-0\n"
        "echo registry.k8s.io/coredns/coredns:v1.13.1\n"
    )
    kubeadm.chmod(0o755)
    assert node_build.image_names(kubeadm, "v1.35.4") == {
        "etcd": "registry.k8s.io/etcd:3.6.6-0",
        "coredns": "registry.k8s.io/coredns/coredns:v1.13.1",
    }


def test_every_placeholder_is_filled(tmp_path: Path) -> None:
    """No file of the node keeps a name to be filled in, and programs stay executable."""
    for name in ("kubelet", "kubeadm", "kubectl"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    programs = {name: tmp_path / name for name in ("kubelet", "kubeadm", "kubectl")}
    texts = {"@PAUSE@": "p:1", "@PROVISIONER@": "l:1", "@HELPER@": "h:1"}
    folder = node_build._context(tmp_path / "context", programs, "v1", texts)  # noqa: SLF001
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in written if "@P" in path.read_text() or "@H" in path.read_text()]
    assert 'sandbox_image = "p:1"' in (folder / "containerd.toml").read_text()
    executable = {path.name for path in written if path.stat().st_mode & 0o111}
    assert executable >= {"entrypoint", "kubelet-groups", "kubelet", "kubeadm", "kubectl"}


def test_an_image_is_its_program_and_what_it_is_put_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program joins a file system without losing any of it, and is executable there."""
    seen: dict[str, list[str]] = {}

    def imported(*arguments: str) -> str:
        with tarfile.open(arguments[-2]) as archive:
            seen[arguments[-1]] = [
                member.name for member in archive if member.mode & 0o111 or member.isdir()
            ]
        return ""

    monkeypatch.setattr(node_build, "docker", imported)
    program = tmp_path / "kube-proxy"
    program.write_text("x")
    with tarfile.open(tmp_path / "base.tar", "w") as base:
        base.addfile(tarfile.TarInfo("bin"))
        entry = tarfile.TarInfo("bin/sh")
        entry.mode = 0o755
        base.addfile(entry)
    for image in (
        node_build.SystemImage("alone:1", program),
        node_build.SystemImage("on:1", program, base=tmp_path / "base.tar"),
    ):
        node_build._import_program(image, tmp_path)  # noqa: SLF001
    assert "usr/local/bin/kube-proxy" in seen["alone:1"]
    assert {"bin/sh", "usr/local/bin/kube-proxy"} <= set(seen["on:1"])
