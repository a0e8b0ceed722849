"""The calibration as a picture: what was promised along, what came of it upwards."""

from collections.abc import Iterator, Sequence
from typing import Final

from idlewatt_operator.learning.calibration import CURVE_PERCENTS, Checked
from idlewatt_operator.twin.svg import Scale, path, tag, text

_WIDTH: Final = 420.0
_HEIGHT: Final = 480.0
_LEFT: Final = 62.0
_TOP: Final = 46.0
_SIDE: Final = 330.0
_MOST: Final = 30.0
_IN_A_ROW: Final = 2
_TICKS: Final = (0, 5, 10, 15, 20, 25, 30)
_INK: Final = "#24313c"
_FAINT: Final = "#d5dce2"
_COLOURS: Final = {True: "#0b6e4f", False: "#c25b12"}
_DASHES: Final = {True: None, False: "6 3"}
_SAYS: Final = {True: "asked as they came", False: "asked every half hour while there"}
_PANELS: Final = {True: "Departure stated", False: "Nothing stated"}
_MARKED: Final = (1, 5, 10, 20)


def picture(title: str, groups: Sequence[tuple[str, Sequence[Checked]]]) -> str:
    """One panel for each group and kind, two in a row, as an SVG that needs nothing else.

    Args:
        title: said to whoever cannot see it.
        groups: what was checked, and its heading.
    """
    panels = [
        (heading, stated, [each for each in checked if each.stated is stated])
        for heading, checked in groups
        for stated in (True, False)
    ]
    shown = [panel for panel in panels if panel[2]]
    width = _WIDTH * max(1, min(len(shown), _IN_A_ROW))
    height = _HEIGHT * max(1, -(-len(shown) // _IN_A_ROW))
    return tag(
        "svg",
        tag("title", _escaped(title)),
        tag("rect", width=width, height=height, fill="#ffffff"),
        *(
            tag("g", *_panel(heading, stated, checked), transform=_place(n))
            for n, (heading, stated, checked) in enumerate(shown)
        ),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        font_family="system-ui, sans-serif",
        font_size=12,
        fill=_INK,
    )


def _place(panel: int) -> str:
    row, column = divmod(panel, _IN_A_ROW)
    return f"translate({_WIDTH * column:g} {_HEIGHT * row:g})"


def _panel(heading: str, stated: bool, checked: Sequence[Checked]) -> Iterator[str]:  # noqa: FBT001 - the kind
    x = Scale(0, _MOST, _LEFT, _LEFT + _SIDE)
    y = Scale(0, _MOST, _TOP + _SIDE, _TOP)
    name = f"{heading}: {_PANELS[stated].lower()}" if heading else _PANELS[stated]
    yield text(name, _LEFT, 22.0, font_weight=600, font_size=13)
    yield from _axes(x, y)
    for each in checked:
        colour, dashes = _COLOURS[each.arriving], _DASHES[each.arriving]
        curve = zip(CURVE_PERCENTS, each.curve, strict=True)
        line = [(x(p), y(missed)) for p, missed in curve if missed <= _MOST]
        yield tag(
            "path",
            d=path(line),
            fill="none",
            stroke=colour,
            stroke_width=2,
            stroke_dasharray=dashes,
        )
        for answer in each.learned:
            if answer.percent in _MARKED and answer.missed_percent <= _MOST:
                yield tag(
                    "circle",
                    cx=x(answer.percent),
                    cy=y(answer.missed_percent),
                    r=3.5,
                    fill=colour,
                )
    yield from _legend(checked)


def _axes(x: Scale, y: Scale) -> Iterator[str]:
    for tick in _TICKS:
        yield tag("line", x1=x(tick), x2=x(tick), y1=y(0), y2=y(_MOST), stroke=_FAINT)
        yield tag("line", x1=x(0), x2=x(_MOST), y1=y(tick), y2=y(tick), stroke=_FAINT)
        yield text(f"{tick}", x(tick), y(0) + 18.0, text_anchor="middle")
        yield text(f"{tick}", x(0) - 8.0, y(tick) + 4.0, text_anchor="end")
    yield tag(
        "line", x1=x(0), y1=y(0), x2=x(_MOST), y2=y(_MOST), stroke="#8a97a3", stroke_dasharray="2 3"
    )
    middle = (y(0) + y(_MOST)) / 2
    yield text("promised: may leave earlier, %", x(_MOST / 2), y(0) + 40.0, text_anchor="middle")
    yield text(
        "left earlier, %",
        18.0,
        middle,
        text_anchor="middle",
        transform=f"rotate(-90 18 {middle:g})",
    )


def _legend(checked: Sequence[Checked]) -> Iterator[str]:
    for n, each in enumerate(checked):
        height = _TOP + _SIDE + 66.0 + 20.0 * n
        yield tag(
            "line",
            x1=_LEFT,
            x2=_LEFT + 28,
            y1=height,
            y2=height,
            stroke=_COLOURS[each.arriving],
            stroke_width=2,
            stroke_dasharray=_DASHES[each.arriving],
        )
        counted = f"{each.stays:,} stays" if each.arriving else f"{each.asked:,} times"
        yield text(f"{_SAYS[each.arriving]}: {counted}", _LEFT + 36, height + 4)


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")
