"""Advice in short tells nobody when one car leaves, and is true of several."""

import pytest

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import AT, a_pod, a_snapshot, a_vehicle
from idlewatt_scheduler.why import Brief, brief
from idlewatt_scheduler.why.outlook import Outlook


def told(snapshot: Snapshot) -> Brief:
    """What the first pending pod is told beside an empty plan."""
    outlook = Outlook(snapshot, Plan(snapshot.at), assemble(snapshot))
    return brief(outlook, snapshot.pending[0])


def leaving_in(*minutes: int, **pod: object) -> Snapshot:
    """A car for each, and a job that is too long for all of them."""
    cars = [
        a_vehicle(name=f"v-{n}", observed__departure_expected_at=AT + each * MINUTE)
        for n, each in enumerate(minutes)
    ]
    wishes = {"demand__expected_runtime": 8 * HOUR, **pod}
    return a_snapshot(vehicles=tuple(cars), pending=(a_pod(**wishes),))


def test_a_figure_stands_for_three_cars_and_is_rounded() -> None:
    """The third longest stay, 73 minutes less 5 to drain, becomes an hour."""
    assert told(leaving_in(245, 130, 73, 20)).stay_seconds == 3_600


@pytest.mark.parametrize("minutes", [(245,), (245, 130), (245, 130, 19)])
def test_fewer_cars_give_no_figure(minutes: tuple[int, ...]) -> None:
    """That a shorter stay helps may be said, but not how long one or two cars stay."""
    assert told(leaving_in(*minutes)).stay_seconds == 0


def test_a_start_is_told_by_the_quarter_where_three_would_take_it() -> None:
    """Parked 7 minutes ago: from 8 minutes on they may be used, told as the next quarter."""
    cars = [a_vehicle(name=f"v-{n}", observed__parking__since=AT - 7 * MINUTE) for n in range(3)]
    pod = a_pod(demand__expected_runtime=HOUR)
    snapshot = a_snapshot(vehicles=tuple(cars), pending=(pod,))
    assert told(snapshot).start_at == AT + 15 * MINUTE
    assert told(a_snapshot(vehicles=tuple(cars[:2]), pending=(pod,))).start_at is None


def test_what_helps_nobody_is_not_told() -> None:
    """Suspended cars and pods that fit nowhere are advised nothing."""
    cars = tuple(a_vehicle(name=f"v-{n}", suspend=True) for n in range(3))
    assert told(a_snapshot(vehicles=cars, pending=(a_pod(),))) == Brief()
    big = a_pod(requests={"cpu": 99_000, "pods": 1_000})
    assert told(a_snapshot(pending=(big,))) == Brief()
