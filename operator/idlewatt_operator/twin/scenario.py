"""A scenario: everything that is given before the clock moves, and what of it is assumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo

from idlewatt_operator.resources.learned import Learned
from idlewatt_operator.twin.catalogue import Submission
from idlewatt_operator.twin.datasets import Attribution
from idlewatt_operator.twin.places import Joined
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import Instant, Milliseconds
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Node


@dataclass(frozen=True, slots=True)
class LostLink:
    """A link that is lost: that of the vehicle with most pods at `at`, until `at + length`."""

    at: Instant
    length: Milliseconds


@dataclass(frozen=True, slots=True)
class Curtailment:
    """The grid lets a circuit carry only so much, from `at` until `at + length`."""

    site: str
    circuit: str
    to_watts: int
    at: Instant
    length: Milliseconds

    @property
    def until(self) -> Instant:
        """When it ends."""
        return self.at + self.length


class ChargerTrouble(StrEnum):
    """What goes wrong with a charge point."""

    STARTS_ANEW = "StartsAnew"  # and has forgotten what it was told
    GIVES_NOTHING = "GivesNothing"


@dataclass(frozen=True, slots=True)
class ChargerFault:
    """A charge point in trouble: that of the car that charges most at `at`, until `at + length`."""

    trouble: ChargerTrouble
    at: Instant
    length: Milliseconds = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played.

    Attributes:
        name: a word or two, such as `a night of homes`.
        days: how many local days the play touches, for the names of the series.
        nodes: by name; each vehicle has the Node of its own name.
        sleepers: the vehicles that fall asleep when they have nothing to do.
        house_watts: per site, the uncontrolled load of its first circuit by hour of the day.
        carbon: grams per kWh by local weekday and hour.
        prices_say: where and when the prices are from.
        learned: what was learned of departures; without a model owners are taken at their word.
        assumptions: a sentence for each thing that no data set says.
    """

    name: str
    seed: int
    zone: ZoneInfo
    start: Instant
    end: Instant
    days: int
    vehicles: tuple[Vehicle, ...]
    nodes: Mapping[str, Node]
    stays: tuple[Stay, ...]
    sites: tuple[Site, ...]
    tariffs: tuple[Tariff, ...]
    policy: FleetPolicy
    submissions: tuple[Submission, ...]
    sleepers: frozenset[str]
    lost_link: LostLink | None
    house_watts: Mapping[str, tuple[int, ...]]
    carbon: Joined
    prices_say: str
    assumptions: tuple[str, ...]
    attributions: tuple[Attribution, ...]
    curtailments: tuple[Curtailment, ...] = ()
    charger_faults: tuple[ChargerFault, ...] = ()
    learned: Learned = field(default_factory=Learned)

    @property
    def currency(self) -> str:
        """The currency of the tariffs and of what is paid."""
        return self.tariffs[0].currency

    def site(self, name: str) -> Site:
        """The site of this name."""
        return next(each for each in self.sites if each.name == name)

    def capacity_watt_hours(self) -> Mapping[str, int]:
        """The net capacity of each vehicle's battery."""
        return {each.name: each.battery.net_capacity_watt_hours for each in self.vehicles}
