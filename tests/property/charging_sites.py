"""Random sites whose charging is ours, small enough for another way of planning to be tried."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.site import ChargingController, Circuit, ObservedCircuit, Phase, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import EnergySource, TaperStep, Vehicle
from idlewatt_scheduler.model.workload import RunningPod
from idlewatt_scheduler.testing import (
    AT,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

SOURCES = (
    frozenset({EnergySource.GRID}),
    frozenset(EnergySource),
    frozenset({EnergySource.BATTERY}),
)


@st.composite
def profiles(draw: Draw) -> ChargingProfile:
    """What a charger may have acknowledged: quarters of an hour from some time before `AT`."""
    begins = AT - draw(st.sampled_from([0, 1, 20, 60])) * MINUTE
    powers = draw(st.lists(st.sampled_from([0, 1_380, 3_000, 7_000, 11_000]), max_size=12))
    periods = [
        ChargingPeriod(begins if i == 0 else AT + i * 15 * MINUTE, 1_000 * power)
        for i, power in enumerate(powers)
    ]
    return ChargingProfile((*periods, ChargingPeriod(AT + 12 * 15 * MINUTE, 0)))


@st.composite
def cars(draw: Draw, index: int) -> Vehicle:
    """A plugged car that leaves within hours, its figures close to those of the circuits."""
    reserve = draw(st.sampled_from([10, 30, 50]))
    most = draw(st.sampled_from([1_400, 3_700, 7_400, 11_000, 22_000]))
    steps = draw(st.sampled_from([(), (), ((60, 3_000),), ((50, 5_000), (75, 1_500)), ((0, 900),)]))
    phases = draw(st.sampled_from([1, 2, 3]))
    overstays = draw(st.sampled_from([False, False, False, True]))
    return a_vehicle(
        **({"windows": ()} if overstays else {}),
        name=f"v-{index}",
        agreement__energy_sources=draw(st.sampled_from(SOURCES)),
        battery__net_capacity_watt_hours=draw(st.sampled_from([5_000, 20_000, 60_001])),
        battery__reserve_percent=reserve,
        battery__departure_percent=draw(st.sampled_from([reserve, 70, 80, 100])),
        max_charge_power_watts=most,
        min_charge_power_watts=min(most, draw(st.sampled_from([1, 1_380, 4_140]))),
        charge_efficiency_percent=draw(st.sampled_from([100, 90, 77])),
        taper=tuple(TaperStep(percent, watts) for percent, watts in steps),
        phases=phases,
        observed__battery__state_of_charge_percent=draw(st.integers(0, 100)),
        observed__connection__circuit=draw(st.sampled_from(["main", "row-a", "row-b"])),
        observed__connection__charge_power_limit_watts=draw(st.sampled_from([None, None, 5_000])),
        observed__connection__phases=draw(
            st.sampled_from([None, None, frozenset(sorted(Phase)[:phases])])
        ),
        observed__connection__profile=draw(st.one_of(st.none(), profiles())),
        observed__departure_expected_at=AT + draw(st.integers(-1, 40)) * 10 * MINUTE,
    )


@st.composite
def sites(draw: Draw) -> Site:
    """One connection, two rows; measured, curtailed, limited in amps or not."""
    amps = st.sampled_from([None, 16_000, 32_000])
    limits = st.sampled_from([4_000, 11_000, 12_345, 22_000])
    seen = ObservedCircuit(
        draw(st.sampled_from(["main", "row-a"])),
        uncontrolled_load_watts=draw(st.sampled_from([0, 1_500, 9_000])),
        observed_at=AT - draw(st.sampled_from([5, 500])) * SECOND,
        curtailed_to_watts=draw(st.sampled_from([None, 0, 5_000])),
        curtailed_until=AT + draw(st.sampled_from([1, 37, 120])) * MINUTE,
        generation_watts=draw(st.sampled_from([None, 3_000])),
        uncontrolled_milliamps=draw(st.sampled_from([None, (1_000, 2_000, 9_000)])),
    )
    return a_site(
        charging_controller=ChargingController.IDLEWATT,
        nominal_voltage_volts=draw(st.sampled_from([None, 230])),
        circuits=(
            Circuit(
                "main", None, draw(limits), draw(st.sampled_from([None, 800])), 3_000, draw(amps)
            ),
            Circuit("row-a", "main", draw(limits), max_current_milliamps_per_phase=draw(amps)),
            Circuit("row-b", "main", draw(limits)),
        ),
        observed_circuits=draw(st.sampled_from([(), (seen,)])),
    )


@st.composite
def tariffs(draw: Draw) -> Tariff:
    """Prices by the half hour, a few of them unknown or negative; or flat for the night."""
    prices = draw(st.lists(st.sampled_from([None, "0.1", "0.2", "0.3", "-0.1"]), max_size=16))
    if not prices:
        return a_tariff()
    intervals = tuple(
        TariffInterval(AT + i * HOUR // 2, HOUR // 2, Decimal(price), "OffPeak")
        for i, price in enumerate(prices)
        if price is not None
    )
    return a_tariff(zones=(), intervals=intervals)


@st.composite
def running(draw: Draw, vehicles: tuple[Vehicle, ...]) -> tuple[RunningPod, ...]:
    """On some of the cars, a pod without end or one that ends within a quarter."""
    pods = []
    for index, vehicle in enumerate(vehicles):
        if draw(st.sampled_from([False, False, True])):
            runtime = draw(st.sampled_from([None, HOUR]))
            pod = a_running_pod(
                pod=a_pod(name=f"running-{index}", demand__expected_runtime=runtime),
                node=vehicle.name,
                bound_power=draw(st.sampled_from([62_500, 500_000])),
                bound_until=AT + draw(st.sampled_from([20, 60])) * MINUTE,
            )
            pods.append(replace(pod, pod=replace(pod.pod, uid=f"uid-running-{index}")))
    return tuple(pods)


@st.composite
def charging_sites(draw: Draw, most: int = 4, *, waiting: bool = True) -> Snapshot:
    """One site with a few cars whose charging is ours, at `AT` or in the midst of a quarter."""
    vehicles = tuple(draw(cars(index)) for index in range(1, 1 + draw(st.integers(1, most))))
    pending = tuple(
        a_pod(name=f"pod-{index}", demand__power_watts=draw(st.sampled_from([None, 900])))
        for index in range(draw(st.integers(0, 3)) if waiting else 0)
    )
    snapshot = a_snapshot(
        vehicles=vehicles,
        sites=(draw(sites()),),
        tariffs=(draw(tariffs()),),
        pending=pending,
        running=draw(running(vehicles)),
    )
    return replace(snapshot, at=AT + draw(st.sampled_from([0, 0, 1, 7 * MINUTE])))
