"""Charge points that can be told something, and all that goes wrong with real ones."""

import pytest

from idlewatt_operator.gateways.ocpp import charging_profile
from idlewatt_operator.gateways.protocols import Outcome
from idlewatt_operator.twin.charging import MOST_PERIODS, Answer, Station, Stations
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import AT

MINIMUM = 1_380_000


def a_profile(*steps: tuple[int, int]) -> ChargingProfile:
    """Make periods of milliseconds after `AT`, and watts."""
    return ChargingProfile(tuple(ChargingPeriod(AT + at, watts * 1_000) for at, watts in steps))


LATER = a_profile((0, 0), (HOUR, 3_700), (2 * HOUR, 0))


class Yard:
    """One car at a charge point that listens, and how often what it gives changed."""

    def __init__(self, *faults: Answer) -> None:
        self.clock = ManualClock(AT)
        self.changes: list[int] = []
        self.stations = Stations(self.clock, lambda _: self.changes.append(self.clock.now() - AT))
        self.stations.faults.extend(faults)
        self.stations.plug("v-1", MINIMUM)

    async def tell(self, profile: ChargingProfile = LATER) -> Outcome:
        """Tell the charge point."""
        return (await self.stations.set_profile("v-1", profile)).outcome

    def gives(self, after: int = 0) -> int | None:
        """Give the watts into the battery so long after the start."""
        self.clock.advance_to(AT + after)
        power = self.stations.gives("v-1")
        return None if power is None else power // 1_000


async def test_what_is_accepted_is_followed_and_acknowledged() -> None:
    """Each period is followed as it comes, and whoever asks is told at each."""
    yard = Yard()
    assert yard.gives() is None
    assert await yard.tell() is Outcome.DONE
    assert yard.stations.acknowledged() == {"v-1": LATER}
    assert [yard.gives(at) for at in (0, HOUR, 2 * HOUR)] == [0, 3_700, 0]
    assert yard.changes == [0, HOUR, 2 * HOUR]


@pytest.mark.parametrize(
    ("fault", "outcome", "followed"),
    [
        (Answer.REJECTED, Outcome.REFUSED, False),
        (Answer.LOST_ON_THE_WAY, Outcome.UNKNOWN, False),
        (Answer.ANSWER_LOST, Outcome.UNKNOWN, True),
    ],
)
async def test_what_goes_wrong_is_acknowledged_by_nobody(
    fault: Answer, outcome: Outcome, *, followed: bool
) -> None:
    """Rejected, lost on the way, or followed without a word: only the next one is known to hold."""
    yard = Yard(fault)
    assert await yard.tell() is outcome
    assert yard.stations.acknowledged() == {}
    assert (yard.gives(HOUR) == 3_700) is followed
    assert await yard.tell() is Outcome.DONE


async def test_a_charge_point_that_starts_anew_has_forgotten() -> None:
    """The car charges at once again, and nothing is acknowledged."""
    yard = Yard()
    await yard.tell()
    yard.stations.reboot("v-1")
    assert yard.stations.acknowledged() == {}
    assert yard.gives(HOUR) is None


async def test_a_charge_point_that_fails_gives_nothing_until_it_is_mended() -> None:
    """Whatever it was told; afterwards it goes on with that."""
    yard = Yard()
    await yard.tell()
    yard.stations.fail("v-1", dead=True)
    assert yard.gives(HOUR) == 0
    yard.stations.fail("v-1", dead=False)
    assert yard.gives(HOUR) == 3_700


async def test_a_profile_ends_with_its_transaction() -> None:
    """The next car at the plug, or the same one the next day, begins without a word."""
    yard = Yard()
    await yard.tell()
    yard.stations.unplug("v-1")
    assert await yard.tell() is Outcome.REFUSED
    yard.stations.plug("v-1", MINIMUM)
    assert yard.gives(HOUR) is None
    assert yard.changes == [0]


async def test_a_later_profile_takes_the_place_of_the_one_before() -> None:
    """Periods of the old one are nobody's news any more."""
    yard = Yard()
    await yard.tell()
    await yard.tell(a_profile((0, 2_000), (90 * MINUTE, 0)))
    assert [yard.gives(at) for at in (HOUR, 2 * HOUR)] == [2_000, 0]
    assert yard.changes == [0, 0, 90 * MINUTE]


@pytest.mark.parametrize(("watts", "taken"), [(0, True), (1_379, False), (1_380, True)])
def test_below_six_amperes_nothing_can_be_given(watts: int, *, taken: bool) -> None:
    """On one phase of 230 V that is 1,380 W; nothing at all can be given."""
    station = Station(MINIMUM)
    why = station.take(charging_profile(a_profile((0, watts), (HOUR, 0))))
    assert (why == "") is taken


def test_more_periods_than_it_can_hold_are_rejected() -> None:
    """A charge point says how many it holds, and takes no more."""
    steps = [(n * MINUTE, 2_000 + n % 2) for n in range(MOST_PERIODS + 1)]
    assert "1025 periods" in Station(MINIMUM).take(charging_profile(a_profile(*steps)))
