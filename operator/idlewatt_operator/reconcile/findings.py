"""What a person has to mend: objects that cannot be used, or not as they are meant.

`resources.findings` says what is found of each; here they become the conditions of every
object, the good ones too, since what was mended has to say so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.gateways.protocols import ClusterView, Condition
from idlewatt_operator.resources.findings import (
    Finding,
    policy_findings,
    site_findings,
    tariff_findings,
)
from idlewatt_scheduler.model.units import Instant

_SUMMARY: Final = {
    "ParkingSite": "Ready",
    "EnergyTariff": "Ready",
    "FleetPolicy": "Ready",
    "VehicleNode": "Available",
}
"""The condition in which each kind says that it cannot be used at all."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All conditions of one object that follow from the objects there are."""

    kind: str
    name: str
    conditions: tuple[Condition, ...]


def verdicts(view: ClusterView, at: Instant) -> list[Verdicts]:
    """The verdicts on every object of which there are few, and on every one that is refused."""
    found = {(each.kind, each.name): each for each in _usable(view, at)}
    for refused in view.refused:
        summary = _SUMMARY.get(refused.kind)
        if summary is not None:
            invalid = Condition(summary, "False", "Invalid", refused.message, refused.generation)
            found[refused.kind, refused.name] = Verdicts(refused.kind, refused.name, (invalid,))
    return list(found.values())


def _usable(view: ClusterView, at: Instant) -> Iterator[Verdicts]:
    yield _verdicts(view, "FleetPolicy", "default", policy_findings(view.policy, view.learned))
    for name, tariff in sorted(view.tariffs.items()):
        yield _verdicts(view, "EnergyTariff", name, tariff_findings(tariff, view.tariffs, at))
    for name, site in sorted(view.sites.items()):
        yield _verdicts(
            view, "ParkingSite", name, site_findings(site, view.tariffs, view.policy, at)
        )


def _verdicts(view: ClusterView, kind: str, name: str, findings: Iterable[Finding]) -> Verdicts:
    generation = view.generations.get((kind, name), 0)
    return Verdicts(
        kind,
        name,
        tuple(
            Condition(each.type, each.status, each.reason, each.message, generation)
            for each in findings
        ),
    )
