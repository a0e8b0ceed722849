"""The tables and the picture of measurements: medians, and honest dashes."""

from pathlib import Path

import pytest
from tests.benchmarks.at_scale import PAGE, Case
from tests.benchmarks.at_scale_page import BEGIN, END, Report, write_page
from tests.benchmarks.fleets import Size
from tests.benchmarks.from_files import FromFiles
from tests.benchmarks.instances import Plenty
from tests.benchmarks.measuring import Measured, Way


def a_way(seconds: float = 1.0, weight: int = 990, cost: float = 10.0, **more: object) -> Way:
    """Give a plan that may have placed 1 % more, and cost 10 % less."""
    fields = {"bound": 1_000, "cost_bound": 9.0, "moved": 3, **more}
    return Way(seconds, 2 * seconds, 50, weight, cost, {"place": seconds}, **fields)  # type: ignore[arg-type]


def a_measurement(seed: int, cold: Way, alone: Way | None = None) -> Measured:
    """Give one instance of 100 vehicles."""
    return Measured(
        vehicles=100,
        pods=200,
        plenty="scarce",
        seed=seed,
        peak_mebibytes=80.0 + seed,
        held_mebibytes=60.0,
        compile_seconds=0.0,
        cold=cold,
        changed=a_way(0.1),
        same=a_way(0.05, moved=0),
        greedy=a_way(0.2, weight=980, cost=12.0),
        one_at_a_time=alone or a_way(0.3, weight=995, cost=20.0, bound=None, cost_bound=None),
    )


def a_report(*cases: Measured) -> Report:
    """Give a report of these, of which the first is also how fleets grow."""
    files = [FromFiles(10, 10, "yaml", 1, 5.0, 6.0, 2.0)]
    return Report(cases, cases[:1], files, "2 cores", "2026-11-23", (1, 2, 3))


def written(report: Report, folder: Path) -> str:
    """Give the page as it is written, with what stands around the tables."""
    page, picture = folder / "page.md", folder / "picture.svg"
    page.write_text(f"before\n{BEGIN}\nlast week's\n{END}\nafter\n", encoding="utf-8")
    write_page(report, page, picture)
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    return page.read_text(encoding="utf-8")


def test_a_page_gets_new_tables_and_keeps_its_words(tmp_path: Path) -> None:
    """What stands between the marks is replaced, and nothing else."""
    text = written(a_report(a_measurement(1, a_way())), tmp_path)
    assert text.startswith(f"before\n{BEGIN}")
    assert text.endswith(f"{END}\nafter\n")
    assert "last week" not in text


def test_what_is_shown_is_the_median_of_the_seeds(tmp_path: Path) -> None:
    """Of three runs the middle one, for time, gaps and memory."""
    runs = [a_measurement(seed, a_way(seconds)) for seed, seconds in ((1, 9.0), (2, 2.0), (3, 3.0))]
    text = written(a_report(*runs), tmp_path)
    assert (
        "| 100 x 200, scarce | 3.00 | 6.00 | 1.0 % | 10.0 % | 0 of 3 | 0.100 | 0.200 | 3 "
        "| 0.050 | 0 | 82 | – |"  # noqa: RUF001 - a dash
    ) in text


def test_no_cost_gap_is_told_of_a_plan_that_placed_less(tmp_path: Path) -> None:
    """A plan that leaves pods out is cheap for a bad reason; its weight gap says so."""
    text = written(a_report(a_measurement(1, a_way())), tmp_path)
    assert "| 100 x 200, scarce | greedy | 0.200 | 50 | 2.0 % | – | 1.20 x |" in text  # noqa: RUF001
    assert "| 100 x 200, scarce | one at a time | 0.300 | 50 | 0.500 % | 55.0 % | 2.00 x |" in text


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    """Nothing is written over by guessing where the tables belong."""
    page = tmp_path / "page.md"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="has no lines"):
        write_page(a_report(a_measurement(1, a_way())), page, tmp_path / "picture.svg")


def test_the_page_of_the_documentation_has_its_marks() -> None:
    """The command that measures finds where its tables belong."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)


def test_a_case_is_read_with_its_supply_or_without() -> None:
    """Up to a pod a vehicle supply is ample, beyond that scarce, unless it is said."""
    assert Case.read("10x10") == Case(Size(10, 10), Plenty.AMPLE)
    assert Case.read("10x20") == Case(Size(10, 20), Plenty.SCARCE)
    assert Case.read("10x20/tight") == Case(Size(10, 20), Plenty.TIGHT)


@pytest.mark.parametrize("text", ["10", "10x0", "10x20/plenty", "x/tight"])
def test_what_is_no_case_is_refused_in_a_sentence(text: str) -> None:
    """Bad sizes and unknown supplies are told, with an example."""
    with pytest.raises(ValueError, match="write"):
        Case.read(text)
