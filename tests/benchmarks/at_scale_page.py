"""What was measured of planning at scale, as tables for a terminal and a page, and as a picture."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Final

from rich.table import Table
from tests.benchmarks.from_files import FromFiles
from tests.benchmarks.measuring import Measured, Way

from idlewatt_operator.twin.svg import Scale, nice_high, path, shown, tag, text

BEGIN: Final = "<!-- measured: written by `make bench-planner` -->"
END: Final = "<!-- /measured -->"
NOTHING: Final = "–"  # noqa: RUF001 - a dash, as tables show what is not there

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All measurements of one run, and what they were made on."""

    cases: Sequence[Measured]
    growth: Sequence[Measured]
    files: Sequence[FromFiles]
    machine: str
    day: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table before it is drawn anywhere: its heading, its columns, its rows."""

    title: str
    columns: Cells
    rows: tuple[Cells, ...]


def tables(report: Report) -> Iterator[Table]:
    """For a terminal."""
    for rows in _all_rows(report):
        table = Table(title=rows.title, title_justify="left")
        for number, column in enumerate(rows.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in rows.rows:
            table.add_row(*row)
        yield table


def write_page(report: Report, page: Path, picture: Path) -> None:
    """Put the tables between their marks on the page, and draw the picture where sizes grow.

    Raises:
        ValueError: the page lacks a mark.
    """
    written = page.read_text(encoding="utf-8")
    before, begin, rest = written.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"{page.name} has no lines {BEGIN!r} and {END!r} to write the tables between."
        raise ValueError(message)
    seeds = f"{report.seeds[0]} to {report.seeds[-1]}"
    lines = [f"Measured on {report.day}: {report.machine}; seeds {seeds}.", ""]
    for rows in _all_rows(report):
        lines += [f"**{rows.title}**", "", *_markdown(rows), ""]
    page.write_text(f"{before}{begin}\n\n" + "\n".join(lines) + f"\n{end}{after}", encoding="utf-8")
    if report.growth:
        picture.write_text(_picture(report) + "\n", encoding="utf-8")


def _markdown(rows: Rows) -> Iterator[str]:
    yield f"| {' | '.join(rows.columns)} |"
    yield "|---" + "|---:" * (len(rows.columns) - 1) + "|"
    for row in rows.rows:
        yield f"| {' | '.join(row)} |"


def _all_rows(report: Report) -> Iterator[Rows]:
    yield _ours(report.cases)
    if any(each.greedy for each in report.cases):
        yield _beside(report.cases)
    yield _steps(report.cases)
    if report.growth:
        yield _growth(report)
    if report.files:
        yield _files(report.files)


def _grouped(measured: Iterable[Measured]) -> Iterator[tuple[str, list[Measured]]]:
    for (vehicles, pods, plenty), each in groupby(
        measured, lambda one: (one.vehicles, one.pods, one.plenty)
    ):
        yield f"{vehicles:,} x {pods:,}, {plenty}", list(each)


def _ours(cases: Sequence[Measured]) -> Rows:
    columns = (
        *("vehicles x pods", "seconds", "CPU", "weight gap", "cost gap", "proven"),
        *("3 % changed", "CPU", "moved", "unchanged", "moved", "peak MiB", "rules broken"),
    )
    rows = tuple((name, *_our_cells(each)) for name, each in _grouped(cases))
    return Rows("Plans by prices: medians", columns, rows)


def _our_cells(each: Sequence[Measured]) -> Iterator[str]:
    cold = [one.cold for one in each]
    changed, same = [one.changed for one in each], [one.same for one in each]
    yield _seconds(way.seconds for way in cold)
    yield _seconds(way.cpu_seconds for way in cold)
    yield _percent(_weight_gap(way, way.bound) for way in cold)
    yield _percent(_cost_gap(way, way.cost_bound) for way in cold)
    yield f"{sum(way.proven for way in cold)} of {len(cold)}"
    yield _seconds(way.seconds for way in changed)
    yield _seconds(way.cpu_seconds for way in changed)
    yield f"{median(way.moved or 0 for way in changed):.0f}"
    yield _seconds(way.seconds for way in same)
    yield f"{median(way.moved or 0 for way in same):.0f}"
    yield f"{median(one.peak_mebibytes for one in each):.0f}"
    checked = [way.broken for way in cold if way.broken is not None]
    yield str(sum(checked)) if checked else NOTHING


def _beside(cases: Sequence[Measured]) -> Rows:
    columns = ("vehicles x pods", "way", "seconds", "placed", "weight gap", "cost gap", "cost")
    ways: tuple[tuple[str, Callable[[Measured], Way | None]], ...] = (
        ("prices", lambda one: one.cold),
        ("prices, 3 % changed", lambda one: one.changed),
        ("greedy", lambda one: one.greedy),
        ("one at a time", lambda one: one.one_at_a_time),
    )
    rows = [
        (name, words, *_beside_cells(each, way))
        for name, each in _grouped(cases)
        for words, way in ways
        if all(map(way, each))
    ]
    return Rows("Beside greedy and kube-scheduler's rule: medians", columns, tuple(rows))


def _beside_cells(
    each: Sequence[Measured], way_of: Callable[[Measured], Way | None]
) -> Iterator[str]:
    """A gap of cost is only told where no less weight was placed than by prices."""
    pairs = [(one, way) for one in each if (way := way_of(one)) is not None]
    bounds = [(way, way if way is one.changed else one.cold) for one, way in pairs]
    yield _seconds(way.seconds for way, _ in bounds)
    yield f"{median(way.placed for way, _ in bounds):,.0f}"
    yield _percent(_weight_gap(way, best.bound) for way, best in bounds)
    yield _percent(
        _cost_gap(way, best.cost_bound) if way.weight >= best.weight else None
        for way, best in bounds
    )
    ratios = [way.cost / best.cost for way, best in bounds if best.cost]
    yield f"{median(ratios):.2f} x" if ratios else NOTHING


def _steps(cases: Sequence[Measured]) -> Rows:
    names = list(dict.fromkeys(name for each in cases for name in each.cold.steps))
    rows = []
    for name, each in _grouped(cases):
        for words, ways in (
            ("cold", [one.cold for one in each]),
            ("3 % changed", [one.changed for one in each]),
        ):
            spent = [_seconds(way.steps.get(step, 0.0) for way in ways) for step in names]
            rows.append((f"{name}, {words}", *spent))
    return Rows("Seconds of each step: medians", ("vehicles x pods", *names), tuple(rows))


def _growth(report: Report) -> Rows:
    columns = ("vehicles x pods", "seconds", "CPU", "3 % changed", "peak MiB", "weight gap")
    rows = [
        (
            f"{each.vehicles:,} x {each.pods:,}",
            f"{each.cold.seconds:.2f}",
            f"{each.cold.cpu_seconds:.2f}",
            f"{each.changed.seconds:.3f}",
            f"{each.peak_mebibytes:.0f}",
            _percent([_weight_gap(each.cold, each.cold.bound)]),
        )
        for each in _grown(report)
    ]
    return Rows("Growth: scarce supply, one seed each", columns, tuple(rows))


def _files(files: Sequence[FromFiles]) -> Rows:
    columns = ("vehicles x pods", "from", "MiB", "seconds", "CPU")
    groups = groupby(files, lambda one: (one.vehicles, one.pods, one.form))
    rows = []
    for (vehicles, pods, form), group in groups:
        each = list(group)
        size = f"{median(one.mebibytes for one in each):.0f}"
        spent = (one.cpu_seconds for one in each)
        seconds = _seconds(one.seconds for one in each)
        rows.append((f"{vehicles:,} x {pods:,}", form.upper(), size, seconds, _seconds(spent)))
    return Rows("`idlewatt plan -f`, from prompt to prompt: medians", columns, tuple(rows))


def _grown(report: Report) -> list[Measured]:
    """The sizes that grow, and after them the largest of the cases."""
    ratio = [one for one in report.cases if one.pods == 2 * one.vehicles]
    largest = max(ratio, key=lambda one: one.vehicles, default=None)
    known = {one.vehicles for one in report.growth}
    more = [largest] if largest and largest.vehicles > max(known, default=0) else []
    return [*report.growth, *more]


def _weight_gap(way: Way, bound: int | None) -> float | None:
    if bound is None:
        return None
    return 100 * (bound - way.weight) / bound if bound else 0.0


def _cost_gap(way: Way, bound: float | None) -> float | None:
    if bound is None:
        return None
    return 100 * (way.cost - bound) / way.cost if way.cost else 0.0


def _percent(gaps: Iterable[float | None]) -> str:
    known = [gap for gap in gaps if gap is not None]
    if not known:
        return NOTHING
    middle = median(known)
    return f"{middle:.3f} %" if middle < 1 else f"{middle:.1f} %"


def _seconds(seconds: Iterable[float]) -> str:
    middle = median(seconds)
    return f"{middle:.3f}" if middle < 1 else f"{middle:.2f}"


# --- the picture

_WIDTH: Final = 380.0
_HEIGHT: Final = 300.0
_LEFT: Final = 58.0
_TOP: Final = 40.0
_BOTTOM: Final = 240.0
_RIGHT: Final = 360.0
_INK: Final = "#24313c"
_FAINT: Final = "#d5dce2"
_FIRST: Final = "#0b6e4f"
_SECOND: Final = "#c25b12"


def _picture(report: Report) -> str:
    """Time and memory as fleets grow: an SVG that needs nothing else."""
    grown = _grown(report)
    thousands = [one.vehicles / 1_000 for one in grown]
    cold, changed = (
        [one.cold.seconds for one in grown],
        [1_000 * one.changed.seconds for one in grown],
    )
    panels = (
        _panel("Seconds to plan, cold", thousands, cold, _FIRST),
        _panel("Milliseconds, 3 % changed", thousands, changed, _FIRST),
        _panel("Peak memory, MiB", thousands, [one.peak_mebibytes for one in grown], _SECOND),
    )
    return tag(
        "svg",
        tag("title", "How time and memory of planning grow with the fleet"),
        tag("rect", width=3 * _WIDTH, height=_HEIGHT, fill="#ffffff"),
        *(
            tag("g", *panel, transform=f"translate({_WIDTH * number:g} 0)")
            for number, panel in enumerate(panels)
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {3 * _WIDTH:g} {_HEIGHT:g}",
        role="img",
        font_family="system-ui, sans-serif",
        font_size=12,
        fill=_INK,
    )


def _panel(title: str, across: Sequence[float], up: Sequence[float], colour: str) -> Iterator[str]:
    x = Scale(0, nice_high(max(across)), _LEFT, _RIGHT)
    y = Scale(0, nice_high(max(up)), _BOTTOM, _TOP)
    yield text(title, _LEFT, 22.0, font_weight=600, font_size=13)
    for tick, words in zip(y.ticks(), shown(y.ticks()), strict=True):
        yield tag("line", x1=_LEFT, x2=_RIGHT, y1=y(tick), y2=y(tick), stroke=_FAINT)
        yield text(words, _LEFT - 8.0, y(tick) + 4.0, text_anchor="end")
    for tick, words in zip(x.ticks(), shown(x.ticks()), strict=True):
        yield text(words, x(tick), _BOTTOM + 18.0, text_anchor="middle")
    yield text(
        "thousand vehicles, two pods each",
        (_LEFT + _RIGHT) / 2,
        _BOTTOM + 40.0,
        text_anchor="middle",
    )
    points = [(x(a), y(b)) for a, b in zip(across, up, strict=True)]
    yield tag("path", d=path(points), fill="none", stroke=colour, stroke_width=2)
    for at, height in points:
        yield tag("circle", cx=at, cy=height, r=3.5, fill=colour)
