"""Circuits: limits and loads at their boundaries, and headroom over time."""

import pytest
from tests.unit.scheduler.scenes import row_a

from idlewatt_scheduler.circuits import (
    Headroom,
    Share,
    above,
    allows,
    generation_of,
    headroom_of,
    loads_of,
    phase_headroom_of,
)
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Phase, Site
from idlewatt_scheduler.model.units import FOREVER, HOUR, SECOND
from idlewatt_scheduler.testing import AT, a_policy, a_site, a_vehicle

FRESH, STALE = AT - 120 * SECOND, AT - 120 * SECOND - 1
TOLERATED, AHEAD = AT + 5 * SECOND, AT + 5 * SECOND + 1


def empty(site: Site) -> dict[str, Headroom]:
    """The circuits of a site without a car, by name."""
    return {name: room for (_, name), room in headroom_of(site, a_policy(), AT)}


@pytest.mark.parametrize(
    ("seen", "watts"),
    [
        pytest.param({}, 800, id="nothing observed: the declared load"),
        pytest.param({"uncontrolled_load_watts": 300, "observed_at": FRESH}, 700, id="fresh"),
        pytest.param({"uncontrolled_load_watts": 0, "observed_at": FRESH}, 1_000, id="measured 0"),
        pytest.param(
            {"uncontrolled_load_watts": 300, "observed_at": STALE}, 300, id="stale: failsafe"
        ),
        pytest.param({"uncontrolled_load_watts": 300}, 300, id="without a time: failsafe"),
        pytest.param({"uncontrolled_load_watts": 300, "observed_at": TOLERATED}, 700, id="ahead"),
        pytest.param(
            {"uncontrolled_load_watts": 300, "observed_at": AHEAD}, 300, id="too far ahead"
        ),
        pytest.param({"observed_at": STALE}, 800, id="never measured: no failsafe"),
        pytest.param({"curtailed_to_watts": 999}, 799, id="curtailed below the limit"),
        pytest.param({"curtailed_to_watts": 1_001}, 800, id="curtailed above the limit"),
        pytest.param({"curtailed_to_watts": 0}, -200, id="curtailed to nothing"),
        pytest.param(
            {"curtailed_to_watts": 0, "curtailed_until": AT}, 800, id="curtailed until now"
        ),
        pytest.param(
            {"curtailed_to_watts": 0, "curtailed_until": AT + 1}, -200, id="until in a moment"
        ),
        pytest.param(
            {"curtailed_to_watts": 450, "uncontrolled_load_watts": 300, "observed_at": STALE},
            250,
            id="the least of all: curtailment",
        ),
        pytest.param(
            {"curtailed_to_watts": 550, "uncontrolled_load_watts": 300, "observed_at": STALE},
            300,
            id="the least of all: failsafe",
        ),
    ],
)
def test_what_is_left_now(seen: dict[str, int | None], watts: int) -> None:
    """Of a limit of 1000 W with a failsafe of 500 W and a declared load of 200 W."""
    base: Site = row_a(1_000, **seen)["sites"][0]
    circuit = Circuit("row-a", None, 1_000, uncontrolled_load_watts=200, failsafe_limit_watts=500)
    site = a_site(circuits=(circuit,), observed_circuits=base.observed_circuits)
    assert empty(site)["row-a"].least(AT, AT + 1) == 1_000 * watts


def test_without_a_failsafe_a_stale_measurement_changes_no_limit() -> None:
    """The declared load counts again, under the full limit."""
    site = row_a(1_000, uncontrolled_load_watts=300, observed_at=STALE)["sites"][0]
    assert empty(site)["row-a"].least(AT, AT + 1) == 1_000_000


def test_curtailment_ends_within_a_stay() -> None:
    """Until that instant less is left, from it on all is."""
    site = row_a(1_000, curtailed_to_watts=100, curtailed_until=AT + HOUR)["sites"][0]
    room = empty(site)["row-a"]
    assert room.least(AT, AT + HOUR) == 100_000
    assert room.least(AT, AT + 2 * HOUR) == 100_000
    assert room.least(AT + HOUR - 1, AT + HOUR) == 100_000
    assert room.least(AT + HOUR, AT + 2 * HOUR) == 1_000_000


