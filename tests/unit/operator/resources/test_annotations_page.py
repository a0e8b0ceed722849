"""The page about annotations lists those that are read, and shows the sentences that are said."""

import re
from pathlib import Path

import yaml

from idlewatt_operator.resources import annotations
from idlewatt_operator.resources.annotations import PREFIX, read_annotations

PAGE = (Path(__file__).resolve().parents[4] / "docs/reference/pod-annotations.md").read_text(
    encoding="utf-8"
)


def test_every_annotation_is_on_the_page() -> None:
    """And none that is not read."""
    listed = re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE)
    assert listed == list(annotations._KNOWN)  # noqa: SLF001  # the list is the module's own


def test_the_sentences_on_the_page_are_said() -> None:
    """Word by word."""
    said = read_annotations({f"{PREFIX}expected-runtme": "1h", f"{PREFIX}power": "350W"}).invalid
    assert [line.strip() for line in PAGE.splitlines() if line.startswith("    annotation ")] == [
        *said
    ]


def test_the_example_on_the_page_is_right() -> None:
    """A newcomer copies it."""
    (block,) = re.findall(r"^```yaml$(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    written = yaml.safe_load(block)["spec"]["template"]["metadata"]["annotations"]
    read = read_annotations(written)
    assert read.invalid == ()
    assert read.demand.expected_runtime == 5_400_000
