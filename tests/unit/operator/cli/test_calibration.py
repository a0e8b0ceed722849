"""The table of a check: a row for each probability, with what chance alone would do."""

import io

from rich.console import Console

from idlewatt_operator.cli.calibration import table
from idlewatt_operator.learning.calibration import Answer, Checked


def shown(checked: Checked) -> list[list[str]]:
    """The rows' words."""
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(table(checked))
    return [line.split() for line in console.export_text().splitlines() if line.strip()]


def a_check(*, arriving: bool, plain: bool) -> Checked:
    """A check of 400 stays at 5 and 20 %."""
    answers = tuple(Answer(p, p + 0.5, 0.25, 1.5) for p in (5, 20))
    return Checked(
        stated=plain,
        arriving=arriving,
        stays=400,
        asked=9_000,
        learned=answers,
        pooled=answers,
        plain=answers if plain else (),
        curve=(),
    )


def test_a_row_says_what_came_of_a_promise() -> None:
    """Promised, kept, what chance would do, and the three losses."""
    title, heading, _, first, second = shown(a_check(arriving=True, plain=True))
    assert " ".join(title) == "Departure stated, asked on arrival: 400 stays"
    assert " ".join(heading[-3:]) == "as stated, h"
    assert " ".join(first) == "5 % 5.5 % 2.9 to 7.1 % 1.50 0.250 0.250 0.250"
    assert " ".join(second) == "20 % 20.5 % 16.1 to 23.9 % 1.50 0.250 0.250 0.250"


def test_questions_about_the_same_stay_are_not_independent() -> None:
    """No range is given for them; and where nothing was stated there is no plain answer."""
    title, heading, _, first, _ = shown(a_check(arriving=False, plain=False))
    asked = "Nothing stated, asked every half hour while there: 400 stays, 9,000 times"
    assert " ".join(title) == asked
    assert "stated," not in heading
    assert " ".join(first) == "5 % 5.5 % 1.50 0.250 0.250"
