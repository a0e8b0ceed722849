"""scripts/fit_wear.py: what it asks the cell models, live, wherever they are installed."""

import csv
import io
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.cluster.places import CHECKOUT
from tests.unit.scheduler.test_wear import disagreement, excused

OWN = Path(sys.prefix) / "wear" / "bin" / "python"
PYTHON = str(OWN) if OWN.exists() else sys.executable


@pytest.mark.skipif(
    not OWN.exists() and find_spec("blast") is None,
    reason="blast-lite is not installed: `make wear` installs it",
)
def test_the_cell_models_themselves_agree_with_the_model() -> None:
    """Of six points drawn here, each simulated day by day for its years."""
    command = [PYTHON, "-W", "ignore", "scripts/fit_wear.py", "check", "6", "20261122"]
    said = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    points = list(csv.DictReader(io.StringIO(said)))
    assert len(points) == 6
    assert [point for point in points if disagreement(point) > 1 and not excused(point)] == []
