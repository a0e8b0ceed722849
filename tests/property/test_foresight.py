"""When a vehicle could take a pod: the table of a fleet, its single answers, and the clauses."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies import snapshots

from idlewatt_scheduler.availability_grid import availability
from idlewatt_scheduler.candidates import Candidate, assemble
from idlewatt_scheduler.clauses.live import (
    below_reserve,
    departure_charge_at_risk,
    holding,
    line_with,
    overloads_vehicle,
    stretch_of,
)
from idlewatt_scheduler.clauses.pod import FIXED_POD_CLAUSES, PodCase, pod_case
from idlewatt_scheduler.energy import Controlled, Stretch, electrics, steps
from idlewatt_scheduler.foresight import Car, Need, car_of, need_of, next_available, reason_at
from idlewatt_scheduler.model.calendars import Recurrence
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, ParkingException, ParkingWindow, Supply
from idlewatt_scheduler.prices import price_line
from idlewatt_scheduler.testing import AT, a_site, a_tariff, a_vehicle

Draw = Callable[[st.SearchStrategy[Any]], Any]
PATIENT = settings(deadline=None, max_examples=150)

OF_TIME = frozenset(
    {
        PodReason.OUTSIDE_PARKING_WINDOW,
        PodReason.LEAVES_TOO_EARLY,
        PodReason.DEADLINE_MISSED,
        PodReason.ON_PEAK,
        PodReason.PRICE_UNKNOWN,
    }
)

hours = st.integers(-6 * 60, 30 * 60).map(lambda minutes: AT + minutes * MINUTE)
powers = st.sampled_from([0, 60_000, 250_000, 900_000])


@st.composite
def pieces(draw: Draw, kinds: st.SearchStrategy[int]) -> tuple[Stretch, ...]:
    """Power over time from `AT` on, without gaps, the last without end."""
    lengths = draw(st.lists(st.integers(1, 9 * 60), max_size=4))
    found, reached = [], AT
    for length in lengths:
        found.append(Stretch(reached, reached + length * MINUTE, draw(kinds)))
        reached += length * MINUTE
    return (*found, Stretch(reached, FOREVER, draw(kinds)))


@st.composite
def cars(draw: Draw, number: int) -> Car:
    """A car with any windows, charge, supply, running pods and charging."""
    windows = tuple(
        ParkingWindow(
            f"w{index}",
            "depot-7",
            Recurrence(
                draw(st.sampled_from([frozenset(range(7)), frozenset({4}), frozenset({3, 5})])),
                draw(st.integers(0, 1_439)),
                draw(st.integers(0, 1_439)),
            ),
        )
        for index in range(draw(st.integers(0, 2)))
    )
    away = draw(st.lists(hours, max_size=2))
    vehicle = a_vehicle(
        name=f"v-{number}",
        windows=windows,
        exceptions=tuple(
            ParkingException("away", start, start + draw(st.integers(1, 600)) * MINUTE)
            for start in away
        ),
        agreement__energy_sources=draw(
            st.sampled_from([frozenset(EnergySource), frozenset({EnergySource.BATTERY})])
        ),
        battery__net_capacity_watt_hours=draw(st.sampled_from([4_000, 60_000])),
        observed__battery__state_of_charge_percent=draw(st.integers(20, 100)),
        observed__connection__supply=draw(st.sampled_from(Supply)),
        observed__connection__charge_power_watts=draw(st.sampled_from([None, 0, 10_000, 11_000])),
    )
    running = tuple(
        Stretch(AT, AT + draw(st.integers(1, 20)) * HOUR, draw(powers))
        for _ in range(draw(st.integers(0, 2)))
    )
    if running and draw(st.booleans()):
        running = (*running, Stretch(AT, FOREVER, draw(powers)))
    figures = electrics(vehicle)
    charging = None
    if figures.plugged and draw(st.booleans()):
        kinds = st.sampled_from([0, 1_400_000, 10_500_000, 11_000_000])
        new = draw(st.one_of(st.just(()), pieces(kinds)))
        charging = Controlled(new, new, draw(pieces(kinds)) if new else ())
    site = a_site(energy_borne_by=draw(st.sampled_from(EnergyBearer)))
    return Car(
        at=AT,
        vehicle=vehicle,
        site=site,
        electrics=figures,
        prices=None,
        departure=draw(st.one_of(st.none(), hours)),
        running=running,
        base=tuple(steps(running, figures.standby)),
        charging=charging,
    )


needs = st.builds(
    Need,
    power=powers,
    stay=st.integers(1, 30 * 60).map(lambda minutes: minutes * MINUTE),
    lead=st.sampled_from([0, 5 * MINUTE, HOUR + 1]),
    wake=st.sampled_from([0, MINUTE, 7 * MINUTE + 3]),
    minds_tariff=st.booleans(),
    deadline=st.one_of(st.none(), hours),
)
intervals = st.lists(
    st.builds(
        lambda start, length, price, band: TariffInterval(start, length * MINUTE, price, band),
        hours,
        st.integers(1, 600),
        st.sampled_from([None, Decimal(1)]),
        st.sampled_from([None, "OffPeak", "Peak"]),
    ),
    max_size=8,
)
"""Of a tariff that may leave anything unsaid."""


@st.composite
def fleets(draw: Draw) -> list[Car]:
    """Some cars under tariffs of any kind, or under none."""
    lines = [
        price_line(
            a_tariff(zones=(), intervals=tuple(draw(intervals))),
            OffPeakTest(band="OffPeak"),
            AT,
            lambda _, __: None,
        )
        for _ in range(2)
    ]
    return [
        replace(draw(cars(number)), prices=draw(st.sampled_from([None, *lines])))
        for number in range(draw(st.integers(1, 4)))
    ]


@PATIENT
@given(
    fleet=fleets(),
    asked=st.lists(needs, min_size=4, max_size=4),
    step=st.sampled_from([5 * MINUTE, 31 * MINUTE + 1]),
)
def test_the_table_of_a_fleet_is_what_each_car_answers_at_each_step(
    fleet: list[Car], asked: list[Need], step: int
) -> None:
    """Every step of the grid, to the reason."""
    found = availability(fleet, asked[: len(fleet)], AT, step=step, count=48)
    for row, (car, need) in enumerate(zip(fleet, asked, strict=False)):
        alone = [reason_at(car, need, AT + index * step) for index in range(48)]
        assert [found.reason(row, index) for index in range(48)] == alone
        first = next((i for i, reason in enumerate(alone) if reason is None), None)
        assert found.next_available(row) == (None if first is None else AT + first * step)
    assert found.count().tolist() == found.available.sum(axis=0).tolist()


@PATIENT
@given(fleet=fleets(), need=needs)
def test_the_next_time_is_one_at_which_the_pod_could_start(fleet: list[Car], need: Need) -> None:
    """At once where it can be; for a car on the grid, no step of a grid before it would do."""
    table = availability(fleet, need, AT)
    for row, car in enumerate(fleet):
        found = next_available(car, need, AT)
        assert found is None or reason_at(car, need, found) is None
        if reason_at(car, need, AT) is None:
            assert found == AT
        step = table.next_available(row)
        if car.electrics.source.value == "grid" and step is not None:
            assert found is not None
            assert found <= step


def asked_now(case: PodCase, candidate: Candidate) -> PodReason | None:
    """The first of these clauses that fails, asked as the planner asks."""
    for reason, fails in FIXED_POD_CLAUSES:
        if reason in OF_TIME and fails(case):
            return reason
    parked = candidate.parked
    assert parked is not None
    line = line_with(parked, holding(candidate), stretch_of(case, 1))
    if below_reserve(case, parked, line):
        return PodReason.BELOW_RESERVE
    if departure_charge_at_risk(case, parked, line):
        return PodReason.DEPARTURE_CHARGE_AT_RISK
    over = overloads_vehicle(case, parked, line)
    return PodReason.NOT_ENOUGH_RESOURCES if over else None


@PATIENT
@given(snapshot=snapshots())
def test_what_is_foreseen_for_now_is_what_the_planner_says_now(snapshot: Snapshot) -> None:
    """For every pod and vehicle, by the planner's own clauses."""
    at, policy = snapshot.at, snapshot.policy
    for candidate in assemble(snapshot).candidates:
        if candidate.parked is None:
            continue
        car = car_of(candidate.parked)
        for pod in snapshot.pending:
            case = pod_case(pod, candidate, policy, at)
            foreseen = reason_at(car, need_of(pod, candidate, policy, at), at)
            assert foreseen is asked_now(case, candidate)
