"""Power and energy of one vehicle, each figure worked out by hand."""

import pytest
from tests.unit.scheduler.scenes import a_battery_car

from idlewatt_scheduler.energy import (
    Electrics,
    Source,
    Step,
    Stretch,
    computing_at,
    consumed,
    controlled,
    electrics,
    pod_power,
    power_at,
    source_of,
    spare,
    steps,
)
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import FOREVER
from idlewatt_scheduler.model.vehicle import EnergySource, Supply
from idlewatt_scheduler.testing import GIBIBYTE, a_vehicle, an_observation

GRID, BATTERY = EnergySource.GRID, EnergySource.BATTERY
MACHINE = {"cpu": 16_000, "memory": 32 * GIBIBYTE, "nvidia.com/gpu": 2_000, "pods": 110_000}


@pytest.mark.parametrize(
    ("requests", "declared", "milliwatts"),
    [
        pytest.param({"pods": 1_000}, None, 0, id="asks for nothing"),
        pytest.param({"pods": 1_000}, 5, 5_000, id="declares what it draws"),
        pytest.param({"cpu": 1_000}, None, 62_500, id="a sixteenth of the cores"),
        pytest.param({"cpu": 1_000}, 62, 62_500, id="declares less than it asks for"),
        pytest.param({"cpu": 1_000}, 63, 63_000, id="declares more than it asks for"),
        pytest.param({"cpu": 333}, None, 20_812, id="rounded down to the milliwatt"),
        pytest.param({"nvidia.com/gpu": 1_000}, None, 500_000, id="one of two GPUs"),
        pytest.param(
            {"cpu": 4_000, "nvidia.com/gpu": 1_000}, None, 500_000, id="the largest share"
        ),
        pytest.param({"memory": 32 * GIBIBYTE}, None, 0, id="memory draws nothing"),
        pytest.param({"hugepages-2Mi": 1_000}, None, 0, id="a name without a slash"),
        pytest.param({"x.dev/fpga": 1_000}, None, 0, id="of no capacity"),
        pytest.param({"cpu": 16_000}, None, 1_000_000, id="the whole machine"),
        pytest.param({"cpu": 32_000}, None, 2_000_000, id="more than the whole machine"),
    ],
)
def test_a_pod_draws_what_it_declares_or_its_share(
    requests: dict[str, int], declared: int | None, milliwatts: int
) -> None:
    """Whichever is more, of a machine of 1 kW."""
    assert pod_power(requests, MACHINE, 1_000, declared) == milliwatts


@pytest.mark.parametrize(
    ("supply", "consented", "source"),
    [
        (Supply.SUPPLIED, {GRID}, Source.GRID),
        (Supply.SUPPLIED, {GRID, BATTERY}, Source.GRID),
        (Supply.SUPPLIED, {BATTERY}, Source.BATTERY),
        (Supply.SUPPLIED, set(), Source.NONE),
        (Supply.PLUGGED_NOT_SUPPLIED, {GRID}, Source.NONE),
        (Supply.PLUGGED_NOT_SUPPLIED, {GRID, BATTERY}, Source.BATTERY),
        (Supply.UNPLUGGED, {GRID}, Source.NONE),
        (Supply.UNPLUGGED, {GRID, BATTERY}, Source.BATTERY),
        (None, {GRID}, Source.NONE),
        (None, {BATTERY}, Source.BATTERY),
    ],
)
def test_the_source_is_the_grid_if_it_supplies_else_the_battery(
    supply: Supply | None, consented: set[EnergySource], source: Source
) -> None:
    """Each only where the owner consented to it."""
    vehicle = a_vehicle(agreement__energy_sources=frozenset(consented))
    assert source_of(vehicle, supply) is source


def test_without_an_agreement_there_is_no_source() -> None:
    """Nothing was consented to."""
    assert source_of(a_vehicle(agreement=None), Supply.SUPPLIED) is Source.NONE


