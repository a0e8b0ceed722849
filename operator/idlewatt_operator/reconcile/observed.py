"""Observations as blocks of a vehicle's status, rounded so that noise is no change."""

from collections.abc import Mapping
from typing import Final

from idlewatt_operator.reconcile.charging import Acknowledged
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.units import SECOND, Instant
from idlewatt_scheduler.model.vehicle import (
    Observation,
    ObservedBattery,
    ObservedCompute,
    ObservedConnection,
    ObservedParking,
    Quality,
)

_MILLIWATTS_PER_WATT: Final = 1_000
_POWER_STEP_WATTS: Final = 100
"""A charger's reading changes by a few watts each second; about 1 % of what a car may draw."""


def observed_blocks(
    observed: Observation, acknowledged: Acknowledged | None = None
) -> dict[str, object]:
    """The status blocks; what was never reported is None, which removes it.

    Args:
        observed: what was reported.
        acknowledged: the charging profile that the charge point took last.
    """
    return {
        "power": str(observed.power),
        "battery": _battery(observed.battery),
        "parking": _parking(observed.parking),
        "compute": _compute(observed.compute),
        "connection": _connection(observed.connection, acknowledged),
        "departure": _departure(observed),
    }


def _departure(observed: Observation) -> Mapping[str, object] | None:
    if observed.departure_expected_at is None:
        return None
    source = observed.departure_source
    return {
        "expectedAt": _time(observed.departure_expected_at),
        "source": None if source is None else str(source),
    }


def _battery(block: ObservedBattery | None) -> Mapping[str, object] | None:
    if block is None:
        return None
    return {
        "stateOfChargePercent": block.state_of_charge_percent,
        "temperatureCelsius": block.temperature_celsius,
        **_seen(block.observed_at, block.quality),
    }


def _parking(block: ObservedParking | None) -> Mapping[str, object] | None:
    if block is None:
        return None
    return {
        "parked": block.parked,
        "occupied": block.occupied,
        "since": _time(block.since),
        **_seen(block.observed_at, block.quality),
    }


def _compute(block: ObservedCompute | None) -> Mapping[str, object] | None:
    if block is None:
        return None
    return {
        "temperatureCelsius": block.temperature_celsius,
        **_seen(block.observed_at, block.quality),
    }


def _connection(
    block: ObservedConnection | None, acknowledged: Acknowledged | None
) -> Mapping[str, object] | None:
    if block is None:
        return None
    return {
        "siteRef": None if block.site is None else {"name": block.site},
        "circuit": block.circuit,
        "supply": None if block.supply is None else str(block.supply),
        "chargePowerWatts": _rounded(block.charge_power_watts),
        "chargePowerLimitWatts": block.charge_power_limit_watts,
        "phases": None if block.phases is None else sorted(map(str, block.phases)),
        "chargingProfile": None if acknowledged is None else _profile(acknowledged),
        **_seen(block.observed_at, block.quality),
    }


def _profile(acknowledged: Acknowledged) -> Mapping[str, object]:
    return {
        "acknowledgedAt": _time(acknowledged.at),
        "periods": [
            {
                "startTime": format_instant(period.start),
                "chargePowerWatts": period.power // _MILLIWATTS_PER_WATT,
            }
            for period in acknowledged.profile.periods
        ],
    }


def _seen(observed_at: Instant | None, quality: Quality) -> dict[str, object]:
    return {"observedAt": _time(observed_at), "quality": str(quality)}


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant - instant % SECOND)


def _rounded(watts: int | None) -> int | None:
    """To the nearest step, and never to nothing: whether a car charges at all matters."""
    if watts is None:
        return None
    return max(round(watts / _POWER_STEP_WATTS), 1 if watts > 0 else 0) * _POWER_STEP_WATTS
