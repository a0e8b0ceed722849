"""Circuits: limits and loads at their boundaries, and headroom over time."""

import pytest
from tests.unit.scheduler.scenes import row_a

from idlewatt_scheduler.circuits import Headroom, above, allows, headroom_of
from idlewatt_scheduler.model.site import Circuit, Site
from idlewatt_scheduler.model.units import FOREVER, HOUR, SECOND
from idlewatt_scheduler.testing import AT, a_policy, a_site

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
