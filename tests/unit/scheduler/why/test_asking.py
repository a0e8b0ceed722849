"""One question, one answer: who fails on what, what is advised, when the pod starts."""

import pytest

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import AT, a_pod, a_snapshot, a_vehicle
from idlewatt_scheduler.why import (
    Answer,
    AnyTariff,
    LaterStart,
    Limits,
    ShorterStay,
    Together,
    why,
)

EVENING = AT - 4 * HOUR
"""19:00 in Berlin: on peak until 22:00."""


def asked(snapshot: Snapshot, limits: Limits | None = None) -> Answer:
    """Why the first pending pod waits."""
    made = plan(snapshot)
    return why(snapshot, made, snapshot.pending[0], limits=limits or Limits())


def an_evening(**overrides: object) -> Snapshot:
    """One car, parked for an hour, at 19:00 in Berlin."""
    observed = {
        f"observed__{b}__observed_at": EVENING for b in ("battery", "parking", "connection")
    }
    car = a_vehicle(**observed, observed__parking__since=EVENING - HOUR)
    return a_snapshot(**{"at": EVENING, "vehicles": (car,), **overrides})


def test_a_pod_that_waits_for_the_night_is_told_so() -> None:
    """On peak at 19:00: it starts by itself at 22:00, or now if it did not mind the tariff."""
    pod = a_pod(demand__expected_runtime=HOUR)
    answer = asked(an_evening(pending=(pod,)))
    assert answer.condition is WaitingCondition.WAITING_FOR_ENERGY
    assert dict(answer.reasons) == {PodReason.ON_PEAK: 1}
    night = AT - HOUR
    assert answer.prediction is not None
    assert (answer.prediction.at, answer.prediction.vehicle) == (night, "v-1")
    found = {type(each.change): each.change for each in answer.advice}
    assert set(found) == {LaterStart, AnyTariff}
    assert found[AnyTariff] == AnyTariff(pod.key)


def test_a_stay_that_is_too_long_is_told_how_long_it_may_be() -> None:
    """The car leaves at 07:00 and night ends at 06:00: seven hours at 23:00, to the second."""
    pod = a_pod(demand__expected_runtime=8 * HOUR)
    answer = asked(a_snapshot(pending=(pod,)))
    shorter = next(each.change for each in answer.advice if isinstance(each.change, ShorterStay))
    assert shorter == ShorterStay(pod.key, 7 * 3_600, of_all_services=False)


def test_only_where_no_change_is_enough_several_are_told() -> None:
    """Too long for the night and too strong for the computer: neither alone, both together."""
    pod = a_pod(demand__expected_runtime=8 * HOUR, demand__power_watts=1_200)
    answer = asked(a_snapshot(pending=(pod,)))
    assert answer.advice
    assert all(isinstance(each.change, Together) for each in answer.advice)


def test_nothing_is_advised_where_nothing_helps() -> None:
    """An owner who suspended the car is not argued with."""
    car = a_vehicle(suspend=True)
    answer = asked(a_snapshot(vehicles=(car,), pending=(a_pod(),)))
    assert dict(answer.reasons) == {VehicleReason.SUSPENDED: 1}
    assert (answer.advice, answer.prediction) == ((), None)
    assert answer.vehicles[0].examined


def test_who_is_placed_is_not_advised() -> None:
    """A pod that the plan places is told where."""
    answer = asked(a_snapshot(pending=(a_pod(),)))
    assert answer.placed is not None
    assert (answer.placed.node, answer.condition, answer.advice) == ("v-1", None, ())


def test_one_vehicle_alone_may_be_asked() -> None:
    """The others are left out, of the reasons too."""
    cars = (a_vehicle(name="v-1", suspend=True), a_vehicle(name="v-2", draining=True))
    snapshot = a_snapshot(vehicles=cars, pending=(a_pod(),))
    answer = why(snapshot, plan(snapshot), snapshot.pending[0], on="v-2")
    assert [each.name for each in answer.vehicles] == ["v-2"]
    assert dict(answer.reasons) == {VehicleReason.DRAINING: 1}


def test_who_asks_about_nobody_is_told() -> None:
    """A pod that is not pending and a vehicle that is none are refused by name."""
    snapshot = a_snapshot(pending=(a_pod(),))
    with pytest.raises(ValueError, match="default/other"):
        why(snapshot, Plan(AT), a_pod(name="other"))
    with pytest.raises(ValueError, match="no vehicle v-9"):
        why(snapshot, Plan(AT), snapshot.pending[0], on="v-9")


def test_the_nearest_come_first_and_not_all_are_examined() -> None:
    """Where a limit is set, those that need least are looked at, and the answer says how many."""
    cars = [a_vehicle(name=f"v-{n}", suspend=n % 2 == 0) for n in range(6)]
    pod = a_pod(demand__expected_runtime=8 * HOUR)
    snapshot = a_snapshot(vehicles=tuple(cars), pending=(pod,))
    answer = asked(snapshot, Limits(examined=2))
    names = [each.name for each in answer.vehicles]
    assert names[:2] == ["v-1", "v-3"]
    assert [each.name for each in answer.vehicles if each.changes] == ["v-1", "v-3"]
    assert answer.examined == 2 + 3


def test_the_queue_comes_first() -> None:
    """Of two pods that wait for one car's whole computer, the younger starts after the older."""
    size = {"cpu": 16_000, "pods": 1_000}
    first, second = (
        a_pod(name=name, requests=size, demand__expected_runtime=2 * HOUR, created_at=at)
        for name, at in (("first", EVENING - 2 * MINUTE), ("second", EVENING - MINUTE))
    )
    snapshot = an_evening(pending=(first, second))
    made = plan(snapshot)
    older, younger = (why(snapshot, made, pod).prediction for pod in (first, second))
    assert older is not None
    assert younger is not None
    assert (older.at, older.ahead) == (AT - HOUR, 0)
    assert (younger.at, younger.ahead) == (AT + HOUR, 1)
    hurried = why(snapshot, made, second, limits=Limits(queued=0)).prediction
    assert hurried is not None
    assert (hurried.at, hurried.queue_asked) == (AT - HOUR, False)


def test_the_day_to_come_is_told_for_the_nearest() -> None:
    """A start is tried every half hour: on peak, then it fits, then the night is too short."""
    answer = asked(an_evening(pending=(a_pod(demand__expected_runtime=HOUR),)))
    spells = answer.vehicles[0].spells
    assert [each.reason for each in spells[:3]] == [PodReason.ON_PEAK, None, PodReason.ON_PEAK]
    assert (spells[1].start, spells[1].end) == (AT - HOUR, AT + 6 * HOUR + 30 * MINUTE)
    assert spells[-1].end == EVENING + 24 * HOUR
