"""The shapes of the report: labels tell the truth, and words cannot become markup."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from idlewatt_operator.twin import svg
from idlewatt_operator.twin.svg import Scale
from idlewatt_scheduler.calendar import wall_clock
from idlewatt_scheduler.model.units import HOUR

OSLO = ZoneInfo("Europe/Oslo")


@pytest.mark.parametrize("high", [0.27, 0.36, 1, 7, 9.4, 10, 42, 69, 1_234])
def test_every_tick_is_labelled_as_it_is(high: float) -> None:
    """A label read back is the value: 2.5 is never written as 2."""
    ticks = Scale(0, svg.nice_high(high), 100, 0).ticks()
    labels = svg.shown(ticks)
    assert [float(label.replace(",", "")) for label in labels] == pytest.approx(ticks)
    assert 3 <= len(ticks) <= 8
    assert max(ticks) >= high * 0.75


def test_a_scale_turns_values_into_pixels() -> None:
    """Low and high are its ends, what lies outside is held, and nothing divides by nothing."""
    scale = Scale(10, 20, 100, 0)
    assert (scale(10), scale(20), scale(15)) == (100, 0, 50)
    assert scale.clipped(99) == 0
    assert Scale(5, 5, 0, 100)(5) == 0


def test_words_are_escaped() -> None:
    """A name from a file is text in an attribute and in a label, whatever it holds."""
    markup = svg.tag("rect", data_tip='"><script>') + svg.text("<b>&", 0, 0)
    assert "<script>" not in markup
    assert "&lt;b&gt;&amp;" in markup


def test_a_step_holds_its_value_until_the_next() -> None:
    """Prices do not ramp: two points for each stretch."""
    assert svg.stepped([0, 10], 20, [5, 7]) == [(0, 5), (10, 5), (10, 7), (20, 7)]


def test_hours_are_labelled_with_the_clock_of_the_place() -> None:
    """On the night when clocks go back 02:00 comes twice, and a day begins at its midnight."""
    start = wall_clock(date(2021, 10, 30), 22 * 60, OSLO)
    labels = list(svg.hours(Scale(start, start + 7 * HOUR, 0, 1_000), OSLO))
    assert [words for _, words, _ in labels] == [
        "22:00", "23:00", "Sun 31 Oct", "01:00", "02:00", "02:00", "03:00", "04:00",
    ]  # fmt: skip
    assert [midnight for _, _, midnight in labels].index(True) == 2


def test_a_span_says_from_when_to_when_and_how_long() -> None:
    """Hours and minutes, in local time."""
    start = wall_clock(date(2022, 7, 12), 22 * 60 + 15, OSLO)
    assert svg.span_text(start, start + 5 * HOUR, OSLO) == "22:15 to 03:15 (5 h 0 min)"
    assert svg.span_text(start, start + HOUR // 2, OSLO) == "22:15 to 22:45 (30 min)"
