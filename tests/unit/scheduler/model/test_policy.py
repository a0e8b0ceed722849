"""The policy's defaults, and when its off-peak test asks anything."""

from decimal import Decimal
from typing import Any

import pytest

from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest


@pytest.mark.parametrize(
    ("test", "asks"),
    [
        ({}, False),
        ({"currency": "EUR"}, False),
        ({"band": "OffPeak"}, True),
        ({"max_price_per_kwh": Decimal(0)}, True),
        ({"max_grams_per_kwh": Decimal(0)}, True),
        ({"cheapest_percent_of_next_24_hours": 1}, True),
    ],
)
def test_a_test_of_nothing_asks_nothing(test: dict[str, Any], asks: bool) -> None:  # noqa: FBT001
    """A limit of nought is a limit."""
    assert OffPeakTest(**test).asks_anything is asks


def test_without_a_policy_the_documented_defaults_hold() -> None:
    """As the page of the rules lists them."""
    found = FleetPolicy()
    assert found.off_peak == OffPeakTest(band="OffPeak")
    assert (found.telemetry_max_age_seconds, found.sleep_max_age_seconds) == (120, 43_200)
    assert (found.stale_drain_seconds, found.drain_lead_seconds) == (600, 300)
    assert (found.minimum_stay_seconds, found.max_start_delay_seconds) == (3_600, 1_800)
    assert (found.idle_before_start_seconds, found.miss_probability_percent) == (900, 1)
    assert not found.plain_nodes_allowed
    assert found.exchange_rates == ()
