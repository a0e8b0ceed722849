"""The answer of `idlewatt why` for people: one page, the nearest vehicles first."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from idlewatt_operator.cli.why_words import sentence
from idlewatt_operator.reconcile.advice import amount_of, clock, kind_of, rough
from idlewatt_operator.reconcile.phrases import histogram
from idlewatt_operator.reconcile.scarcity import in_few_words
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Placement
from idlewatt_scheduler.model.reasons import PodReason, Reason
from idlewatt_scheduler.model.shadow import PodPrice
from idlewatt_scheduler.model.units import HOUR, Instant
from idlewatt_scheduler.why import Advice, Answer, Prediction, Spell, Together, VehicleAnswer

_SHOWN: Final = 5
_CELL: Final = HOUR // 2
_FITS: Final = "█"
_MARKS: Final[Mapping[Reason, str]] = {
    PodReason.OUTSIDE_PARKING_WINDOW: "·",
    PodReason.LEAVES_TOO_EARLY: "<",
    PodReason.DEADLINE_MISSED: "!",
    PodReason.ON_PEAK: "^",
    PodReason.PRICE_UNKNOWN: "?",
}
_OTHERWISE: Final = "x"
_MEANING: Final[Mapping[str, str]] = {
    _FITS: "it would start",
    "·": "no parking window",
    "<": "leaves too early",
    "!": "too late for the deadline",
    "^": "on peak",
    "?": "price unknown",
    _OTHERWISE: "another reason",
}
_STYLES: Final[Mapping[str, str]] = {_FITS: "green", "^": "red", "?": "yellow", "<": "yellow"}


def page(
    answer: Answer, noun: str, price: PodPrice | None = None, *, every: bool = False
) -> RenderableType:
    """The whole answer.

    Args:
        answer: of one pod.
        noun: what the candidates are called.
        price: what one more place for such a pod would be worth; None: nobody knows.
        every: show all vehicles, not the nearest alone.
    """
    return Group(*_parts(answer, noun, price, every=every))


def _parts(
    answer: Answer, noun: str, price: PodPrice | None, *, every: bool
) -> Iterator[RenderableType]:
    yield Text(_headline(answer))
    if answer.placed is not None:
        return
    if len(answer.vehicles) > 1 or not answer.vehicles:
        yield Text(f"{histogram(answer.reasons, noun)}.")
    if scarce := in_few_words(price):
        yield Text(f"{scarce}.")
    if answer.prediction is not None:
        yield Text(_predicted(answer.prediction, answer.at), style="bold green")
    if answer.advice:
        yield _advice(answer, noun)
    elif answer.vehicles:
        yield Text(_no_advice(answer))
    shown = answer.vehicles if every else answer.vehicles[:_SHOWN]
    if shown:
        yield _vehicles(shown, answer)
    drawn = [vehicle for vehicle in answer.vehicles if set(_cells(vehicle.spells)) - {_OTHERWISE}]
    if drawn:
        yield _day(drawn, answer.at)
    yield from map(Text, _footnotes(answer, len(shown), noun))


def _headline(answer: Answer) -> str:
    moment = _day_and_time(answer.at)
    if answer.placed is not None:
        return f"Pod {answer.pod} does not wait: {_where(answer.placed, answer.at)}."
    return f"Pod {answer.pod} waits ({answer.condition}) at {moment} UTC."


def _where(placed: Placement, at: Instant) -> str:
    return (
        f"the plan places it on {placed.node}, to be ready by {clock(placed.ready_at, at)} "
        f"and to stay until {clock(placed.until, at)} UTC"
    )


def _day_and_time(instant: Instant) -> str:
    return format_instant(instant // 1_000 * 1_000).removesuffix("Z").replace("T", " ")


def _predicted(prediction: Prediction, at: Instant) -> str:
    start = f"Predicted start: {clock(prediction.at, at)} UTC, in {rough(prediction.at - at)}"
    ahead = f", after {prediction.ahead} others" if prediction.ahead else ""
    asked = "" if prediction.queue_asked else " at the earliest; the others that wait come first"
    return f"{start}, on {prediction.vehicle}{ahead}{asked}."


def _advice(answer: Answer, noun: str) -> Table:
    table = _table("What would place it now, each alone", ("Change", "The least", "On", noun))
    if any(isinstance(each.change, Together) for each in answer.advice):
        table.title = "\nNo single change is enough; together these are"
    for each in answer.advice:
        table.add_row(
            kind_of(each.change), amount_of(each.change, answer.at), each.vehicle, _of(each, answer)
        )
    return table


def _of(advice: Advice, answer: Answer) -> str:
    return f"{advice.vehicles} of {len(answer.vehicles)}"


def _no_advice(answer: Answer) -> str:
    if any(vehicle.examined for vehicle in answer.vehicles):
        return "Neither more time, less time, less power nor another price would place it."
    return "No change was looked for."


def _vehicles(shown: Iterable[VehicleAnswer], answer: Answer) -> Table:
    table = _table("Vehicles, the nearest first", ("Vehicle", "Fails", "Because", "Enough there"))
    for vehicle in shown:
        reasons = [str(each.reason) for each in vehicle.failing]
        figures = [sentence(each, answer.at) for each in vehicle.failing]
        changes = [amount_of(change, answer.at) for change in vehicle.changes]
        rows = max(len(reasons), len(changes))
        for row in range(rows):
            table.add_row(
                vehicle.name if row == 0 else "",
                reasons[row] if row < len(reasons) else "",
                figures[row] if row < len(figures) else "",
                changes[row] if row < len(changes) else "",
                end_section=rows > 1 and row == rows - 1,
            )
    return table


def _day(drawn: Iterable[VehicleAnswer], at: Instant) -> Group:
    """A cell for each half hour of the day to come, the hours above."""
    table = _table("If it were to start then (UTC)", ("", _hours(at)))
    used = ""
    for vehicle in drawn:
        cells = "".join(_cells(vehicle.spells))
        used += cells
        row = Text()
        for cell in cells:
            row.append(cell, style=_STYLES.get(cell, "dim"))
        table.add_row(vehicle.name, row)
    legend = "   ".join(f"{mark} {_MEANING[mark]}" for mark in _MEANING if mark in used)
    return Group(table, Text(f"  {legend}", style="dim"))


def _hours(at: Instant) -> str:
    """`22  00  02`: the hour above the cell in which it begins, every other one."""
    cells = [" "] * (24 * HOUR // _CELL + 2)
    first = -(-at // (2 * HOUR)) * 2 * HOUR
    for instant in range(first, at + 24 * HOUR, 2 * HOUR):
        place = (instant - at) // _CELL
        cells[place : place + 2] = f"{instant // HOUR % 24:02d}"
    return "".join(cells).rstrip()


def _cells(spells: Iterable[Spell]) -> Iterator[str]:
    for spell in spells:
        mark = _FITS if spell.reason is None else _MARKS.get(spell.reason, _OTHERWISE)
        yield mark * -(-(spell.end - spell.start) // _CELL)


def _footnotes(answer: Answer, shown: int, noun: str) -> Iterator[str]:
    if len(answer.vehicles) > shown:
        yield f"{len(answer.vehicles) - shown} more {noun}; --all shows them, -o json has it all."
    if answer.examined < len(answer.vehicles):
        yield (
            f"Changes were looked for on the {answer.examined} nearest of "
            f"{len(answer.vehicles)} {noun}."
        )
    if answer.prediction is not None or any(each.spells for each in answer.vehicles):
        yield (
            "\nForeseen is what is known: windows, prices, ends of stays and curtailments, "
            "acknowledged charging. Telemetry is taken to stay as it is, cars to keep their "
            "windows."
        )


def _table(title: str, headings: tuple[str, ...]) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
