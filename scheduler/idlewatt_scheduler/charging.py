"""When the cars of a site are charged together: who takes which quarters, within the circuits.

1 keep        what the chargers follow now, the car with the least slack first
2 choose      each car again, beside what the others have, until nobody would choose otherwise
3 repair      where a car is short that alone would not be: those first, from the beginning;
              then by the least slack of each quarter, whatever the price, and each car again
"""

from collections.abc import Iterable, Mapping, Sequence

from idlewatt_scheduler.availability import VehicleCase, telemetry_invalid, telemetry_stale
from idlewatt_scheduler.circuits import CircuitKey, Headroom, Load, RoomKey
from idlewatt_scheduler.energy import Electrics, Source, Step
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliseconds, Milliwatts
from idlewatt_scheduler.model.vehicle import Supply
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.quarters import UNLIMITED, Asking, Car, Choice, Grid, grid
from idlewatt_scheduler.trajectory import Charge, Intake, charge_of, follow, percent_of

ROUNDS = 6
"""How often each car is asked again at most; nearly always nobody answers otherwise twice."""

REPAIRS = 3
"""How often those that are short are put first."""

REPAIRED_AT_MOST = 200_000
"""Cars times quarters of a site beyond which a shortage is left as it is: it takes too long."""


def profiles(
    cars: Iterable[Car], rooms: Mapping[RoomKey, Headroom], at: Instant
) -> dict[str, ChargingProfile]:
    """A new profile for each car of one site, by name.

    Args:
        cars: those whose charging is ours to plan.
        rooms: what the circuits leave for them, by the keys of their `loads`.
        at: the instant of planning.
    """
    asked = tuple(cars)
    quarters = grid(at, [car.charge_by for car in asked])
    row = sorted(asked, key=lambda car: (slack(car, quarters), car.name))
    site = _Site(quarters, rooms, row)
    site.keep()
    site.settle()
    if site.short and len(row) * len(quarters) <= REPAIRED_AT_MOST:
        site = _repaired(site)
    return {name: ChargingProfile(choice.periods) for name, choice in site.choices.items()}


def is_controlled(case: VehicleCase) -> bool:
    """Its charger follows a profile that it acknowledged, and that has begun."""
    connection, site = case.vehicle.observed.connection, case.site
    if connection is None or site is None or connection.profile is None:
        return False
    if site.charging_controller is not ChargingController.IDLEWATT:
        return False
    return connection.supply is Supply.SUPPLIED and connection.profile.power_at(case.at) is not None


def is_ours(case: VehicleCase, circuits: Sequence[CircuitKey]) -> bool:
    """Its charging is ours to plan, given that it has a departure."""
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
    wish = (start, end, UNLIMITED)
    reached = follow(car.intake, car.charge, [wish], car.computing).reaches(car.target)
    return -FOREVER if reached is None else car.charge_by - reached


class _Site:
    """The cars of a site with what each has been given so far, asked in the order of `row`."""

    def __init__(
        self, quarters: Grid, rooms: Mapping[RoomKey, Headroom], row: Sequence[Car]
    ) -> None:
        self.quarters, self.rooms, self.row = quarters, rooms, row
        used = {key for car in row for key, _ in car.loads}
        self._left = {key: rooms[key].least_of_each(quarters.edges) for key in used}
        self._asking = [Asking(car, quarters, self._left) for car in row]
        self.choices: dict[str, Choice] = {}

    @property
    def short(self) -> Charge:
        """What those lack at their departures that alone would lack nothing."""
        return sum(
            self.choices[car.name].short for car in self.row if slack(car, self.quarters) >= 0
        )

    @property
    def short_ones(self) -> list[Car]:
        """Those cars."""
        return [
            car
            for car in self.row
            if self.choices[car.name].short > 0 and slack(car, self.quarters) >= 0
        ]

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
    best, first = site, list(site.short_ones)
    for _ in range(REPAIRS):
        names = {car.name for car in first}
        rest = [car for car in site.row if car.name not in names]
        tried = _Site(site.quarters, site.rooms, [*first, *rest])
        tried.settle()
        if tried.short < best.short:
            best = tried
        more = [car for car in tried.short_ones if car.name not in names]
        if not best.short or not more:
            break
        first = [*more, *first]
    if best.short:
        spread = _Site(site.quarters, site.rooms, site.row)
        spread.spread()
        spread.settle()
        best = spread if spread.short < best.short else best
    return best
