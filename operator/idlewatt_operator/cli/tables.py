"""A plan for people: who goes where, who waits and why, who leaves, and what it comes to."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from idlewatt_operator.cli.answers import money, watt_hours
from idlewatt_operator.reconcile.phrases import waiting_message
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting
from idlewatt_scheduler.model.units import Instant

_PIPED_WIDTH: Final = 160


def console() -> Console:
    """Standard output: as wide as the terminal, or wide enough where it is none."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPED_WIDTH)


def tables(plan: Plan, planning_seconds: float, noun: str) -> RenderableType:
    """The whole answer; `noun` is what the candidates are called."""
    return Group(*_parts(plan, planning_seconds, noun))


def _parts(plan: Plan, planning_seconds: float, noun: str) -> Iterator[RenderableType]:
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
    yield Text(_totals(plan, planning_seconds))


def _placements(placements: tuple[Placement, ...], currency: str) -> Table:
    table = _table(
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
    )
    for column in table.columns[-2:]:
        column.justify = "right"
    return table


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


def _table(title: str, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def _clock(instant: Instant) -> str:
    return format_instant(instant).replace("T", " ")


def _totals(plan: Plan, planning_seconds: float) -> str:
    cost = "" if plan.currency is None else f" for {money(plan.cost)} {plan.currency}"
    if plan.proven:
        quality = "no plan is better"
    elif plan.gap:
        quality = f"at most {float(plan.gap):.2%} of the weight is missing"
    else:
        quality = "no plan has more weight"
    return (
        f"At {format_instant(plan.at)}: {len(plan.placements)} placed{cost}, "
        f"{len(plan.waiting)} waiting, {len(plan.leaving)} leaving. "
        f"Planned in {planning_seconds:.2f} s; {quality}."
    )
