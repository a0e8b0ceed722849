"""Reading manifests, and telling a refusal, for the client that tests use."""

import json
from pathlib import Path

from tests.cluster.api import _refusal, manifests_of


def test_manifests_come_from_folders_files_lists_and_dictionaries(tmp_path: Path) -> None:
    """All are taken apart into single manifests, files in the order of their names."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "b.yaml").write_text("kind: B1\n---\n---\nkind: B2\n")
    (tmp_path / "a.json").write_text(json.dumps({"kind": "AList", "items": [{"kind": "A"}]}))
    (tmp_path / "inner" / "c.yml").write_text("kind: C\n")
    (tmp_path / "notes.md").write_text("kind: Notes\n")
    found = [manifest["kind"] for manifest in manifests_of({"kind": "First"}, tmp_path)]
    assert found == ["First", "A", "B1", "B2", "C"]


def test_refusal_carries_the_servers_sentence() -> None:
    """Status, reason and message are those of the Status object that was answered."""
    status = {"kind": "Status", "reason": "Invalid", "message": "spec.reserve: too high"}
    refusal = _refusal(422, json.dumps(status).encode())
    assert (refusal.status, refusal.reason) == (422, "Invalid")
    assert str(refusal) == "422 Invalid: spec.reserve: too high"


def test_refusal_without_a_status_object_is_told_too() -> None:
    """What a proxy or a server that shuts down writes is shown as it is."""
    for answer in (b"apiserver is shutting down\n", b'["odd"]'):
        assert _refusal(503, answer).message == answer.decode().strip()
