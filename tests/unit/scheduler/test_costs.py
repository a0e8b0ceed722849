"""What a plan pays out on one vehicle, worked out by hand in round figures."""

from decimal import Decimal
from fractions import Fraction

import pytest
from tests.unit.scheduler.scenes import Overrides, a_fleet, policy, running, site, vehicle

from idlewatt_scheduler.costs import Cost, Rates, cost_of, rates_of
from idlewatt_scheduler.energy import Stretch
from idlewatt_scheduler.model.policy import ExchangeRate, WearFloor
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.tariff import ConnectionFee, TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Supply
from idlewatt_scheduler.testing import AT, a_node, a_tariff, a_vehicle
from idlewatt_scheduler.wear import model_rate

ROUND = {
    "compute__standby_power_watts": 100,
    "compute__efficiency_percent": 50,
    "compute__wake_energy_watt_hours": 20,
    "compensation__availability_per_hour": Decimal(1_000),
    "compensation__energy_per_kwh": Decimal(1),
    "compensation__wear_per_kwh": Decimal("0.001"),
}
"""An hour costs 1000, a kWh AC 1, a kWh DC 0.001: each digit of a sum tells its term."""

FLEET_PAYS = site(energy_borne_by=EnergyBearer.FLEET)
PRICES = {
    "tariffs": (
        a_tariff(
            zones=(),
            intervals=(
                TariffInterval(AT, HOUR, Decimal(2)),
                TariffInterval(AT + HOUR, 9 * HOUR, Decimal(7)),
            ),
        ),
    )
}


def cost(*stays: tuple[float, float, int], **overrides: object) -> Cost:
    """What new stays cost, each from and to so many hours after `AT`, of so many watts."""
    candidate = a_fleet(**{**vehicle(**ROUND), **overrides}).candidates[0]
    rates = rates_of(candidate)
    assert candidate.parked is not None
    assert rates is not None
    new = [
        Stretch(AT + round(start * HOUR), AT + round(end * HOUR), 1_000 * watts)
        for start, end, watts in stays
    ]
    return cost_of(candidate.parked, rates, new)


@pytest.mark.parametrize(
    ("stays", "money", "watt_hours"),
    [
        pytest.param([], "0", 0, id="nobody"),
        pytest.param([(0, 1, 400)], "1001.0005", 1_000, id="400 W and standby for an hour"),
        pytest.param([(0, 1, 400)] * 2, "1001.8009", 1_800, id="two share hour and standby"),
        pytest.param([(0, 1, 400), (0, 2, 400)], "2002.8014", 2_800, id="one stays on alone"),
        pytest.param([(0, 1, 400), (2, 3, 400)], "2002.001", 2_000, id="a pause costs nothing"),
        pytest.param([(0, 1, 400), (1, 2, 400)], "2002.001", 2_000, id="one after the other"),
        pytest.param([(0, 1, 0)], "1000.2001", 200, id="one that draws nothing"),
        pytest.param([(1, 1, 400)], "0", 0, id="no time"),
    ],
)
def test_availability_energy_and_wear_add_up(
    stays: list[tuple[float, float, int]], money: str, watt_hours: int
) -> None:
    """Hours of the union, AC energy and DC energy with standby once."""
    assert cost(*stays) == Cost(Fraction(money), Fraction(watt_hours))


@pytest.mark.parametrize(
    ("overrides", "money", "watt_hours"),
    [
        pytest.param(running(), "0.8004", 800, id="a service runs: only what comes on top"),
        pytest.param(
            running(pod__demand__expected_runtime=HOUR, bound_until=AT + 30 * MINUTE),
            "500.90045",
            900,
            id="a job runs for the first half",
        ),
        pytest.param(
            running(counts_until=AT + 30 * MINUTE), "500.90045", 900, id="one given up counts too"
        ),
        pytest.param(running(being_deleted=True), "0.8004", 800, id="one that goes counts too"),
        pytest.param(running(node="v-2"), "1001.0005", 1_000, id="one elsewhere does not"),
    ],
)
def test_what_runs_there_pays_for_availability_and_standby(
    overrides: Overrides, money: str, watt_hours: int
) -> None:
    """A new stay of 400 W for an hour pays only where no pod of ours ran."""
    assert cost((0, 1, 400), **overrides) == Cost(Fraction(money), Fraction(watt_hours))


@pytest.mark.parametrize("power", [Power.ASLEEP, Power.WAKING])
def test_waking_is_paid_once_and_is_no_energy_of_a_placement(power: Power) -> None:
    """20 Wh at 1 per kWh, however many pods there are."""
    asleep = vehicle(**ROUND, observed__power=power)
    assert cost((0, 1, 400), **asleep) == Cost(Fraction("1001.0205"), Fraction(1_000))
    assert cost((0, 1, 400), (0, 1, 400), **asleep).money == Fraction("1001.8209")
    assert cost(**asleep) == Cost()