@pytest.mark.parametrize(
    ("connection", "plugged", "cap", "charging", "reported"),
    [
        pytest.param({}, True, 11_000, 0, False, id="it reports that it does not charge"),
        pytest.param({"charge_power_watts": 700}, True, 11_000, 700, True, id="it charges"),
        pytest.param({"charge_power_watts": None}, True, 11_000, 11_000, False, id="unreported"),
        pytest.param(
            {"charge_power_watts": None, "charge_power_limit_watts": 3_000},
            True,
            3_000,
            3_000,
            False,
            id="unreported, under the charger's cap",
        ),
        pytest.param(
            {"charge_power_limit_watts": 20_000}, True, 20_000, 0, False, id="a generous charger"
        ),
        pytest.param({"charge_power_limit_watts": 0}, True, 0, 0, False, id="a cap of nothing"),
        pytest.param(
            {"charge_power_watts": None, "supply": Supply.PLUGGED_NOT_SUPPLIED},
            True,
            11_000,
            0,
            False,
            id="plugged without supply",
        ),
        pytest.param({"supply": Supply.UNPLUGGED}, False, 11_000, 0, False, id="unplugged"),
        pytest.param({"supply": None}, True, 11_000, 0, False, id="nobody knows whether plugged"),
    ],
)
def test_the_figures_of_a_connection(
    connection: dict[str, object],
    plugged: bool,  # noqa: FBT001 - a column of the table
    cap: int,
    charging: int,
    reported: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """What is not reported is taken to be the most there is."""
    told = {f"connection__{name}": value for name, value in connection.items()}
    found = electrics(a_vehicle(observed=an_observation(**told)))
    figures = (found.plugged, found.cap, found.charging, found.charging_reported)
    assert figures == (plugged, 1_000 * cap, 1_000 * charging, reported)


def test_a_car_without_a_connection_loads_nothing() -> None:
    """It was never seen at a charger."""
    found = electrics(a_vehicle(observed__connection=None))
    assert not found.plugged
    assert found.draw(10**6) == 0


def the_electrics(cap: int = 11_000_000, charging: int = 0, *, plugged: bool = True) -> Electrics:
    """A car with 90 W standby and 88 % efficiency."""
    return Electrics(Source.GRID, plugged, cap, charging, charging > 0, 90_000, 88)


@pytest.mark.parametrize(
    ("figures", "computing", "draw"),
    [
        pytest.param(the_electrics(), 0, 0, id="nothing"),
        pytest.param(the_electrics(), 152_500, 173_295, id="computing, in AC and rounded down"),
        pytest.param(the_electrics(charging=1_000_000), 152_500, 1_173_295, id="and charging"),
        pytest.param(the_electrics(cap=173_295), 152_500, 173_295, id="exactly its cap"),
        pytest.param(the_electrics(cap=173_294), 152_500, 173_294, id="never more than its cap"),
        pytest.param(the_electrics(cap=500, charging=900), 0, 500, id="charging beyond the cap"),
        pytest.param(the_electrics(charging=900, plugged=False), 152_500, 0, id="unplugged"),
    ],
)
def test_what_a_car_draws_from_its_circuit(figures: Electrics, computing: int, draw: int) -> None:
    """Charging and computing in AC, at most its cap; nothing where it is not plugged."""
    assert figures.draw(computing) == draw


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        pytest.param([], [], id="nobody stays"),
        pytest.param([(0, 10, 5)], [(0, 10, 5)], id="one"),
        pytest.param([(0, 10, 5), (0, 10, 2)], [(0, 10, 7)], id="two at once"),
        pytest.param(
            [(0, 10, 5), (4, 6, 2)], [(0, 4, 5), (4, 6, 7), (6, 10, 5)], id="one in the other"
        ),
        pytest.param([(0, 4, 5), (6, 10, 5)], [(0, 4, 5), (6, 10, 5)], id="a pause between"),
        pytest.param([(0, 4, 5), (4, 10, 2)], [(0, 4, 5), (4, 10, 2)], id="one after the other"),
        pytest.param([(0, 10, 0)], [(0, 10, 0)], id="one that draws nothing stays all the same"),
        pytest.param([(3, 3, 5)], [], id="no time"),
    ],
)
def test_stretches_become_steps(
    stretches: list[tuple[int, int, int]], expected: list[tuple[int, int, int]]
) -> None:
    """Power adds up, and standby of 9 counts once while anyone stays, however many they are."""
    line = steps((Stretch(*stretch) for stretch in stretches), standby=9)
    assert line == [Step(start, end, pods, pods + 9) for start, end, pods in expected]


