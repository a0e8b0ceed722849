"""How what was learned of departures did on other sessions, as a table."""

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.table import Table

from idlewatt_operator.learning.calibration import Answer, Checked

_KINDS: Final = {True: "Departure stated", False: "Nothing stated"}
_WAYS: Final = {True: "asked on arrival", False: "asked every half hour while there"}


def table(checked: Checked) -> Table:
    """A row for each probability: what came of it, and the loss against plainer answers.

    The range is where 19 of 20 fair checks of as many stays end up. There is none where a stay is
    asked about many times: its answers are wrong together.
    """
    title = (
        f"{_KINDS[checked.stated]}, {_WAYS[checked.arriving]}: {checked.stays:,} stays"
        f"{'' if checked.arriving else f', {checked.asked:,} times'}"
    )
    found = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for heading in ("May leave earlier", "Left earlier", "Fair range", "Hours to spare"):
        found.add_column(heading, justify="right")
    for heading in ("Loss, h", "one for all, h", *(("as stated, h",) if checked.plain else ())):
        found.add_column(heading, justify="right")
    for number, answer in enumerate(checked.learned):
        found.add_row(
            f"{answer.percent:g} %",
            f"{answer.missed_percent:.1f} %",
            _range(answer.percent, checked.stays) if checked.arriving else "",
            f"{answer.spare_hours:.2f}",
            f"{answer.pinball_hours:.3f}",
            *(f"{each.pinball_hours:.3f}" for each in _others(checked, number)),
        )
    return found


def _others(checked: Checked, number: int) -> Sequence[Answer]:
    return [row[number] for row in (checked.pooled, checked.plain) if row]


def _range(percent: float, stays: int) -> str:
    share = percent / 100
    half = 196 * (share * (1 - share) / stays) ** 0.5
    return f"{max(0.0, percent - half):.1f} to {percent + half:.1f} %"
