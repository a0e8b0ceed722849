"""The cars themselves: they arrive, charge, compute, sleep, lose their link and leave.

Between two changes nothing changes, so nothing is stepped: a battery is a line in time, and the
next change is put on the clock. A car is charged at once, unless its charge point was told
otherwise; computing only takes what the charge point has left, and where both do not fit, charging
is what yields.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from idlewatt_operator.gateways.protocols import Outcome, Result, Telemetry
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.twin.car import Car
from idlewatt_operator.twin.charging import Stations
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.enrolment import dice
from idlewatt_operator.twin.grid import Grid
from idlewatt_operator.twin.journal import Departure, Draw, Fact, Journal, Kind
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.promises import short_of_charge
from idlewatt_operator.twin.scenario import (
    ChargerFault,
    ChargerTrouble,
    Curtailment,
    Scenario,
)
from idlewatt_operator.twin.stays import CHARGE_EFFICIENCY, Stay
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant, Milliseconds, Milliwatts
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import Ready

SOON: Final[Milliseconds] = 1 * SECOND
"""From a change that cannot wait until its cycle, as a watch's news would take."""
LAST_SECONDS: Final = 25
"""So long before a pod's last safe time a drain that a budget blocks becomes a deletion."""
AT_LEISURE: Final[Milliseconds] = 60 * SECOND
"""From a change that only makes room; in a cluster that, too, would take a second."""
SLEEP_AFTER: Final[Milliseconds] = 30 * MINUTE
WAKE_FAILURE_SHARE: Final = 0.05
_FULL_WITHIN_WATT_HOURS: Final = 0.01


