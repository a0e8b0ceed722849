"""What a vehicle is paid, in whole numbers of one small part."""

from decimal import Decimal
from fractions import Fraction

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_candidate,
    a_fleet,
    on_battery,
    policy,
    site,
    vehicle,
)

from idlewatt_scheduler.model.policy import ExchangeRate
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import HOUR, MILLIWATT_MILLISECONDS_PER_KWH
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.tallies import tally_of
from idlewatt_scheduler.testing import a_node

KWH, CENTS = MILLIWATT_MILLISECONDS_PER_KWH, Fraction(1, 100)
CROWNS = vehicle(compensation__currency="NOK") | policy(
    exchange_rates=(ExchangeRate("NOK", "EUR", Decimal("0.1")),)
)


@pytest.mark.parametrize(
    ("overrides", "name", "amount"),
    [
        pytest.param({}, "availability", 10 * CENTS / HOUR, id="ten cents an hour"),
        pytest.param({}, "energy", 30 * CENTS / KWH, id="thirty a kilowatt-hour"),
        pytest.param({}, "wear", 5 * CENTS / KWH, id="five of wear"),
        pytest.param({}, "waking", 0, id="nothing for who is awake"),
        pytest.param(CROWNS, "energy", 3 * CENTS / KWH, id="converted"),
        pytest.param(
            vehicle(observed__power=Power.ASLEEP), "waking", Fraction(6, 1_000), id="20 Wh"
        ),
        pytest.param(
            on_battery(85, battery__round_trip_efficiency_percent=90),
            "battery",
            30 * CENTS / KWH * 100 / 90,
            id="put back",
        ),
    ],
)
def test_what_is_paid_is_exact(overrides: Overrides, name: str, amount: Fraction) -> None:
    """Parts by the scale are the amount, to the last digit."""
    tally = tally_of(a_candidate(**overrides))
    assert tally is not None
    assert Fraction(getattr(tally, name), tally.scale) == amount


def test_where_the_fleet_pays_energy_is_counted_in_parts_of_the_line() -> None:
    """Per milliwatt and part-millisecond: the tariff's currency is the plan's."""
    candidate = a_candidate(**site(energy_borne_by=EnergyBearer.FLEET))
    tally = tally_of(candidate)
    assert tally is not None
    assert candidate.parked is not None
    assert candidate.parked.prices is not None
    scale = candidate.parked.prices.timeline.scale
    assert tally.energy is None
    assert Fraction(tally.tariff, tally.scale) == Fraction(1, scale * KWH)


def test_nobody_is_paid_where_nothing_is_placed() -> None:
    """Neither a vehicle that takes no pods nor a Node without one."""
    assert tally_of(a_candidate(**vehicle(suspend=True))) is None
    fleet = a_fleet(**policy(plain_nodes_allowed=True), nodes=[a_node(), a_node(name="plain")])
    assert tally_of(fleet.candidates[1]) is None
