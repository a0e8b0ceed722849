"""Draw the README's picture: the demo's own screen, in the middle of its own night.

Run by `make picture` after the screen or the night has changed.
"""

import asyncio
import io
import re
import sys
from pathlib import Path

from rich.console import Console

from idlewatt_operator.twin import homes
from idlewatt_operator.twin.night import Look, Play
from idlewatt_operator.twin.screen import Screen

VEHICLES, PODS, SEED = 60, 120, 7  # the demo's own
SHARE = 0.52  # of the night: after a link was lost
COLUMNS, ROWS = 128, 34


def drawn() -> str:
    """Play the night and give the frame at `SHARE` of it as SVG."""
    play = Play(homes.a_night(homes.DEFAULT_EVENING, VEHICLES, PODS, SEED))
    console = Console(
        record=True,
        width=COLUMNS,
        height=ROWS,
        file=io.StringIO(),
        color_system="truecolor",
        force_terminal=True,
    )
    screen = Screen(play, console, seconds=0)
    taken: list[str] = []

    async def watch(look: Look) -> None:
        await screen.watch(look)
        start, end = play.scenario.start, play.scenario.end
        share = (look.at - start) / (end - start)
        if share >= SHARE and not taken:
            console.export_text(clear=True)
            console.print(screen.frame(look, share))
            taken.append(console.export_svg(title="make demo", clear=True, unique_id="night"))

    asyncio.run(play.run(watch))
    return taken[0]


def main() -> None:
    """Write the picture to the path that is given."""
    # The fonts are fetched from a host that no page of ours should ask: the reader's own will do.
    svg = re.sub(r"@font-face \{.*?\}|<!-- Generated.*?-->", "", drawn(), flags=re.DOTALL)
    Path(sys.argv[1]).write_text(svg.replace("Fira Code", "ui-monospace, Menlo, Consolas"), "utf-8")


if __name__ == "__main__":
    main()
