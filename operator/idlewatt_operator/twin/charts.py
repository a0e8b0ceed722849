"""Charts over the hours of a play: prices and power, and what the vehicles were doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from idlewatt_operator.twin import svg
from idlewatt_operator.twin.car import STATES
from idlewatt_operator.twin.meter import QUARTER
from idlewatt_operator.twin.night import Look, Play
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.svg import Scale, tag
from idlewatt_scheduler.model.units import HOUR, Instant

WIDTH: Final = 1_080.0
LEFT: Final = 64.0
RIGHT: Final = 16.0
_STATE_ORDER: Final = ("computing", "leaving", "lost", "charging", "idle", "asleep", "away")


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and what a person who cannot see it is told.

    Attributes:
        markup: the `svg` element.
        legend: colour classes and words.
    """

    identity: str
    title: str
    lead: str
    markup: str
    legend: tuple[tuple[str, str], ...] = ()


def time_scale(play: Play) -> Scale:
    """The hours of the play across a chart."""
    scenario = play.scenario
    return Scale(scenario.start, scenario.end, LEFT, WIDTH - RIGHT)


def drawing(identity: str, height: float, description: str, *parts: str) -> str:
    """An `svg` element that tells what it shows."""
    return tag(
        "svg",
        tag("desc", escape(description), id=f"{identity}-desc"),
        *parts,
        viewBox=f"0 0 {WIDTH:.0f} {height:.0f}",
        role="img",
        aria_labelledby=f"{identity}-title",
        aria_describedby=f"{identity}-desc",
    )


def off_peak_shades(play: Play, x: Scale, top: float, bottom: float) -> str:
    """The off-peak stretches, as they were judged when they came."""
    shades, begin = [], None
    for look in [*play.looks, None]:
        inside = look is not None and look.off_peak
        if inside and begin is None:
            begin = look.at if look else None
        elif not inside and begin is not None:
            end = look.at if look else play.scenario.end
            shades.append(
                tag(
                    "rect", x=x(begin), y=top, width=x(end) - x(begin), height=bottom - top,
                    class_="off-peak",
                )
            )  # fmt: skip
            begin = None
    return "".join(shades)


def hour_axis(play: Play, x: Scale, top: float, bottom: float) -> str:
    """Vertical lines and the clock below them."""
    parts = []
    for at, words, midnight in svg.hours(x, play.scenario.zone):
        kind = "grid day" if midnight else "grid"
        parts.append(tag("line", x1=x(at), x2=x(at), y1=top, y2=bottom, class_=kind))
        parts.append(svg.text(words, x(at), bottom + 16, class_="tick middle"))
    return "".join(parts)


def value_axis(y: Scale, unit: str) -> str:
    """Horizontal lines, their values, and the unit above."""
    parts = []
    ticks = y.ticks()
    for value, words in zip(ticks, svg.shown(ticks), strict=True):
        line = tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value), class_="grid")
        parts += [line, svg.text(words, LEFT - 8, y(value) + 4, class_="tick end")]
    parts.append(svg.text(unit, LEFT - 8, y.end - 10, class_="unit end"))
    return "".join(parts)


def hover_columns(
    x: Scale, starts: Sequence[Instant], top: float, bottom: float, tips: Sequence[str]
) -> str:
    """Invisible columns that tell the figures below the pointer."""
    width = x(starts[0] + QUARTER) - x(starts[0]) if starts else 0.0
    return "".join(
        tag(
            "rect", x=x(start), y=top, width=width, height=bottom - top, class_="hit", data_tip=tip
        )
        for start, tip in zip(starts, tips, strict=True)
    )  # fmt: skip


def stacked(
    x: Scale, y: Scale, times: Sequence[Instant], layers: Mapping[str, Sequence[float]]
) -> str:
    """Areas on top of each other; the class of each is its name."""
    below = [0.0] * len(times)
    xs = [x(at) for at in times]
    parts = []
    for name, values in layers.items():
        above = [base + value for base, value in zip(below, values, strict=True)]
        parts.append(
            svg.band(xs, [y(v) for v in below], [y(v) for v in above], class_=f"area {name}")
        )
        below = above
    return "".join(parts)


def workload_classes(play: Play) -> dict[str, str]:
    """A colour class for every workload, in the order of the catalogue."""
    names = [each.workload.template.name for each in play.scenario.submissions]
    return {name: f"w{number}" for number, name in enumerate(names)}


def price_and_power(play: Play) -> Chart:
    """Above what a kWh cost, below what pods drew by workload; off-peak is shaded through both."""
    x = time_scale(play)
    starts = [quarter.start for quarter in play.quarters]
    prices = [float(quarter.price or 0) for quarter in play.quarters]
    cost = Scale(0, svg.nice_high(max(prices, default=1)), 190, 30)
    times = [look.at for look in play.looks]
    layers = _power_by_workload(play)
    totals = [sum(values) for values in zip(*layers.values(), strict=True)] or [0.0]
    power = Scale(0, svg.nice_high(max(totals)), 400, 240)
    end = x(play.scenario.end)
    line = svg.stepped([x(at) for at in starts], end, [cost(price) for price in prices])
    tips = [_price_tip(play, index) for index in range(len(starts))]
    classes = workload_classes(play)
    coloured = {classes[name]: values for name, values in layers.items()}
    markup = drawing(
        "price",
        430,
        _price_description(play, totals),
        off_peak_shades(play, x, 30, 400),
        value_axis(cost, f"{play.scenario.currency} a kWh"),
        value_axis(power, "kW of pods"),
        hour_axis(play, x, 30, 400),
        tag(
            "path",
            d=svg.path([*line, (end, cost(0)), (x(starts[0]), cost(0))]),
            class_="price-area",
        ),
        tag("path", d=svg.path(line), class_="price-line"),
        stacked(x, power, times, coloured),
        hover_columns(x, starts, 30, 400, tips),
    )
    legend = (("off-peak", "off-peak"), *((classes[name], name) for name in layers))
    lead = "Pods wait through the dear hours and run in the cheap ones, which are shaded."
    return Chart("price", "Price and placed power", lead, markup, legend)


