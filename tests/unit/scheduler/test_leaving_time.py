"""Whether a pod that has to leave has time for a replacement: each reason at its boundary."""

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_fleet,
    on_battery,
    row_a,
    running,
    vehicle,
)
from tests.unit.scheduler.test_leaving import A_JOB, bands, heavy, window

from idlewatt_scheduler.leaving import leaves_time
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import (
    SEEN_AHEAD,
    MoveReason,
    PodReason,
    Reason,
    VehicleReason,
)
from idlewatt_scheduler.model.units import HOUR, SECOND

P = PodReason
M = MoveReason
MARGIN = 30 * SECOND
NEEDED = 30 * SECOND + MARGIN
"""The pod's grace and the margin."""

CASES: list[tuple[bool, str, PodReason | MoveReason, Overrides]] = [
    (True, "leaves in time", P.LEAVES_TOO_EARLY, window(NEEDED + 1)),
    (False, "leaves too soon", P.LEAVES_TOO_EARLY, window(NEEDED)),
    (True, "the peak is ahead", P.ON_PEAK, bands((NEEDED + 1, "OffPeak"), (HOUR, "Peak"))),
    (False, "the peak is near", P.ON_PEAK, bands((NEEDED, "OffPeak"), (HOUR, "Peak"))),
    (True, "prices end later", P.PRICE_UNKNOWN, bands((NEEDED + 1, "OffPeak"))),
    (False, "prices end soon", P.PRICE_UNKNOWN, bands((NEEDED, "OffPeak"))),
    (
        True,
        "a job within its promise may see the peak",
        P.LEAVES_TOO_EARLY,
        window(NEEDED + 1)
        | bands((SECOND, "OffPeak"), (HOUR, "Peak"))
        | running(bound_until=10**15, **A_JOB),
    ),
    (True, "charge above the floor", P.DEPARTURE_CHARGE_AT_RISK, heavy(31)),
    (False, "charge at the floor", P.DEPARTURE_CHARGE_AT_RISK, heavy(30)),
    (False, "charge under the departure's", P.BELOW_RESERVE, heavy(31, departure_percent=80)),
    (False, "no window", P.LEAVES_TOO_EARLY, vehicle(windows=())),
    (True, "money alone asks it to go", M.CHEAPER_ELSEWHERE, window(NEEDED + 1)),
    (False, "and the car leaves too soon", M.CHEAPER_ELSEWHERE, window(NEEDED)),
]


def asked(reason: Reason, overrides: Overrides) -> bool:
    """The answer for the only running pod."""
    fleet = a_fleet(**(running() | overrides))
    (pod,) = fleet.snapshot.running
    return leaves_time(fleet, fleet.candidates[0], Leaving(pod.pod, pod.node, reason), MARGIN)


@pytest.mark.parametrize(
    ("expected", "reason", "overrides"),
    [(e, r, o) for e, _, r, o in CASES],
    ids=[c[1] for c in CASES],
)
def test_what_is_seen_ahead_leaves_time_until_it_is_true(
    expected: bool,  # noqa: FBT001 - a parameter of the table
    reason: PodReason | MoveReason,
    overrides: Overrides,
) -> None:
    """A grace and the margin from now it is not true yet, or there is no time."""
    assert asked(reason, overrides) is expected


@pytest.mark.parametrize("reason", [*VehicleReason, *(set(PodReason) - SEEN_AHEAD), M.PREEMPTED])
def test_what_is_true_now_leaves_no_time(reason: Reason) -> None:
    """An owner who is back, a consent that is gone, a circuit that is over."""
    assert not asked(reason, {})


@pytest.mark.parametrize(("limit", "expected"), [(174, True), (173, False)])
def test_a_circuit_over_its_limit_leaves_no_time(
    limit: int,
    expected: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    """The pod and standby draw 173.295 W, and go on drawing them while another one starts."""
    assert asked(P.ON_PEAK, row_a(limit) | vehicle()) is expected


def test_another_pods_draw_counts_too() -> None:
    """What is left in the battery is left for all of them."""
    car = on_battery(31, battery__departure_percent=30)
    pods = {
        "running": tuple(
            running(bound_power=510_000, pod__name=name)["running"][0] for name in "ab"
        )
    }
    assert asked_first(car | pods)
    pods = {
        "running": tuple(
            running(bound_power=40_000_000, pod__name=name)["running"][0] for name in "ab"
        )
    }
    assert not asked_first(car | pods)


def asked_first(overrides: Overrides) -> bool:
    """The answer for the first of several running pods."""
    fleet = a_fleet(**overrides)
    pod = fleet.snapshot.running[0]
    leaving = Leaving(pod.pod, pod.node, P.DEPARTURE_CHARGE_AT_RISK)
    return leaves_time(fleet, fleet.candidates[0], leaving, MARGIN)
