"""The cluster of containers: what a killed run left is known, and nothing else is taken for it."""

from pathlib import Path

import pytest
from tests.cluster import kind
from tests.cluster.kind_config import cluster_name, workers_of

FOLDER = Path("/home/a/.cache/idlewatt/kind/idlewatt-x")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of a cluster in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = kind.folder_of("c")
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("command", "is_ours"),
    [
        (["/b/kind", "create", "cluster", "--config", f"{FOLDER}/kind.yaml"], True),
        (["kind", "create", "cluster", "--config", f"{FOLDER}/kind.yaml"], True),
        (["kind", "create", "cluster", "--config", f"{FOLDER}-e2e/kind.yaml"], False),
        (["kind", "create", "cluster"], False),
        (["vim", f"{FOLDER}/kind.yaml"], False),
        ([], False),
    ],
)
def test_only_a_kind_that_makes_this_cluster_is_ended(command: list[str], *, is_ours: bool) -> None:
    """Another cluster's kind, another project's, and a person's editor are left alone."""
    line = b"".join(word.encode() + b"\0" for word in command)
    assert kind.is_creator(line, FOLDER) is is_ours


def test_a_cluster_that_was_not_finished_is_not_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the note that is written last, or with another one, nothing more is asked."""
    monkeypatch.setattr(kind, "containers_of", lambda *_, **__: pytest.fail("asked"))
    cluster = kind.KindCluster("c", folder)
    assert not kind.is_whole(cluster, "image 1\n")
    (folder / "made-of").write_text("image 0\n")
    assert not kind.is_whole(cluster, "image 1\n")


@pytest.mark.parametrize(("count", "whole"), [(4, True), (3, False)])
def test_a_cluster_is_whole_with_all_its_nodes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, count: int, *, whole: bool
) -> None:
    """One node that does not run, as after a restart of the machine, and it is made anew."""
    (folder / "made-of").write_text("image 1\n")
    monkeypatch.setattr(kind, "containers_of", lambda *_, **__: ["id"] * count)
    monkeypatch.setattr(kind.KindCluster, "kubectl", lambda *_, **__: "ok")
    assert kind.is_whole(kind.KindCluster("c", folder), "image 1\n") is whole


def test_a_cluster_whose_api_server_is_silent_is_not_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers that run are not enough."""

    def silent(*_: object, **__: object) -> str:
        message = "connection refused"
        raise kind.KubectlError(message)

    (folder / "made-of").write_text("image 1\n")
    monkeypatch.setattr(kind, "containers_of", lambda *_, **__: ["id"] * 4)
    monkeypatch.setattr(kind.KindCluster, "kubectl", silent)
    assert not kind.is_whole(kind.KindCluster("c", folder), "image 1\n")


def test_a_node_is_found_by_its_vehicles_name() -> None:
    """The workers' containers bear kind's names; the control plane bears the same everywhere."""
    cluster = kind.KindCluster("c", FOLDER)
    assert [cluster.container(node) for node in cluster.nodes] == [
        "c-control-plane",
        *workers_of("c").values(),
    ]


def test_files_of_two_clusters_are_apart() -> None:
    """Each name has a folder, under the user's cache and nowhere near ~/.kube."""
    names = (cluster_name(), cluster_name("e2e"))
    assert len({kind.folder_of(name) for name in names}) == 2
    assert kind.KindCluster("c", FOLDER).kubeconfig == FOLDER / "kubeconfig"
