"""Fleets in which nearly every car stands healthy at a charger of ours and can be charged.

The fleets of `strategies` reach every clause; few of their cars are charged and compute as well.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from tests.property import strategies as fleets
from tests.property.energy_strategies import any_of, enriched

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE, Instant
from idlewatt_scheduler.model.vehicle import EnergySource, ParkingWindow, Supply, Vehicle
from idlewatt_scheduler.model.workload import Pod, RunningPod
from idlewatt_scheduler.testing import (
    a_node,
    a_pod,
    a_running_pod,
    a_snapshot,
    a_vehicle,
    changed,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]
BATTERY, BOTH = frozenset({EnergySource.BATTERY}), frozenset(EnergySource)
GRID = frozenset({EnergySource.GRID})
ANYTIME = FleetPolicy(off_peak=OffPeakTest())


@st.composite
def _vehicle(draw: Draw, name: str, at: Instant) -> Vehicle:
    """Parked for some hours at least, plugged in, and mostly on the grid."""
    site = draw(any_of("depot-7", "depot-7", "depot-8"))
    night = Recurrence(EVERY_DAY, 18 * 60, draw(any_of(7, 18, 9, 16)) * 60)
    now = ParkingWindow("now", site, start=at - HOUR, end=at + draw(any_of(4, 9, 13)) * HOUR)
    vehicle = a_vehicle(
        name=name,
        windows=(ParkingWindow("nights", site, night), now),
        agreement__energy_sources=draw(any_of(GRID, GRID, GRID, BOTH, BATTERY)),
        battery__net_capacity_watt_hours=draw(any_of(60_000, 30_000, 11_000)),
        attested=True,
        observed__connection__site=site,
        observed__connection__circuit=draw(any_of("row-a", "row-a", "main")),
        observed__connection__supply=draw(any_of(*[Supply.SUPPLIED] * 6, Supply.UNPLUGGED)),
        observed__connection__charge_power_watts=draw(any_of(0, 500, None)),
        observed__connection__charge_power_limit_watts=draw(any_of(None, None, 11_000, 2_500)),
        observed__parking__since=at - HOUR,
    )
    for block in ("battery", "parking", "compute", "connection"):
        vehicle = changed(vehicle, **{f"observed__{block}__observed_at": at})
    return vehicle


@st.composite
def _pod(draw: Draw, name: str) -> Pod:
    """A job or a service that most cars take, at any hour."""
    return a_pod(
        name=name,
        priority=draw(any_of(0, 1, 5)),
        demand__expected_runtime=draw(any_of(None, HOUR, 2 * HOUR, 30 * MINUTE)),
        demand__power_watts=draw(any_of(None, 100, 400, 700)),
        demand__any_tariff=draw(any_of(*fleets.YES_OR_NO, True)),  # noqa: FBT003
    )


@st.composite
def _running(draw: Draw, name: str, node: str, at: Instant) -> RunningPod:
    """A pod that runs for a while, or for good."""
    return a_running_pod(
        pod=draw(_pod(name)),
        node=node,
        bound_power=draw(any_of(100_000, 300_000, 62_500)),
        bound_until=draw(any_of(at + HOUR, at + 2 * HOUR + 1, at - HOUR, at + 20 * MINUTE)),
    )


@st.composite
def charging_fleets(draw: Draw) -> Snapshot:
    """Up to six cars at two sites, with all that the energy side adds."""
    at = draw(any_of(*fleets.INSTANTS))
    names = [f"v-{n}" for n in range(draw(st.integers(1, 6)))]
    sites = [replace(draw(fleets.sites(name, at)), compute_allowed=True) for name in fleets.SITES]
    tariffs = [
        replace(draw(fleets.tariffs(name, at)), wholesale=False, currency="EUR")
        for name in fleets.TARIFFS
    ]
    plain = a_snapshot(
        at=at,
        vehicles=tuple(draw(_vehicle(name, at)) for name in names),
        nodes=[a_node(name=name) for name in names],
        sites=sites,
        tariffs=tariffs,
        pending=tuple(draw(_pod(f"p-{n}")) for n in range(draw(st.integers(0, 8)))),
        running=tuple(
            draw(_running(f"r-{n}", draw(any_of(*names)), at))
            for n in range(draw(st.integers(0, 5)))
        ),
        policy=ANYTIME,
    )
    return draw(enriched(plain))  # type: ignore[no-any-return]
