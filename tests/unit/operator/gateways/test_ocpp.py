"""A profile as OCPP writes it takes no more than was planned, and can be read back."""

import pytest

from idlewatt_operator.gateways.ocpp import charging_profile, read_charging_profile
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import MINUTE, SECOND
from idlewatt_scheduler.testing import AT

WATT = 1_000


def a_profile(*steps: tuple[int, int]) -> ChargingProfile:
    """Periods by milliseconds after `AT`, and watts."""
    return ChargingProfile(tuple(ChargingPeriod(AT + at, watts * WATT) for at, watts in steps))


def test_it_is_a_profile_of_the_transaction_in_watts() -> None:
    """Purpose, kind, unit and offsets are those of a `SetChargingProfileRequest`."""
    written = charging_profile(a_profile((0, 3_680), (15 * MINUTE, 0)))
    assert written["chargingProfilePurpose"] == "TxProfile"
    assert written["chargingProfileKind"] == "Absolute"
    (schedule,) = written["chargingSchedule"]
    assert schedule["startSchedule"] == "2026-01-15T22:00:00Z"
    assert schedule["chargingRateUnit"] == "W"
    assert schedule["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 3_680.0},
        {"startPeriod": 900, "limit": 0.0},
    ]


def test_whole_seconds_are_read_back_as_they_were() -> None:
    """Where every period begins on a second nothing is lost."""
    profile = a_profile((0, 3_680), (15 * MINUTE, 0), (30 * MINUTE, 11_000), (31 * MINUTE, 0))
    assert read_charging_profile(charging_profile(profile)) == profile


def test_between_seconds_less_begins_at_once_and_more_waits() -> None:
    """Nothing is ever taken beyond what was planned, at no instant after the first."""
    profile = a_profile((300, 0), (10_200, 4_000), (20_900, 2_000), (30_500, 0))
    read = read_charging_profile(charging_profile(profile))
    assert read == a_profile((0, 0), (11 * SECOND, 4_000), (20 * SECOND, 2_000), (30 * SECOND, 0))
    for at in range(AT + 300, AT + 40_000, 100):
        assert (read.power_at(at) or 0) <= (profile.power_at(at) or 0)


def test_what_is_shorter_than_a_second_may_vanish() -> None:
    """Periods stay in the order of their time, and none takes what was not planned throughout."""
    profile = a_profile((0, 0), (10_200, 4_000), (10_900, 1_500), (12_000, 0))
    assert read_charging_profile(charging_profile(profile)) == a_profile(
        (0, 0), (11_000, 1_500), (12_000, 0)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("chargingProfilePurpose", "TxDefaultProfile"), ("chargingRateUnit", "A"), ("startPeriod", 7)],
)
def test_a_charge_point_refuses_what_is_no_such_profile(name: str, value: object) -> None:
    """Another purpose, another unit, and a first period that does not begin at 0."""
    written = charging_profile(a_profile((0, 3_680), (15 * MINUTE, 0)))
    (schedule,) = written["chargingSchedule"]
    for place in (written, schedule, schedule["chargingSchedulePeriod"][0]):
        if name in place:
            place[name] = value
    with pytest.raises(ValueError, match=r"\.$"):
        read_charging_profile(written)
