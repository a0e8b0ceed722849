"""When the cars of a site are charged together: who takes which quarters, within the circuits.

1 keep        what the chargers follow now, the car with the least slack first
2 choose      each car again, beside what the others have, until nobody would choose otherwise
3 repair      where a car is short that alone would not be: the others make way for it if they
              can; from three beginnings: by slack, the short ones first, and quarter by quarter
              to those that can least go without it, whatever the price
"""

from collections.abc import Iterable, Mapping, Sequence

from idlewatt_scheduler.availability import VehicleCase, telemetry_invalid, telemetry_stale
from idlewatt_scheduler.circuits import CircuitKey, Headroom, Load, RoomKey
from idlewatt_scheduler.energy import Electrics, Source, Step
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.units import FOREVER, MINUTE, Instant, Milliseconds, Milliwatts
from idlewatt_scheduler.model.vehicle import Supply
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.quarters import UNLIMITED, Asking, Car, Choice, Grid, Ranks, grid
from idlewatt_scheduler.trajectory import Charge, Intake, charge_of, follow, percent_of, rise

ROUNDS = 6
"""How often each car is asked again at most; nearly always nobody answers otherwise twice."""

REPAIRS = 4
"""How often the others are asked to make way for those that are short."""

REPAIRED_AT_MOST = 200
"""How many cars a plan has time to repair the sites of."""


def profiles(
    by_site: Mapping[str, Iterable[Car]], rooms: Mapping[RoomKey, Headroom], at: Instant
) -> dict[str, ChargingProfile]:
    """A new profile for each car, by name.

    Args:
        by_site: the cars whose charging is ours to plan, by the name of their site.
        rooms: what the circuits leave for them, by the keys of their `loads`.
        at: the instant of planning.
    """
    settled: dict[str, _Site] = {}
    ranks: Ranks = {}
    for name, cars in by_site.items():
        asked = tuple(cars)
        quarters = grid(at, [car.charge_by for car in asked], ranks)
        slacks = {car.name: slack(car, quarters) for car in asked}
        row = sorted(asked, key=lambda car: (slacks[car.name], car.name))
        able = frozenset(name for name, left in slacks.items() if left >= 0)
        site = settled[name] = _Site(quarters, rooms, row, able)
        site.keep()
        site.settle()
    _repair(settled, at)
    return {
        name: ChargingProfile(choice.periods)
        for site in settled.values()
        for name, choice in site.choices.items()
    }


def _repair(settled: dict[str, "_Site"], at: Instant) -> None:
    """Repair sites where a car is short, as many as there is time for, each minute others first.

    What was repaired is acknowledged and kept, so that the others have their turn.
    """
    short = sorted(name for name, site in settled.items() if site.short)
    turn = at // MINUTE % max(len(short), 1)
    done = 0
    for name in (*short[turn:], *short[:turn]):
        done += len(settled[name].row)
        if done > REPAIRED_AT_MOST:
            return
        settled[name] = _repaired(settled[name])


def is_controlled(case: VehicleCase) -> bool:
    """Its charger follows a profile that it acknowledged, and that has begun."""
    connection, site = case.vehicle.observed.connection, case.site
    if connection is None or site is None or connection.profile is None:
        return False
    if site.charging_controller is not ChargingController.IDLEWATT:
        return False
    return connection.supply is Supply.SUPPLIED and connection.profile.power_at(case.at) is not None


def is_ours(case: VehicleCase, circuits: Sequence[CircuitKey]) -> bool:
    """Its charging is ours to plan, given that it has a departure or is controlled."""
    site, observed = case.site, case.vehicle.observed
    if site is None or site.charging_controller is not ChargingController.IDLEWATT or not circuits:
        return False
    if observed.connection is None or observed.connection.supply is not Supply.SUPPLIED:
        return False
    parked = observed.parking is not None and observed.parking.parked is True
    return parked and not telemetry_invalid(case) and not telemetry_stale(case)


def car_of(  # noqa: PLR0913
    case: VehicleCase,
    *,
    figures: Electrics,
    computing: tuple[Step, ...],
    charge_by: Instant,
    prices: PriceLine | None,
    loads: tuple[Load, ...],
) -> Car:
    """A vehicle as charging sees it."""
    vehicle = case.vehicle
    connection = vehicle.observed.connection
    steps = tuple(
        (percent_of(vehicle, step.from_percent), 1_000 * step.max_charge_power_watts)
        for step in vehicle.taper
    )
    return Car(
        name=vehicle.name,
        charge_by=charge_by,
        charge=charge_of(vehicle),
        reserve=percent_of(vehicle, vehicle.battery.reserve_percent),
        target=percent_of(vehicle, vehicle.battery.departure_percent),
        percent=percent_of(vehicle, 1),
        intake=Intake(
            cap=figures.cap,
            most=min(figures.cap, 1_000 * vehicle.max_charge_power_watts),
            least=1_000 * vehicle.min_charge_power_watts,
            charge_efficiency_percent=vehicle.charge_efficiency_percent,
            steps=steps,
            computing_efficiency_percent=figures.efficiency_percent,
            drains=figures.source is Source.BATTERY,
        ),
        computing=computing,
        prices=prices,
        loads=loads,
        acknowledged=connection.profile if connection and is_controlled(case) else None,
    )


