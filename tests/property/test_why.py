"""What is advised is tried: the changed snapshot takes the pod, and no smaller change would do.

Whether a pod fits is asked of the independent check as well: its reading of the rules shares no
code with the planner's.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.strategies import any_of, snapshots

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.site import ChargingController, Circuit, ObservedCircuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import HOUR, MINUTE, Instant
from idlewatt_scheduler.model.vehicle import EnergySource, ParkingWindow, Power, Vehicle
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.planner import Params, plan
from idlewatt_scheduler.testing import (
    AT,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
    changed,
    instant,
)
from idlewatt_scheduler.why import (
    Answer,
    AnyTariff,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Together,
    why,
)
from idlewatt_scheduler.why.bench import Bench, Wish, board_left
from idlewatt_scheduler.why.outlook import Outlook

GREEDY = Params(exact_literals=0)
BLOCKS = ("battery", "parking", "compute", "connection")
PATIENT = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


Draw = Callable[[st.SearchStrategy[Any]], Any]
NIGHT, DAY_ZONE = Recurrence(EVERY_DAY, 22 * 60, 6 * 60), Recurrence(EVERY_DAY, 6 * 60, 22 * 60)


@st.composite
def hopeful_vehicles(draw: Draw, name: str, at: Instant) -> Vehicle:
    """A car that takes pods, but not of any size, for any time."""
    reserve, leave_with = draw(any_of((0, 0), (0, 0), (30, 80), (20, 80)))
    sources = draw(any_of({EnergySource.GRID}, {EnergySource.BATTERY}, set(EnergySource)))
    ends = draw(any_of(2 * 60, 7 * 60, 9 * 60, 16 * 60))
    connection = {
        "charge_power_watts": draw(any_of(0, 0, 500, None)),
        "charge_power_limit_watts": draw(any_of(None, None, None, 800, 2_500)),
    }
    return a_vehicle(
        name=name,
        windows=(ParkingWindow("nights", "depot-7", Recurrence(EVERY_DAY, 18 * 60, ends)),),
        agreement__energy_sources=frozenset(sources),
        battery__reserve_percent=reserve,
        battery__departure_percent=leave_with,
        battery__net_capacity_watt_hours=draw(any_of(60_000, 60_000, 11_000, 3_000)),
        compute__wake_seconds=draw(any_of(60, 1_000)),
        observed__power=draw(any_of(Power.AWAKE, Power.AWAKE, Power.ASLEEP)),
        observed__battery__state_of_charge_percent=draw(any_of(95, 95, 85, 81, 79, 31)),
        observed__parking__since=at - draw(any_of(60, 60, 60, 14)) * MINUTE,
        observed__departure_expected_at=draw(
            any_of(None, None, None, None, at + 2 * HOUR, at + 65 * MINUTE)
        ),
        **{f"observed__{block}__observed_at": at for block in BLOCKS},
        **{f"observed__connection__{field}": value for field, value in connection.items()},
    )


@st.composite
def charged_by_us(draw: Draw) -> Snapshot:
    """The same, where charging is planned and chargers have acknowledged some of it."""
    snapshot: Snapshot = draw(hopeful())
    site = replace(snapshot.sites["depot-7"], charging_controller=ChargingController.IDLEWATT)
    cars = []
    for car in snapshot.vehicles:
        power = draw(any_of(0, 1_380_000, 3_000_000))
        periods = (
            ChargingPeriod(snapshot.at - HOUR, power),
            ChargingPeriod(snapshot.at + draw(any_of(40 * MINUTE, 5 * HOUR)), 0),
        )
        profile = draw(any_of(None, ChargingProfile(periods)))
        percent = draw(any_of(31, 60, 79, 85))
        cars.append(
            changed(
                car,
                observed__connection__profile=profile,
                observed__battery__state_of_charge_percent=percent,
            )
        )
    return replace(snapshot, sites={"depot-7": site}, vehicles=tuple(cars))


@st.composite
def hopeful_tariffs(draw: Draw, at: Instant) -> Tariff:
    """Night and day, or an hourly series with a gap."""
    common = {"tax_percent": draw(any_of(Decimal(0), Decimal(19)))}
    if draw(st.booleans()):
        night = TariffZone("night", NIGHT, "OffPeak", Decimal("0.18"))
        return a_tariff(
            zones=(night, TariffZone("day", DAY_ZONE, "Peak", Decimal("0.31"))), **common
        )
    hours = range(draw(any_of(20, 36)))
    prices = any_of(*map(Decimal, ("0.10", "0.18", "0.25", "0.32", "-0.01")))
    first = at - at % HOUR - HOUR
    intervals = [
        TariffInterval(first + hour * HOUR, HOUR, draw(prices), "OffPeak", Decimal(300))
        for hour in hours
        if hour != 9
    ]
    return a_tariff(zones=(), intervals=tuple(intervals), **common)


@st.composite
def hopeful_pods(draw: Draw, name: str, at: Instant) -> Pod:
    """A pod whose only fault is that it asks for much."""
    return a_pod(
        name=name,
        priority=draw(any_of(0, 0, 1)),
        created_at=at - MINUTE,
        requests={"cpu": draw(any_of(1_000, 1_000, 4_000, 12_000)), "pods": 1_000},
        demand__expected_runtime=draw(any_of(None, HOUR, HOUR, 2 * HOUR, 5 * HOUR + 1, 8 * HOUR)),
        demand__power_watts=draw(any_of(None, 100, 100, 480, 480, 700, 1_000, 1_200)),
        demand__any_tariff=draw(st.booleans()),
        demand__deadline=draw(any_of(None, None, None, at + 3 * HOUR)),
        demand__model_load_time=draw(any_of(0, 5)) * MINUTE,
    )


@st.composite
def hopeful(draw: Draw, most_pending: int = 4) -> Snapshot:
    """A fleet in which waiting pods could be helped."""
    at = draw(any_of(AT, AT + 6 * HOUR, AT - 4 * HOUR, instant("2026-03-28T23:30:00Z")))
    names = [f"v-{number}" for number in range(draw(st.integers(1, 2)))]
    tests = any_of(
        OffPeakTest(band="OffPeak"),
        OffPeakTest(max_price_per_kwh=Decimal("0.15"), currency="EUR"),
        OffPeakTest(max_price_per_kwh=Decimal("0.2"), currency="EUR"),
        OffPeakTest(cheapest_percent_of_next_24_hours=draw(any_of(30, 60))),
        OffPeakTest(),
    )
    curtailed = ObservedCircuit("main", 400, at, 900, draw(any_of(at + HOUR, None)))
    circuits = (
        Circuit("main", None, draw(any_of(9_000, 9_000, 2_500)), 500),
        Circuit("row-a", "main", draw(any_of(4_000, 4_000, 1_200))),
    )
    ends = any_of(at + HOUR, at + 3 * HOUR + 1, None)
    return a_snapshot(
        at=at,
        policy=FleetPolicy(off_peak=draw(tests)),
        vehicles=tuple(draw(hopeful_vehicles(name, at)) for name in names),
        sites=[a_site(circuits=circuits, observed_circuits=draw(any_of((), (), (), (curtailed,))))],
        tariffs=[draw(hopeful_tariffs(at))],
        pending=tuple(
            draw(hopeful_pods(f"p-{number}", at))
            for number in range(draw(st.integers(1, most_pending)))
        ),
        running=tuple(
            a_running_pod(
                pod=draw(hopeful_pods(f"r-{number}", at)),
                node=draw(any_of(*names)),
                bound_power=draw(any_of(100_000, 600_000)),
                bound_until=draw(ends),
            )
            for number in range(draw(any_of(0, 0, 1, 2)))
        ),
    )


@PATIENT
@given(snapshot=snapshots())
def test_all_reasons_begin_with_the_one_that_is_counted(snapshot: Snapshot) -> None:
    """Over the fleet they are the plan's own counts, and a vehicle without any takes the pod."""
    made = plan(snapshot, GREEDY)
    for waiting in made.waiting:
        answer = why(snapshot, made, waiting.pod)
        assert dict(answer.reasons) == dict(waiting.reasons)
        assert answer.condition is waiting.condition
        for vehicle in answer.vehicles:
            order = [each.reason for each in vehicle.failing]
            assert order == list(dict.fromkeys(order))
            assert order, vehicle


