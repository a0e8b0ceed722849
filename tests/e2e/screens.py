"""What `kubectl` showed during the run, kept in files, and put into the documentation on request.

A page takes a screen between two markers; `SCREENS=1` writes the blocks of all pages anew:

    <!-- screen: vehicles -->
    ```console
    $ kubectl get vn
    ...
    ```
    <!-- end of screen -->
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.cluster.places import CHECKOUT

_BLOCK: Final = re.compile(
    r"^<!-- screen: (?P<name>[a-z0-9-]+) -->\n.*?^<!-- end of screen -->$",
    re.MULTILINE | re.DOTALL,
)


TAKEN: Final = frozenset(
    {"vehicles", "pods", "events", "waiting", "draining", "full-circuit", "cut-off", "cut-nodes"}
)
"""The screens that a run takes."""


@dataclass
class Screens:
    """The screens of one run, by name, each a file in `folder`."""

    folder: Path
    taken: dict[str, str] = field(default_factory=dict)

    def keep(self, name: str, command: str, output: str) -> str:
        """Keep what the command printed; give the output back."""
        assert name in TAKEN
        lines = [line.rstrip() for line in output.rstrip().splitlines()]
        self.taken[name] = "\n".join([f"$ {command}", *lines]) + "\n"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{name}.txt").write_text(self.taken[name], encoding="utf-8")
        return output

    def write_into(self, pages: Iterable[Path]) -> list[Path]:
        """Put them into the pages that have a place for them; give the pages that changed."""
        changed = []
        for page in pages:
            text = page.read_text(encoding="utf-8")
            fresh = with_screens(text, self.taken)
            if fresh != text:
                page.write_text(fresh, encoding="utf-8")
                changed.append(page)
        return changed


def pages() -> list[Path]:
    """Every page that may have a place for a screen."""
    folders = (CHECKOUT / "docs", CHECKOUT / "examples")
    return sorted(page for folder in folders for page in folder.rglob("*.md"))


def with_screens(text: str, screens: Mapping[str, str]) -> str:
    """A page's text with each block written anew of which there is a screen."""

    def block(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in screens:
            return found[0]
        return f"<!-- screen: {name} -->\n```console\n{screens[name]}```\n<!-- end of screen -->"

    return _BLOCK.sub(block, text)


def names_in(text: str) -> list[str]:
    """The screens that a page has a place for."""
    return [found["name"] for found in _BLOCK.finditer(text)]
