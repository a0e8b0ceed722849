"""Fetching binaries that wheels carry."""

import os
import zipfile
from pathlib import Path

import pytest
from tests.cluster import wheels
from tests.cluster.places import SetupError


def a_wheel(path: Path) -> Path:
    """Make a wheel of one program and one text."""
    with zipfile.ZipFile(path, "w") as archive:
        program = zipfile.ZipInfo("thing/bin/run")
        program.external_attr = 0o100755 << 16
        archive.writestr(program, "#!/bin/sh\nexit 0\n")
        text = zipfile.ZipInfo("thing/readme")
        text.external_attr = 0o100644 << 16
        archive.writestr(text, "read me")
    return path


def test_programs_stay_executable(tmp_path: Path) -> None:
    """What was executable in the wheel is so when unpacked, and nothing else is."""
    wheels.unpack(a_wheel(tmp_path / "thing.whl"), tmp_path / "out")
    assert os.access(tmp_path / "out" / "thing" / "bin" / "run", os.X_OK)
    assert not (tmp_path / "out" / "thing" / "readme").stat().st_mode & 0o111


@pytest.fixture
def fake_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take a script that copies a wheel for pip; give the folder in which it takes notes."""
    wheel = a_wheel(tmp_path / "thing-1.0-py3-none-any.whl")
    script = tmp_path / "pip"
    script.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >> {tmp_path}/calls\n'
        f"[ -e {tmp_path}/offline ] && {{ echo no index; exit 1; }}\n"
        'while [ "$1" != --dest ]; do shift; done\n'
        f'cp {wheel} "$2"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(wheels, "pip_command", lambda: [str(script)])
    return tmp_path


def test_wheel_is_fetched_once(fake_pip: Path) -> None:
    """The second caller finds the unpacked wheel in the cache."""
    folder = wheels.unpacked("thing==1.0", python_version="3.12", usual_seconds=1)
    assert folder == wheels.unpacked("thing==1.0", python_version="3.12", usual_seconds=1)
    assert (folder / "thing" / "readme").read_text() == "read me"
    (call,) = (fake_pip / "calls").read_text().splitlines()
    assert "--only-binary :all: --python-version 3.12" in call


def test_failed_fetch_is_a_sentence_and_leaves_nothing(fake_pip: Path) -> None:
    """Where PyPI cannot be reached the command to try is named, and the next call tries again."""
    (fake_pip / "offline").touch()
    with pytest.raises(SetupError, match=r"download --no-deps thing==1\.0"):
        wheels.unpacked("thing==1.0", usual_seconds=1)
    (fake_pip / "offline").unlink()
    folder = wheels.unpacked("thing==1.0", usual_seconds=1)
    assert sorted(path.name for path in folder.parent.iterdir()) == [".lock", "thing-1.0"]


def test_without_pip_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without pip, on a machine without one, is told how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SetupError, match="ensurepip"):
        wheels.pip_command()
