"""The control plane for people: one that stays, and is taken away when it is told to."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster import sessions
from tests.cluster.api import Api
from tests.cluster.binaries import ensure
from tests.cluster.places import CHECKOUT


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ``python -m tests.cluster`` as a person does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.cluster", *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep a person's own standing control plane out of it; the binaries are the built ones."""
    built = ensure().parent
    home = tmp_path / "idlewatt"
    home.mkdir()
    (home / built.name).symlink_to(built)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield home
    run("down")


def test_up_status_and_down(cache: Path) -> None:
    """It outlives the command, can be asked for, is not started twice, and goes with its files."""
    up = run("up", "--vehicles", "2")
    assert up.returncode == 0, up.stderr
    kubeconfig = Path(up.stdout.strip())
    assert f"export KUBECONFIG={kubeconfig}" in up.stderr
    api = Api.from_kubeconfig(kubeconfig)
    nodes = api.list("Node")
    api.close()
    assert [node["metadata"]["name"] for node in nodes] == ["v-0001", "v-0002"]
    assert all(node["spec"]["taints"][0]["key"] == "idlewatt.dev/vehicle" for node in nodes)

    again = run("up")
    assert "runs already" in again.stderr
    assert Path(again.stdout.strip()) == kubeconfig
    status = run("status")
    assert status.returncode == 0
    assert "2 nodes, 0 pods" in status.stderr
    assert "kube-apiserver (process" in status.stderr

    down = run("down")
    assert down.returncode == 0
    assert list((cache / "clusters").glob("*/standing")) == []
    assert run("status").returncode == 1


def test_it_comes_back_after_a_reboot(cache: Path) -> None:
    """Where its processes are gone and its files are not, `up` starts a new one."""
    folder = Path(run("up").stdout.strip()).parent
    before = (folder / "ca.crt").read_text()
    sessions.end_processes_of(folder)
    up = run("up")
    assert up.returncode == 0, up.stderr
    assert (folder / "ca.crt").read_text() != before
    assert cache in folder.parents


@pytest.mark.parametrize("count", ["-1", "1001", "many"])
def test_impossible_count_is_refused(count: str) -> None:
    """A number of vehicles that cannot be is refused before anything is started."""
    refused = run("up", f"--vehicles={count}")
    assert refused.returncode == 2
    assert "--vehicles" in refused.stderr


def test_nothing_to_take_down(cache: Path) -> None:
    """Taking down what does not run says so, and is no failure."""
    down = run("down")
    assert down.returncode == 0
    assert "No control plane" in down.stderr
    assert not list(cache.glob("clusters/*/standing"))
