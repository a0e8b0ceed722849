"""A short night through the production cycle: the same each time, and every plan feasible."""

import asyncio
import re
from collections import Counter
from datetime import date
from html import escape
from html.parser import HTMLParser
from io import StringIO

import pytest
from rich.console import Console

from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.twin.accounts import Accounts
from idlewatt_operator.twin.closing import closing
from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.journal import Kind
from idlewatt_operator.twin.meter import charged_alone
from idlewatt_operator.twin.night import Play
from idlewatt_operator.twin.report import page
from idlewatt_scheduler.feasibility import violations

TUESDAY = date(2022, 7, 12)
Played = tuple[Play, Accounts, list[Report]]


async def a_played_night(seed: int) -> Played:
    """Play ten cars and eighteen pods, and keep what every cycle reported."""
    reports: list[Report] = []
    play = Play(a_night(TUESDAY, 10, 18, seed), on_report=reports.append)
    return play, await play.run(), reports


@pytest.fixture(name="played", scope="module")
def once_played() -> Played:
    """Play one night for all the tests that only look at it."""
    return asyncio.run(a_played_night(7))


def test_no_plan_of_the_night_breaks_a_rule(played: Played) -> None:
    """The independent check finds nothing in any cycle, and there were cycles that placed pods."""
    _, _, reports = played
    broken = [found for each in reports for found in violations(each.situation.snapshot, each.plan)]
    assert broken == []
    assert any(each.plan.placements for each in reports)
    assert any(each.decisions.drain for each in reports)


async def test_the_same_seed_gives_the_same_accounts(played: Played) -> None:
    """Played twice, a night is equal to the last cent, event and container."""
    play, books, _ = played
    again, same_books, _ = await a_played_night(7)
    assert same_books == books
    assert again.journal.facts == play.journal.facts
    assert again.cluster.kubelets.runs == play.cluster.kubelets.runs


async def test_another_seed_is_another_night(played: Played) -> None:
    """The seed is what chances hang on."""
    _, books, _ = played
    _, others, _ = await a_played_night(8)
    assert others != books


def test_computing_never_takes_charge_from_a_car_that_needs_it(played: Played) -> None:
    """At every departure the battery holds what was promised, which is more than nothing."""
    _, books, _ = played
    assert books.promises.owner.chances > 0
    assert books.promises.owner.broken == ()


def test_charging_is_the_same_with_us_and_without(played: Played) -> None:
    """The chargers drew what they would have drawn, quarter by quarter within a watt-hour."""
    play, books, _ = played
    alone = charged_alone(play.scenario)
    assert books.charging_alone.kwh > 0
    for name, reading in play.meter.vehicles.items():
        assert sum(reading.charging) == pytest.approx(sum(alone.vehicles[name].charging), rel=1e-6)


def test_the_books_add_up(played: Played) -> None:
    """What circuits carried is what cars drew, and what is paid follows from it."""
    play, books, _ = played
    drawn = sum(sum(reading.computing) for reading in play.meter.vehicles.values())
    mains = [r for (_, name), r in play.meter.circuits.items() if name == "main"]
    assert sum(sum(reading.computing) for reading in mains) == drawn
    assert float(books.computing.kwh) == pytest.approx(drawn / 3.6e12)
    assert books.paid.total > 0
    assert books.paid.total == sum(
        (books.paid.availability, books.paid.energy, books.paid.wear, books.paid.waking)
    )


def test_a_link_is_lost_and_its_pods_start_elsewhere(played: Played) -> None:
    """They are given up, count until their fence or the link's return, and run somewhere else."""
    play, _, _ = played
    kinds = [fact.kind for fact in play.journal.facts]
    assert kinds.count(Kind.LINK_LOST) == 1
    assert kinds.index(Kind.GIVEN_UP) > kinds.index(Kind.LINK_LOST)
    lost = next(fact.vehicle for fact in play.journal.facts if fact.kind is Kind.LINK_LOST)
    workloads = Counter(run.pod.rpartition("-")[0] for run in play.cluster.kubelets.runs)
    there = {run.pod.rpartition("-")[0] for run in play.cluster.kubelets.runs if run.node == lost}
    assert all(workloads[name] > 1 for name in there)


def test_the_pod_no_car_can_carry_says_so(played: Played) -> None:
    """It waits as Unschedulable, and nobody is left without a reason."""
    play, books, _ = played
    giant = next(r for r in play.cluster.view().pods.values() if r.pod.name.startswith("giant"))
    assert giant.waiting_reason == "Unschedulable"
    assert "too small" in giant.waiting_message
    assert books.promises.platform.broken == ()


class Loads(HTMLParser):
    """Collects what a browser would fetch, and checks that tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.counts: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is opened and what it would load."""
        self.counts[tag] += 1
        if tag not in {"meta", "link", "img", "br"}:
            self.open.append(tag)
        self.fetched += [
            value or ""
            for key, value in attrs
            if key in {"src", "href", "srcset", "action", "data"}
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert self.open.pop() == tag


def test_the_report_needs_nothing_from_anywhere(played: Played) -> None:
    """No address is fetched: no source, no link, no import, no url() of a style."""
    play, books, _ = played
    html = page(play, books)
    loads = Loads()
    loads.feed(html)
    assert loads.open == []
    assert loads.fetched == []
    assert re.findall(r"https?://|@import|url\(|//cdn", html) == []


def test_the_report_shows_what_it_promises(played: Played) -> None:
    """Charts with words for those who cannot see them, every assumption, every attribution."""
    play, books, _ = played
    html = page(play, books)
    loads = Loads()
    loads.feed(html)
    assert loads.counts["svg"] == 4 + 3 * len(play.scenario.sites)
    assert loads.counts["desc"] == 4
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    for line in play.scenario.assumptions:
        assert escape(line) in html
    for owed in play.scenario.attributions:
        assert escape(owed.source) in html
        assert owed.licence in html
    assert "NaN" not in html


def test_the_closing_table_says_what_is_assumed(played: Played) -> None:
    """On the screen as in the report: assumptions, places and years, and promises."""
    play, books, _ = played
    printed = StringIO()
    Console(width=200, file=printed).print(closing(play, books))
    shown = printed.getvalue()
    for line in play.scenario.assumptions:
        assert line[:60] in shown
    assert "Texas, 12 to 13 July 2022" in shown
    assert "California, 9 to 10 July 2019" in shown
    assert "to the owner" in shown
