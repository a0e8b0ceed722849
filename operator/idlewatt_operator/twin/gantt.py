"""Who ran where: every vehicle that stood there, its pods, its charging and how it left."""

from typing import Final

from idlewatt_operator.twin import svg
from idlewatt_operator.twin.charts import (
    LEFT,
    RIGHT,
    WIDTH,
    Chart,
    drawing,
    hour_axis,
    off_peak_shades,
    time_scale,
    workload_classes,
)
from idlewatt_operator.twin.journal import Kind
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.night import Play
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.stays import Stay
from idlewatt_operator.twin.svg import Scale, tag
from idlewatt_scheduler.model.units import Instant

_ROW: Final = 16.0
_GAP: Final = 4.0
_SITE_HEAD: Final = 22.0
_TOP: Final = 12.0
_CHARGE: Final = 2.5
_ENDED: Final = {
    EndedBy.ITSELF: "done",
    EndedBy.DEADLINE: "ended by its deadline",
    EndedBy.DRAIN: "drained",
    EndedBy.CAR: "cut off by the car",
    None: "still running",
}


def who_ran_where(play: Play) -> Chart:
    """A row for each vehicle that stood at a site during the play, by site and arrival."""
    x = time_scale(play)
    rows = _rows(play)
    parts, y, site = [], _TOP, ""
    for stays in rows:
        if stays[0].site != site:
            site = stays[0].site
            parts.append(svg.text(site, LEFT - 56, y + 14, class_="site"))
            y += _SITE_HEAD
        parts.append(_row(play, x, y, stays))
        y += _ROW + _GAP
    runs = play.cluster.kubelets.runs
    description = (
        f"{len(rows)} vehicles stood at a site; {len({run.node for run in runs})} of them ran "
        f"{len(runs)} pods."
    )
    markup = drawing(
        "gantt",
        y + 26,
        description,
        off_peak_shades(play, x, _TOP, y),
        hour_axis(play, x, _TOP, y),
        *parts,
    )
    classes = workload_classes(play)
    used = {_workload(run) for run in runs}
    legend = [(classes[name], name) for name in classes if name in used]
    legend += [("stay", "parked"), ("charge", "charging"), ("drain-mark", "drained")]
    legend += [
        ("leave-mark", "left"),
        ("early-mark", "left before its time"),
        ("link-lost", "link lost"),
    ]
    lead = (
        "One row a car: the bar is its stay, the thin line its charging, the blocks its pods. "
        "Point at anything to read it."
    )
    return Chart("gantt", "Who ran where", lead, markup, tuple(legend))


def _rows(play: Play) -> list[list[Stay]]:
    """The stays of each vehicle that overlap the play; by site, then by first arrival."""
    scenario = play.scenario
    by_vehicle: dict[str, list[Stay]] = {}
    for stay in scenario.stays:
        if stay.leaves_at > scenario.start and stay.arrives_at < scenario.end:
            by_vehicle.setdefault(stay.vehicle, []).append(stay)
    rows = [sorted(stays, key=lambda each: each.arrives_at) for stays in by_vehicle.values()]
    return sorted(rows, key=lambda stays: (stays[0].site, stays[0].arrives_at, stays[0].vehicle))


def _row(play: Play, x: Scale, y: float, stays: list[Stay]) -> str:
    name = stays[0].vehicle
    runs = [run for run in play.cluster.kubelets.runs if run.node == name]
    return "".join(
        (
            svg.text(name, LEFT - 6, y + _ROW - 4, class_="vehicle end"),
            *(_stay(play, x, y, stay) for stay in stays),
            *_charging(play, x, y, name),
            *_lost(play, x, y, name),
            *_pods(play, x, y, runs),
            *(_leaving(play, x, y, stay) for stay in stays),
        )
    )


def _stay(play: Play, x: Scale, y: float, stay: Stay) -> str:
    zone = play.scenario.zone
    stated = "nobody said until when"
    if stay.stated_leave_at is not None:
        stated = f"until {local_time(stay.stated_leave_at, zone):%a %H:%M}, as its owner said"
    tip = (
        f"{stay.vehicle} at {stay.site}, {stay.circuit}\n"
        f"{svg.span_text(stay.arrives_at, stay.leaves_at, zone)}\n{stated}\n"
        f"battery {max(stay.full_watt_hours, 1) / 1_000:.0f} kWh when charged, "
        f"{stay.charge_power_watts / 1_000:.1f} kW"
    )
    begin, end = x.clipped(stay.arrives_at), x.clipped(stay.leaves_at)
    return tag(
        "rect", x=begin, y=y, width=end - begin, height=_ROW, rx=2, class_="stay", data_tip=tip
    )


