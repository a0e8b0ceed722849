"""Profiles: sent where they differ, relied on where they were acknowledged, forgotten with ease."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_operator.reconcile.charging import differs, greatest
from idlewatt_operator.reconcile.cycle import Cycle
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Charging, Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Supply
from idlewatt_scheduler.testing import AT, a_vehicle

DONE = Result(Outcome.DONE)


def a_profile(*steps: tuple[int, int]) -> ChargingProfile:
    """Make periods of milliseconds after `AT`, and watts."""
    return ChargingProfile(tuple(ChargingPeriod(AT + at, watts * 1_000) for at, watts in steps))


@dataclass
class Chargers:
    """Charge points that answer what they are told to answer."""

    answers: list[Result] = field(default_factory=list)
    told: list[tuple[str, ChargingProfile]] = field(default_factory=list)
    known: dict[str, ChargingProfile] = field(default_factory=dict)
    gate: asyncio.Event | None = None

    def acknowledged(self) -> Mapping[str, ChargingProfile]:
        """Give what they took."""
        return dict(self.known)

    async def set_profile(self, vehicle: str, profile: ChargingProfile) -> Result:
        """Answer in turn; take it where that is done."""
        self.told.append((vehicle, profile))
        if self.gate is not None:
            await self.gate.wait()
        result = self.answers.pop(0) if self.answers else DONE
        if result.outcome is Outcome.DONE:
            self.known[vehicle] = profile
        return result


class Depot(Scene):
    """A scene whose plan holds the profiles that a test wants, and nothing else."""

    def __init__(self, vehicles: int = 1, settings: Settings | None = None) -> None:
        self.wanted: dict[str, ChargingProfile] = {}
        self.chargers = Chargers()
        self.snapshots: list[Snapshot] = []
        self.reactions: list[int] = []

        async def planner(snapshot: Snapshot) -> Plan:
            self.snapshots.append(snapshot)
            charging = tuple(Charging(name, each) for name, each in sorted(self.wanted.items()))
            return Plan(snapshot.at, charging=charging)

        super().__init__(vehicles, planner=planner, settings=settings)

    def a_cycle(self) -> Cycle:
        """Make a cycle that can tell the chargers something."""
        return Cycle(
            self.cluster,
            self.telemetry,
            self.clock,
            self.planner,
            self.settings,
            charging=self.chargers,
            on_reaction=self.reactions.append,
        )

    def counted(self, name: str = "v-0") -> ChargingProfile | None:
        """Give the profile with which the last snapshot counts a vehicle."""
        vehicle = next(each for each in self.snapshots[-1].vehicles if each.name == name)
        assert vehicle.observed.connection is not None
        return vehicle.observed.connection.profile


@pytest.fixture(name="depot")
def a_depot() -> Depot:
    """Make a depot whose one car is to be charged with 3.7 kW from midnight to 01:00."""
    depot = Depot()
    depot.wanted["v-0"] = a_profile((0, 0), (2 * HOUR, 3_700), (3 * HOUR, 0))
    return depot


async def test_a_profile_is_relied_on_once_it_is_acknowledged(depot: Depot) -> None:
    """In the cycle that sends it the car is External, in the next one it is controlled."""
    await depot.run()
    assert depot.counted() is None
    await depot.run(10)
    assert depot.counted() == depot.wanted["v-0"]


async def test_what_the_charger_knows_is_not_told_again(depot: Depot) -> None:
    """A plan of the next cycle that says the same in other words sends nothing."""
    await depot.run()
    depot.wanted["v-0"] = a_profile((10_000, 0), (2 * HOUR, 3_700), (3 * HOUR, 0))
    await depot.run(60)
    assert len(depot.chargers.told) == 1


async def test_what_changes_is_told_and_both_count_until_it_is_acknowledged(depot: Depot) -> None:
    """Not answered, either may be true; the car counts with the greater at every instant."""
    await depot.run()
    depot.chargers.answers.append(Result(Outcome.UNKNOWN))
    depot.wanted["v-0"] = a_profile((0, 0), (4 * HOUR, 7_400), (5 * HOUR, 0))
    await depot.run(10)
    await depot.run(1)
    assert depot.counted() == a_profile(
        (0, 0), (2 * HOUR, 3_700), (3 * HOUR, 0), (4 * HOUR, 7_400), (5 * HOUR, 0)
    )
    await depot.run(30)
    assert depot.counted() == depot.wanted["v-0"]


async def test_a_refused_profile_counts_for_nothing_and_is_tried_again_later(depot: Depot) -> None:
    """What was acknowledged before goes on; the next attempt waits for ten seconds, then longer."""
    await depot.run()
    depot.chargers.answers += [Result(Outcome.REFUSED)] * 3
    depot.wanted["v-0"] = a_profile((0, 0), (4 * HOUR, 7_400), (5 * HOUR, 0))
    for _ in range(45):
        await depot.run(1)
    assert depot.counted() == a_profile((0, 0), (2 * HOUR, 3_700), (3 * HOUR, 0))
    assert len(depot.chargers.told) == 1 + 3
    assert depot.cycle.memory.charges.counts == {"Sent": 4, "Done": 1, "Refused": 3}


async def test_what_was_acknowledged_stands_in_the_status(depot: Depot) -> None:
    """When, and each period; what was sent and not answered does not, and the end removes it."""
    await depot.run()
    await depot.run(10)
    depot.chargers.answers += [Result(Outcome.UNKNOWN)] * 9
    depot.wanted["v-0"] = a_profile((0, 0), (4 * HOUR, 7_400), (5 * HOUR, 0))
    await depot.run(61)
    assert profile_in_status(depot) == {
        "acknowledgedAt": "2026-01-15T22:00:10Z",
        "periods": [
            {"startTime": "2026-01-15T22:00:00Z", "chargePowerWatts": 0},
            {"startTime": "2026-01-16T00:00:00Z", "chargePowerWatts": 3_700},
            {"startTime": "2026-01-16T01:00:00Z", "chargePowerWatts": 0},
        ],
    }
    depot.wanted.clear()
    depot.observe("v-0", connection__supply=Supply.UNPLUGGED)
    await depot.run(70)
    assert profile_in_status(depot) is None


def profile_in_status(depot: Depot) -> object:
    """Give the charging profile that the VehicleNode's status shows."""
    connection = depot.cluster.view().vehicles["v-0"].status["connection"]
    assert isinstance(connection, Mapping)
    return connection.get("chargingProfile")


