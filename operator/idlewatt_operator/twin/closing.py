"""The closing table, what is assumed, and whom the data are owed to."""

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from idlewatt_operator.twin.accounts import Accounts
from idlewatt_operator.twin.figures import rows
from idlewatt_operator.twin.night import Play


def closing(play: Play, accounts: Accounts) -> RenderableType:
    """The table, what was broken, what is assumed and whom the data are owed to."""
    table = Table(
        title=f"{play.scenario.name}: the accounts",
        title_style="bold",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("")
    table.add_column("with idlewatt", justify="right")
    table.add_column("without", justify="right")
    table.add_column("")
    for row in rows(accounts):
        style = "bold" if row.heading else ""
        if row.heading and table.row_count:
            table.add_section()
        indent = "" if row.heading else "  "
        figure = Text(row.with_us, "bold bright_red" if row.bad else style)
        table.add_row(Text(indent + row.what, style), figure, row.without, Text(row.note, "grey62"))
    parts: list[RenderableType] = [table]
    broken = [line for each in accounts.promises.each() for line in each.broken]
    if broken:
        parts.append(Text("Broken", "bold bright_red"))
        parts += [Padding(Text(line), (0, 0, 0, 2)) for line in broken]
    parts += [Text("Assumed", "bold"), *_bullets(play.scenario.assumptions), Text("Data", "bold")]
    parts += _bullets(sources(play))
    return Group(*parts)


def sources(play: Play) -> tuple[str, ...]:
    """Which days of which places were joined, and whom the data are owed to."""
    scenario = play.scenario
    joined = f"Played with {scenario.prices_say}; {scenario.carbon.says(scenario.days)}."
    owed = tuple(
        f"{each.what}: {each.source}, {each.licence}, {each.address}."
        for each in scenario.attributions
    )
    return (joined, *owed)


def _bullets(lines: tuple[str, ...]) -> list[RenderableType]:
    return [Padding(Text(f"- {line}", "grey70"), (0, 0, 0, 2)) for line in lines]


def show(play: Play, accounts: Accounts, console: Console) -> None:
    """Print the closing tables."""
    console.print(closing(play, accounts))
