"""The live view of a play: fleet, prices, pods, money, and what just happened and why."""

import asyncio
import time
from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import Final, Self

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from idlewatt_operator.twin.car import STATES
from idlewatt_operator.twin.journal import Departure, Fact, Kind
from idlewatt_operator.twin.night import Look, Play
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.promises import short_of_charge
from idlewatt_scheduler.model.units import HOUR

FRAMES_PER_SECOND: Final = 10
STATE_COLOURS: Final = {
    "computing": "bright_green",
    "leaving": "bright_yellow",
    "lost": "bright_red",
    "charging": "dodger_blue1",
    "idle": "grey70",
    "asleep": "medium_purple",
    "away": "grey35",
}
_KIND_STYLES: Final = {
    Kind.ARRIVED: ("▸", "grey62"),
    Kind.LEFT: ("◂", "grey62"),
    Kind.TOLD: ("!", "bright_yellow"),
    Kind.BOARDED: ("!", "bright_yellow"),
    Kind.WAKING: ("☼", "medium_purple"),
    Kind.WAKE_FAILED: ("☼", "bright_red"),
    Kind.LINK_LOST: ("✂", "bright_red"),
    Kind.LINK_BACK: ("∞", "bright_green"),
    Kind.SUBMITTED: ("+", "white"),
    Kind.WAITING: ("…", "white"),
    Kind.PLACED: ("●", "bright_green"),
    Kind.RELEASED: ("◍", "bright_yellow"),
    Kind.DRAINED: ("○", "bright_yellow"),
    Kind.GIVEN_UP: ("✂", "bright_red"),
    Kind.FENCED: ("✂", "bright_yellow"),
    Kind.ENDED: ("✓", "green"),
    Kind.BROKEN: ("✗", "bold bright_red"),
    Kind.CURTAILED: ("▼", "bright_yellow"),
    Kind.RELIEVED: ("▲", "bright_green"),
    Kind.CHARGER: ("⚡", "bright_yellow"),
    Kind.OFF_PEAK: ("◐", "bright_green"),
    Kind.ON_PEAK: ("◑", "bright_yellow"),
}
_PODS_SHOWN: Final = (
    ("working", "bright_green"),
    ("loading", "green"),
    ("waiting", "white"),
    ("finished", "grey62"),
)
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_PRICE_STYLES: Final = {
    (off_peak, past): Style(color="green3" if off_peak else "orange3", dim=past)
    for off_peak in (True, False)
    for past in (True, False)
}
_NARROW: Final = 100
_LOW: Final = 32
_VERY_LOW: Final = 22