def _power_by_workload(play: Play) -> dict[str, list[float]]:
    """Kilowatts at the plug at each look; standby is shared out among the pods of a car."""
    classes = workload_classes(play)
    powers = play.journal.powers
    layers = {name: [0.0] * len(play.looks) for name in classes}
    for index, look in enumerate(play.looks):
        drawn = dict.fromkeys(classes, 0.0)
        for run in play.cluster.kubelets.runs:
            if run.started_at <= look.at and (run.ended_at is None or run.ended_at > look.at):
                name = run.pod.partition("/")[2].rpartition("-")[0]
                drawn[name] += powers.get(run.uid, 0)
        whole = sum(drawn.values())
        for name, own in drawn.items():
            layers[name][index] = look.computing_watts * own / whole / 1_000 if whole else 0.0
    return {name: values for name, values in layers.items() if any(values)}


def _price_tip(play: Play, index: int) -> str:
    quarter = play.quarters[index]
    look = look_at(play, quarter.start)
    price = "no price" if quarter.price is None else f"${float(quarter.price):.3f} a kWh"
    peak = "off-peak" if look.off_peak else "on-peak"
    clock = local_time(quarter.start, play.scenario.zone)
    return (
        f"{clock:%a %H:%M}\n{price}, {peak}\n{look.computing_watts / 1_000:.1f} kW of pods\n"
        f"{look.pods.get('working', 0)} work, {look.pods.get('loading', 0)} load, "
        f"{look.pods.get('waiting', 0)} wait"
    )


def _price_description(play: Play, totals: Sequence[float]) -> str:
    prices = [float(quarter.price) for quarter in play.quarters if quarter.price is not None]
    hours = sum(1 for look in play.looks if look.off_peak) * 5 / 60
    if not prices:
        return "No price is known."
    return (
        f"Prices from {min(prices):.3f} to {max(prices):.3f} {play.scenario.currency} a kWh. "
        f"{hours:.1f} hours were off-peak. Pods drew {max(totals):.1f} kW at most."
    )


def look_at(play: Play, at: Instant) -> Look:
    """The last look at or before an instant."""
    index = (at - play.scenario.start) // (play.looks[1].at - play.looks[0].at)
    return play.looks[min(index, len(play.looks) - 1)]


def vehicle_states(play: Play) -> Chart:
    """How many vehicles were doing what, stacked."""
    x = time_scale(play)
    times = [look.at for look in play.looks]
    layers = {
        state: [
            float(sum(1 for each in look.states.values() if each == state)) for look in play.looks
        ]
        for state in _STATE_ORDER
    }
    total = len(play.scenario.vehicles)
    y = Scale(0, total, 300, 30)
    starts = [quarter.start for quarter in play.quarters]
    tips = [_state_tip(look_at(play, at), play) for at in starts]
    busiest = max(
        play.looks, key=lambda look: sum(1 for s in look.states.values() if s == "computing")
    )
    most = sum(1 for state in busiest.states.values() if state == "computing")
    clock = local_time(busiest.at, play.scenario.zone)
    description = f"{total} vehicles. Most computed at {clock:%a %H:%M}: {most} of them."
    markup = drawing(
        "states",
        330,
        description,
        stacked(x, y, times, layers),
        value_axis(y, "vehicles"),
        hour_axis(play, x, 30, 300),
        hover_columns(x, starts, 30, 300, tips),
    )
    shown = [state for state in _STATE_ORDER if any(layers[state])]
    lead = (
        "A car computes only while it is parked, idle and consented to; the rest of its time is "
        "its owner's."
    )
    return Chart(
        "states", "Vehicles by state", lead, markup, tuple((state, state) for state in shown)
    )


def _state_tip(look: Look, play: Play) -> str:
    clock = local_time(look.at, play.scenario.zone)
    counts = [(state, sum(1 for each in look.states.values() if each == state)) for state in STATES]
    lines = [f"{count} {state}" for state, count in counts if count]
    return "\n".join([f"{clock:%a %H:%M}", *lines])


def hourly(play: Play) -> list[tuple[str, ...]]:
    """The same figures as a table: a heading, then a row for each hour."""
    rows: list[tuple[str, ...]] = [
        ("hour", "price", "off-peak", "kW of pods", "work", "wait", *STATES)
    ]
    for look in play.looks:
        if (look.at - play.scenario.start) % HOUR:
            continue
        counts = [str(sum(1 for each in look.states.values() if each == state)) for state in STATES]
        rows.append(
            (
                f"{local_time(look.at, play.scenario.zone):%a %H:%M}",
                "" if look.price is None else f"{look.price:.3f}",
                "yes" if look.off_peak else "no",
                f"{look.computing_watts / 1_000:.1f}",
                str(look.pods.get("working", 0)),
                str(look.pods.get("waiting", 0)),
                *counts,
            )
        )
    return rows
