"""The live view draws itself at any width, and the plain lines say the same."""

import asyncio
from datetime import date
from io import StringIO
from itertools import pairwise

import pytest
from rich.console import Console

from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.lines import Lines
from idlewatt_operator.twin.night import Look, Play
from idlewatt_operator.twin.screen import Screen
from idlewatt_scheduler.model.units import HOUR

EVENING = date(2022, 7, 12)


@pytest.fixture(name="played", scope="module")
def half_a_night() -> tuple[Play, list[Look], str]:
    """Play a small night and keep its looks, and what the plain lines printed."""
    printed = StringIO()
    play = Play(a_night(EVENING, 5, 9, 7))
    lines = Lines(play, Console(file=printed, width=80))
    looks: list[Look] = []

    async def watch(look: Look) -> None:
        looks.append(look)
        await lines.watch(look)

    asyncio.run(play.run(watch))
    return play, looks, printed.getvalue()


@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (80, 36), (120, 44), (200, 60)])
def test_a_frame_fits_its_terminal(
    played: tuple[Play, list[Look], str], width: int, height: int
) -> None:
    """Fleet, events and, where there is room, prices; no more than the terminal holds."""
    play, looks, _ = played
    printed = StringIO()
    console = Console(file=printed, width=width, height=height, force_terminal=False)
    screen = Screen(play, console, 0)
    look = looks[len(looks) // 2]
    console.print(screen.frame(look, 0.5))
    shown = printed.getvalue()
    assert "fleet: 5 vehicles" in shown
    assert "what just happened, and why" in shown
    assert ("$ a kWh" in shown) is (height > 20)
    assert "Wed 13 July 2022  01:00" in shown
    assert max(len(line) for line in shown.splitlines()) <= width
    assert len(shown.splitlines()) <= height


def test_a_line_for_each_hour_says_fleet_pods_price_and_money(
    played: tuple[Play, list[Look], str],
) -> None:
    """Every state is counted, and all of them together are the fleet."""
    _, looks, printed = played
    hours = [line for line in printed.splitlines() if "  == " in line]
    assert len(hours) == (looks[-1].at - looks[0].at) // HOUR + 1
    for line in hours:
        fleet = line.partition("== ")[2].partition(";")[0]
        assert sum(int(part.split()[0]) for part in fleet.split(", ")) == 5
        assert "a kWh, o" in line


def test_looks_come_every_five_minutes_and_add_up(played: tuple[Play, list[Look], str]) -> None:
    """Money and carbon only grow, and each look counts every vehicle."""
    _, looks, _ = played
    assert {after.at - before.at for before, after in pairwise(looks)} == {300_000}
    assert all(a.paid <= b.paid and a.kilograms <= b.kilograms for a, b in pairwise(looks))
    assert {len(look.states) for look in looks} == {5}