@pytest.mark.parametrize(
    ("circuit", "chain"),
    [
        ("socket", ["socket", "row-a", "main"]),
        ("main", ["main"]),
        ("row-z", []),
        (None, []),
    ],
)
def test_a_circuit_hangs_from_all_above_it(circuit: str | None, chain: list[str]) -> None:
    """Itself first, then its parents up to the site's connection."""
    circuits = (
        Circuit("main", None, 3),
        Circuit("row-a", "main", 2),
        Circuit("row-b", "main", 2),
        Circuit("socket", "row-a", 1),
    )
    found = above(a_site(circuits=circuits), circuit)
    assert found == tuple(("depot-7", name) for name in chain)


def test_circuits_that_hang_from_each_other_end() -> None:
    """Admission refuses such a site; where one is met all the same, the walk stops."""
    ring = Site(
        name="ring",
        time_zone=a_site().time_zone,
        region=None,
        tariff=None,
        energy_borne_by=a_site().energy_borne_by,
        compute_allowed=True,
        circuits=(Circuit("a", "b", 1), Circuit("b", "a", 1)),
    )
    assert above(ring, "a") == (("ring", "a"), ("ring", "b"))


def test_power_is_taken_for_a_while() -> None:
    """Over `[start, end)`, and nowhere else."""
    room = Headroom([0], [100])
    room.take(10, 20, 30)
    room.take(15, 25, 30)
    assert room.starts == [0, 10, 15, 20, 25]
    assert room.left == [100, 70, 40, 70, 100]


@pytest.mark.parametrize(
    ("start", "end", "least"),
    [(0, 10, 100), (0, 11, 70), (9, 10, 100), (10, 20, 70), (19, 20, 70), (20, 99, 100)],
)
def test_the_least_of_a_stretch(start: int, end: int, least: int) -> None:
    """The end of the stretch is no part of it."""
    room = Headroom([0], [100])
    room.take(10, 20, 30)
    assert room.least(start, end) == least


def test_what_never_ends_is_taken_for_good() -> None:
    """A pod without an end draws at every later instant."""
    room = Headroom([0], [100])
    room.take(10, FOREVER, 30)
    assert room.least(10**15, 10**15 + 1) == 70
    assert (room.starts[:2], room.left[:2]) == ([0, 10], [100, 70])


def test_a_copy_is_independent() -> None:
    """What is tried on it leaves the original as it is."""
    room = Headroom([0], [100])
    room.copy().take(0, 10, 30)
    assert room.least(0, 10) == 100


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        pytest.param([(0, 10, 100)], True, id="exactly what is left"),
        pytest.param([(0, 10, 101)], False, id="more than is left"),
        pytest.param([(20, 30, 1)], False, id="any raise where it is over its limit"),
        pytest.param([(20, 30, 0)], True, id="no raise where it is over its limit"),
        pytest.param([(20, 30, -5)], True, id="less where it is over its limit"),
        pytest.param([(0, 20, 50), (20, 30, -5)], True, id="a raise only where there is room"),
        pytest.param([], True, id="no change"),
    ],
)
def test_no_raise_goes_over_a_limit(changes: list[tuple[int, int, int]], allowed: bool) -> None:  # noqa: FBT001
    """A circuit may be over its limit already; only who raises its load is at fault."""
    roomy, tight = Headroom([0], [1_000]), Headroom([0, 20], [100, -10])
    assert allows([roomy, tight], changes) is allowed


def test_every_circuit_above_is_asked() -> None:
    """Room below helps nobody whose parent has none."""
    assert not allows([Headroom([0], [100]), Headroom([0], [99])], [(0, 1, 100)])


FUSED = (
    Circuit("main", None, 60_000, 6_000, max_current_milliamps_per_phase=63_000),
    Circuit("row-a", "main", 22_000, max_current_milliamps_per_phase=16_000),
    Circuit("row-b", "main", 22_000),
)


def phases(*seen: ObservedCircuit, volts: int | None = 230) -> dict[tuple[str, ...], float]:
    """Watts left on each phase of a site without a car."""
    site = a_site(circuits=FUSED, observed_circuits=seen, nominal_voltage_volts=volts)
    return {
        key[1:]: room.least(AT, AT + 1) / 6_000
        for key, room in phase_headroom_of(site, a_policy(), AT)
    }


def test_without_a_voltage_no_amps_are_judged() -> None:
    """Nobody knows how much power they are."""
    assert phases(volts=None) == {}


