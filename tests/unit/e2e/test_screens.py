"""Screens of a run are kept, and put where a page has a place for them."""

from pathlib import Path

from tests.e2e.screens import TAKEN, Screens, names_in, pages, with_screens

PAGE = """\
Before.

<!-- screen: vehicles -->
```console
$ old
```
<!-- end of screen -->

Between.

<!-- screen: others -->
kept
<!-- end of screen -->
"""


def test_a_block_is_written_anew(tmp_path: Path) -> None:
    """Its command and what that printed; what is around it stays, and other blocks too."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    screens = Screens(tmp_path / "screens")
    assert screens.keep("vehicles", "kubectl get vn", "A  \nB\n\n") == "A  \nB\n\n"
    assert screens.write_into([page]) == [page]
    assert page.read_text() == PAGE.replace("$ old", "$ kubectl get vn\nA\nB")
    assert (tmp_path / "screens" / "vehicles.txt").read_text() == "$ kubectl get vn\nA\nB\n"


def test_a_page_without_a_change_is_left_alone(tmp_path: Path) -> None:
    """It is not among those that changed."""
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert Screens(tmp_path).write_into([page]) == []


def test_a_backslash_in_a_screen_is_a_backslash() -> None:
    """What is printed is no pattern."""
    text = with_screens(PAGE, {"vehicles": "$ a\n\\1 \\g<0>\n"})
    assert "\\1 \\g<0>" in text


def test_the_places_of_a_page_are_known() -> None:
    """By their names, in their order."""
    assert names_in(PAGE) == ["vehicles", "others"]


def test_every_screen_is_shown_and_every_place_is_filled() -> None:
    """What a run keeps stands on a page, and what a page has a place for is kept by a run."""
    shown = {name for page in pages() for name in names_in(page.read_text(encoding="utf-8"))}
    assert shown == TAKEN
