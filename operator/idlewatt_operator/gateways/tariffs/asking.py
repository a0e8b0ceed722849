"""Asking the source of a tariff: an address, a file in the operator's folder, or ENTSO-E.

Whoever may write an EnergyTariff decides what the operator fetches. So an address is https, or on
this very machine; it is not followed anywhere else; and an answer has a size and a time. A file
is below one folder, wherever a link in it points.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from idlewatt_operator.gateways.tariffs import entsoe
from idlewatt_operator.gateways.tariffs.series import SeriesError
from idlewatt_operator.resources.energytariff import Source
from idlewatt_operator.resources.tariff_answers import MOST_BYTES

Ask = Callable[[Source], Awaitable[bytes]]
"""The text of an answer; raises `SeriesError` with a sentence."""

TIMEOUT_SECONDS: Final = 60.0
_OK: Final = 200
_REDIRECTS: Final = range(300, 400)
_DAYS_BACK: Final = 1
_DAYS_AHEAD: Final = 3


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks every kind of source.

    Attributes:
        folder: of files; None: there is none, and no file can be read.
        entsoe_key: of the transparency platform; empty: it cannot be asked.
        now: the present, for the days that ENTSO-E is asked for.
    """

    folder: Path | None = None
    entsoe_key: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def __call__(self, source: Source) -> bytes:
        """Ask a source once.

        Raises:
            SeriesError: it did not answer, or with too much.
        """
        kinds: Mapping[str, Ask] = {
            "Http": self._address,
            "File": self._file,
            "Entsoe": self._platform,
        }
        return await kinds[source.type](source)

    async def _address(self, source: Source) -> bytes:
        url = source.url or ""
        check_address(url)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        host = urlsplit(url).hostname
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                if answer.status in _REDIRECTS:
                    message = f"{host} answers that it is elsewhere: write the address it leads to."
                    raise SeriesError(message)
                if answer.status != _OK:
                    message = f"{host} answers with status {answer.status}."
                    raise SeriesError(message)
                return await _body(answer, host)
        except TimeoutError as error:
            message = f"{host} did not answer within {TIMEOUT_SECONDS:.0f} s."
            raise SeriesError(message) from error
        except (aiohttp.ClientError, UnicodeError, OSError) as error:
            # UnicodeError: a name that no host can have, such as `https://../`, found out late.
            message = f"{host} cannot be asked: {type(error).__name__}."
            raise SeriesError(message) from error

    async def _file(self, source: Source) -> bytes:
        if self.folder is None:
            message = (
                "There is no folder of tariffs: name one with --tariffs-dir, or in the environment "
                "as IDLEWATT_TARIFFS_DIR."
            )
            raise SeriesError(message)
        return await asyncio.to_thread(_below, self.folder, source.path or "")

    async def _platform(self, source: Source) -> bytes:
        today = self.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        begin, end = today - timedelta(days=_DAYS_BACK), today + timedelta(days=_DAYS_AHEAD)

        def asked() -> bytes:
            ask = entsoe.asker(self.entsoe_key)
            found = entsoe.day_ahead(source.area or "", begin, end, ask)
            return json.dumps({"intervals": [each.manifest() for each in found.intervals]}).encode()

        return await asyncio.to_thread(asked)


def check_address(url: str) -> None:
    """Refuse an address whose answer anybody on the way could have written.

    Raises:
        SeriesError: it is neither https nor on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or _is_loopback(parts.hostname or ""):
        return
    message = f"{parts.hostname} is asked in the clear: prices are fetched by https alone."
    raise SeriesError(message)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _body(answer: aiohttp.ClientResponse, host: str | None) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > MOST_BYTES:
            message = f"{host} answers with more than {MOST_BYTES:,} bytes."
            raise SeriesError(message)
        parts.append(part)
    return b"".join(parts)


def _below(folder: Path, path: str) -> bytes:
    whole, place = folder.resolve(), (folder / path).resolve()
    if not place.is_relative_to(whole):
        message = f"{path} leads out of the folder of tariffs."
        raise SeriesError(message)
    try:
        if place.stat().st_size > MOST_BYTES:
            message = f"{path} has more than {MOST_BYTES:,} bytes."
            raise SeriesError(message)
        return place.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise SeriesError(message) from error
