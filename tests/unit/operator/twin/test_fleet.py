"""Cars as they are: they charge at once, yield to nobody's plan, sleep, fall silent and leave."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from idlewatt_operator.gateways.protocols import BindOrder
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.fleet import Fleet
from idlewatt_operator.twin.grid import house_watts
from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.journal import Journal, Kind
from idlewatt_operator.twin.kubelet import EndedBy
from idlewatt_operator.twin.scenario import LostLink
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Observation, Power, Supply
from idlewatt_scheduler.model.workload import Pod, Ready


class Yard:
    """One car that arrives an hour after the start with 10 of 20 kWh, and stays for five hours.

    It charges at 5 kW behind a charge point of 5.5 kW, unless `stay` changes that.
    """

    def __init__(
        self, *, sleeps: bool = False, lost: LostLink | None = None, **stay: object
    ) -> None:
        base = a_night(date(2022, 7, 12), 1, 1, 1)
        start = base.start
        drawn = base.stays[0]
        own = replace(
            drawn,
            arrives_at=start + HOUR,
            leaves_at=start + 6 * HOUR,
            stated_leave_at=start + 7 * HOUR,
            notice_at=None,
            boards_at=start + 6 * HOUR - MINUTE,
            arrival_watt_hours=10_000,
            full_watt_hours=20_000,
            charge_power_watts=5_000,
            limit_watts=5_500,
        )
        self.stay: Stay = replace(own, **stay)  # type: ignore[arg-type]
        self.name = self.stay.vehicle
        (vehicle,) = base.vehicles
        sized = replace(vehicle, battery=replace(vehicle.battery, net_capacity_watt_hours=20_000))
        scenario = replace(
            base,
            vehicles=(sized,),
            stays=(self.stay,),
            submissions=(),
            lost_link=lost,
            sleepers=frozenset({self.name} if sleeps else ()),
        )
        self.start = start
        self.clock = ManualClock(start)
        self.cluster = MemoryCluster(self.clock)
        self.journal = Journal()
        self.fleet = Fleet(scenario, self.clock, self.cluster, self.journal)

    def go(self, hours: float) -> Observation:
        """Move to so many hours after the start, and give what the car reported last."""
        self.clock.advance_to(self.start + round(hours * HOUR))
        return self.fleet.latest().vehicles[self.name]

    async def run_pod(self, watts: int) -> str:
        """Bind a pod that draws so much for ever, and let it start."""
        pod = Pod("default", "a-1", uid="uid-a")
        self.cluster.add_pod(PodRecord(pod, scheduler_name="idlewatt"))
        notes: Mapping[str, str] = {"idlewatt.dev/bound-watts": str(watts)}
        await self.cluster.bind(BindOrder("default", "a-1", "uid-a", self.name, notes))
        self.clock.advance_to(self.clock.now() + 2 * SECOND)
        return "uid-a"

    def kinds(self) -> list[Kind]:
        """What was written down, in its order."""
        return [fact.kind for fact in self.journal.facts]


def percent(seen: Observation) -> int | None:
    """Give the charge that was reported."""
    assert seen.battery is not None
    return seen.battery.state_of_charge_percent


def test_away_it_is_neither_parked_nor_plugged() -> None:
    """Before it arrives nothing of a site is known."""
    seen = Yard().go(0.5)
    assert seen.parking is not None
    assert seen.connection is not None
    assert seen.parking.parked is False
    assert (seen.connection.supply, seen.connection.site) == (Supply.UNPLUGGED, None)


def test_it_charges_at_once_until_it_is_full() -> None:
    """5 kW and 90 % make 4.5 kWh an hour: 72 % after one hour, full after 2 h 13 min."""
    yard = Yard()
    seen = yard.go(2)
    assert percent(seen) == 72
    assert seen.connection is not None
    assert seen.connection.charge_power_watts == 5_000
    seen = yard.go(3.3)
    assert percent(seen) == 100
    assert seen.connection is not None
    assert seen.connection.charge_power_watts == 0
    assert yard.kinds() == [Kind.ARRIVED, Kind.FULL]


async def test_where_both_do_not_fit_charging_yields() -> None:
    """Behind 5.5 kW a computer of 0.88 kW (1 kW at the plug, standby aside) leaves 4.5 kW."""
    yard = Yard()
    yard.go(1)
    standby = yard.fleet.cars[yard.name].vehicle.compute.standby_power_watts
    await yard.run_pod(880 - standby)
    car = yard.fleet.cars[yard.name]
    assert car.computing == 1_000_000
    assert car.charging_watts == pytest.approx(4_500)
    assert percent(yard.go(2)) == 70


async def test_at_the_departure_the_car_takes_its_power_back() -> None:
    """What still runs is ended by the car, and the departure says so and what the battery held."""
    yard = Yard()
    yard.go(1)
    await yard.run_pod(100)
    yard.go(6.1)
    (departure,) = yard.journal.departures
    assert [run.ended_by for run in departure.cut_off] == [EndedBy.CAR]
    assert departure.watt_hours == pytest.approx(20_000)
    assert departure.alone_watt_hours == pytest.approx(20_000)
    assert Kind.BROKEN in yard.kinds()


async def test_a_container_that_starts_on_a_driven_car_is_a_breach() -> None:
    """A binding that comes too late is cut off at once and written down."""
    yard = Yard()
    yard.go(0.5)
    await yard.run_pod(100)
    assert yard.cluster.kubelets.on_node(yard.name) == []
    assert Kind.BROKEN in yard.kinds()


def test_a_word_moves_the_departure_and_a_door_occupies_the_car() -> None:
    """From the notice on the departure is known; a minute before it somebody sits in the car."""
    yard = Yard(notice_at=a_night(date(2022, 7, 12), 1, 1, 1).start + 5 * HOUR)
    assert yard.go(4.9).departure_expected_at == yard.stay.stated_leave_at
    seen = yard.go(5.1)
    assert seen.departure_expected_at == yard.stay.leaves_at
    assert seen.parking is not None
    assert seen.parking.occupied is False
    seen = yard.go(6 - 0.5 / 60)
    assert seen.parking is not None
    assert seen.parking.occupied is True


def test_it_reports_on_the_half_minute() -> None:
    """An observation is at most thirty seconds old, and never of the future."""
    yard = Yard()
    for minutes in (70, 70.3, 70.6, 71.9):
        seen = yard.go(minutes / 60)
        assert seen.battery is not None
        assert seen.battery.observed_at is not None
        assert 0 <= yard.clock.now() - seen.battery.observed_at <= 30 * SECOND


async def test_it_sleeps_when_idle_and_is_woken() -> None:
    """Half an hour after it is full; its last report stands, its Node is unseen, until it wakes."""
    yard = Yard(sleeps=True)
    before = yard.go(3.9)
    assert before.power is Power.ASLEEP
    assert yard.cluster.view().nodes[yard.name].ready is Ready.UNKNOWN
    assert yard.go(4.5) == before
    await yard.fleet.wake(yard.name)
    assert yard.go(4.505).power is Power.WAKING
    seen = yard.go(4.6)
    assert seen.power is Power.AWAKE
    assert yard.cluster.view().nodes[yard.name].ready is Ready.TRUE
    assert yard.journal.wakes == [(yard.name, yard.start + round(4.5 * HOUR))]


async def test_behind_a_lost_link_containers_run_on_unseen() -> None:
    """Reports stop, the Node is unseen after its grace, the container runs, and all comes back."""
    start = a_night(date(2022, 7, 12), 1, 1, 1).start
    yard = Yard(lost=LostLink(start + 4 * HOUR, HOUR))
    yard.go(3.5)
    await yard.run_pod(100)
    last = yard.go(4)
    assert yard.go(4.5) == last
    assert yard.cluster.view().nodes[yard.name].ready is Ready.UNKNOWN
    assert len(yard.cluster.kubelets.on_node(yard.name)) == 1
    assert yard.fleet.states() == {yard.name: "lost"}
    assert yard.go(5.1) != last
    assert yard.cluster.view().nodes[yard.name].ready is Ready.TRUE


def test_the_house_is_metered_on_the_first_circuit() -> None:
    """What the house takes at this hour is reported as the main circuit's own load."""
    yard = Yard()
    yard.go(1.5)
    site = yard.stay.site
    (main,) = yard.fleet.latest().circuits[site]
    assert (main.name, main.uncontrolled_load_watts) == ("main", 8_500)
    assert house_watts(yard.fleet.scenario, site, yard.clock.now()) == main.uncontrolled_load_watts
