"""Money in columns: integrals of prices, and rounding in one direction."""

from decimal import Decimal

import numpy as np
import pytest
from tests.unit.scheduler.scenes import a_fleet, pod, site
from tests.unit.scheduler.tables.sheets import a_table

from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.tables.money import Integrals, rounded_down
from idlewatt_scheduler.testing import AT, a_tariff


def intervals(*prices: str) -> tuple[TariffInterval, ...]:
    """An hour each, from `AT` on."""
    return tuple(
        TariffInterval(AT + number * HOUR, HOUR, Decimal(price), "OffPeak")
        for number, price in enumerate(prices)
    )


def test_integrals_run_along_the_steps_of_a_line() -> None:
    """Half an hour into the second hour; and the least from then on, with a price below nought."""
    fleet = a_fleet(tariffs=[a_tariff(zones=(), intervals=intervals("0.2", "0.1", "-0.3"))])
    parked = fleet.candidates[0].parked
    assert parked is not None
    line = parked.prices
    assert line is not None
    integrals = Integrals([line], AT, 8 * HOUR)
    instants = np.array([0, HOUR, HOUR * 3 // 2, 3 * HOUR, 9 * HOUR], np.int64)
    reached, least = integrals.until(np.zeros(5, np.int32), instants)
    scale = line.timeline.scale * HOUR
    assert (reached / scale).tolist() == pytest.approx([0, 0.2, 0.25, 0, 0])
    assert (least / scale).tolist() == pytest.approx([0, 0, 0, 0, 0])
    assert integrals.cheapest[0] == -0.3 * line.timeline.scale


def test_rounding_never_makes_more_of_an_amount() -> None:
    """Nor less than a millionth of it."""
    amounts = np.array([0.1, 1 / 3, 7.000_000_1, -0.1, -1 / 3, 0.0])
    small = rounded_down(amounts).astype(np.float64)
    assert (small <= amounts).all()
    assert (amounts - small <= 1e-6 * np.abs(amounts)).all()


def test_a_pod_costs_energy_and_wear_its_vehicle_availability_and_standby() -> None:
    """62.5 W for an hour at 0.30 AC and 0.05 DC; the vehicle is paid 0.10 and 90 W of standby."""
    tables = a_table(**pod(demand__expected_runtime=HOUR))
    assert tables.pairs.cost[0] == pytest.approx(0.071_022 * 0.3 + 0.0625 * 0.05)
    assert tables.pairs.stay_cost[0] == pytest.approx(0.1 + 0.102_272 * 0.3 + 0.09 * 0.05)


def test_where_the_fleet_pays_energy_costs_the_price_over_the_stay() -> None:
    """An hour at 0.2 and one at 0.1."""
    tables = a_table(
        **pod(demand__expected_runtime=2 * HOUR),
        **site(energy_borne_by=EnergyBearer.FLEET),
        tariffs=[a_tariff(zones=(), intervals=intervals("0.2", "0.1", "0.9"))],
    )
    assert tables.pairs.cost[0] == pytest.approx(0.071_022 * 0.3 + 0.125 * 0.05)