def _charging(play: Play, x: Scale, y: float, vehicle: str) -> list[str]:
    """A thin line while it charges; draws that touch are one."""
    stretches: list[list[Instant]] = []
    for draw in play.journal.draws[vehicle]:
        if not draw.charging_watts:
            continue
        if stretches and stretches[-1][1] == draw.start:
            stretches[-1][1] = draw.end
        else:
            stretches.append([draw.start, draw.end])
    return [
        tag(
            "rect", x=x.clipped(begin), y=y + _ROW - _CHARGE,
            width=x.clipped(end) - x.clipped(begin), height=_CHARGE, class_="charge",
        )
        for begin, end in stretches
    ]  # fmt: skip


def _lost(play: Play, x: Scale, y: float, vehicle: str) -> list[str]:
    own = [fact for fact in play.journal.facts if fact.vehicle == vehicle]
    lost = [fact.at for fact in own if fact.kind is Kind.LINK_LOST]
    back = [fact.at for fact in own if fact.kind is Kind.LINK_BACK] + [play.scenario.end]
    return [
        tag(
            "rect", x=x(begin), y=y - 1.5, width=x(end) - x(begin), height=_ROW + 3,
            class_="link-lost",
            data_tip=f"{vehicle}: no link\n{svg.span_text(begin, end, play.scenario.zone)}",
        )
        for begin, end in zip(lost, back, strict=False)
    ]  # fmt: skip


def _pods(play: Play, x: Scale, y: float, runs: list[Run]) -> list[str]:
    """Blocks in as many lanes as pods ran there at once."""
    lanes: list[Instant] = []
    placed: list[tuple[Run, int]] = []
    for run in sorted(runs, key=lambda each: (each.started_at, each.pod)):
        free = next((n for n, until in enumerate(lanes) if until <= run.started_at), len(lanes))
        if free == len(lanes):
            lanes.append(0)
        lanes[free] = play.scenario.end if run.ended_at is None else run.ended_at
        placed.append((run, free))
    height = (_ROW - _CHARGE) / max(1, len(lanes))
    return [_pod(play, x, y + lane * height, height, run) for run, lane in placed]


def _pod(play: Play, x: Scale, y: float, height: float, run: Run) -> str:
    end = play.scenario.end if run.ended_at is None else run.ended_at
    watts = play.journal.powers.get(run.uid, 0) / 1_000
    tip = (
        f"{run.pod}\n{svg.span_text(run.started_at, end, play.scenario.zone)}\n"
        f"{watts:.0f} W, {_ENDED[run.ended_by]}"
    )
    kind = workload_classes(play)[_workload(run)]
    begin, until = x(run.started_at), x(end)
    block = tag(
        "rect", x=begin, y=y, width=max(0.8, until - begin), height=max(0.8, height - 0.5),
        class_=f"pod {kind}", data_tip=tip,
    )  # fmt: skip
    if run.ended_by in {EndedBy.DRAIN, EndedBy.DEADLINE, EndedBy.CAR}:
        mark = "cut-mark" if run.ended_by is EndedBy.CAR else "drain-mark"
        block += tag("rect", x=until - 1.5, y=y, width=1.5, height=height - 0.5, class_=mark)
    return block


def _leaving(play: Play, x: Scale, y: float, stay: Stay) -> str:
    if stay.leaves_at > play.scenario.end:
        return ""
    at, kind = x(stay.leaves_at), "early-mark" if stay.leaves_early else "leave-mark"
    if at > WIDTH - RIGHT or at < LEFT:
        return ""
    points = f"{at:.1f},{y + 3:.1f} {at + 6:.1f},{y + _ROW / 2:.1f} {at:.1f},{y + _ROW - 3:.1f}"
    early = " before its time" if stay.leaves_early else ""
    clock = local_time(stay.leaves_at, play.scenario.zone)
    tip = f"{stay.vehicle} left{early}\n{clock:%a %H:%M}"
    return tag("polygon", points=points, class_=kind, data_tip=tip)


def _workload(run: Run) -> str:
    return run.pod.partition("/")[2].rpartition("-")[0]
