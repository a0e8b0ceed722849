"""A plan for people: who goes where, who waits and why, who leaves, and what it comes to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from idlewatt_operator.cli.answers import money, watt_hours
from idlewatt_operator.cli.priced import explained, priced
from idlewatt_operator.reconcile.phrases import waiting_message
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting
from idlewatt_scheduler.model.units import Instant

_PIPED_WIDTH: Final = 160
_ROWS_LAID_OUT: Final = 200
"""More rows than that are only aligned: laying out ten thousand takes a quarter of a minute."""

_STEPS_TOLD_FROM_SECONDS: Final = 1.0


def console() -> Console:
    """Standard output: as wide as the terminal, or wide enough where it is none."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPED_WIDTH)


def tables(
    plan: Plan, planning_seconds: float, noun: str, *, with_prices: bool = False
) -> RenderableType:
    """The whole answer; `noun` is what the candidates are called."""
    return Group(*_parts(plan, planning_seconds, noun, with_prices=with_prices))


def _parts(
    plan: Plan, planning_seconds: float, noun: str, *, with_prices: bool
) -> Iterator[RenderableType]:
    if plan.placements:
        yield _placements(plan.placements, plan.currency or "")
    if plan.leaving:
        yield _table(
            "Leaving",
            ("Pod", "Vehicle", "Reason"),
            ((leaving.pod.key, leaving.node, str(leaving.reason)) for leaving in plan.leaving),
        )
    if plan.waiting:
        yield _table("Waiting", ("Pods", "Condition", "Why"), _waiting_rows(plan.waiting, noun))
    if with_prices:
        yield from (_table(*part.titles, part.rows, right=part.right) for part in priced(plan))
        yield Text(f"{explained(plan)}\n")
    yield Text(_totals(plan, planning_seconds))


def _placements(placements: tuple[Placement, ...], currency: str) -> RenderableType:
    return _table(
        "Placements",
        ("Pod", "Vehicle", "Start", "Ready at", "Until", "Energy", "Cost"),
        (
            (
                placement.pod.key,
                placement.node,
                _clock(placement.start),
                _clock(placement.ready_at),
                _clock(placement.until),
                f"{watt_hours(placement.energy_watt_hours)} Wh",
                f"{money(placement.cost)} {currency}".rstrip(),
            )
            for placement in placements
        ),
        right=2,
    )


def _waiting_rows(waiting: tuple[Waiting, ...], noun: str) -> Iterator[tuple[str, str, str]]:
    """Pods that wait for the same reasons share a row: the first is named, the others counted."""
    alike: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for one in waiting:
        key = str(one.condition), waiting_message(one, noun)
        first.setdefault(key, one.pod.key)
        alike[key] += 1
    for (condition, message), count in alike.items():
        name = first[condition, message]
        others = f" and {count - 1} more" if count > 1 else ""
        yield f"{name}{others}", condition, message


def _table(
    title: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]], right: int = 0
) -> RenderableType:
    """A table whose last `right` columns are figures."""
    cells = list(rows)
    if len(cells) > _ROWS_LAID_OUT:
        return _LongTable(title, headings, cells, right)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for column in table.columns[len(headings) - right :]:
        column.justify = "right"
    for row in cells:
        table.add_row(*(escape(cell) for cell in row))
    return table


@dataclass(frozen=True, slots=True)
class _LongTable:
    """The same look, line by line: nothing is wrapped, so no line has to be measured twice."""

    title: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: int

    def __rich_console__(self, _: Console, __: ConsoleOptions) -> Iterator[Segment]:
        widths = [max(map(len, column)) for column in zip(self.headings, *self.rows, strict=True)]
        yield Segment(f"{self.title}\n", Style(bold=True))
        yield Segment("\n")
        yield Segment(self._line(self.headings, widths), Style(bold=True))
        yield Segment(f" {'─' * (sum(widths) + 3 * len(widths) - 1)}\n")
        for row in self.rows:
            yield Segment(self._line(row, widths))
        yield Segment("\n")

    def _line(self, row: tuple[str, ...], widths: list[int]) -> str:
        figures = len(row) - self.right
        cells = (
            cell.rjust(width) if place >= figures else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return f"  {'   '.join(cells).rstrip()}\n"


def _clock(instant: Instant) -> str:
    return format_instant(instant).replace("T", " ")


def _totals(plan: Plan, planning_seconds: float) -> str:
    cost = "" if plan.currency is None else f" for {money(plan.cost)} {plan.currency}"
    moved = f", {plan.moved} moved" if plan.moved else ""
    line = (
        f"At {format_instant(plan.at)}: {len(plan.placements)} placed{cost}, "
        f"{len(plan.waiting)} waiting, {len(plan.leaving)} leaving{moved}. "
        f"Planned in {planning_seconds:.2f} s; {_quality(plan)}."
    )
    steps = plan.step_seconds
    if sum(steps.values()) >= _STEPS_TOLD_FROM_SECONDS:
        told = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in steps.items())
        line = f"{line}\nThe steps: {told}."
    return f"{line}\n{plan.halted}" if plan.halted else line


def _quality(plan: Plan) -> str:
    """How far from the best it may be: the weight first, then the cost at that weight."""
    if plan.proven:
        return "no plan is better"
    if plan.gap:
        weight = f"at most {float(plan.gap):.2%} of the weight is missing"
    else:
        weight = "no plan has more weight"
    if plan.cost_gap is None:
        return weight
    if not plan.cost_gap:
        return f"{weight}, and none of that weight costs less"
    return f"{weight}, and at most {float(plan.cost_gap):.2%} of the cost could be saved"
