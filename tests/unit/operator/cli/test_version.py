"""The version says what a bug report needs."""

import platform
from importlib import metadata

import pytest
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app


def test_the_versions_of_what_matters() -> None:
    """idlewatt, Python, OR-Tools and the API, a line each."""
    result = CliRunner().invoke(app, ["version"])
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"idlewatt {metadata.version('idlewatt')}",
        f"Python {platform.python_version()}",
        f"OR-Tools {metadata.version('ortools')}",
        "API idlewatt.dev/v1alpha1",
    ]


def test_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package's metadata it says so instead of failing."""

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    result = CliRunner().invoke(app, ["version"])
    assert result.exit_code == 0
    assert "idlewatt (not installed as a package)" in result.stdout
