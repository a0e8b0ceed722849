"""docs/explanation: each example that is worked out on a page is run, and its figures are true."""

from pathlib import Path

import pytest
from tests.cluster.places import CHECKOUT
from tests.pages import blocks

EXPLANATION = CHECKOUT / "docs" / "explanation"
PAGES = sorted(page for page in EXPLANATION.glob("*.md") if blocks(page, "python"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_s_figures_are_true(page: Path) -> None:
    """Its blocks of Python are run one after the other, and each claims something."""
    names: dict[str, object] = {"__name__": "worked_example"}
    for number, block in enumerate(blocks(page, "python"), 1):
        assert "assert " in block.text, f"block {number} of {page.name} claims nothing"
        code = compile(block.text, f"{page.name}, block {number}", "exec")
        exec(code, names)  # noqa: S102 # our own pages, as a reader would type them
