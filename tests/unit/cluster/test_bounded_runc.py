"""The runtime before runc: what this machine lacks is not asked for, and nothing else changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster import bounded_runc

STATUS = "Name:\tpython\nCapPrm:\t000001ffffffffff\nCapBnd:\t{bounding}\nCapAmb:\t0\n"


@pytest.mark.parametrize(
    ("bounding", "last", "missing"),
    [
        ("000001ffffffffff", 40, set()),
        ("000001fffeffffff", 40, {"CAP_SYS_RESOURCE"}),
        ("00000000ffffffff", 32, {"CAP_MAC_OVERRIDE"}),
        ("00000000ffffffff", 31, set()),
        ("000001fffffffffe", 40, {"CAP_CHOWN"}),
        ("000000ffffffffff", 40, {"CAP_CHECKPOINT_RESTORE"}),
    ],
)
def test_what_is_missing_is_what_the_kernel_knows_and_the_set_has_not(
    bounding: str, last: int, missing: set[str]
) -> None:
    """A bit that is off counts up to the kernel's last capability, and not beyond."""
    status = STATUS.format(bounding=bounding)
    assert bounded_runc.missing_capabilities(status, last) == missing


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        (["--root", "/r", "create", "--bundle", "/b", "--pid-file", "/p", "id"], "/b/config.json"),
        (["create", "--bundle=/b", "id"], "/b/config.json"),
        (["run", "-b", "/b", "id"], "/b/config.json"),
        (["run", "id"], "config.json"),
        (["--log=/l", "exec", "--process", "/p.json", "--detach", "id"], "/p.json"),
        (["exec", "id", "sh"], None),
        (["kill", "id", "9"], None),
        (["delete", "--force", "id"], None),
        (["create", "--bundle"], "config.json"),
    ],
)
def test_only_what_asks_for_capabilities_is_changed(arguments: list[str], file: str | None) -> None:
    """Creating and running change the container's file, exec its process's, the rest none."""
    assert bounded_runc.file_to_change(arguments) == (None if file is None else Path(file))


def test_a_container_loses_what_is_missing_and_nothing_else() -> None:
    """Of each set only the missing capability goes, and the rest of the file is as it was."""
    asked = {
        "ociVersion": "1.0.2",
        "process": {
            "args": ["sh"],
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615}],
            "capabilities": {
                "bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"],
                "ambient": None,
                "effective": ["CAP_SYS_RESOURCE"],
            },
        },
        "hostname": "x",
    }
    changed = bounded_runc.without(json.loads(json.dumps(asked)), {"CAP_SYS_RESOURCE"})
    assert changed["process"]["capabilities"] == {
        "bounding": ["CAP_CHOWN"],
        "ambient": [],
        "effective": [],
    }
    assert {**changed, "process": None} == {**asked, "process": None}
    assert changed["process"]["rlimits"] == asked["process"]["rlimits"]  # type: ignore[index]


def test_a_process_without_capabilities_is_left_alone() -> None:
    """An exec that asks for none is written back as it came."""
    assert bounded_runc.without({"args": ["sh"]}, {"CAP_CHOWN"}) == {"args": ["sh"]}
    process = {"args": ["sh"], "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"]}}
    assert bounded_runc.without(process, {"CAP_CHOWN"})["capabilities"]["bounding"] == ["CAP_KILL"]


def test_it_becomes_runc_with_the_arguments_it_was_given(tmp_path: Path) -> None:
    """Run as the engine runs it, alone and without site packages, runc gets every argument."""
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"\n')
    runc.chmod(0o755)
    (tmp_path / "config.json").write_text('{"ociVersion": "1", "process": {"args": ["a"]}}')
    arguments = ["--root", "/r", "create", "--bundle", str(tmp_path), "id"]
    answer = subprocess.run(
        [sys.executable, "-IS", bounded_runc.__file__, *arguments],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == arguments
    assert json.loads((tmp_path / "config.json").read_text())["process"] == {"args": ["a"]}