async def test_a_late_answer_counts(depot: Depot) -> None:
    """A charger that answers after its time is up is believed all the same."""
    depot.chargers.answers.append(Result(Outcome.UNKNOWN))
    await depot.run()
    await depot.run(1)
    assert depot.counted() is None
    depot.chargers.known["v-0"] = depot.wanted["v-0"]
    await depot.run(1)
    assert depot.counted() == depot.wanted["v-0"]


async def test_a_charger_that_forgot_is_external_and_told_again(depot: Depot) -> None:
    """After a reboot of the charge point nothing is relied on until it took the profile again."""
    await depot.run()
    await depot.run(10)
    depot.chargers.known.clear()
    await depot.run(10)
    assert depot.counted() is None
    await depot.run(10)
    assert depot.counted() == depot.wanted["v-0"]


async def test_a_restart_of_the_operator_forgets(depot: Depot) -> None:
    """What an earlier process was told is nobody's knowledge any more, gateway or not."""
    await depot.run()
    await depot.run(10)
    depot.restart()
    await depot.run(10)
    assert depot.counted() is None
    assert len(depot.chargers.told) == 2


@pytest.mark.parametrize(
    "moved",
    [
        {"connection__supply": Supply.UNPLUGGED},
        {"connection__circuit": "main"},
        {"parking__since": AT - HOUR},
    ],
)
async def test_another_session_begins_without_a_word(
    depot: Depot, moved: dict[str, object]
) -> None:
    """What a charge point acknowledged for one session says nothing of the next."""
    await depot.run()
    await depot.run(10)
    depot.wanted.clear()
    depot.observe("v-0", **moved)
    await depot.run(10)
    assert depot.counted() is None


async def test_somebody_in_the_car_ends_no_session(depot: Depot) -> None:
    """While somebody sits in it nobody says since when it stands empty; the profile holds on."""
    await depot.run()
    depot.observe("v-0", parking__occupied=True, parking__since=None)
    await depot.run(10)
    assert depot.counted() == depot.wanted["v-0"]


async def test_what_telemetry_says_of_profiles_is_not_believed(depot: Depot) -> None:
    """Only the charger's own word counts, and only through the gateway."""
    depot.observe("v-0", connection__profile=a_profile((0, 0)))
    depot.wanted.clear()
    await depot.run()
    assert depot.counted() is None


async def test_without_a_gateway_nothing_is_sent_and_all_is_external(depot: Depot) -> None:
    """A site's word that charging is idlewatt's makes no charger listen."""
    depot.cycle = Cycle(depot.cluster, depot.telemetry, depot.clock, depot.planner)
    report = await depot.run()
    assert report.decisions.charge == ()
    assert depot.counted() is None


async def test_a_dry_run_tells_no_charger(depot: Depot) -> None:
    """It shows what would be sent, and sends nothing."""
    depot.settings = Settings(dry_run=True)
    depot.restart()
    report = await depot.run()
    assert len(report.decisions.charge) == 1
    assert depot.chargers.told == []


