"""The grid behind the sites: what each house takes, and what a circuit may carry, and when."""

from typing import Final

from idlewatt_operator.twin.car import REPORT_EVERY
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.journal import Fact, Journal, Kind
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.scenario import Curtailment, Scenario
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds

ACTED_ON_WITHIN: Final[Milliseconds] = 5 * SECOND
"""From the arrival of a curtailment until what follows from it has to be done."""


class Grid:
    """Meters and curtailments of every site.

    Attributes:
        limits_changed_at: when a curtailment last began or ended.
    """

    def __init__(self, scenario: Scenario, clock: ManualClock, journal: Journal) -> None:
        self.limits_changed_at: Instant | None = None
        self._scenario = scenario
        self._clock = clock
        self._journal = journal
        self._curtailed: dict[tuple[str, str], Curtailment] = {}

    def observed(self, site: str, now: Instant) -> tuple[ObservedCircuit, ...]:
        """What the meters of a site and its grid operator reported last."""
        at = now - now % REPORT_EVERY
        first = self._scenario.site(site).circuits[0].name
        seen = {first: ObservedCircuit(first, house_watts(self._scenario, site, now), at)}
        for (place, name), each in self._curtailed.items():
            if place == site:
                known = seen.get(name, ObservedCircuit(name))
                seen[name] = ObservedCircuit(
                    name,
                    known.uncontrolled_load_watts,
                    known.observed_at,
                    curtailed_to_watts=each.to_watts,
                    curtailed_until=each.until,
                )
        return tuple(seen.values())

    def change(self, curtailment: Curtailment) -> None:
        """A curtailment begins, or ends, now."""
        now = self._clock.now()
        place = (curtailment.site, curtailment.circuit)
        name, kilowatts = "/".join(place), curtailment.to_watts / 1_000
        self.limits_changed_at = now
        if now < curtailment.until:
            self._curtailed[place] = curtailment
            text = f"the grid curtails {name} to {kilowatts:g} kW"
            self._journal.note(Fact(now, Kind.CURTAILED, text))
        else:
            self._curtailed.pop(place, None)
            self._journal.note(Fact(now, Kind.RELIEVED, f"{name} may carry all of its own again"))


def house_watts(scenario: Scenario, site: str, at: Instant) -> int:
    """What the house itself takes."""
    return scenario.house_watts[site][local_time(at, scenario.zone).hour]


def limit_watts(scenario: Scenario, site: str, circuit: str, at: Instant) -> int:
    """What a circuit may carry at an instant; a curtailment counts once it has to be acted on."""
    own = next(each for each in scenario.site(site).circuits if each.name == circuit)
    limits = [own.import_capacity_limit_watts]
    limits += [
        each.to_watts
        for each in scenario.curtailments
        if (each.site, each.circuit) == (site, circuit)
        and each.at + ACTED_ON_WITHIN <= at < each.until
    ]
    return min(limits)