def test_a_phase_carries_its_amps_less_a_third_of_the_load() -> None:
    """230 V x 63 A less 2 kW; a circuit that states no amps is not judged by them."""
    left = phases()
    assert left["main", "L1"] == left["main", "L3"] == 230 * 63 - 2_000
    assert left["row-a", "L2"] == 230 * 16
    assert len(left) == 6


@pytest.mark.parametrize(
    ("observed_at", "watts"), [(FRESH, [230 * 62, 230 * 61, 230 * 54]), (STALE, [12_490] * 3)]
)
def test_a_phase_is_loaded_as_measured_while_that_is_fresh(
    observed_at: int, watts: list[int]
) -> None:
    """Else with a third of what the circuit is said to carry."""
    seen = ObservedCircuit("main", None, observed_at, uncontrolled_milliamps=(1_000, 2_000, 9_000))
    left = phases(seen)
    assert [left["main", phase] for phase in ("L1", "L2", "L3")] == watts


def test_neither_curtailment_nor_failsafe_changes_a_phase() -> None:
    """They are limits in watts."""
    seen = ObservedCircuit("main", curtailed_to_watts=0)
    assert phases(seen) == phases()


@pytest.mark.parametrize(
    ("number", "reported", "parts"),
    [
        (3, None, {"L1": 2, "L2": 2, "L3": 2}),
        (2, None, {"L1": 3, "L2": 3, "L3": 3}),
        (1, None, {"L1": 6, "L2": 6, "L3": 6}),
        (3, {Phase.L2}, {"L2": 6}),
        (1, {Phase.L1, Phase.L3}, {"L1": 3, "L3": 3}),
    ],
)
def test_a_car_loads_the_phases_it_is_on_or_may_be_on(
    number: int, reported: set[Phase] | None, parts: dict[str, int]
) -> None:
    """Sixths of a milliwatt: a whole, a half or a third of its draw."""
    known = None if reported is None else frozenset(reported)
    vehicle = a_vehicle(phases=number, observed__connection__phases=known)
    site = a_site(circuits=FUSED, nominal_voltage_volts=230)
    row_b, main = (("depot-7", name) for name in ("row-b", "main"))
    expected = {(*main, phase): each for phase, each in parts.items()}
    whole: dict[tuple[str, ...], int] = {row_b: 1, main: 1}
    assert dict(loads_of(site, vehicle, (row_b, main))) == whole | expected


def test_fresh_generation_is_told() -> None:
    """By circuit; stale or unknown, none is."""
    seen = (
        ObservedCircuit("main", observed_at=FRESH, generation_watts=3_000),
        ObservedCircuit("row-a", observed_at=STALE, generation_watts=3_000),
        ObservedCircuit("row-b", observed_at=FRESH),
    )
    site = a_site(circuits=FUSED, observed_circuits=seen)
    assert generation_of(site, a_policy(), AT) == {("depot-7", "main"): 3_000_000}


def test_a_share_is_a_room_as_one_car_sees_it() -> None:
    """Three sixths of each milliwatt: 100 sixths leave 33 milliwatts."""
    room = Headroom([0], [100])
    share = Share(room, 3)
    assert share.least(0, 10) == 33
    share.take(0, 10, 20)
    assert (room.least(0, 10), share.least(0, 10), share.starts) == (40, 13, room.starts)


def test_many_changes_are_taken_at_once() -> None:
    """As one after the other, and without steps at which nothing changes."""
    changes = [(10, 20, 30), (15, 25, 30), (20, FOREVER, 30), (5, 7, 0)]
    one, all_ = Headroom([0, 12], [100, 90]), Headroom([0, 12], [100, 90])
    for change in changes:
        one.take(*change)
    all_.take_all(changes)
    assert [one.least(t, t + 1) for t in range(40)] == [all_.least(t, t + 1) for t in range(40)]
    assert all_.starts == [0, 10, 12, 15, 25, FOREVER]


def test_the_least_of_each_quarter() -> None:
    """Between neighbours, wherever a step begins."""
    room = Headroom([0, 10, 15, 30], [9, 7, 8, 1])
    assert room.least_of_each([0, 10, 20, 30, 40]) == [9, 7, 8, 1]
    assert room.least_of_each([12, 13, 16]) == [7, 7]
