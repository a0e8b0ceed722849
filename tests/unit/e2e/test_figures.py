"""Figures of a run are kept as they are measured."""

import json
from pathlib import Path

from tests.e2e.figures import Figures


def test_a_figure_is_kept_at_once(tmp_path: Path) -> None:
    """What was measured before a run broke off is not lost; seconds are kept to a tenth."""
    figures = Figures(tmp_path / "build" / "figures.json")
    figures.note("drain (s)", 1.2345)
    figures.note("requests lost", 0)
    figures.note("drain (s)", 2.0)
    kept = json.loads((tmp_path / "build" / "figures.json").read_text())
    assert kept == {"drain (s)": 2.0, "requests lost": 0}
    assert [line.split() for line in figures.table()] == [
        ["drain", "(s)", "2.0"],
        ["requests", "lost", "0"],
    ]