class Screen:
    """Draws a play while it goes on, and lets it take long enough to be followed.

    Args:
        play: whose journal and looks are shown.
        console: a terminal.
        seconds: how long the whole play takes at least.
    """

    def __init__(self, play: Play, console: Console, seconds: float) -> None:
        self._play = play
        self._console = console
        self._seconds = seconds
        self._shown: list[Fact] = []
        self._read = 0
        self._began = time.monotonic()
        self._drawn = 0.0
        self._live = Live(console=console, auto_refresh=False, screen=True)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    async def watch(self, look: Look) -> None:
        """Draw a look, unless the last one was drawn a moment ago."""
        facts = self._play.journal.facts
        self._shown += [fact for fact in facts[self._read :] if fact.kind in _KIND_STYLES]
        self._read = len(facts)
        scenario = self._play.scenario
        share = (look.at - scenario.start) / (scenario.end - scenario.start)
        ahead = self._began + self._seconds * share - time.monotonic()
        if ahead > 0:
            await asyncio.sleep(ahead)
        now = time.monotonic()
        if now - self._drawn >= 1 / FRAMES_PER_SECOND or look.at >= scenario.end:
            self._drawn = now
            self._live.update(self.frame(look, share), refresh=True)

    def frame(self, look: Look, share: float) -> RenderableType:
        """The whole picture."""
        layout = Layout()
        narrow = self._console.width < _NARROW
        low = self._console.height < _LOW
        parts = [
            Layout(self._head(look, share), size=1 if low else 2),
            Layout(name="now", size=9 if low else 11),
            Layout(self._prices(look, 3 if low else 5), size=7 if low else 9),
            Layout(self._events(), minimum_size=4),
        ]
        if self._console.height < _VERY_LOW:
            del parts[2]
        layout.split_column(*parts)
        now = [Layout(self._fleet(look), ratio=3), Layout(self._pods(look), ratio=2)]
        if not narrow:
            now.append(Layout(self._money(look), ratio=2))
        layout["now"].split_row(*now)
        return layout

    def _head(self, look: Look, share: float) -> RenderableType:
        scenario = self._play.scenario
        clock = local_time(look.at, scenario.zone)
        line = Table.grid(expand=True)
        line.add_column(no_wrap=True)
        line.add_column(justify="right", no_wrap=True)
        done = round(24 * share)
        bar = Text("━" * done, "bright_green") + Text("━" * (24 - done), "grey35")
        left = Text.assemble((" idlewatt ", "bold black on bright_green"), f"  {scenario.name}")
        right = Text.assemble((f"{clock:%a %-d %B %Y  %H:%M}  ", "bold"), bar, " ")
        line.add_row(left, right)
        return line

    def _fleet(self, look: Look) -> RenderableType:
        counts = Counter(look.states.values())
        total = len(look.states)
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=9, no_wrap=True)
        grid.add_column(width=3, justify="right")
        grid.add_column(ratio=1, no_wrap=True)
        for state in STATES:
            colour = STATE_COLOURS[state]
            grid.add_row(
                Text(state, colour), str(counts[state]), Bar(counts[state] / total, colour)
            )
        return Panel(grid, title=f"fleet: {total} vehicles", border_style="grey50")

    def _pods(self, look: Look) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=9)
        grid.add_column(justify="right", width=9)
        for word, colour in _PODS_SHOWN:
            grid.add_row(Text(word, colour), str(look.pods.get(word, 0)))
        narrow = self._console.width < _NARROW
        if not narrow:
            grid.add_row()
        grid.add_row("computing", f"{look.computing_watts / 1_000:.1f} kW")
        grid.add_row("charging", f"{look.charging_watts / 1_000:.1f} kW")
        if narrow:
            grid.add_row(Text("paid", "bold"), Text(f"${look.paid:.2f}", "bold bright_green"))
        return Panel(grid, title="pods", border_style="grey50")

    def _money(self, look: Look) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=12)
        grid.add_column(justify="right", width=10)
        price = "unknown" if look.price is None else f"${look.price:.3f}"
        grid.add_row(Text("paid so far", "bold"), Text(f"${look.paid:.2f}", "bold bright_green"))
        grid.add_row("carbon", f"{look.kilograms:.1f} kg")
        grid.add_row("a kWh now", price)
        word = Text("off-peak", "bright_green") if look.off_peak else Text("on-peak", "yellow")
        grid.add_row("which is", word)
        grid.add_row()
        left = self._play.journal.departures
        grid.add_row("cars left", str(len(left)))
        cut = sum(1 for departure in left if departure.cut_off)
        short = sum(1 for departure in left if self._is_short(departure))
        for words, count in (("short charge", short), ("pods cut off", cut)):
            grid.add_row(words, Text(str(count), "bright_red" if count else "bright_green"))
        return Panel(grid, title="money and promises", border_style="grey50")

    def _is_short(self, departure: Departure) -> bool:
        """Whether it left with less than was promised, for no fault of its charge point."""
        vehicle = self._play.fleet.cars[departure.stay.vehicle].vehicle
        return bool(short_of_charge(departure, vehicle)) and not departure.charger_failed

    def _prices(self, look: Look, rows: int) -> RenderableType:
        seen = {each.at: each.off_peak for each in self._play.looks}
        past = len(self._play.quarters) - len(look.ahead)
        off_peak = [
            seen.get(quarter.start, False) if index < past else look.ahead[index - past]
            for index, quarter in enumerate(self._play.quarters)
        ]
        chart = PriceChart(self._play, off_peak, look, rows)
        title = "price, $ a kWh: [bright_green]off-peak[/] as it is judged now"
        return Panel(chart, title=title, border_style="grey50")

    def _events(self) -> RenderableType:
        lines = []
        for fact in reversed(self._shown[-20:]):
            sign, style = _KIND_STYLES[fact.kind]
            clock = local_time(fact.at, self._play.scenario.zone)
            line = Text.assemble((f"{clock:%H:%M} ", "grey50"), (f"{sign} ", style))
            line.append(fact.text, style)
            line.no_wrap, line.overflow = True, "ellipsis"
            lines.append(line)
        return Panel(Group(*lines), title="what just happened, and why", border_style="grey50")


