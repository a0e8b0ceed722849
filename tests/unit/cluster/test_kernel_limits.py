"""The limit of inotify instances."""

from pathlib import Path

import pytest
from tests.cluster.kernel_limits import allow_watching


@pytest.mark.parametrize(("given", "then"), [("128\n", "512\n"), ("1024\n", "1024\n")])
def test_a_low_limit_is_raised_and_no_other(tmp_path: Path, given: str, then: str) -> None:
    """It is never lowered."""
    limit = tmp_path / "limit"
    limit.write_text(given)
    allow_watching(limit)
    assert limit.read_text() == then


def test_where_there_is_none_nothing_happens(tmp_path: Path) -> None:
    """A machine without the file, or where it may not be written, goes on."""
    allow_watching(tmp_path / "missing")
    (tmp_path / "odd").write_text("many")
    allow_watching(tmp_path / "odd")
    assert (tmp_path / "odd").read_text() == "many"