@settings(PATIENT, max_examples=100)
@given(snapshot=snapshots() | hopeful() | charged_by_us())
def test_every_change_that_is_advised_places_the_pod(snapshot: Snapshot) -> None:
    """Beside all that the plan has placed, on the vehicle it is advised for."""
    made = plan(snapshot, GREEDY)
    for pod, vehicle, change in _advised(snapshot, made):
        assert _fits(snapshot, made, change, pod, vehicle), change


@PATIENT
@given(snapshot=hopeful() | charged_by_us())
def test_no_smaller_change_would_do(snapshot: Snapshot) -> None:
    """Not a second longer, not a watt more, not the next lower price."""
    made = plan(snapshot, GREEDY)
    for pod, vehicle, change in _advised(snapshot, made):
        for smaller in _smaller(snapshot, pod, vehicle, change):
            assert not _fits(snapshot, made, smaller, pod, vehicle), smaller
        if isinstance(change, Together):
            for part in change.changes:
                assert not _fits(snapshot, made, part, pod, vehicle), part


@PATIENT
@given(snapshot=hopeful(), data=st.data())
def test_no_earlier_start_would_do(snapshot: Snapshot, data: st.DataObject) -> None:
    """None of many instants before the one that is predicted, whatever they are."""
    made = plan(snapshot, GREEDY)
    for pod, vehicle, change in _advised(snapshot, made):
        if isinstance(change, LaterStart):
            before = st.integers(snapshot.at, change.at - 1)
            drawn = {data.draw(before) for _ in range(6)}
            even = {snapshot.at + (change.at - snapshot.at) * part // 12 for part in range(12)}
            for at in sorted({change.at - 1} | drawn | even):
                earlier = LaterStart(at, made)
                assert not _fits(snapshot, made, earlier, pod, vehicle), at


@PATIENT
@given(snapshot=hopeful(most_pending=1))
def test_the_planner_places_what_was_advised(snapshot: Snapshot) -> None:
    """A pod that waits alone is placed by the exact planner once the change is applied."""
    made = plan(snapshot)
    for pod, _, change in _advised(snapshot, made):
        after = change.apply(snapshot)
        again = plan(after)
        assert [placed.pod.key for placed in again.placements] == [pod.key], change
        assert violations(after, again) == ()


@PATIENT
@given(snapshot=hopeful(most_pending=6))
def test_an_exact_plan_finds_room_for_what_was_advised(snapshot: Snapshot) -> None:
    """A change of the pod alone, beside all others that wait: it is placed, or who outranks it."""
    made = plan(snapshot)
    for pod, _, change in _advised(snapshot, made):
        if isinstance(change, LessPower | AnyTariff) or (
            isinstance(change, ShorterStay) and not change.of_all_services
        ):
            again = plan(change.apply(snapshot))
            if made.proven and again.proven:
                assert pod.key in {placed.pod.key for placed in again.placements}, change


@PATIENT
@given(snapshot=hopeful(most_pending=6))
def test_the_predicted_start_is_a_cycle_that_places_the_pod(snapshot: Snapshot) -> None:
    """With the whole queue waiting at that instant; and no vehicle would take it earlier."""
    made = plan(snapshot, GREEDY)
    for waiting in made.waiting:
        answer = why(snapshot, made, waiting.pod)
        starts = _starts(answer)
        if answer.prediction is None:
            continue
        assert answer.prediction.at >= min(starts)
        if answer.prediction.ahead == 0:
            then = Outlook(snapshot, made).snapshot_at(answer.prediction.at)
            placed = {each.pod.key for each in plan(then, GREEDY).placements}
            assert waiting.pod.key in placed


def test_the_advice_is_worth_testing() -> None:
    """Among random fleets every kind of change is advised many times, combinations too."""
    counts: Counter[str] = Counter()

    @settings(PATIENT, database=None, derandomize=True, max_examples=60)
    @given(snapshot=hopeful())
    def look(snapshot: Snapshot) -> None:
        for _, _, change in _advised(snapshot, plan(snapshot, GREEDY)):
            counts[type(change).__name__] += 1

    look()
    kinds = (LaterStart, ShorterStay, LessPower, HigherPrice, AnyTariff, Together)
    assert {kind.__name__ for kind in kinds} <= set(counts), counts
    assert sum(counts.values()) >= 100, counts


def _advised(snapshot: Snapshot, made: Plan) -> Iterator[tuple[Pod, str, Change]]:
    for waiting in made.waiting[:2]:
        for vehicle in why(snapshot, made, waiting.pod).vehicles:
            for change in vehicle.changes:
                yield waiting.pod, vehicle.name, change


def _starts(answer: Answer) -> list[int]:
    return [
        change.at
        for vehicle in answer.vehicles
        for change in vehicle.changes
        if isinstance(change, LaterStart)
    ]


def _fits(snapshot: Snapshot, made: Plan, change: Change, pod: Pod, vehicle: str) -> bool:
    """Whether the pod fits on a vehicle beside all that is placed, as both readings see it."""
    after = change.apply(snapshot)
    here = next(each for each in after.pending if (each.key, each.uid) == (pod.key, pod.uid))
    keep = Plan(after.at) if _is_later(change) else made
    board = board_left(after, keep)
    index = next(i for i, each in enumerate(board.candidates) if each.name == vehicle)
    bench = Bench(board, index)
    fits = bench.takes(Wish(here, after.policy))
    if not _is_of_all_services(change):
        assert fits == _checker_agrees(after, keep, here, bench), (change, fits)
    return fits


def _is_later(change: Change) -> bool:
    """What was placed runs by then."""
    changes = change.changes if isinstance(change, Together) else (change,)
    return any(isinstance(each, LaterStart) for each in changes)


def _is_of_all_services(change: Change) -> bool:
    """A change of the policy changes other pods' stays: the plan is not one for it any more."""
    changes = change.changes if isinstance(change, Together) else (change,)
    return any(isinstance(each, ShorterStay) and each.of_all_services for each in changes)


def _checker_agrees(snapshot: Snapshot, keep: Plan, pod: Pod, bench: Bench) -> bool:
    """Whether the independent check finds no clause that fails."""
    reading = Reading(snapshot, bench.board.fleet.charging)
    candidate = reading.candidates[bench.candidate.name]
    return Scene(reading, keep).first_failing(pod, candidate) is None


@pytest.mark.parametrize("change", [AnyTariff("default/p")])
def test_a_change_of_another_pod_changes_nothing(change: Change) -> None:
    """A change names its pod; others are left alone."""
    snapshot = Snapshot(at=0, pending=(Pod("default", "q"),))
    assert change.apply(snapshot) == snapshot


def _smaller(snapshot: Snapshot, pod: Pod, vehicle: str, change: Change) -> Iterator[Change]:
    """The same with a second, a watt or a price less of change; of several, in any one of them."""
    match change:
        case ShorterStay():
            yield replace(change, length_seconds=change.length_seconds + 1)
        case LessPower():
            yield from _more_power(snapshot, pod, vehicle, change)
        case HigherPrice():
            less = change.max_price_per_kwh.next_minus()
            yield replace(change, max_price_per_kwh=less)
        case Together():
            for number, part in enumerate(change.changes):
                if isinstance(part, ShorterStay | LessPower):
                    for smaller in _smaller(snapshot, pod, vehicle, part):
                        parts: list[Any] = list(change.changes)
                        parts[number] = smaller
                        yield Together(tuple(parts))


def _more_power(snapshot: Snapshot, pod: Pod, name: str, change: LessPower) -> Iterator[LessPower]:
    """A watt more, by whatever said more before."""
    watts, declared = change.power_watts + 1, pod.demand.power_watts
    vehicle = next(each for each in snapshot.vehicles if each.name == name)
    whole = min(vehicle.compute.capacity["cpu"], snapshot.nodes[name].allocatable["cpu"])
    per_watt = Fraction(whole, vehicle.compute.max_power_watts)
    cpu = min(pod.requests["cpu"], int(watts * per_watt))
    more = replace(
        change,
        power_watts=watts,
        declared_watts=None if declared is None else min(declared, watts),
        requests={"cpu": cpu},
    )
    if max(Fraction(cpu) / per_watt, Fraction(more.declared_watts or 0)) > change.power_watts:
        yield more
