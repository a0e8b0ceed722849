"""The calibration as an SVG: a panel for each kind, a line for each way of asking."""

from xml.etree import ElementTree as ET

from idlewatt_operator.learning.calibration import CURVE_PERCENTS, Answer, Checked
from idlewatt_operator.learning.plot import picture


def a_check(*, stated: bool, arriving: bool, missed: float = 1.0) -> Checked:
    """A check in which `missed` times as many left as might."""
    answers = tuple(Answer(p, p * missed, 0.1, 1.0) for p in (1, 5, 10, 20))
    curve = tuple(p * missed for p in CURVE_PERCENTS)
    return Checked(stated, arriving, 1_439, 10_991, answers, answers, (), curve)


def parts(svg: str, name: str) -> list[ET.Element]:
    """All elements of this name."""
    return ET.fromstring(svg).findall(f".//{{http://www.w3.org/2000/svg}}{name}")  # noqa: S314


def test_a_kind_is_a_panel_and_a_way_of_asking_a_line() -> None:
    """Two kinds asked in two ways."""
    checked = [a_check(stated=s, arriving=a) for s in (True, False) for a in (True, False)]
    svg = picture("Calibration", [("Work & play", checked)])
    words = [part.text for part in parts(svg, "text")]
    assert "Work & play: departure stated" in words
    assert "asked as they came: 1,439 stays" in words
    assert len(parts(svg, "g")) == 2
    assert len(parts(svg, "path")) == 4
    assert len(parts(svg, "circle")) == 16
    assert [part.text for part in parts(svg, "title")] == ["Calibration"]


def test_what_keeps_its_promise_lies_on_the_diagonal() -> None:
    """Where 20 % were promised and 20 % left, the mark is as far right as it is high."""
    svg = picture("", [("", [a_check(stated=True, arriving=True)])])
    x, y = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in parts(svg, "circle")][-1]
    assert x - 62 == 46 + 330 - y


def test_what_lies_beyond_the_panel_is_not_drawn() -> None:
    """Twice what was promised leaves it above 15 %."""
    svg = picture("", [("", [a_check(stated=True, arriving=True, missed=2.0)])])
    assert len(parts(svg, "circle")) == 3
    (line,) = parts(svg, "path")
    assert line.get("d", "").count("L") == 14
