"""Reports folded into the latest that is known, block by block.

A block is replaced whole, and never by an older one. Pure: the same reports in the same order
give the same state, so that a report that is read twice changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from idlewatt_operator.gateways.redis.contract import Block, CircuitReport, VehicleReport
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import MINUTE, Instant
from idlewatt_scheduler.model.vehicle import (
    DepartureSource,
    Observation,
    ObservedBattery,
    ObservedCompute,
    ObservedConnection,
    ObservedParking,
    Power,
    Quality,
)

STANDS_ON: Final = 15 * MINUTE
"""Between two reports of an idle vehicle no further apart it is taken to have stood all along."""

_MODELS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "battery": ObservedBattery,
        "parking": ObservedParking,
        "compute": ObservedCompute,
        "connection": ObservedConnection,
    }
)


@dataclass(frozen=True, slots=True)
class KnownVehicle:
    """The latest of a vehicle; beside it the times of what has none of its own there."""

    observed: Observation = field(default_factory=Observation)
    power_at: Instant | None = None
    departure_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class KnownCircuit:
    """The latest of a circuit; beside it the times of what has none of its own there."""

    observed: ObservedCircuit
    curtailment_at: Instant | None = None
    peak_reported_at: Instant | None = None


def fold_vehicle(known: KnownVehicle, report: VehicleReport) -> KnownVehicle:
    """The latest after the report; equal to `known` where the report brings nothing newer."""
    folded = known
    for name, block in report.blocks.items():
        if name == "power":
            folded = _with_power(folded, block, report.observed_at)
        elif name == "departure":
            folded = _with_departure(folded, block, report.observed_at)
        else:
            folded = _with_block(folded, known.observed.power, name, block, report.observed_at)
    return folded


def _older(at: Instant, than: Instant | None) -> bool:
    return than is not None and at < than


def _with_power(known: KnownVehicle, block: Block, at: Instant) -> KnownVehicle:
    if _older(at, known.power_at):
        return known
    observed = replace(known.observed, power=block.values["power"])
    return replace(known, observed=observed, power_at=at)


def _with_departure(known: KnownVehicle, block: Block, at: Instant) -> KnownVehicle:
    if _older(at, known.departure_at):
        return known
    expected_at = block.values["departure_expected_at"]
    source = block.values.get("departure_source", DepartureSource.CHARGER)
    observed = replace(
        known.observed,
        departure_expected_at=expected_at,
        departure_source=None if expected_at is None else source,
    )
    return replace(known, observed=observed, departure_at=at)


def _with_block(
    known: KnownVehicle, power_before: Power, name: str, block: Block, at: Instant
) -> KnownVehicle:
    old = getattr(known.observed, name)
    if old is not None and _older(at, old.observed_at):
        return known
    new = _MODELS[name](**block.values, observed_at=at, quality=block.quality)
    if isinstance(new, ObservedParking):
        new = replace(new, since=_since(new, old, power_before, at))
    return replace(known, observed=replace(known.observed, **{name: new}))


def _since(
    new: ObservedParking, old: ObservedParking | None, power_before: Power, at: Instant
) -> Instant | None:
    """Since when it stands idle: as reported, else as far back as the reports reach.

    A sleeping vehicle sends none, so its silence is no gap.
    """
    if not new.parked or new.occupied:
        return None
    if new.since is not None:
        return min(new.since, at)
    if old is None or old.since is None or old.observed_at is None:
        return at
    asleep = power_before is not Power.AWAKE
    return old.since if asleep or at - old.observed_at <= STANDS_ON else at


def fold_circuit(known: KnownCircuit | None, report: CircuitReport) -> KnownCircuit:
    """The latest of a circuit after the report."""
    folded = known or KnownCircuit(ObservedCircuit(report.circuit))
    at = report.observed_at
    load, curtailment = report.blocks.get("load"), report.blocks.get("curtailment")
    # A load that cannot be is no measurement: the last one goes stale by itself.
    measured = load is not None and load.quality is Quality.GOOD and load.values
    if load and measured and not _older(at, folded.observed.observed_at):
        values = {**dict.fromkeys(_MEASURED), **load.values}
        folded = replace(folded, observed=replace(folded.observed, **values, observed_at=at))
    if curtailment and curtailment.values and not _older(at, folded.curtailment_at):
        limit = curtailment.values["curtailed_to_watts"]
        until = curtailment.values.get("curtailed_until") if limit is not None else None
        observed = replace(folded.observed, curtailed_to_watts=limit, curtailed_until=until)
        folded = replace(folded, observed=observed, curtailment_at=at)
    return _with_peak(folded, report.blocks.get("peak"), at)


def _with_peak(known: KnownCircuit, peak: Block | None, at: Instant) -> KnownCircuit:
    if peak is None or peak.quality is not Quality.GOOD or _older(at, known.peak_reported_at):
        return known
    return replace(known, observed=replace(known.observed, **peak.values), peak_reported_at=at)


_MEASURED: Final = (
    "uncontrolled_load_watts",
    "generation_watts",
    "export_watts",
    "uncontrolled_milliamps",
)
"""The load of a circuit is a block: what a report of it leaves out is not known any more."""
