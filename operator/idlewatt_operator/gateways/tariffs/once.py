"""What sources of tariffs said, looked up once for a command: in a folder, or as Redis keeps it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from idlewatt_operator.gateways.tariffs.asking import Asker
from idlewatt_operator.gateways.tariffs.keeping import Keeping, KeepingError
from idlewatt_operator.gateways.tariffs.series import SeriesError
from idlewatt_operator.resources.energytariff import Source
from idlewatt_operator.resources.tariff_answers import AnswerError, answered_intervals
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import Instant

LookUp = Callable[[str, Source], Awaitable[tuple[bytes, Instant] | None]]
"""The text of the last good answer for a tariff, and when it came; None: there is none."""


@dataclass(frozen=True, slots=True)
class Supplied:
    """Tariffs with what their sources said.

    Attributes:
        notes: a sentence for each source of which nothing is known.
    """

    tariffs: Mapping[str, Tariff]
    notes: tuple[str, ...] = ()


def in_folder(folder: Path | None, at: Instant) -> LookUp:
    """Files are read as they are now; nothing else is asked."""

    async def look_up(tariff: str, source: Source) -> tuple[bytes, Instant] | None:
        if source.type != "File" or folder is None:
            hint = ": name its folder with --tariffs-dir" if source.type == "File" else ""
            message = (
                f"The tariff {tariff} has a source, which is not asked here{hint}. Its prices are "
                "unknown."
            )
            raise SeriesError(message)
        return await Asker(folder)(source), at

    return look_up


def as_kept(keeping: Keeping) -> LookUp:
    """What the operator was answered last."""

    async def look_up(tariff: str, source: Source) -> tuple[bytes, Instant] | None:
        return await keeping.read(tariff, source)

    return look_up


async def supplied(
    tariffs: Mapping[str, Tariff], sources: Mapping[str, Source], look_up: LookUp
) -> Supplied:
    """The tariffs, those with a source completed where anything is known of it."""
    complete, notes = dict(tariffs), list[str]()
    for name, source in sources.items():
        if name not in complete:
            continue
        try:
            found = await look_up(name, source)
            if found is None:
                notes.append(f"Nothing is kept of the source of the tariff {name}.")
                continue
            intervals = await asyncio.to_thread(answered_intervals, found[0])
        except (SeriesError, AnswerError, KeepingError) as error:
            notes.append(str(error))
            continue
        complete[name] = replace(complete[name], intervals=intervals, refreshed_at=found[1])
    return Supplied(complete, tuple(notes))
