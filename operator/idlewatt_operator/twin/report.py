"""The report: one HTML page that needs nothing from anywhere, to be looked at and kept."""

from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources
from typing import Final

from idlewatt_operator.twin.accounts import Accounts
from idlewatt_operator.twin.charts import Chart, hourly, price_and_power, vehicle_states
from idlewatt_operator.twin.circuit_charts import circuits
from idlewatt_operator.twin.closing import sources
from idlewatt_operator.twin.energy_charts import energy_charts
from idlewatt_operator.twin.figures import hours, kilograms, money, rows
from idlewatt_operator.twin.gantt import who_ran_where
from idlewatt_operator.twin.journal import Kind
from idlewatt_operator.twin.night import Play
from idlewatt_operator.twin.places import local_time

_STORY: Final = frozenset(
    {
        Kind.SUBMITTED,
        Kind.WAITING,
        Kind.OFF_PEAK,
        Kind.ON_PEAK,
        Kind.PLACED,
        Kind.RELEASED,
        Kind.DRAINED,
        Kind.TOLD,
        Kind.BOARDED,
        Kind.CURTAILED,
        Kind.RELIEVED,
        Kind.CHARGER,
        Kind.LINK_LOST,
        Kind.LINK_BACK,
        Kind.GIVEN_UP,
        Kind.FENCED,
        Kind.WAKE_FAILED,
        Kind.ENDED,
        Kind.BROKEN,
    }
)