LINE = [Step(0, 4, 5, 14), Step(6, 10, 1, 10)]


@pytest.mark.parametrize(
    ("end", "energy"), [(0, 0), (1, 14), (4, 56), (6, 56), (7, 66), (10, 96), (99, 96)]
)
def test_energy_is_counted_until_an_instant(end: int, energy: int) -> None:
    """14 from 0 to 4, 10 from 6 to 10."""
    assert consumed(LINE, end) == energy


@pytest.mark.parametrize(
    ("instant", "power"), [(-1, 0), (0, 14), (3, 14), (4, 0), (6, 10), (10, 0)]
)
def test_power_at_an_instant(instant: int, power: int) -> None:
    """The start of a step is part of it, its end is not."""
    assert computing_at(LINE, instant) == power


@pytest.mark.parametrize(
    ("charge", "floor", "watt_hours"),
    [(81, 80, 600), (80, 80, 0), (79, 80, -600), (100, 0, 60_000), (None, 30, -18_000)],
)
def test_what_the_battery_can_spare(charge: int | None, floor: int, watt_hours: int) -> None:
    """One percent of 60 kWh is 600 Wh; an unknown charge is none."""
    vehicle = a_battery_car(0, observed__battery__state_of_charge_percent=charge)
    assert spare(vehicle, floor) == watt_hours * 1_000 * 3_600_000


def profile(*periods: tuple[int, int]) -> ChargingProfile:
    """From each of these instants on so much power."""
    return ChargingProfile(tuple(ChargingPeriod(*period) for period in periods))


def test_until_it_is_acknowledged_a_new_profile_counts_with_the_old_one() -> None:
    """The more of both for the circuits, the less for the battery; neighbours alike are one."""
    both = controlled(profile((0, 5), (20, 3), (40, 0)), profile((10, 4), (30, 3), (50, 0)), 10)
    assert both.new == (Stretch(10, 30, 4), Stretch(30, 50, 3), Stretch(50, FOREVER, 0))
    assert both.most == (
        Stretch(10, 20, 5),
        Stretch(20, 30, 4),
        Stretch(30, 50, 3),
        Stretch(50, FOREVER, 0),
    )
    assert both.least == (Stretch(10, 20, 4), Stretch(20, 40, 3), Stretch(40, FOREVER, 0))


def test_without_a_new_profile_the_acknowledged_one_counts_and_nothing_is_credited() -> None:
    """As of a car whose battery is not heard of any more."""
    alone = controlled(profile((0, 5), (20, 0)), None, 10)
    assert alone.most == (Stretch(10, 20, 5), Stretch(20, FOREVER, 0))
    assert (alone.new, alone.least) == ((), ())


@pytest.mark.parametrize(
    ("instant", "power"), [(9, 0), (10, 5), (19, 5), (20, 0), (30, 7), (40, 0)]
)
def test_the_power_of_the_stretch_that_holds_an_instant(instant: int, power: int) -> None:
    """None before the first, in a gap, and after the last."""
    assert power_at((Stretch(10, 20, 5), Stretch(30, 40, 7)), instant) == power


def test_a_draw_may_be_asked_for_another_charging() -> None:
    """At most the cap, as ever."""
    figures = the_electrics(cap=3_000, charging=9_000)
    assert figures.draw(0, 1_000) == 1_000
    assert figures.draw(0, 4_000) == 3_000
    assert figures.draw(0, 0) == 0
