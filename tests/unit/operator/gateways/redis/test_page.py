"""The page of the telemetry contract says what the code does."""

import re

from tests.cluster.places import CHECKOUT

from idlewatt_operator.gateways.redis.contract import FIELDS, STREAM, WAKE_STREAM
from idlewatt_operator.gateways.redis.keeping import HASH, POSITION
from idlewatt_operator.gateways.redis.signals import (
    CHARGING_STATES,
    CIRCUIT_SIGNALS,
    SEATS,
    VEHICLE_SIGNALS,
)

PAGE = (CHECKOUT / "docs" / "reference" / "telemetry.md").read_text(encoding="utf-8")


def test_every_signal_stands_on_the_page_in_its_block() -> None:
    """The tables list the signals of the code, each in its block, and no other."""
    listed = {
        name: block
        for block, name in re.findall(r"^\| (\w+) \| `([A-Z][\w.]+)`", PAGE, re.MULTILINE)
    }
    known = {
        name: signal.block
        for name, signal in {**VEHICLE_SIGNALS, **CIRCUIT_SIGNALS}.items()
        if name not in SEATS[1:]
    }
    assert listed == known


def test_every_charging_state_has_its_supply() -> None:
    """OCPP's states stand beside the supply they mean."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `(\w+)` \|$", PAGE, re.MULTILINE)
    listed = {state: supply for states, supply in rows for state in re.findall(r"`(\w+)`", states)}
    assert listed == {state: supply.value for state, supply in CHARGING_STATES.items()}


def test_names_in_redis_stand_on_the_page() -> None:
    """Streams, keys and fields are called what the page calls them."""
    for name in (STREAM, WAKE_STREAM, HASH, POSITION, *FIELDS):
        assert f"`{name}`" in PAGE
