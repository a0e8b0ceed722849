"""The energy side of a play: one vehicle over its night, and one circuit through a curtailment."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from idlewatt_operator.twin import svg
from idlewatt_operator.twin.charts import (
    LEFT,
    RIGHT,
    WIDTH,
    Chart,
    drawing,
    hour_axis,
    hover_columns,
    value_axis,
)
from idlewatt_operator.twin.journal import Draw
from idlewatt_operator.twin.loads import INTERVAL, Load
from idlewatt_operator.twin.meter import QUARTER
from idlewatt_operator.twin.night import Play
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.scenario import Curtailment
from idlewatt_operator.twin.stays import Stay
from idlewatt_operator.twin.svg import Scale, tag
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.units import HOUR, MINUTE, Instant
from idlewatt_scheduler.model.vehicle import ObservedBattery, ObservedConnection, Supply, Vehicle
from idlewatt_scheduler.wear import model_rate

_MILLIWATT_MILLISECONDS_PER_KWH: Final = 3.6e12
_CENTS: Final = 100
_AROUND: Final = 50 * MINUTE
"""How much of the time before and after a curtailment is drawn."""

_CHARGE_LANE: Final = (200.0, 40.0)
_PRICE_LANE: Final = (320.0, 245.0)
_WEAR_LANE: Final = (440.0, 365.0)


def energy_charts(play: Play) -> list[Chart]:
    """Both, as far as there is anything to show."""
    charts = []
    stay = _told_most(play)
    if stay is not None:
        charts.append(_one_vehicle(play, stay))
    if play.scenario.curtailments:
        charts.append(_one_circuit(play, play.scenario.curtailments[0]))
    return charts


# One vehicle.


def _told_most(play: Play) -> Stay | None:
    """Where charging is planned: the stay in which a car waited, charged and computed most."""
    planned = {
        site.name
        for site in play.scenario.sites
        if site.charging_controller is ChargingController.IDLEWATT
    }
    found = [stay for stay in play.scenario.stays if stay.site in planned]
    return max(found, key=partial(_telling, play), default=None)


def _telling(play: Play, stay: Stay) -> tuple[int, str]:
    """The least of the times in which it charged, computed, and stood without being charged."""
    draws = _draws(play, stay)
    charged = sum(draw.end - draw.start for draw in draws if draw.charging_watts)
    computed = sum(draw.end - draw.start for draw in draws if draw.computing)
    begun = max((draw.end for draw in draws if draw.charging_watts), default=stay.arrives_at)
    waited = begun - max(stay.arrives_at, play.scenario.start) - charged
    return min(charged, computed, waited), stay.vehicle


def _draws(play: Play, stay: Stay) -> list[Draw]:
    """What was drawn in one stay."""
    return [
        draw
        for draw in play.journal.draws[stay.vehicle]
        if stay.arrives_at <= draw.start < stay.leaves_at
    ]


@dataclass(frozen=True, slots=True)
class _Wear:
    """What computing wore off so far, in cents: by the model, and as it is paid."""

    at: Instant
    model: float
    paid: float


def _one_vehicle(play: Play, stay: Stay) -> Chart:
    scenario = play.scenario
    vehicle = next(each for each in scenario.vehicles if each.name == stay.vehicle)
    start = max(stay.arrives_at, scenario.start) // QUARTER * QUARTER
    end = -(-min(stay.leaves_at, scenario.end) // QUARTER) * QUARTER
    x = Scale(start, end, LEFT, WIDTH - RIGHT)
    wear = _wear(play, stay, vehicle)
    top, bottom = _CHARGE_LANE[1], _WEAR_LANE[0]
    starts = list(range(start, end, QUARTER))
    tips = [_vehicle_tip(play, stay, vehicle, wear, at) for at in starts]
    markup = drawing(
        "vehicle-night",
        470,
        _vehicle_said(play, stay, vehicle, wear),
        _charging_shades(x, _draws(play, stay), top, bottom),
        hour_axis(play, x, top, bottom),
        *_charge_lane(play, stay, vehicle, x),
        *_price_lane(play, x),
        *_wear_lane(x, wear, min(stay.leaves_at, scenario.end)),
        hover_columns(x, starts, top, bottom, tips),
    )
    legend = (
        ("charge-line", "charge"),
        ("alone-line", "the same stay without us"),
        ("charging-shade", "charging"),
        ("computing-shade", "computing"),
        ("price-line", "price"),
        ("wear-line", "wear by the model"),
        ("paid-line", "wear as it is paid"),
    )
    lead = (
        f"{stay.vehicle} at {stay.site}: it is charged in the hours that cost least and still "
        "reach its departure charge, and computes when its pods may."
    )
    return Chart("vehicle-night", "One vehicle over its night", lead, markup, legend)


def _charge_lane(play: Play, stay: Stay, vehicle: Vehicle, x: Scale) -> list[str]:
    battery = vehicle.battery
    capacity = battery.net_capacity_watt_hours
    y = Scale(0, 100, *_CHARGE_LANE)
    end = min(stay.leaves_at, play.scenario.end)
    own = [
        (x(at), y(100 * held / capacity))
        for at, held in play.journal.charges[stay.vehicle]
        if stay.arrives_at <= at <= end and at >= x.low
    ]
    begin = max(stay.arrives_at, play.scenario.start)
    moments = [begin, *range(-(-begin // MINUTE) * MINUTE, end, MINUTE), end]
    alone = [(x(at), y(100 * stay.alone_watt_hours(at) / capacity)) for at in moments]
    parts = [value_axis(y, "% charge")]
    for percent, words in (
        (battery.departure_percent, "departure charge"),
        (battery.reserve_percent, "reserve"),
    ):
        at = y(percent)
        parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="least"))
        parts.append(svg.text(words, WIDTH - RIGHT - 4, at - 5, class_="tick end"))
    parts.append(tag("path", d=svg.path(alone), class_="alone-line"))
    parts.append(tag("path", d=svg.path(own), class_="charge-line"))
    return parts


def _price_lane(play: Play, x: Scale) -> list[str]:
    quarters = [each for each in play.quarters if x.low <= each.start < x.high]
    prices = [float(each.price or 0) for each in quarters]
    y = Scale(0, svg.nice_high(max(prices, default=1)), *_PRICE_LANE)
    line = svg.stepped([x(each.start) for each in quarters], x(x.high), [y(p) for p in prices])
    floor = y(0)
    area = [*line, (line[-1][0], floor), (line[0][0], floor)] if line else []
    return [
        value_axis(y, f"{play.scenario.currency} a kWh"),
        tag("path", d=svg.path(area), class_="price-area"),
        tag("path", d=svg.path(line), class_="price-line"),
    ]


def _wear(play: Play, stay: Stay, vehicle: Vehicle) -> list[_Wear]:
    """At every change of what is drawn, what was worn off so far."""
    capacity = vehicle.battery.net_capacity_watt_hours
    paid_rate = float(vehicle.compensation.wear_per_kwh)
    model = paid = 0.0
    points: list[_Wear] = []
    for draw in _draws(play, stay):
        if not points:
            points.append(_Wear(draw.start, 0.0, 0.0))
        if draw.computing_dc:
            percent = int(100 * _held(play, stay, draw.start) / capacity)
            rate = model_rate(_observed(vehicle, percent), draw.start)
            kwh = draw.computing_dc * (draw.end - draw.start) / _MILLIWATT_MILLISECONDS_PER_KWH
            points.append(_Wear(draw.start, model, paid))
            model += float(rate or 0) * kwh * _CENTS
            paid += paid_rate * kwh * _CENTS
        points.append(_Wear(draw.end, model, paid))
    return points or [_Wear(stay.arrives_at, 0.0, 0.0)]


def _observed(vehicle: Vehicle, percent: int) -> Vehicle:
    """The vehicle as the wear model looks at it: on the grid, at so much charge and 25 degrees."""
    observed = replace(
        vehicle.observed,
        battery=ObservedBattery(percent, 25),
        connection=ObservedConnection(supply=Supply.SUPPLIED),
    )
    return replace(vehicle, observed=observed)


def _held(play: Play, stay: Stay, at: Instant) -> float:
    """Watt-hours in the battery."""
    points = play.journal.charges[stay.vehicle]
    index = bisect_right(points, at, key=lambda point: point[0])
    return points[max(0, index - 1)][1]


def _wear_lane(x: Scale, wear: list[_Wear], end: Instant) -> list[str]:
    points = [*wear, replace(wear[-1], at=end)]
    highest = max(max(each.model, each.paid) for each in points)
    y = Scale(0, svg.nice_high(highest), *_WEAR_LANE)
    return [
        value_axis(y, "ct of wear"),
        tag("path", d=svg.path([(x(p.at), y(p.paid)) for p in points]), class_="paid-line"),
        tag("path", d=svg.path([(x(p.at), y(p.model)) for p in points]), class_="wear-line"),
    ]


def _charging_shades(x: Scale, draws: list[Draw], top: float, bottom: float) -> str:
    """Behind all lanes when it charged, and a strip below the first when it computed."""
    strip = (_CHARGE_LANE[0] + 8, _CHARGE_LANE[0] + 14)
    charged = _joined([(each.start, each.end) for each in draws if each.charging_watts])
    computed = _joined([(each.start, each.end) for each in draws if each.computing])
    shades = [_shade(x(b), x(e) - x(b), (top, bottom), "charging-shade") for b, e in charged]
    shades += [_shade(x(b), x(e) - x(b), strip, "computing-shade") for b, e in computed]
    return "".join(shades)


def _joined(stretches: list[tuple[Instant, Instant]]) -> list[tuple[Instant, Instant]]:
    """Stretches that touch, as one."""
    joined: list[tuple[Instant, Instant]] = []
    for begin, end in stretches:
        if joined and joined[-1][1] == begin:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    return joined


def _shade(x: float, width: float, between: tuple[float, float], kind: str) -> str:
    top, bottom = between
    return tag("rect", x=x, y=top, width=width, height=bottom - top, class_=kind)


def _vehicle_tip(play: Play, stay: Stay, vehicle: Vehicle, wear: list[_Wear], at: Instant) -> str:
    middle = at + QUARTER // 2
    capacity = vehicle.battery.net_capacity_watt_hours
    price = next((each.price for each in play.quarters if each.start == at), None)
    drawn = next((d for d in _draws(play, stay) if d.start <= middle < d.end), None)
    charging = drawn.charging_watts / 1_000 if drawn else 0.0
    computing = drawn.computing / 1e6 if drawn else 0.0
    so_far = [each for each in wear if each.at <= middle] or wear[:1]
    return (
        f"{local_time(at, play.scenario.zone):%a %H:%M}\n"
        f"{100 * _held(play, stay, middle) / capacity:.0f} % charge\n"
        f"charging {charging:.1f} kW, computing {computing:.2f} kW\n"
        + ("no price" if price is None else f"${float(price):.3f} a kWh")
        + f"\nwear {so_far[-1].model:.2f} ct by the model, {so_far[-1].paid:.2f} ct paid"
    )


def _vehicle_said(play: Play, stay: Stay, vehicle: Vehicle, wear: list[_Wear]) -> str:
    capacity = vehicle.battery.net_capacity_watt_hours
    end = min(stay.leaves_at, play.scenario.end)
    begin = max(stay.arrives_at, play.scenario.start)
    return (
        f"{stay.vehicle} begins with {100 * _held(play, stay, begin) / capacity:.0f} % and ends "
        f"with {100 * _held(play, stay, end) / capacity:.0f} %; without us it would have ended "
        f"with {100 * stay.alone_watt_hours(end) / capacity:.0f} %. Computing wore off "
        f"{wear[-1].model:.2f} cents by the model; {wear[-1].paid:.2f} cents are paid for it."
    )


# One circuit.


def _one_circuit(play: Play, curtailment: Curtailment) -> Chart:
    scenario = play.scenario
    load = play.loads.circuits[curtailment.site, curtailment.circuit]
    start = max(scenario.start, (curtailment.at - _AROUND) // INTERVAL * INTERVAL)
    end = min(scenario.end, -(-(curtailment.until + _AROUND) // INTERVAL) * INTERVAL)
    indices = range((start - scenario.start) // INTERVAL, (end - scenario.start) // INTERVAL)
    starts = [scenario.start + index * INTERVAL for index in indices]
    x = Scale(start, end, LEFT, WIDTH - RIGHT)
    highest = max(max(load.total(index), load.limit[index]) for index in indices)
    y = Scale(0, svg.nice_high(highest / 1_000), 300, 40)
    limits = [load.limit[index] / 1_000 for index in indices]
    line = svg.stepped([x(at) for at in starts], x(end), [y(limit) for limit in limits])
    name = f"{curtailment.site}/{curtailment.circuit}"
    markup = drawing(
        "curtailment",
        330,
        _circuit_said(play, curtailment, load, indices),
        value_axis(y, "kW"),
        _minutes(play, x),
        _layers(x, y, starts, load, indices),
        tag("path", d=svg.path(line), class_="limit"),
        *_marks(play, x, curtailment),
        _tips(play, x, starts, load, indices),
    )
    legend = (
        ("house", "house"),
        ("charging", "charging"),
        ("computing", "pods"),
        ("limit", "limit"),
    )
    lead = (
        f"{name}, minute by minute. Charging is shed first, then pods of the lowest priority, "
        "until the house and what stays fit under the line."
    )
    return Chart("curtailment", "One circuit through a curtailment", lead, markup, legend)


def _layers(x: Scale, y: Scale, starts: list[Instant], load: Load, indices: range) -> str:
    """House, pods and charging on top of each other; what is shed first lies on top."""
    below = [0.0] * len(starts)
    parts = []
    for name, values in (
        ("house", load.house),
        ("computing", load.computing),
        ("charging", load.charging),
    ):
        above = [base + values[i] / 1_000 for base, i in zip(below, indices, strict=True)]
        high = svg.stepped([x(at) for at in starts], x(x.high), [y(value) for value in above])
        low = svg.stepped([x(at) for at in starts], x(x.high), [y(value) for value in below])
        shape = svg.path([*high, *reversed(low)], closed=True)
        parts.append(tag("path", d=shape, class_=f"area {name}"))
        below = above
    return "".join(parts)


def _minutes(play: Play, x: Scale) -> str:
    """A line for every quarter of an hour."""
    parts = []
    for at in range(-(-int(x.low) // QUARTER) * QUARTER, int(x.high) + 1, QUARTER):
        kind = "grid day" if at % HOUR == 0 else "grid"
        parts.append(tag("line", x1=x(at), x2=x(at), y1=40, y2=300, class_=kind))
        clock = local_time(at, play.scenario.zone)
        parts.append(svg.text(f"{clock:%H:%M}", x(at), 316, class_="tick middle"))
    return "".join(parts)


def _marks(play: Play, x: Scale, curtailment: Curtailment) -> list[str]:
    """When the curtailment came, and when it ended."""
    parts = []
    for at, words, anchor in (
        (curtailment.at, f"curtailed to {curtailment.to_watts / 1_000:g} kW", "middle"),
        (curtailment.until, "relieved", "middle"),
    ):
        clock = f"{local_time(at, play.scenario.zone):%H:%M:%S}"
        parts.append(tag("line", x1=x(at), x2=x(at), y1=34, y2=300, class_="moment"))
        parts.append(svg.text(f"{clock} {words}", x(at), 28, class_=f"tick {anchor}"))
    return parts


def _tips(play: Play, x: Scale, starts: list[Instant], load: Load, indices: range) -> str:
    width = x(starts[0] + INTERVAL) - x(starts[0])
    return "".join(
        tag(
            "rect", x=x(at), y=40, width=width, height=260, class_="hit",
            data_tip=(
                f"{local_time(at, play.scenario.zone):%a %H:%M}\n"
                f"{load.total(i) / 1_000:.1f} of {load.limit[i] / 1_000:g} kW\n"
                f"house {load.house[i] / 1_000:.1f}, charging {load.charging[i] / 1_000:.1f}, "
                f"pods {load.computing[i] / 1_000:.1f}"
            ),
        )
        for at, i in zip(starts, indices, strict=True)
    )  # fmt: skip


def _circuit_said(play: Play, curtailment: Curtailment, load: Load, indices: range) -> str:
    """What the chart shows, for a person who cannot see it."""
    begin = (curtailment.at - play.scenario.start) // INTERVAL
    limited = [i for i in indices if load.limit[i] <= curtailment.to_watts]
    most = max((load.total(i) for i in limited), default=0.0)
    before = load.total(max(indices[0], begin - 1))
    return (
        f"{curtailment.site}/{curtailment.circuit} carried {before / 1_000:.1f} kW when it was "
        f"curtailed to {curtailment.to_watts / 1_000:g} kW, and at most {most / 1_000:.1f} kW in "
        "any minute of the curtailment after that."
    )