@pytest.mark.parametrize(
    ("stay", "energy"),
    [
        pytest.param((0, 1), "2", id="in the first hour"),
        pytest.param((1, 2), "7", id="in the second"),
        pytest.param((0.5, 1.5), "4.5", id="half in each"),
    ],
)
def test_where_the_fleet_pays_energy_costs_the_tariffs_price(
    stay: tuple[float, float], energy: str
) -> None:
    """1 kWh AC at 2 in the first hour and at 7 after it; availability and wear as ever."""
    found = cost((*stay, 400), **FLEET_PAYS, **PRICES)
    assert found == Cost(Fraction(energy) + Fraction("1000.0005"), Fraction(1_000))


@pytest.mark.parametrize(("wake_seconds", "waking"), [(60, "0.04"), (3_600, "0.14")])
def test_waking_costs_the_price_at_the_start(wake_seconds: int, waking: str) -> None:
    """20 Wh at 2 in the first hour, at 7 from the second on: the start is in it, not before."""
    asleep = vehicle(**ROUND, observed__power=Power.ASLEEP, compute__wake_seconds=wake_seconds)
    rates = rates_of(a_fleet(**asleep, **FLEET_PAYS, **PRICES).candidates[0])
    assert rates is not None
    assert rates.waking == Fraction(waking)


def test_an_awake_vehicle_has_no_waking_to_pay() -> None:
    """Whatever waking it would take."""
    rates = rates_of(a_fleet(**vehicle(**ROUND)).candidates[0])
    assert rates is not None
    assert rates.waking == 0


def test_everything_is_paid_in_the_plans_currency() -> None:
    """A tenth of what the owner is paid in crowns; the tariff has a rate of its own."""
    rates = policy(
        exchange_rates=(
            ExchangeRate("NOK", "EUR", Decimal("0.1")),
            ExchangeRate("SEK", "EUR", Decimal("0.01")),
        )
    )
    crowns = vehicle(**ROUND, compensation__currency="NOK")
    assert cost((0, 1, 400), **crowns, **rates).money == Fraction("100.10005")
    tariff = {"tariffs": (a_tariff(currency="SEK", **_intervals()),)}
    found = cost((0, 1, 400), **crowns, **rates, **FLEET_PAYS, **tariff)
    assert found.money == Fraction("100.00005") + Fraction("0.02")


def _intervals() -> dict[str, object]:
    return {"zones": (), "intervals": PRICES["tariffs"][0].intervals}


def test_a_negative_price_is_paid_to_us() -> None:
    """It happens on sunny Sundays, and it is exact as well."""
    intervals = (TariffInterval(AT, HOUR, Decimal("-0.05")),)
    tariff = {"tariffs": (a_tariff(zones=(), intervals=intervals),)}
    found = cost((0, 1, 400), **FLEET_PAYS, **tariff)
    assert found.money == Fraction("999.9505")


def test_losses_are_rounded_down_once_for_the_vehicle() -> None:
    """At 88 %, 7 mW are 7 mW AC and 14 mW are 15."""
    plain = vehicle(compute__standby_power_watts=0)
    candidate = a_fleet(**plain).candidates[0]
    assert candidate.parked is not None
    hour = Stretch(AT, AT + HOUR, 7)
    rates = Rates(Fraction(0), Fraction(1), Fraction(0), Fraction(0), Fraction(0))
    assert cost_of(candidate.parked, rates, [hour]).money == 7 * HOUR
    assert cost_of(candidate.parked, rates, [hour, hour]).money == 15 * HOUR


def test_what_takes_no_pods_has_no_rates() -> None:
    """A refused vehicle, and a plain node, which costs nothing."""
    refused = a_fleet(vehicles=(a_vehicle(suspend=True),)).candidates[0]
    plain = a_fleet(
        vehicles=(), nodes=(a_node(name="plain"),), **policy(plain_nodes_allowed=True)
    ).candidates[0]
    assert rates_of(refused) is None
    assert rates_of(plain) is None


def test_a_difference_of_costs_is_what_was_added() -> None:
    """In money and in energy."""
    assert Cost(Fraction(5), Fraction(3)) - Cost(Fraction(1), Fraction(2)) == Cost(
        Fraction(4), Fraction(1)
    )


PACK = {"battery__chemistry": "LFP", "battery__replacement_cost_per_kwh": Decimal(100)}
BATTERY = {
    **ROUND,
    "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
    "battery__departure_percent": 40,
}