async def test_so_many_a_second_and_what_sheds_first() -> None:
    """Of more than may be sent at once, cars that have to take less come first, then by name."""
    depot = Depot(8, Settings(profiles_per_second=3))
    for index in range(8):
        depot.wanted[f"v-{index}"] = a_profile((0, 0))
        charging = 3_700 if index in {5, 6} else 0
        depot.observe(f"v-{index}", connection__charge_power_watts=charging)
    await depot.run()
    assert [name for name, _ in depot.chargers.told] == ["v-5", "v-6", "v-0"]
    await depot.run(1)
    assert [name for name, _ in depot.chargers.told[3:]] == ["v-1", "v-2", "v-3"]


async def test_a_charger_that_is_waited_for_is_told_only_to_take_less() -> None:
    """Beside the cycles an answer may take its time; a curtailment does not wait for it."""
    depot = Depot(1, Settings(charging_beside=True))
    depot.chargers.gate = asyncio.Event()
    depot.wanted["v-0"] = a_profile((0, 3_700), (HOUR, 0))
    await depot.run()
    depot.wanted["v-0"] = a_profile((0, 7_400), (HOUR, 0))
    depot.observe("v-0", connection__charge_power_watts=3_700)
    await depot.run(1)
    assert len(depot.chargers.told) == 1
    depot.wanted["v-0"] = a_profile((0, 0), (HOUR, 0))
    await depot.run(1)
    assert [profile for _, profile in depot.chargers.told][1:] == [depot.wanted["v-0"]]
    depot.chargers.gate.set()
    await depot.cycle.end()
    await depot.run(1)
    assert depot.counted() == depot.wanted["v-0"]


async def test_the_reaction_to_a_curtailment_is_measured_once(depot: Depot) -> None:
    """From the arrival of the report until the chargers have answered."""
    await depot.run()
    assert depot.reactions == []
    depot.telemetry.limits_changed_at = depot.clock.now() + 500
    await depot.run(2)
    await depot.run(10)
    assert depot.reactions == [1_500]


def test_a_charge_in_whole_percents_makes_no_new_profile() -> None:
    """The end of charging may move by 2 % of the battery; what parts within a minute counts."""
    vehicle = a_vehicle(battery__net_capacity_watt_hours=60_000)
    told = a_profile((0, 6_000), (2 * HOUR, 0))
    # 12 minutes of 6 kW are 1.2 kWh.
    assert not differs(told, a_profile((0, 6_000), (2 * HOUR + 12 * MINUTE, 0)), AT, vehicle)
    assert differs(told, a_profile((0, 6_000), (2 * HOUR + 12 * MINUTE + 1, 0)), AT, vehicle)
    assert differs(
        told, a_profile((0, 6_000), (MINUTE - 1, 0), (MINUTE, 6_000), (2 * HOUR, 0)), AT, vehicle
    )
    late = AT + 2 * HOUR - MINUTE
    longer = a_profile((0, 6_000), (2 * HOUR + 1, 0))
    assert not differs(told, longer, late, vehicle)
    assert differs(told, longer, late + 1, vehicle)


def test_the_greatest_of_several_is_that_at_every_instant() -> None:
    """Before the first of them began nothing is said; a period that changes nothing is left out."""
    first = a_profile((0, 1_500), (HOUR, 0), (2 * HOUR, 4_000), (3 * HOUR, 0))
    second = a_profile(
        (-HOUR, 9_000), (0, 0), (30 * MINUTE, 2_000), (2 * HOUR, 3_000), (4 * HOUR, 0)
    )
    both = greatest(first, (second,))
    assert both.periods[0].start == AT
    for at in range(AT, AT + 5 * HOUR, MINUTE):
        assert both.power_at(at) == max(first.power_at(at) or 0, second.power_at(at) or 0)
    assert len({each.power for each in both.periods}) > 3
    assert all(a.power != b.power for a, b in zip(both.periods, both.periods[1:], strict=False))


def test_more_unanswered_profiles_than_anybody_keeps_count_together() -> None:
    """However many were never answered, the greatest of all of them counts."""
    from idlewatt_operator.reconcile.charging import _Session, _Talk  # noqa: PLC0415

    talk = _Talk(_Session("depot-7", "row-a", AT), acknowledged=a_profile((0, 0)))
    for index in range(20):
        talk.say(
            a_profile(
                (0, 0), (index * MINUTE + SECOND, 2_000 + index), (index * MINUTE + 30 * SECOND, 0)
            )
        )
    held = talk.may_hold()
    assert held is not None
    assert len(talk.unanswered) <= 4
    for index in range(20):
        assert held.power_at(AT + index * MINUTE + 2 * SECOND) == (2_000 + index) * 1_000