def page(play: Play, accounts: Accounts) -> str:
    """The whole page, styles and scripts included."""
    title = f"idlewatt: {play.scenario.name}"
    body = "".join(_body(play, accounts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_asset('report.css')}</style>\n</head>\n"
        f'<body>\n<main>{body}</main>\n<div id="tip" role="status" hidden></div>\n'
        f"<script>\n{_asset('report.js')}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return (resources.files("idlewatt_operator.twin") / "assets" / name).read_text(encoding="utf-8")


def _body(play: Play, accounts: Accounts) -> Iterator[str]:
    yield _header(play, accounts)
    yield _cards(accounts)
    yield _figure(price_and_power(play))
    yield _figure(vehicle_states(play))
    yield _details("The same figures hour by hour", _table(hourly(play)))
    for chart in energy_charts(play):
        yield _figure(chart)
    yield _figure(who_ran_where(play))
    yield _figure(circuits(play))
    yield _accounts(accounts)
    yield _broken(accounts)
    yield "<h2>What happened, and why</h2>" + _story(play)
    yield "<h2>What is assumed</h2>" + _notes(play.scenario.assumptions)
    yield "<h2>Data, and whom they are owed to</h2>" + _notes(sources(play))


def _header(play: Play, accounts: Accounts) -> str:
    scenario = play.scenario
    begin, end = (local_time(at, scenario.zone) for at in (scenario.start, scenario.end))
    when = (
        f"{begin:%A %-d %B %Y, %H:%M} to {end:%A %-d %B, %H:%M}, local time ({scenario.zone.key})"
    )
    pods = sum(each.workload.count for each in scenario.submissions)
    cars = len(scenario.vehicles)
    what = f"{cars} vehicles, {pods} pods, {play.cycles} cycles, seed {scenario.seed}"
    return (
        f'<header><p class="brand">idlewatt</p><h1>{escape(scenario.name.capitalize())}</h1>'
        f"<p>{escape(when)}</p><p>{escape(what)}</p>"
        f'<p class="summary">{escape(_summary(accounts))}</p></header>'
    )


def _summary(accounts: Accounts) -> str:
    promises = accounts.promises
    broken = promises.times_broken
    owner = promises.owner
    return (
        f"Parked cars did {hours(accounts.computed.delivered_hours)} of pods' work and earned "
        f"{money(accounts.paid.earned)} for their owners and hosts. Of {owner.chances} departures "
        f"{owner.kept} left with the charge that was promised and an empty computer. "
        + (
            "No promise was broken."
            if not broken
            else f"{broken} promises were broken; they are listed."
        )
    )


def _cards(accounts: Accounts) -> str:
    computing, computed = accounts.computing, accounts.computed
    broken = accounts.promises.times_broken
    share = float(computing.off_peak_kwh / computing.kwh) if computing.kwh else 0.0
    cards = (
        (hours(computed.delivered_hours), "of pods' work delivered", ""),
        (money(accounts.paid.total), f"paid, {accounts.vehicles_paid} vehicles worked", ""),
        (f"{share:.0%}", "of computing was off-peak", ""),
        (kilograms(computing.kilograms), "of CO2 from computing, marginal", ""),
        (str(broken), "promises broken", "bad" if broken else "good"),
    )
    shown = "".join(
        f'<div class="card {kind}"><b>{escape(figure)}</b><span>{escape(words)}</span></div>'
        for figure, words, kind in cards
    )
    return f'<div class="cards">{shown}</div>'


def _figure(chart: Chart) -> str:
    legend = "".join(
        f'<li><i class="{kind}"></i>{escape(words)}</li>' for kind, words in chart.legend
    )
    return (
        f'<h2 id="{chart.identity}-title">{escape(chart.title)}</h2>'
        f'<p class="lead">{escape(chart.lead)}</p><ul class="legend">{legend}</ul>'
        f"<figure>{chart.markup}</figure>"
    )


def _table(lines: list[tuple[str, ...]]) -> str:
    head = "".join(f'<th class="number" scope="col">{escape(cell)}</th>' for cell in lines[0])
    body = "".join(
        "<tr>" + "".join(f'<td class="number">{escape(cell)}</td>' for cell in line) + "</tr>"
        for line in lines[1:]
    )
    return _scrolling(f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


def _scrolling(inner: str, kind: str = "figures") -> str:
    return f'<div class="scroll"><table class="{kind}">{inner}</table></div>'


def _details(summary: str, inner: str) -> str:
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>"


def _accounts(accounts: Accounts) -> str:
    lines = "".join(
        f"<tr{' class=heading' if row.heading else ''}><td>{escape(row.what)}</td>"
        f'<td class="number{" bad" if row.bad else ""}">{escape(row.with_us)}</td>'
        f'<td class="number">{escape(row.without)}</td>'
        f'<td class="note">{escape(row.note)}</td></tr>'
        for row in rows(accounts)
    )
    head = "".join(
        f'<th class="number" scope="col">{words}</th>' for words in ("with idlewatt", "without")
    )
    return (
        '<h2>The accounts, with idlewatt and without</h2><p class="lead">Without: the same stays, '
        "every car charged at once, and nothing computed. Everything is counted from what "
        "happened, never from what was planned.</p>"
        + _scrolling(
            f"<thead><tr><th></th>{head}<th></th></tr></thead><tbody>{lines}</tbody>", "accounts"
        )
    )


def _broken(accounts: Accounts) -> str:
    promises = accounts.promises
    parts = [
        f"<h3>To the {escape(each.to_whom)}</h3>" + _notes(each.broken)
        for each in promises.each()
        if each.broken
    ]
    if promises.owner.apart:
        parts.append(
            "<h3>Counted apart: charge points that failed</h3>" + _notes(promises.owner.apart)
        )
    if promises.over_unshed:
        parts.append(
            f"<p>In {promises.over_unshed} circuit minutes a limit was passed while nothing there "
            "was ours to shed any sooner.</p>"
        )
    return "<h2>What was broken</h2>" + "".join(parts) if parts else ""


def _story(play: Play) -> str:
    zone = play.scenario.zone
    lines = "".join(
        f'<li class="{fact.kind}"><time>{local_time(fact.at, zone):%H:%M}</time>'
        f"{escape(fact.text)}</li>"
        for fact in play.journal.facts
        if fact.kind in _STORY
    )
    return _details("Everything the operator said and did", f'<ol class="story">{lines}</ol>')


def _notes(lines: Iterable[str]) -> str:
    return '<ul class="notes">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
