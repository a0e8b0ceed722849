"""Logs on standard error: a line for people in a terminal, JSON for machines elsewhere."""

import logging
import sys
from typing import Final, TextIO

import msgspec

from idlewatt_operator.resources.times import format_instant

_LOUD: Final = ("kopf", "aiohttp", "asyncio")
"""Libraries whose small talk is left out; what matters of it is told by whoever uses them."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and a trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry = {
            "time": format_instant(round(record.created * 1_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry).decode()


def log_to(stream: TextIO = sys.stderr, *, debug: bool = False) -> None:
    """Send all logs to `stream`, in the form that fits who reads it."""
    handler = logging.StreamHandler(stream)
    if stream.isatty():
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    else:
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("idlewatt_operator").setLevel(logging.DEBUG if debug else logging.INFO)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
