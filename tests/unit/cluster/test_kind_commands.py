"""The commands of the kind cluster: what they do to whom, and what they say."""

import pytest
from tests.cluster import __main__ as commands
from tests.cluster import engine, kind, kind_commands
from tests.cluster.kind_config import cluster_name


@pytest.fixture(autouse=True)
def _engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an engine answer, whatever this machine has."""
    monkeypatch.setattr(kind_commands, "answers", lambda: True)


def test_down_removes_this_checkouts_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own by default, the one of a purpose where that is named."""
    removed: list[str] = []

    def down(name: str) -> bool:
        removed.append(name)
        return True

    monkeypatch.setattr(kind, "down", down)
    assert commands.main(["kind", "down"]) == 0
    assert commands.main(["kind", "down", "--purpose", "e2e"]) == 0
    assert removed == [cluster_name(), cluster_name("e2e")]


def test_the_engine_is_ended_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Removing a cluster leaves the engine, with the images it took so long to build."""
    ended: list[str] = []

    def stop() -> bool:
        ended.append("engine")
        return True

    monkeypatch.setattr(kind, "down", lambda _: True)
    monkeypatch.setattr(engine, "stop", stop)
    commands.main(["kind", "down"])
    assert ended == []
    commands.main(["kind", "down", "--engine"])
    assert ended == ["engine"]


@pytest.mark.parametrize("action", [["status"], ["load", "an-image"]])
def test_what_needs_a_cluster_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], action: list[str]
) -> None:
    """Without a cluster the exit status is 1, and the sentence names the command."""
    monkeypatch.setattr(kind, "is_up", lambda _: None)
    assert commands.main(["kind", *action]) == 1
    assert "`make kind` makes it" in capsys.readouterr().err
