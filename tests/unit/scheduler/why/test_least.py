"""The least change of each kind on one vehicle, at its boundary."""

from decimal import Decimal
from itertools import pairwise

import pytest

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import AT, a_pod, a_snapshot, a_tariff, a_vehicle
from idlewatt_scheduler.why import (
    AnyTariff,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Together,
)
from idlewatt_scheduler.why.bench import Bench, Wish, board_left
from idlewatt_scheduler.why.least import (
    NO_CHANGE_HELPS,
    Vehicle,
    greatest,
    least_changes,
    spells,
)
from idlewatt_scheduler.why.outlook import Outlook


def looked_at(snapshot: Snapshot) -> Vehicle:
    """The first vehicle, for the first pending pod, beside an empty plan."""
    made = Plan(snapshot.at)
    bench = Bench(board_left(snapshot, made), 0)
    return Vehicle(bench, Outlook(snapshot, made), Wish(snapshot.pending[0], snapshot.policy))


def changes(snapshot: Snapshot) -> dict[type, Change]:
    """What would do there, by kind."""
    return {type(change): change for change in least_changes(looked_at(snapshot))}


@pytest.mark.parametrize(("limit", "found"), [(0, None), (1, 1), (7, 7), (9, 9), (20, 9)])
def test_the_greatest_that_holds_is_found(limit: int, found: int | None) -> None:
    """Between the ends, at them, and none where not even the least does."""
    assert greatest(1, 9, lambda figure: figure <= limit) == found
    assert greatest(5, 4, lambda _: True) is None


def test_a_service_needs_a_shorter_minimum_stay() -> None:
    """The car leaves in 50 minutes: the policy would have to ask for 45."""
    car = a_vehicle(observed__departure_expected_at=AT + 50 * MINUTE)
    found = changes(a_snapshot(vehicles=(car,), pending=(a_pod(),)))
    assert found[ShorterStay] == ShorterStay("default/pod", 45 * 60, of_all_services=True)


def test_less_power_is_what_the_pod_declares() -> None:
    """1,200 W on a computer of 1,000: the annotation says 1000."""
    found = changes(a_snapshot(pending=(a_pod(demand__power_watts=1_200),)))
    assert found[LessPower] == LessPower("default/pod", 1_000, 1_000, {})


def test_where_the_share_of_the_cpu_says_more_it_is_the_request() -> None:
    """Of 800 W at the plug, 88 % are left, less standby: 614 W, and 9,824 of 16,000 milli-cores."""
    car = a_vehicle(observed__connection__charge_power_limit_watts=800)
    pod = a_pod(requests={"cpu": 12_000, "pods": 1_000})
    found = changes(a_snapshot(vehicles=(car,), pending=(pod,)))
    assert found[LessPower] == LessPower("default/pod", 614, None, {"cpu": 9_824})


def test_a_gpu_comes_whole() -> None:
    """What its share of an extended resource says cannot be less."""
    car = a_vehicle(observed__connection__charge_power_limit_watts=800)
    pod = a_pod(requests={"nvidia.com/gpu": 1_000, "pods": 1_000})
    assert LessPower not in changes(a_snapshot(vehicles=(car,), pending=(pod,)))


def test_a_size_that_no_power_mends_is_no_matter_of_power() -> None:
    """Who asks for more cores than there are is not told to draw less."""
    pod = a_pod(requests={"cpu": 64_000, "pods": 1_000})
    assert changes(a_snapshot(pending=(pod,))) == {}


def test_the_dearest_hour_of_the_stay_sets_the_price() -> None:
    """0.30, taxed by 19 percent: 0.357 is enough, and nothing less."""
    prices = ("0.10", "0.30", "0.20")
    intervals = [
        TariffInterval(AT + hour * HOUR, HOUR, Decimal(price)) for hour, price in enumerate(prices)
    ]
    tariff = a_tariff(zones=(), intervals=tuple(intervals), tax_percent=Decimal(19))
    test = OffPeakTest(max_price_per_kwh=Decimal("0.2"), currency="EUR")
    pod = a_pod(demand__expected_runtime=2 * HOUR)
    found = changes(a_snapshot(tariffs=[tariff], policy=FleetPolicy(off_peak=test), pending=(pod,)))
    assert found[HigherPrice] == HigherPrice(Decimal("0.357"), "EUR")
    assert AnyTariff in found


def test_a_stay_first_and_then_the_power() -> None:
    """The longest stay that any power allows, and the most power that this stay allows."""
    car = a_vehicle(observed__departure_expected_at=AT + 65 * MINUTE)
    pod = a_pod(demand__expected_runtime=2 * HOUR, demand__power_watts=1_200)
    shorter = ShorterStay(pod.key, 3_600, of_all_services=False)
    less = LessPower(pod.key, 1_000, 1_000, {})
    found = least_changes(looked_at(a_snapshot(vehicles=(car,), pending=(pod,))))
    assert Together((shorter, less)) in found


def test_idle_long_enough_is_awaited() -> None:
    """Parked a minute ago: fourteen minutes later it may start."""
    car = a_vehicle(observed__parking__since=AT - MINUTE)
    found = changes(a_snapshot(vehicles=(car,), pending=(a_pod(),)))
    start = found[LaterStart]
    assert isinstance(start, LaterStart)
    assert start.at == AT + 14 * MINUTE


def test_what_no_change_helps_is_every_vehicle_clause_but_one() -> None:
    """Time mends a car that has not stood long enough; nobody's consent is worked around."""
    assert set(VehicleReason) - NO_CHANGE_HELPS == {VehicleReason.NOT_IDLE_LONG_ENOUGH}
    assert PodReason.LEAVES_TOO_EARLY not in NO_CHANGE_HELPS


def test_spells_cover_the_day_without_gaps() -> None:
    """From now to the same time tomorrow, no two alike in a row."""
    told = spells(looked_at(a_snapshot(pending=(a_pod(demand__expected_runtime=8 * HOUR),))))
    assert (told[0].start, told[-1].end) == (AT, AT + 24 * HOUR)
    for first, second in pairwise(told):
        assert first.end == second.start
        assert first.reason is not second.reason
