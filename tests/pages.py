"""Blocks of the documentation's pages, for tests that run what a page tells its reader to run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.places import CHECKOUT

HOWTO = CHECKOUT / "docs" / "howto"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|//) (/?[\w./-]+\.\w+)\n")
_COMMAND = re.compile(r"^\$ (.+?(?<!\\))$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code.

    Attributes:
        language: what stands behind the three ticks.
        file: the name in the block's first line, where that is a comment with nothing else.
    """

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name of the file that the block is."""
        found = _FILE.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[str]:
        """What is typed, each with the lines that a backslash carries it on to."""
        return _COMMAND.findall(self.text)


def blocks(page: Path, *languages: str) -> list[Block]:
    """Give a page's blocks in those languages, in their order."""
    found = (Block(*parts) for parts in _BLOCK.findall(page.read_text(encoding="utf-8")))
    return [block for block in found if block.language in languages]


def the_file(page: Path, name: str) -> str:
    """Give the one block of a page that is the file of that name."""
    every = (Block(*parts) for parts in _BLOCK.findall(page.read_text(encoding="utf-8")))
    (found,) = (block.text for block in every if block.file == name)
    return found


def commands(page: Path) -> Iterator[str]:
    """Give every command that a page tells its reader to type."""
    for block in blocks(page, "console"):
        yield from block.commands


def run(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a page in the checkout, with our own `idlewatt` first on the PATH."""
    surroundings: Mapping[str, str] = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "200",
        **environment,
    }
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=CHECKOUT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
