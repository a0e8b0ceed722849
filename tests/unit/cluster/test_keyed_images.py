"""Images that are known by their content: asked, made and replaced through a docker that notes."""

import fcntl
import os
import threading
from pathlib import Path

import pytest
from tests.cluster import keyed_images
from tests.cluster.places import SetupError

TAG = "idlewatt/thing:1.0"
# Keeps the id of the one image it has in a file, and the arguments of each call in another.
FAKE_DOCKER = """#!/bin/sh
echo "$*" >> "$FAKE_DOCKER/calls"
case "$1 $2" in
  "image ls") cat "$FAKE_DOCKER/image" 2>/dev/null || true ;;
  "image inspect") cat "$FAKE_DOCKER/key" 2>/dev/null || true ;;
  "image rm") [ ! -e "$FAKE_DOCKER/used" ] || { echo "image is being used" >&2; exit 1; } ;;
  *) [ ! -e "$FAKE_DOCKER/broken" ] || { echo "no space left on device"; exit 1; }
     echo sha256:new > "$FAKE_DOCKER/image" ;;
esac
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a docker that notes its calls on the PATH; give the folder of its notes."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE_DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_DOCKER", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def calls(engine: Path, command: str) -> list[str]:
    """Give the calls of one docker command."""
    return [
        line for line in (engine / "calls").read_text().splitlines() if line.startswith(command)
    ]


def test_the_key_is_read_off_the_image(engine: Path) -> None:
    """An image of ours says what it was made of."""
    (engine / "image").write_text("sha256:old\n")
    (engine / "key").write_text("abc\n")
    assert keyed_images.key_of(TAG) == "abc"


def test_an_image_without_the_label_has_no_key(engine: Path) -> None:
    """Somebody else's image under our tag is not taken for ours."""
    (engine / "image").write_text("sha256:old\n")
    (engine / "key").write_text("\n")
    assert keyed_images.key_of(TAG) is None


def test_no_image_is_no_error(engine: Path) -> None:
    """Where the engine has no such image there is no key, and nothing is inspected."""
    assert keyed_images.key_of(TAG) is None
    assert calls(engine, "image inspect") == []


def test_a_build_is_labelled_and_leaves_no_container(engine: Path) -> None:
    """The label is what the next call knows the image by; a failed step's container goes, too."""
    keyed_images.built(engine, TAG, "abc", ["--network", "none"], usual_seconds=1)
    (build,) = calls(engine, "build")
    assert f"--label {keyed_images.KEY_LABEL}=abc" in build
    assert "--force-rm" in build
    assert build.endswith(f"--tag {TAG} --network none {engine}")


def test_the_image_before_is_removed(engine: Path) -> None:
    """Nobody finds a dozen images without a name after a dozen changes."""
    (engine / "image").write_text("sha256:old\n")
    keyed_images.built(engine, TAG, "abc", [], usual_seconds=1)
    assert calls(engine, "image rm") == ["image rm sha256:old"]


def test_the_same_image_again_is_kept(engine: Path) -> None:
    """Where the build came to what was there, that is the one to keep."""
    (engine / "image").write_text("sha256:new\n")
    keyed_images.imported(engine / "root.tar", TAG, "abc", ["USER 999"])
    assert calls(engine, "image rm") == []


def test_an_image_in_use_stays(engine: Path) -> None:
    """A container that still runs is left what it runs."""
    (engine / "image").write_text("sha256:old\n")
    (engine / "used").touch()
    keyed_images.imported(engine / "root.tar", TAG, "abc", ["USER 999"])
    (import_,) = calls(engine, "import")
    assert "--change USER 999" in import_
    assert f"{keyed_images.KEY_LABEL}=abc" in import_


def test_a_build_that_fails_says_why_and_removes_nothing(engine: Path) -> None:
    """What the engine said last is in the sentence, and the image from before is still there."""
    (engine / "image").write_text("sha256:old\n")
    (engine / "broken").touch()
    with pytest.raises(SetupError, match="no space left on device"):
        keyed_images.built(engine, TAG, "abc", [], usual_seconds=1)
    assert calls(engine, "image rm") == []


def test_what_a_killed_run_left_is_cleared(engine: Path) -> None:
    """A build begins in an empty folder, and leaves none behind."""
    with keyed_images.work_folder("context") as folder:
        (folder / "half").touch()
        with keyed_images.work_folder("context") as again:
            assert list(again.iterdir()) == []
    assert engine in folder.parents
    assert not folder.exists()


def test_the_second_waits_and_is_told(engine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One who wants to build while another does waits until that one is done."""
    lock = (engine / "cache" / "idlewatt" / "images").resolve() / "images.lock"
    lock.parent.mkdir(parents=True)
    entered = threading.Event()

    def build() -> None:
        with keyed_images.building("images"):
            entered.set()

    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = threading.Thread(target=build)
        second.start()
        assert not entered.wait(timeout=0.3)
        fcntl.flock(held, fcntl.LOCK_UN)
    second.join(timeout=10)
    assert entered.is_set()
    assert "Another run is making images" in capsys.readouterr().err
