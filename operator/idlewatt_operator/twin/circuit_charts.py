"""The load of every circuit against its limit, as small charts side by side."""

from html import escape
from typing import Final

from idlewatt_operator.twin import svg
from idlewatt_operator.twin.charts import Chart
from idlewatt_operator.twin.grid import house_watts, limit_watts
from idlewatt_operator.twin.meter import QUARTER
from idlewatt_operator.twin.night import Play
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.svg import Scale, tag

_WIDTH: Final = 350.0
_HEIGHT: Final = 170.0
_LEFT: Final = 34.0
_TOP: Final = 30.0
_BOTTOM: Final = 140.0
_SITES_SHOWN: Final = 6


def circuits(play: Play) -> Chart:
    """A chart for each circuit of the first six sites: house, charging, pods and the limit."""
    sites = play.scenario.sites[:_SITES_SHOWN]
    parts = [_one(play, site.name, each.name) for site in sites for each in site.circuits]
    lead = (
        "Means of quarters of an hour, the interval that grid use is billed by. The house is "
        "nobody's to move, nor is charging that somebody else controls; what is ours stays under "
        "the line."
    )
    rest = len(play.scenario.sites) - len(sites)
    if rest > 0:
        lead += f" {rest} more sites are in the accounts and not drawn."
    legend = (
        ("house", "house"),
        ("charging", "charging"),
        ("computing", "pods"),
        ("limit", "limit"),
    )
    markup = f'<div class="small-charts">{"".join(parts)}</div>'
    return Chart("circuits", "Circuits and their limits", lead, markup, legend)


def _one(play: Play, site: str, circuit: str) -> str:
    meter, scenario = play.meter, play.scenario
    reading = meter.circuits[site, circuit]
    first = next(each.circuits[0].name for each in scenario.sites if each.name == site)
    starts = list(meter.starts())
    house = [house_watts(scenario, site, at) / 1_000 if circuit == first else 0.0 for at in starts]
    charging = [joules / QUARTER / 1_000 for joules in reading.charging]
    computing = [joules / QUARTER / 1e6 for joules in reading.computing]
    limits = [limit_watts(scenario, site, circuit, at) / 1_000 for at in starts]
    totals = [sum(each) for each in zip(house, charging, computing, strict=True)]
    x = Scale(scenario.start, scenario.end, _LEFT, _WIDTH - 8)
    y = Scale(0, max(*limits, *totals) * 1.08, _BOTTOM, _TOP)
    layers = {"house": house, "charging": charging, "computing": computing}
    most = max(totals)
    name = f"{site} / {circuit}"
    parts = [svg.text(name, _LEFT, 16, class_="small-title"), _axes(play, x, y)]
    parts.append(_areas(x, y, starts, scenario.end, layers))
    line = svg.stepped([x(at) for at in starts], x(scenario.end), [y(limit) for limit in limits])
    parts.append(tag("path", d=svg.path(line), class_="limit"))
    label = f"{max(limits):g} kW"
    parts.append(svg.text(label, _WIDTH - 10, y(max(limits)) - 4, class_="tick end limit-label"))
    parts += _hits(play, x, starts, layers, limits)
    identity = f"circuit-{site}-{circuit}"
    said = f"{name}: at most {most:.1f} of {max(limits):g} kW in any quarter of an hour."
    return tag(
        "svg", tag("title", escape(said)), *parts,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}", role="img", id=identity,
    )  # fmt: skip


def _axes(play: Play, x: Scale, y: Scale) -> str:
    parts = []
    for value in y.ticks():
        parts.append(tag("line", x1=_LEFT, x2=_WIDTH - 8, y1=y(value), y2=y(value), class_="grid"))
        parts.append(svg.text(f"{value:g}", _LEFT - 5, y(value) + 4, class_="tick end"))
    for at, words, midnight in svg.hours(x, play.scenario.zone):
        kind = "grid day" if midnight else "grid"
        parts.append(tag("line", x1=x(at), x2=x(at), y1=_TOP, y2=_BOTTOM, class_=kind))
        parts.append(svg.text(words, x(at), _BOTTOM + 16, class_="tick middle"))
    return "".join(parts)


def _areas(x: Scale, y: Scale, starts: list[int], end: int, layers: dict[str, list[float]]) -> str:
    below = [0.0] * len(starts)
    parts = []
    for name, values in layers.items():
        above = [base + value for base, value in zip(below, values, strict=True)]
        if any(values):
            high = svg.stepped([x(at) for at in starts], x(end), [y(v) for v in above])
            low = svg.stepped([x(at) for at in starts], x(end), [y(v) for v in below])
            shape = svg.path([*high, *reversed(low)], closed=True)
            parts.append(tag("path", d=shape, class_=f"area {name}"))
        below = above
    return "".join(parts)


def _hits(
    play: Play, x: Scale, starts: list[int], layers: dict[str, list[float]], limits: list[float]
) -> list[str]:
    width = x(starts[0] + QUARTER) - x(starts[0])
    parts = []
    for index, at in enumerate(starts):
        own = {name: values[index] for name, values in layers.items()}
        clock = local_time(at, play.scenario.zone)
        tip = (
            f"{clock:%a %H:%M}\n{sum(own.values()):.1f} of {limits[index]:g} kW\n"
            f"house {own['house']:.1f}, charging {own['charging']:.1f}, pods {own['computing']:.1f}"
        )
        parts.append(
            tag(
                "rect", x=x(at), y=_TOP, width=width, height=_BOTTOM - _TOP, class_="hit",
                data_tip=tip,
            )
        )  # fmt: skip
    return parts