@pytest.mark.parametrize(
    ("round_trip", "overrides", "money"),
    [
        pytest.param(None, {}, "1001.0005", id="not priced apart: AC, as from the grid"),
        pytest.param(80, {}, "1000.6255", id="half a kWh DC takes 0.625 to put back"),
        pytest.param(80, {**FLEET_PAYS, **PRICES}, "1004.063", id="at the mean of known prices"),
    ],
)
def test_energy_from_the_battery_is_what_it_takes_to_put_it_back(
    round_trip: int | None, overrides: Overrides, money: str
) -> None:
    """0.5 kWh DC in an hour; the known ten hours cost 2 in the first and 7 after it, 6.5 a kWh."""
    there = {**vehicle(**BATTERY, battery__round_trip_efficiency_percent=round_trip), **overrides}
    assert cost((0, 1, 400), **there).money == Fraction(money)


def with_fee(after: int, **tariff: object) -> Overrides:
    """A tariff that charges 6 an hour for staying plugged, some time after the car parked."""
    fee = ConnectionFee(after, Decimal(6))
    return {"tariffs": (a_tariff(**_intervals(), connection_fee=fee, **tariff),)}


@pytest.mark.parametrize(
    ("after_hours", "overrides", "fee"),
    [
        pytest.param(0, {}, "12", id="from the start: both hours"),
        pytest.param(5, {}, "6", id="the car came four hours ago: the second hour"),
        pytest.param(9, {}, "0", id="after the stay"),
        pytest.param(5, running(bound_until=AT + HOUR), "0", id="where our pods stay anyway"),
    ],
)
def test_a_fee_for_staying_plugged_begins_some_hours_after_the_car_came(
    after_hours: int, overrides: Overrides, fee: str
) -> None:
    """Two hours of a pod of no watts: availability aside, only the fee is left."""
    there = {**vehicle(**ROUND, observed__parking__since=AT - 4 * HOUR), **FLEET_PAYS, **overrides}
    bare, paid = (
        cost((0, 2, 0), **there, **tariff) for tariff in (PRICES, with_fee(after_hours * HOUR))
    )
    assert paid.money - bare.money == Fraction(fee)


def test_without_a_beginning_the_fee_is_due_all_the_time() -> None:
    """Nobody knows since when the car stands: never cheap."""
    there = {**vehicle(**ROUND, observed__parking__since=None), **FLEET_PAYS, **running()}
    quick = policy(idle_before_start_seconds=0)
    fee = with_fee(9 * HOUR)
    rates = rates_of(a_fleet(**there, **fee, **quick).candidates[0])
    assert rates is not None
    assert rates.connection_from == AT


def test_the_fee_is_taxed_and_only_the_fleet_pays_it() -> None:
    """A host's fee is the host's affair; an unplugged car pays none."""
    taxed = with_fee(0, tax_percent=Decimal(50))
    untaxed_energy = cost((0, 1, 0), **FLEET_PAYS, **with_fee(0)).money
    energy = Fraction("0.2") * 2
    assert cost((0, 1, 0), **FLEET_PAYS, **taxed).money - untaxed_energy == 3 + energy / 2
    assert cost((0, 1, 0), **with_fee(0)).money == Fraction("1000.2001")
    unplugged = vehicle(**BATTERY, observed__connection__supply=Supply.UNPLUGGED)
    paid = cost((0, 1, 0), **unplugged, **FLEET_PAYS, **with_fee(0)).money
    assert paid == cost((0, 1, 0), **unplugged, **FLEET_PAYS, **PRICES).money


@pytest.mark.parametrize(
    ("floor", "agreed", "paid"),
    [
        pytest.param(WearFloor.AGREEMENT, "0", "0", id="as agreed, though that is nothing"),
        pytest.param(WearFloor.MODEL, "0", "model", id="what the model says"),
        pytest.param(WearFloor.MODEL, "5", "5", id="as agreed, which is more"),
    ],
)
def test_the_wear_model_is_a_floor_where_the_policy_says_so(
    floor: WearFloor, agreed: str, paid: str
) -> None:
    """Half a kWh DC at the rate of this car's chemistry, or at the agreed one."""
    car = {**ROUND, "compensation__wear_per_kwh": Decimal(agreed), **PACK}
    rate = model_rate(a_vehicle(**car), AT)
    assert rate is not None
    assert rate > 0
    expected = Fraction(rate if paid == "model" else Decimal(paid)) / 2
    found = cost((0, 1, 400), **vehicle(**car), **policy(wear_floor=floor))
    assert found.money == Fraction(1_001) + expected


def test_without_a_model_the_agreed_wear_is_paid() -> None:
    """Nothing is known of this chemistry."""
    car = {**ROUND, **PACK, "battery__chemistry": "LMFP"}
    found = cost((0, 1, 400), **vehicle(**car), **policy(wear_floor=WearFloor.MODEL))
    assert found.money == Fraction("1001.0005")
