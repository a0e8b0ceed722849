"""What the compiled loop reads: vehicles, templates and tariffs as rows of plain numbers.

Rows are records: a compiled loop is handed one of them for what it would cost to hand it a number.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.stay import BITS, lead_of
from idlewatt_scheduler.tables.asking import MOST_BYTES, Asking
from idlewatt_scheduler.tables.lasting import draws_power, is_invalid
from idlewatt_scheduler.tables.layout import PLENTY, Indices, Ints
from idlewatt_scheduler.tables.money import Integrals, Money
from idlewatt_scheduler.tables.reading import WATT
from idlewatt_scheduler.tables.vehicles import Vehicles
from idlewatt_scheduler.tables.workings import Workings

NOTHING: Final = -1
UNKNOWN: Final = -2

Records = NDArray[Any]
"""A record for each vehicle, template or step of a tariff."""

Kinds = NDArray[Any]
"""[V, K]: what each of several kinds of templates is told by each vehicle's Node."""

_OF_VEHICLES: Final = (
    *("machine", "holding", "start", "departure", "power", "energy", "reserve"),
    *("lone_from", "lone_power", "link_bits", "link_bytes", "on_peak_from", "unknown_from"),
    *("unpriced_from", "region", "images", "line", "efficiency_percent"),
)
_MONEY: Final = ("dc_money", "ac_money", "fee_money", "tariff_money")
_OF_ALL: Final = ("alone_per_millisecond", "fee_from")
_OF_PAYING: Final = ("standby", "rounded_off", "longest_off", "at_start", "at_lone", "least_lone")

ROW: Final = np.dtype(
    [(name, np.int64) for name in (*_OF_VEHICLES, "fee_from")]
    + [(name, np.float64) for name in (*_MONEY, _OF_ALL[0], *_OF_PAYING)]
    + [(name, np.bool_) for name in ("shut", "attested", "on_battery", "pays", "falls")]
)
"""A vehicle, as in `tables.vehicles`, and what pods cost on it, as in `tables.money`.

`shut`: no window is open or its charge is under the reserve. `pays`: its energy, by tariff.
"""

WISH: Final = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("count", "declared", "length", "lead", "deadline", "most_delay", "fetched"),
            *("residency", "tolerated", "selected", "points"),
        )
    ]
    + [(name, np.bool_) for name in ("refused", "any_tariff", "trusting")]
)
"""A template.

`declared`: milliwatts. `length`: milliseconds from the image's arrival to the end of the stay;
`lead`: from there to the departure, at the least; `deadline`: from the plan's time; `most_delay`:
that fetching may take. `fetched`, `residency`: what is fetched, which rule it has; -1: none.
`tolerated`, `selected`, `points`: columns of the vehicles' kinds. `refused`: nobody takes any.
`trusting`: no attestation is asked for.
"""

STEP: Final = np.dtype(
    [("start", np.int64), ("end", np.int64)]
    + [(name, np.float64) for name in ("price", "paid", "later")]
)
"""A step of a tariff, as in `tables.money.Integrals`."""


class Sheets(NamedTuple):
    """All of it, for T templates, R resources, M machines, H holdings, F things that are fetched.

    Attributes:
        most_power: int64[M]; `whole`: int64[M, R]; `free`: int64[H, R], by holding.
        draws_power: bool[R], a share of the resource is a share of the machine's power.
        tolerated, selected, points: [V, K], by kind of template.
        request: int64[T, R], thousandths.
        fetch_bits: int64[F], thousandths of bits; `fetch_bytes`: int64[F].
        present: bool[F, I], by images that a Node lists.
        elsewhere: bool[E, regions], by rule about where pods may be.
        step_of: where the steps of each part of the time of each tariff begin in `steps`.
        horizon, shift, number, hops: as in `tables.money.Integrals`.
    """

    rows: Records
    wishes: Records
    most_power: Ints
    whole: Ints
    free: Ints
    draws_power: NDArray[np.bool_]
    tolerated: Kinds
    selected: Kinds
    points: Kinds
    request: Ints
    fetch_bits: Ints
    fetch_bytes: Ints
    present: NDArray[np.bool_]
    elsewhere: NDArray[np.bool_]
    steps: Records
    step_of: Ints
    horizon: int
    shift: int
    number: int
    hops: int


def are_small(work: Workings) -> bool:
    """Whether no product of a power and what draws it is too large for 64 bits."""
    most_power = int(work.asking.most_power.max(initial=0))
    amounts = [template.sample.requests for template in work.templates]
    drawing = [
        each.get(name, 0) for name in work.resources if draws_power(name) for each in amounts
    ]
    return most_power * max(drawing, default=0) < PLENTY


def sheets_of(work: Workings) -> Sheets:
    """What was worked out, for the compiled loop."""
    vehicles, asking, matching = work.vehicles, work.asking, work.matching
    pods = [template.sample for template in work.templates]
    integrals = Integrals.of(vehicles, work.fleet.snapshot.at)
    wishes = _wishes(work, pods)
    number = len(vehicles.candidate)
    tolerated, wishes["tolerated"] = _stacked([matching.tolerated(pod) for pod in pods], number)
    selected, wishes["selected"] = _stacked([matching.selected(pod) for pod in pods], number)
    points, wishes["points"] = _stacked([matching.points(pod) for pod in pods], number)
    sizes, present, wishes["fetched"] = _fetched(vehicles, pods)
    elsewhere, wishes["residency"] = _elsewhere(vehicles, pods)
    return Sheets(
        rows=_rows(vehicles, integrals),
        wishes=wishes,
        most_power=asking.most_power,
        whole=asking.whole,
        free=asking.free_by_holding,
        draws_power=np.array([draws_power(name) for name in work.resources], np.bool_),
        tolerated=tolerated,
        selected=selected,
        points=points,
        request=_requests(asking, pods, len(work.resources)),
        fetch_bits=sizes * (BITS * SECOND),
        fetch_bytes=sizes,
        present=present,
        elsewhere=elsewhere,
        steps=_steps(integrals),
        step_of=integrals.first,
        horizon=integrals.horizon,
        shift=integrals.shift,
        number=integrals.number,
        hops=integrals.hops,
    )


