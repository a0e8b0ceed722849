"""What was reported of circuits, kept in their site's status: rounded, on change, not too often.

A circuit that was measured once and is silent now has its failsafe limit, and a curtailment holds
until it is withdrawn. So what was reported outlives the operator and the telemetry.
"""

from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Final

from idlewatt_operator.reconcile.situation import Situation
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import HOUR, SECOND, Instant, Milliseconds

_LOAD_STEP_WATTS: Final = 100
"""A meter changes by some watts each second; rounded up, never down."""

_CURRENT_STEP_MILLIAMPS: Final = 500
"""About 100 W at 230 V."""

_OBSERVED_AT_REFRESHED: Final = HOUR
"""A time of observation alone is no change worth a write; once an hour it is brought up to date."""


@dataclass(frozen=True, slots=True)
class CircuitsWrite:
    """What a site's status is to say of some of its circuits."""

    site: str
    circuits: tuple[ObservedCircuit, ...]


@dataclass
class SitePace:
    """When which site was written last."""

    at_most_every: Milliseconds
    _written: dict[str, Instant] = field(default_factory=dict)

    def choose(self, wanted: list[CircuitsWrite], at: Instant) -> list[CircuitsWrite]:
        """Those that may be written now."""
        due = [each for each in wanted if not self._is_recent(each.site, at)]
        self._written.update({each.site: at for each in due})
        return due

    def keep_only(self, sites: Container[str]) -> None:
        """Forget the sites that are no more."""
        self._written = {name: at for name, at in self._written.items() if name in sites}

    def _is_recent(self, site: str, at: Instant) -> bool:
        """Whether it was written a moment ago; what lies ahead was before the clock was set."""
        written = self._written.get(site)
        return written is not None and 0 <= at - written < self.at_most_every


def wanted_circuits(situation: Situation) -> list[CircuitsWrite]:
    """The circuits of which something else was reported than stands in their site's status."""
    wanted = []
    for name, site in sorted(situation.snapshot.sites.items()):
        before = situation.view.sites.get(name)
        standing = {each.name: each for each in before.observed_circuits} if before else {}
        there = {circuit.name for circuit in site.circuits}
        differ = tuple(
            rounded
            for circuit in site.observed_circuits
            if circuit.name in there
            and _differs(rounded := _rounded(circuit), standing.get(circuit.name), situation.at)
        )
        if differ:
            wanted.append(CircuitsWrite(name, differ))
    return wanted


def _rounded(circuit: ObservedCircuit) -> ObservedCircuit:
    """To the side that promises less: a load up, what relieves it down."""
    seen, currents = circuit.observed_at, circuit.uncontrolled_milliamps
    return replace(
        circuit,
        uncontrolled_load_watts=_up(circuit.uncontrolled_load_watts),
        generation_watts=_down(circuit.generation_watts),
        export_watts=_down(circuit.export_watts),
        uncontrolled_milliamps=None
        if currents is None
        else (_stepped(currents[0]), _stepped(currents[1]), _stepped(currents[2])),
        observed_at=None if seen is None else seen - seen % SECOND,
    )


def _stepped(milliamps: int) -> int:
    return -(-milliamps // _CURRENT_STEP_MILLIAMPS) * _CURRENT_STEP_MILLIAMPS


def _up(watts: int | None) -> int | None:
    return None if watts is None else -(-watts // _LOAD_STEP_WATTS) * _LOAD_STEP_WATTS


def _down(watts: int | None) -> int | None:
    return None if watts is None else watts // _LOAD_STEP_WATTS * _LOAD_STEP_WATTS


def _differs(new: ObservedCircuit, old: ObservedCircuit | None, at: Instant) -> bool:
    if old is None or replace(new, observed_at=None) != replace(old, observed_at=None):
        return True
    if new.observed_at is None or old.observed_at is None:
        return new.observed_at != old.observed_at
    is_old = at - old.observed_at > _OBSERVED_AT_REFRESHED
    return is_old and new.observed_at != old.observed_at
