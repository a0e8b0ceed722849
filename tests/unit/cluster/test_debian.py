"""Debian's packages: only what is missing is installed, and only where that is ours to do."""

import os
from pathlib import Path

import pytest
from tests.cluster import debian
from tests.cluster.places import SetupError

FAKE_APT = """#!/bin/sh
echo "$DEBIAN_FRONTEND $*" >> "$APT_CALLS"
case "$*" in
  *update*) touch "$APT_CALLS.updated" ;;
  *install*) [ -e "$APT_CALLS.updated" ] || { echo "E: Unable to locate package" >&2; exit 100; } ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an ``apt-get`` that only takes notes on the PATH; give the file it notes its calls in."""
    program = tmp_path / "apt-get"
    program.write_text(FAKE_APT)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("APT_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (tmp_path / "calls").touch()
    return tmp_path / "calls"


def test_what_is_there_is_not_installed(calls: Path) -> None:
    """A program on the PATH needs no package, whoever brought it."""
    debian.ensure_programs({"sh": "dash"}, why="to test")
    assert calls.read_text() == ""


def test_lists_are_fetched_only_where_they_are_needed(calls: Path) -> None:
    """Without lists the first try fails; they are fetched, and the second installs."""
    debian.ensure_programs({"sh": "dash", "no-such-program": "no-such-package"}, why="to test")
    tried, updated, installed = calls.read_text().splitlines()
    assert tried == installed
    assert "update" in updated
    assert installed.startswith("noninteractive ")
    assert installed.endswith("install -y --no-install-recommends no-such-package")


def test_who_may_not_install_is_told_the_command(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without root the sentence has what is missing, what for, and what to type."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"no-such-program missing, to test.*apt-get install pack"):
        debian.ensure_programs({"no-such-program": "package"}, why="to test")
    assert calls.read_text() == ""