def slack(car: Car, quarters: Grid) -> Milliseconds:
    """How long it could wait: until its departure, less what it takes at the greatest powers."""
    start, end = quarters.edges[0], quarters.edges[-1]
    if car.computing:
        wish = start, end, UNLIMITED
        reached = follow(car.intake, car.charge, [wish], car.computing).reaches(car.target)
        return -FOREVER if reached is None else car.charge_by - reached
    wish = start, end, car.intake.greatest(-1)
    charge, pieces = rise(car.intake, car.charge, [wish], car.target)
    if charge < car.target:
        return -FOREVER
    return car.charge_by - (pieces[-1][1] if pieces else start)


class _Site:
    """The cars of a site with what each has been given so far, asked in the order of `row`.

    Args:
        quarters: of the site.
        rooms: what its circuits leave for charging.
        row: the cars.
        able: the names of those that alone would have their departure charge in time.
    """

    def __init__(
        self,
        quarters: Grid,
        rooms: Mapping[RoomKey, Headroom],
        row: Sequence[Car],
        able: frozenset[str],
    ) -> None:
        self.quarters, self.rooms, self.row, self.able = quarters, rooms, row, able
        used = {key for car in row for key, _ in car.loads}
        self._left = {key: rooms[key].least_of_each(quarters.edges) for key in used}
        self._asking = [Asking(car, quarters, self._left) for car in row]
        self.choices: dict[str, Choice] = {}

    @property
    def lacking(self) -> frozenset[str]:
        """The cars that are short, and alone would not be."""
        return frozenset(
            name for name, choice in self.choices.items() if choice.short and name in self.able
        )

    @property
    def short(self) -> Charge:
        """What those lack together."""
        return sum(self.choices[name].short for name in self.lacking)

    def keep(self) -> None:
        """Give each car what its charger follows now, as far as there is room."""
        for asking in self._asking:
            if asking.car.acknowledged is not None:
                self._give(asking.car, asking.keep())

    def settle(self) -> None:
        """Ask each car again until none leaves anything to the others."""
        for _ in range(ROUNDS):
            freed = False
            for asking in self._asking:
                before = self._give_back(asking.car)
                after = asking.choose()
                self._give(asking.car, after)
                freed = freed or any(
                    power > after.taken.get(index, 0) for index, power in before.items()
                )
            if not freed:
                return

    def make_way(self) -> None:
        """Have those that can do without leave to the others the quarters in which these lack."""
        lacking = self.lacking
        spared = frozenset(
            index
            for asking in self._asking
            if asking.car.name in lacking
            for index in asking.crowded(self.choices[asking.car.name].taken)
        )
        for others in (True, False):
            for asking in self._asking:
                if (asking.car.name in lacking) is not others:
                    self._give_back(asking.car)
                    self._give(asking.car, asking.choose(spared if others else frozenset()))

    def spread(self) -> None:
        """Whatever the price, each quarter to those that can least go without it."""
        charges = [asking.car.charge for asking in self._asking]
        chosen: list[dict[int, Milliwatts]] = [{} for _ in self._asking]
        for index in range(max(asking.count for asking in self._asking)):
            start, end = self.quarters.edges[index], self.quarters.edges[index + 1]
            wanting = sorted(
                (_slack_at(asking.car, charges[place], start), asking.car.name, place)
                for place, asking in enumerate(self._asking)
                if index < asking.count and charges[place] < asking.car.target
            )
            for _, _, place in wanting:
                asking = self._asking[place]
                if power := asking.room(index):
                    charges[place] = asking.risen(charges[place], (start, end, power))
                    chosen[place][index] = power
                    self._take(asking.car, {index: power})
        for asking, powers in zip(self._asking, chosen, strict=True):
            self._take(asking.car, {index: -power for index, power in powers.items()})
            self._give(asking.car, asking.lay(powers))

    def _give(self, car: Car, choice: Choice) -> None:
        self.choices[car.name] = choice
        self._take(car, choice.taken)

    def _give_back(self, car: Car) -> Mapping[int, Milliwatts]:
        """What it had, by quarter."""
        had = self.choices[car.name].taken if car.name in self.choices else {}
        self._take(car, {index: -power for index, power in had.items()})
        return had

    def _take(self, car: Car, powers: Mapping[int, Milliwatts]) -> None:
        for key, parts in car.loads:
            left = self._left[key]
            for index, power in powers.items():
                left[index] -= power * parts


def _slack_at(car: Car, charge: Charge, at: Instant) -> Milliseconds:
    """Its slack at the start of a quarter, were its power to stay what it is."""
    gain = car.intake.greatest(charge) * car.intake.charge_efficiency_percent
    return car.charge_by - at - ((car.target - charge) // gain if gain else FOREVER)


def _repaired(site: _Site) -> _Site:
    """A plan of the same site in which those that could be full lack the least that was found."""
    lacking = site.lacking
    first = sorted(site.row, key=lambda car: car.name not in lacking)
    best = site
    for row, spread in ((site.row, False), (first, False), (site.row, True)):
        tried = _Site(site.quarters, site.rooms, row, site.able)
        if spread:
            tried.spread()
        tried.settle()
        for _ in range(REPAIRS):
            if not tried.short:
                break
            tried.make_way()
        tried.settle()
        best = tried if tried.short < best.short else best
        if not best.short:
            break
    return best