class Bar:
    """A bar as wide as its share of the space it is given."""

    def __init__(self, share: float, colour: str) -> None:
        self._share = share
        self._colour = colour

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """As many full blocks as fit."""
        yield Segment("█" * round(self._share * options.max_width), Style.parse(self._colour))


class PriceChart:
    """Prices as columns of blocks over the play; what is past is dimmed, now is marked."""

    def __init__(self, play: Play, off_peak: list[bool], look: Look, rows: int) -> None:
        self._play = play
        self._off_peak = off_peak
        self._look = look
        self.rows = rows

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """Rows of blocks, the computing power below them, and the hours."""
        width = max(10, options.max_width - 8)
        prices = [float(quarter.price or 0) for quarter in self._play.quarters]
        most = max(prices, default=0) or 1
        columns = [int(x * len(prices) / width) for x in range(width)]
        scenario = self._play.scenario
        now = (self._look.at - scenario.start) / (scenario.end - scenario.start) * width
        for row in reversed(range(self.rows)):
            label = (
                f"{most * (row + 1) / self.rows:6.2f}  " if row in {0, self.rows - 1} else " " * 8
            )
            yield Segment(label, Style(color="grey50"))
            cells = (
                (self._block(prices[index] / most, row), (self._off_peak[index], x < now - 1))
                for x, index in enumerate(columns)
            )
            for look, same in groupby(cells, key=itemgetter(1)):
                yield Segment("".join(block for block, _ in same), _PRICE_STYLES[look])
            yield Segment.line()
        yield from self._power(width)
        yield from self._hours(width, now)

    def _block(self, share: float, row: int) -> str:
        """The part of a column that stands in this row, from below."""
        return _BLOCKS[max(0, min(8, round((share * self.rows - row) * 8)))]

    def _power(self, width: int) -> RenderResult:
        """The computing power of every look so far, in the same columns."""
        scenario, looks = self._play.scenario, self._play.looks
        most = max((look.computing_watts for look in looks), default=0) or 1
        line = [0.0] * width
        for look in looks:
            x = int((look.at - scenario.start) / (scenario.end - scenario.start) * width)
            line[min(x, width - 1)] = look.computing_watts
        yield Segment(f"{most / 1_000:4.0f} kW ", Style(color="grey50"))
        yield Segment(
            "".join(_BLOCKS[round(watts / most * 8)] for watts in line), Style(color="bright_green")
        )
        yield Segment.line()

    def _hours(self, width: int, now: float) -> RenderResult:
        scenario = self._play.scenario
        line = [" "] * width
        for at in range(scenario.start, scenario.end, 3 * HOUR):
            x = int((at - scenario.start) / (scenario.end - scenario.start) * width)
            for offset, letter in enumerate(f"{local_time(at, scenario.zone):%H:%M}"):
                if x + offset < width:
                    line[x + offset] = letter
        mark = min(width - 1, int(now))
        yield Segment(" " * 8)
        yield Segment("".join(line[:mark]), Style(color="grey50"))
        yield Segment("▲", Style(color="bright_white", bold=True))
        yield Segment("".join(line[mark + 1 :]), Style(color="grey50"))
        yield Segment.line()