class Fleet:
    """Every car of a scenario, on a clock and in a cluster.

    Args:
        scenario: what is played.
        clock: moves everything.
        cluster: its kubelets run on these cars.
        journal: where it is written down.

    `ask` is called with how soon the operator would look again because of what happened.
    """

    def __init__(
        self, scenario: Scenario, clock: ManualClock, cluster: MemoryCluster, journal: Journal
    ) -> None:
        self.scenario = scenario
        self.clock = clock
        self.cluster = cluster
        self.journal = journal
        self.ask: Callable[[Milliseconds], None] = lambda _: None
        self.cars = {each.name: Car(each, since=scenario.start) for each in scenario.vehicles}
        self.stations = Stations(clock, self._told_otherwise)
        self.grid = Grid(scenario, clock, journal)
        self._capacity = scenario.capacity_watt_hours()
        self._dice = dice(scenario.seed, "wakes")
        cluster.kubelets.on_change = self._containers_changed
        cluster.preparation = self._preparation
        for car in self.cars.values():
            journal.draws[car.name] = []
            journal.charges[car.name] = []
            cluster.add_vehicle(car.vehicle, scenario.nodes[car.name])
        for stay in scenario.stays:
            self._expect(stay)
        for submission in scenario.submissions:
            clock.call_at(submission.at, partial(self._submit, submission.workload.template.name))
        if scenario.lost_link is not None:
            clock.call_at(scenario.lost_link.at, self._lose_a_link)
        for fault in scenario.charger_faults:
            clock.call_at(fault.at, partial(self._trouble_a_charger, fault))
        for curtailment in scenario.curtailments:
            for at in (curtailment.at, curtailment.until):
                clock.call_at(at, partial(self._limits_change, curtailment))

    # What is known of the cars.

    def latest(self) -> Telemetry:
        """What every car and every site reported last."""
        now = self.clock.now()
        return Telemetry(
            {name: car.reported(now) for name, car in self.cars.items()},
            {site.name: self.grid.observed(site.name, now) for site in self.scenario.sites},
            limits_changed_at=self.grid.limits_changed_at,
        )

    async def wake(self, vehicle: str) -> Result:
        """Ask a car to wake; it takes its time, and sometimes it does not."""
        car = self.cars.get(vehicle)
        if car is None:
            return Result(Outcome.GONE)
        if car.power is Power.ASLEEP:
            now = self.clock.now()
            car.power = Power.WAKING
            if car.silent is not None:
                car.silent = replace(car.silent, power=Power.WAKING)
            self.journal.wakes.append((vehicle, now))
            self._note(Kind.WAKING, car, f"{vehicle} is woken for pods that are decided")
            self.clock.call_at(
                now + car.vehicle.compute.wake_seconds * SECOND, partial(self._woken, car)
            )
        return Result(Outcome.DONE)

    def states(self) -> Mapping[str, str]:
        """One word of `car.STATES` for what each car is doing."""
        pods = self.cluster.view().pods.values()
        leaving = {record.node for record in pods if record.being_deleted and record.node}
        return {name: car.state(leaving=name in leaving) for name, car in self.cars.items()}

    # What happens.

    def _expect(self, stay: Stay) -> None:
        if stay.leaves_at <= self.scenario.start:
            return
        car = self.cars[stay.vehicle]
        if stay.arrives_at <= self.scenario.start:
            self._park(car, stay, stay.alone_watt_hours(self.scenario.start))
        else:
            self.clock.call_at(stay.arrives_at, partial(self._arrive, car, stay))
        if stay.notice_at is not None:
            self.clock.call_at(stay.notice_at, partial(self._tell, car, stay))
        self.clock.call_at(stay.boards_at, partial(self._board, car, stay))
        self.clock.call_at(stay.leaves_at, partial(self._leave, car, stay))

    def _park(self, car: Car, stay: Stay, watt_hours: float) -> None:
        car.stay, car.since = stay, stay.arrives_at
        car.watt_hours, car.settled_at = watt_hours, self.clock.now()
        self.journal.charges[car.name].append((car.settled_at, watt_hours))
        car.boarded = car.told = car.charger_failed = False
        if self.scenario.site(stay.site).charging_controller is ChargingController.IDLEWATT:
            self.stations.plug(car.name, car.vehicle.min_charge_power_watts * 1_000)
        self._refresh(car)
        if stay.stated_leave_at is not None:
            self._ask_before(car, stay.stated_leave_at)

    def _arrive(self, car: Car, stay: Stay) -> None:
        self._park(car, stay, stay.arrival_watt_hours)
        share = stay.arrival_watt_hours / self._capacity[car.name]
        planned = self.stations.station(car.name) is not None
        how = "is charged when it suits" if planned else "charges at once"
        self._note(Kind.ARRIVED, car, f"{car.name} parks at {stay.site} with {share:.0%} and {how}")
        if planned or any(each.computing for each in self._neighbours(stay)):
            self.ask(SOON)

    def _tell(self, car: Car, stay: Stay) -> None:
        if car.stay is not stay:
            return
        car.told = True
        clock = local_time(stay.leaves_at, self.scenario.zone)
        self._note(Kind.TOLD, car, f"the owner of {car.name} will leave early, at {clock:%H:%M}")
        self._changed(car)
        self._ask_if_busy(car)
        if self.stations.station(car.name) is not None:
            self.ask(SOON)
        self._ask_before(car, stay.leaves_at)

    def _board(self, car: Car, stay: Stay) -> None:
        if car.stay is not stay:
            return
        car.boarded = True
        if car.power is not Power.AWAKE:
            self._wake_up(car)
        if self.cluster.kubelets.on_node(car.name):
            self._note(Kind.BOARDED, car, f"somebody gets into {car.name} while its pods still run")
        self._changed(car)
        self._ask_if_busy(car)

    def _leave(self, car: Car, stay: Stay) -> None:
        if car.stay is not stay:
            return
        now = self.clock.now()
        self._settle(car)
        cut_off = tuple(self.cluster.kubelets.power_off(car.name))
        departure = Departure(
            stay, car.watt_hours, stay.alone_watt_hours(now), cut_off, car.charger_failed
        )
        self.journal.departures.append(departure)
        self.stations.unplug(car.name)
        share = car.watt_hours / self._capacity[car.name]
        early = " before its time" if stay.leaves_early else ""
        text = f"{car.name} leaves {stay.site}{early} with {share:.0%}"
        self._note(Kind.LEFT, car, text)
        short = short_of_charge(departure, car.vehicle)
        if short:
            self._note(Kind.BROKEN, car, f"{car.name} {short}")
        if cut_off:
            names = ", ".join(run.pod for run in cut_off)
            self._note(Kind.BROKEN, car, f"{car.name} drove off while {names} still ran")
        car.stay, car.since, car.boarded, car.told = None, now, False, False
        self._refresh(car)

    def _lose_a_link(self) -> None:
        """The link of the car with most containers goes; of equals the first by name."""
        lost_link = self.scenario.lost_link
        busy = {
            name: len(self.cluster.kubelets.on_node(name))
            for name, car in self.cars.items()
            if car.stay is not None
        }
        if lost_link is None or not busy:
            return
        car = self.cars[min(busy, key=lambda name: (-busy[name], name))]
        now = self.clock.now()
        car.silent, car.lost = car.reported(now), True
        self.cluster.cut_link(car.name)
        count = busy[car.name]
        self._note(
            Kind.LINK_LOST, car, f"{car.name} loses its link; {_pods(count)} on it run on unseen"
        )
        self.clock.call_at(now + lost_link.length, partial(self._find_link, car))
        unseen = now + self.cluster.node_grace_seconds * SECOND + SOON
        patience = self.scenario.policy.stale_drain_seconds * SECOND
        for at in (unseen, unseen + patience):
            self.clock.call_at(at, partial(self.ask, SOON))

    def _find_link(self, car: Car) -> None:
        car.lost, car.silent = False, None
        self.cluster.restore_link(car.name)
        self._note(Kind.LINK_BACK, car, f"{car.name} is reached again")
        self.ask(SOON)
        self._refresh(car)

    def _trouble_a_charger(self, fault: ChargerFault) -> None:
        """The charge point of the car that charges most; of equals the first by name."""
        cars = [each for each in self.cars.values() if self.stations.station(each.name)]
        if not cars:
            return
        car = min(cars, key=lambda each: (-each.charging_watts, each.name))
        if fault.trouble is ChargerTrouble.STARTS_ANEW:
            self._note(
                Kind.CHARGER, car, f"the charge point of {car.name} starts anew, its profile lost"
            )
            self.stations.reboot(car.name)
            self.ask(SOON)
            return
        self._note(Kind.CHARGER, car, f"the charge point of {car.name} fails and gives nothing")
        car.charger_failed, stay = True, car.stay
        self.stations.fail(car.name, dead=True)
        self.clock.call_at(fault.at + fault.length, partial(self._mend_a_charger, car, stay))
        self.ask(SOON)

    def _mend_a_charger(self, car: Car, stay: Stay | None) -> None:
        if car.stay is stay:
            self._note(Kind.CHARGER, car, f"the charge point of {car.name} is mended")
            self.stations.fail(car.name, dead=False)
            self.ask(SOON)

    def _limits_change(self, curtailment: Curtailment) -> None:
        self.grid.change(curtailment)
        self.ask(SOON)

    def _submit(self, name: str) -> None:
        submission = next(s for s in self.scenario.submissions if s.workload.template.name == name)
        workload = replace(submission.workload)
        self.cluster.add_workload(workload)
        kind = str(workload.kind).lower()
        fact = Fact(
            self.clock.now(),
            Kind.SUBMITTED,
            f"somebody creates the {kind} {name} with {_pods(workload.count)}",
        )
        self.journal.note(fact)
        self.ask(SOON)

    # When the operator would look again.

    def _ask_if_busy(self, car: Car) -> None:
        if self.cluster.kubelets.on_node(car.name):
            self.ask(SOON)

    def _ask_before(self, car: Car, departure: Instant) -> None:
        """Before a departure: at the drain's lead, and when a blocked drain may not wait longer.

        In a cluster the operator looks every ten seconds anyway.
        """
        graces = {each.model.grace_seconds for each in self.scenario.submissions}
        last = {grace + LAST_SECONDS for grace in graces}
        for lead in {self.scenario.policy.drain_lead_seconds, *last}:
            self.clock.call_at(departure - lead * SECOND, partial(self._ask_if_busy, car))

    def _neighbours(self, stay: Stay) -> list[Car]:
        return [each for each in self.cars.values() if each.stay and each.stay.site == stay.site]

    # Sleep.

    def _may_sleep(self, car: Car, since: Instant) -> None:
        if car.idle_since != since or car.power is not Power.AWAKE or car.lost or car.boarded:
            return
        car.silent = replace(car.seen(self.clock.now()), power=Power.ASLEEP)
        car.power = Power.ASLEEP
        self.cluster.set_ready(car.name, Ready.UNKNOWN)
        self._note(Kind.ASLEEP, car, f"{car.name} falls asleep")

    def _woken(self, car: Car) -> None:
        if car.power is not Power.WAKING:
            return
        if self._dice.random() < WAKE_FAILURE_SHARE:
            car.power = Power.ASLEEP
            if car.silent is not None:
                car.silent = replace(car.silent, power=Power.ASLEEP)
            self._note(Kind.WAKE_FAILED, car, f"{car.name} did not wake")
            return
        self._wake_up(car)
        self._note(Kind.AWAKE, car, f"{car.name} is awake")
        self.ask(SOON)

    def _wake_up(self, car: Car) -> None:
        car.power, car.silent = Power.AWAKE, None
        car.idle_since = None
        self.cluster.set_ready(car.name, Ready.TRUE)
        self._refresh(car)

    # Power and charge.

    def _containers_changed(self, node: str) -> None:
        car = self.cars[node]
        if car.stay is None and self.cluster.kubelets.on_node(node):
            ended = self.cluster.kubelets.power_off(node)
            names = ", ".join(run.pod for run in ended)
            self._note(Kind.BROKEN, car, f"{names} started on {node} while it was driven")
            return
        self._refresh(car)
        self.ask(AT_LEISURE)

    def _refresh(self, car: Car) -> None:
        """Settle what was drawn until now, and set what is drawn from now on."""
        self._settle(car)
        now, stay = self.clock.now(), car.stay
        car.computing_dc = self._computing_dc(car)
        car.computing = car.computing_dc * 100 // car.vehicle.compute.efficiency_percent
        car.supplied = not (station := self.stations.station(car.name)) or not station.dead
        car.charging_watts = self._charging_watts(car)
        car.sheddable = self._sheddable(car)
        missing = 0.0 if stay is None else stay.full_watt_hours - car.watt_hours
        if car.charging_watts > 0:
            until_full = missing / (car.charging_watts * CHARGE_EFFICIENCY) * HOUR
            self.clock.call_at(now + max(1, round(until_full)), partial(self._filled, car, stay))
        self._note_idleness(car, now)
        self._changed(car)

    def _charging_watts(self, car: Car) -> float:
        """What goes into the battery: all that fits, unless its charge point was told otherwise."""
        stay, told = car.stay, self.stations.gives(car.name)
        if stay is None or stay.full_watt_hours - car.watt_hours <= _FULL_WITHIN_WATT_HOURS:
            return 0.0
        left = stay.limit_watts - car.computing / 1_000
        most = max(0.0, min(float(stay.charge_power_watts), left))
        if told is None:
            return most
        given = min(most, told / 1_000)
        return given if given >= car.vehicle.min_charge_power_watts else 0.0

    def _told_otherwise(self, vehicle: str) -> None:
        """Its charge point gives something else from now on; what it does not any more is news."""
        car = self.cars[vehicle]
        charged = car.charging_watts > 0
        self._refresh(car)
        if charged and not car.charging_watts:
            self.ask(AT_LEISURE)

    def _filled(self, car: Car, stay: Stay | None) -> None:
        if stay is None or car.stay is not stay or car.charging_watts == 0:
            return
        if stay.full_watt_hours - car.holds(self.clock.now()) <= _FULL_WITHIN_WATT_HOURS:
            self._refresh(car)
            self._note(Kind.FULL, car, f"{car.name} is charged")
            self.ask(AT_LEISURE)

    def _note_idleness(self, car: Car, now: Instant) -> None:
        idle = car.stay is not None and car.charging_watts == 0 and car.computing == 0
        if not idle:
            car.idle_since = None
        elif car.idle_since is None:
            car.idle_since = now
            if car.name in self.scenario.sleepers:
                self.clock.call_at(now + SLEEP_AFTER, partial(self._may_sleep, car, now))

    def _computing_dc(self, car: Car, *, told_to_leave: bool = True) -> Milliwatts:
        """What its pods draw at the computer, with those that were told to leave or without."""
        runs = self.cluster.kubelets.on_node(car.name)
        pods, powers = self.cluster.view().pods, self.journal.powers
        for run in runs:
            if run.uid not in powers:
                powers[run.uid] = pods[run.uid].bound_power or 0
        counted = [powers[run.uid] for run in runs if told_to_leave or run.told_at is None]
        if not counted:
            return 0
        return sum(counted) + car.vehicle.compute.standby_power_watts * 1_000

    def _sheddable(self, car: Car) -> Milliwatts:
        """What of its draw could be shed now: a grace that is being used cannot."""
        pods = self._computing_dc(car, told_to_leave=False)
        own = pods * 100 // car.vehicle.compute.efficiency_percent
        follows = self.stations.gives(car.name) is not None
        return own + (round(car.charging_watts * 1_000) if follows else 0)

    def _settle(self, car: Car) -> None:
        now = self.clock.now()
        if car.stay is not None and now > car.settled_at:
            if car.charging_watts or car.computing:
                draw = Draw(
                    car.settled_at,
                    now,
                    car.stay.site,
                    car.stay.circuit,
                    car.charging_watts,
                    car.computing,
                    car.computing_dc,
                    car.sheddable,
                )
                self.journal.draws[car.name].append(draw)
            car.watt_hours = car.holds(now)
            self.journal.charges[car.name].append((now, car.watt_hours))
        car.settled_at = now

    def settle_all(self) -> None:
        """Write down what was drawn until now, at the end of a play."""
        for car in self.cars.values():
            self._settle(car)

    def _preparation(self, record: PodRecord) -> Milliseconds:
        """How long a pod's image and model take on its node; the image stays there."""
        pod, node = record.pod, self.cluster.view().nodes[record.node or ""]
        length = pod.demand.model_load_time
        missing = not set(pod.images) <= node.images
        speed = self.cars[node.name].vehicle.link.downlink_bits_per_second
        if missing and pod.demand.image_size_bytes is not None and speed is not None:
            pull = pod.demand.image_size_bytes * 8 * SECOND // speed
            self.clock.call_at(
                self.clock.now() + pull, partial(self._pulled, node.name, pod.images)
            )
            length += pull
        return length

    def _pulled(self, name: str, images: tuple[str, ...]) -> None:
        node = self.cluster.view().nodes[name]
        self.cluster.add_node(replace(node, images=node.images | set(images)))

    # Reports.

    def _changed(self, car: Car) -> None:
        car.changed_at = self.clock.now()

    def _note(self, kind: Kind, car: Car, text: str) -> None:
        self.journal.note(Fact(self.clock.now(), kind, text, vehicle=car.name))


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