def no_sheets() -> Sheets:
    """Of no vehicle and no template: what a kernel is compiled for before there are any."""
    amounts, answers = np.zeros((0, 0), np.int64), np.zeros((0, 0), np.bool_)
    return Sheets(
        rows=np.zeros(0, ROW),
        wishes=np.zeros(0, WISH),
        most_power=np.zeros(0, np.int64),
        whole=amounts,
        free=amounts,
        draws_power=np.zeros(0, np.bool_),
        tolerated=answers,
        selected=answers,
        points=np.zeros((0, 0), np.int32),
        request=amounts,
        fetch_bits=np.zeros(0, np.int64),
        fetch_bytes=np.zeros(0, np.int64),
        present=answers,
        elsewhere=answers,
        steps=np.zeros(0, STEP),
        step_of=np.zeros(0, np.int64),
        horizon=0,
        shift=1,
        number=0,
        hops=0,
    )


def _rows(vehicles: Vehicles, integrals: Integrals) -> Records:
    """Vehicles that pay no tariff have zeros there, and are not asked for them."""
    money = Money(vehicles, integrals)
    rows = np.zeros(len(vehicles.candidate), ROW)
    for name in (*_OF_VEHICLES, *_MONEY, "attested"):
        rows[name] = getattr(vehicles, name)
    for name in _OF_ALL:
        rows[name] = getattr(money, name)
    for name in (*_OF_PAYING, "falls"):
        rows[name][money.paying] = getattr(money, name)
    rows["pays"][money.paying] = True
    rows["on_battery"][vehicles.on_battery] = True
    rows["shut"] = vehicles.no_window | vehicles.spared
    return rows


def _steps(integrals: Integrals) -> Records:
    steps = np.empty(len(integrals.start), STEP)
    for name in STEP.names or ():
        steps[name] = getattr(integrals, name)
    return steps


def _wishes(work: Workings, pods: Sequence[Pod]) -> Records:
    asking, snapshot = work.asking, work.fleet.snapshot
    wishes = np.zeros(len(pods), WISH)
    for wish, pod, template in zip(wishes, pods, work.templates, strict=True):
        demand = pod.demand
        wish["count"] = len(template.pods)
        wish["declared"] = min(WATT * (demand.power_watts or 0), PLENTY)
        wish["length"] = asking.length(pod)
        wish["lead"] = lead_of(pod, snapshot.policy)
        last = PLENTY if demand.deadline is None else demand.deadline - snapshot.at
        wish["deadline"] = min(last, PLENTY)
        wish["most_delay"] = asking.most_delay(pod)
        wish["refused"] = bool(pod.unsupported_fields) or is_invalid(pod)
        wish["any_tariff"] = demand.any_tariff
        wish["trusting"] = not pod.reads_secret or demand.allow_untrusted
    return wishes


def _requests(asking: Asking, pods: Sequence[Pod], resources: int) -> Ints:
    amounts = [asking.amounts(pod) for pod in pods]
    return np.array(amounts, np.int64).reshape(len(pods), resources)


def _stacked(by_template: Sequence[NDArray[Any]], number: int) -> tuple[Kinds, Indices]:
    """What is different among these as columns, and which of them each template has.

    There is a template at least.
    """
    distinct = {id(each): each for each in by_template}
    place = {key: index for index, key in enumerate(distinct)}
    which = np.array([place[id(each)] for each in by_template], np.int32)
    columns = [each[:number] for each in distinct.values()]
    return np.ascontiguousarray(np.stack(columns, axis=1)), which


def _fetched(vehicles: Vehicles, pods: Sequence[Pod]) -> tuple[Ints, NDArray[np.bool_], Indices]:
    """The sizes of what is fetched, who has it already, and what each template fetches."""
    known: dict[tuple[tuple[str, ...], int], int] = {}
    which: list[int] = []
    for pod in pods:
        size = min(pod.demand.image_size_bytes or 0, MOST_BYTES)
        which.append(known.setdefault((pod.images, size), len(known)) if size else NOTHING)
    listed = vehicles.listed
    sets = max((len(each) for each in listed.values()), default=1)
    present = np.zeros((len(known), sets), np.bool_)
    for number, (images, _) in enumerate(known):
        if images:
            present[number] = np.logical_and.reduce([listed[image] for image in images])
    sizes = np.array([size for _, size in known], np.int64)
    return sizes, present, np.array(which, np.int32)


def _elsewhere(vehicles: Vehicles, pods: Sequence[Pod]) -> tuple[NDArray[np.bool_], Indices]:
    """Which regions break each rule about where pods may be, and which rule each template has."""
    known: dict[frozenset[str], int] = {}
    which: list[int] = []
    for pod in pods:
        rule = pod.demand.residency
        which.append(NOTHING if rule is None else known.setdefault(rule, len(known)))
    away = [[region not in allowed for region in vehicles.regions] for allowed in known]
    elsewhere = np.array(away, np.bool_).reshape(len(known), len(vehicles.regions))
    return elsewhere, np.array(which, np.int32)
