"""What the commands that read manifests share: the option `-f`, and how mistakes are told."""

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

if TYPE_CHECKING:
    from idlewatt_operator.gateways.manifests.cluster import ManifestCluster
    from idlewatt_scheduler.model.units import Instant

BAD_INPUT: Final = 2
"""Exit status, as of a command that is called wrongly."""

Files: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--filename",
        "-f",
        metavar="PATH",
        help="A file, a folder (with its folders), or - for standard input. YAML or JSON; several "
        "documents and lists too. May be given several times.",
        show_default=False,
    ),
]

MoreFiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH",
        help="More of the same, so that -f may be followed by what a shell makes of *.yaml.",
        show_default=False,
    ),
]


TariffsDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        envvar="IDLEWATT_TARIFFS_DIR",
        help="Where the files are that a tariff's source of type File names.",
        show_default=False,
    ),
]


def supply(cluster: "ManifestCluster", folder: Path | None, at: "Instant") -> None:
    """Give tariffs with a source what its file says, and tell of those that are not asked."""
    from idlewatt_operator.gateways.tariffs.once import in_folder, supplied  # noqa: PLC0415 - slow
    from idlewatt_operator.resources.energytariff import EnergyTariff  # noqa: PLC0415 - slow

    sources = {
        each.metadata.name: each.spec.source
        for each in cluster.resources
        if isinstance(each, EnergyTariff) and each.spec.source is not None
    }
    if sources:
        found = asyncio.run(supplied(cluster.tariffs, sources, in_folder(folder, at)))
        cluster.tariffs = dict(found.tariffs)
        for note in found.notes:
            typer.echo(note, err=True)


def read_manifests(
    files: list[str] | None,
    more: list[str] | None,
    *,
    whole: bool = False,
    meanwhile: Callable[[], object] = lambda: None,
) -> "ManifestCluster":
    """Read all there is, or tell every mistake on standard error and end with status 2.

    Args:
        files: paths, by their option.
        more: paths that stand alone.
        whole: keep vehicles as they were written too, not as the core's values alone.
        meanwhile: done here, perhaps, while other processes read.

    Raises:
        typer.BadParameter: no path was given.
        typer.Exit: there are mistakes.
    """
    from idlewatt_operator.gateways.manifests.cluster import read_cluster  # noqa: PLC0415 - slow
    from idlewatt_operator.gateways.manifests.sources import (  # noqa: PLC0415 - slow
        Text,
        read_texts,
        sources_of,
    )

    paths = [*(files or ()), *(more or ())]
    if not paths:
        message = "give at least one PATH, or - for standard input"
        raise typer.BadParameter(message, param_hint="-f")
    # Millions of values that all stay: to look through them for garbage takes longer than all else.
    gc.disable()
    texts = list(read_texts(paths))
    good = [text for text in texts if isinstance(text, Text)]
    cluster = None
    if not whole and len(good) == len(texts):
        from idlewatt_operator.cli.shares import read_shared  # noqa: PLC0415 - with it

        cluster = read_shared(good, meanwhile)
    if cluster is None:
        cluster = read_cluster(sources_of(texts))
    if cluster.mistakes:
        for mistake in cluster.mistakes:
            typer.echo(mistake, err=True)
        raise typer.Exit(BAD_INPUT)
    _tell_skipped(cluster)
    return cluster


def _tell_skipped(cluster: "ManifestCluster") -> None:
    if cluster.skipped:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in sorted(cluster.skipped.items()))
        typer.echo(f"Not looked at, since they take no part in a plan: {kinds}.", err=True)
