"""`idlewatt version`: what is installed here."""

import platform
from importlib import metadata
from typing import Final

import typer

EXAMPLES: Final = ("idlewatt version",)


def command() -> None:
    """Say which versions of idlewatt, Python, OR-Tools and our API are in use."""
    from idlewatt_operator.resources.base import API_VERSION  # noqa: PLC0415 - pydantic is slow

    typer.echo(f"idlewatt {_installed('idlewatt')}")
    typer.echo(f"Python {platform.python_version()}")
    typer.echo(f"OR-Tools {_installed('ortools')}")
    typer.echo(f"API {API_VERSION}")


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed as a package)"
