"""The docker client: its answers, and a sentence where it has none."""

import os
from pathlib import Path

import pytest
from tests.cluster import docker
from tests.cluster.places import SetupError


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of a ``docker`` on the PATH, to be written by the test."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    program = tmp_path / "docker"
    program.touch(mode=0o755)
    return program


def test_what_it_writes_is_given(client: Path) -> None:
    """Standard input goes in, standard output comes out."""
    client.write_text('#!/bin/sh\necho "$@"; cat\n')
    assert docker.docker("exec", "-i", "node", given="lines") == "exec -i node\nlines"


def test_its_own_words_are_in_the_error(client: Path) -> None:
    """A failure names the command and what the client said of it."""
    client.write_text("#!/bin/sh\necho 'No such container: node' >&2\nexit 1\n")
    with pytest.raises(SetupError, match=r"docker exec node.*exit status 1.*No such container"):
        docker.docker("exec", "node", "sh")


def test_a_client_that_hangs_is_given_up(client: Path) -> None:
    """An engine that never answers does not hold a run for ever."""
    client.write_text("#!/bin/sh\nexec sleep 20\n")
    with pytest.raises(SetupError, match="did not end within"):
        docker.docker("ps", timeout_seconds=0.1)


def test_no_client_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a docker on the PATH nothing answers, and a call says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not docker.answers()
    with pytest.raises(SetupError, match="not on the PATH"):
        docker.docker("ps")


def test_an_engine_that_refuses_does_not_answer(client: Path) -> None:
    """A client that reaches nobody ends with a status other than 0."""
    client.write_text("#!/bin/sh\nexit 1\n")
    assert not docker.answers()
    client.write_text("#!/bin/sh\necho 20.10\n")
    assert docker.answers()
