"""The Docker engine: found, or started where that is ours to do, and never mixed up with others."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.cluster import bounded_runc, docker, engine
from tests.cluster.engine import Engine
from tests.cluster.places import SetupError


@pytest.fixture
def ours(tmp_path: Path) -> Engine:
    """Give an engine whose folders are the test's."""
    (tmp_path / "home").mkdir()
    return Engine(tmp_path / "home", tmp_path / "run", tmp_path / "docker.sock")


@pytest.fixture
def _silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no engine answer."""
    monkeypatch.setattr(docker, "answers", lambda: False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def test_an_engine_that_answers_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Docker answers nothing is installed and nothing started."""
    monkeypatch.setattr(docker, "answers", lambda: True)
    monkeypatch.setattr(engine, "install", lambda: pytest.fail("installed"))
    monkeypatch.setattr(engine, "start", lambda _: pytest.fail("started"))
    engine.ensure()


@pytest.mark.usefixtures("_silence")
def test_who_is_not_root_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root nothing is started; the sentence names both what failed and the way out."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"No Docker engine answers.*only on Debian and as root"):
        engine.ensure()


@pytest.mark.usefixtures("_silence")
def test_an_engine_elsewhere_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A DOCKER_HOST that does not answer is said, not worked around."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://build:2375")
    with pytest.raises(SetupError, match=r"tcp://build:2375.*unset DOCKER_HOST"):
        engine.ensure()


def test_a_machine_that_lacks_nothing_has_no_wrapper(
    ours: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every capability there, the engine runs runc itself."""
    monkeypatch.setattr(bounded_runc, "missing_here", frozenset)
    assert engine.runtime(ours) is None
    assert "--add-runtime" not in engine.command(ours, None)


def test_a_machine_that_lacks_one_has_a_wrapper_that_runs(
    ours: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The wrapper stands outside the checkout, is executable, and ends in runc."""
    monkeypatch.setattr(bounded_runc, "missing_here", lambda: frozenset({"CAP_SYS_RESOURCE"}))
    wrapper = engine.runtime(ours)
    assert wrapper is not None
    assert wrapper.parent == ours.home
    assert f"bounded={wrapper}" in engine.command(ours, wrapper)
    (tmp_path / "runc").write_text("#!/bin/sh\necho runc $1\n")
    (tmp_path / "runc").chmod(0o755)
    answer = subprocess.run(
        [wrapper, "--version"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "runc --version\n"


@pytest.mark.parametrize(
    ("name", "words", "is_ours"),
    [
        ("dockerd", ["--data-root", "{home}/data"], True),
        ("dockerd", ["--data-root={home}/data"], True),
        ("dockerd", ["-H", "fd://"], False),
        ("dockerd", ["--data-root", "{home}/data2"], False),
        ("containerd", ["--config", "{run}/containerd/containerd.toml"], True),
        ("containerd", [], False),
        ("vim", ["--data-root", "{home}/data"], False),
    ],
)
def test_only_the_engine_of_our_folders_is_ours(
    ours: Engine, name: str, words: list[str], *, is_ours: bool
) -> None:
    """Another project's engine on this machine is never taken for ours."""
    filled = [word.format(home=ours.home, run=ours.run) for word in words]
    assert engine.is_of(ours, name, filled) is is_ours


def test_leftovers_of_a_killed_engine_are_cleared(ours: Engine) -> None:
    """Its pid file and its sockets go, or the next one takes a stranger's process for itself."""
    pid = Path(f"{ours.run}.pid")
    pid.write_text(str(os.getpid()))
    (ours.run / "containerd").mkdir(parents=True)
    engine.clear_leftovers(ours)
    assert not pid.exists()
    assert not ours.run.exists()


def test_an_engine_that_does_not_start_says_why(
    ours: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The end of its log is in the message, with the log's place."""
    program = tmp_path / "dockerd"
    program.write_text("#!/bin/sh\necho 'overlay is not supported over overlayfs' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(engine, "_answers_at", lambda _: False)
    with pytest.raises(SetupError, match=r"(?s)did not start.*dockerd\.log.*over overlayfs"):
        engine.start(ours)


def test_there_is_nothing_to_stop_where_none_was_started(ours: Engine) -> None:
    """Ending an engine that does not run ends nothing."""
    assert engine.stop(ours) is False
