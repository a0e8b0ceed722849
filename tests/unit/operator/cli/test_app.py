"""The command line answers at once, teaches by examples that work, and never shows a trace."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idlewatt_operator import __main__
from idlewatt_operator.cli import plan, validate, version
from idlewatt_operator.cli.app import app

ROOT = Path(__file__).resolve().parents[4]
HEAVY = ("idlewatt_scheduler", "ortools", "pydantic", "kopf", "aiohttp", "kubernetes", "redis")
EXAMPLES = [*plan.EXAMPLES, *validate.EXAMPLES, *version.EXAMPLES]


@pytest.mark.parametrize("line", [line for line in EXAMPLES if "kubectl" not in line])
def test_the_examples_of_the_help_work(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Typed as they stand, in a checkout, they end well and say something."""
    monkeypatch.chdir(ROOT)
    command, *arguments = shlex.split(line)
    result = CliRunner().invoke(app, arguments)
    assert command == "idlewatt"
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout


def test_an_example_with_kubectl_works_on_what_kubectl_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The part after the pipe, given a list of objects on standard input."""
    monkeypatch.chdir(ROOT)
    policy = {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "FleetPolicy",
        "metadata": {"name": "default", "resourceVersion": "1"},
        "spec": {"offPeak": {"band": "OffPeak"}},
    }
    written = json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy]})
    piped = [line.split(" | ") for line in EXAMPLES if " | " in line]
    for kubectl, ours in piped:
        assert kubectl.startswith("kubectl get ")
        result = CliRunner().invoke(app, shlex.split(ours)[1:], input=written)
        assert (result.exit_code, result.stderr) == (0, "")
    assert piped


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["plan", "--help"], ["version", "-h"]])
def test_help_is_shown(arguments: list[str]) -> None:
    """Under both names."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_each_command_has_its_examples_in_its_help() -> None:
    """A person copies one and changes it."""
    for name, module in {"plan": plan, "validate": validate, "version": version}.items():
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "300"}).stdout
        assert [line for line in module.EXAMPLES if line not in shown] == []


def test_help_imports_nothing_heavy() -> None:
    """Every import of a solver or a client would be waited for at each press of the tab key."""
    script = (
        "import sys\n"
        "import idlewatt_operator.__main__\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_module_is_the_command() -> None:
    """`python -m idlewatt_operator` is `idlewatt`, with the exit status of a bad call."""
    done = subprocess.run(
        [sys.executable, "-m", "idlewatt_operator", "plan", "-f", "no-such-file.yaml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "no-such-file.yaml: there is no such file or folder\n"


def test_a_fault_of_our_own_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person is not shown a stack trace unless they ask for it."""

    def broken(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(__main__, "app", broken)
    monkeypatch.delenv("IDLEWATT_DEBUG", raising=False)
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    assert ended.value.code == 70
    told = capsys.readouterr().err
    assert "a fault of idlewatt's own" in told
    assert "Traceback" not in told
    monkeypatch.setenv("IDLEWATT_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        __main__.main()


def test_completion_can_be_installed() -> None:
    """The shell's own completion, by an option of the command."""
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout
