"""Advice in words: written as it has to be set."""

from decimal import Decimal

import pytest

from idlewatt_operator.reconcile.advice import (
    Setting,
    amount_of,
    clock,
    in_short,
    kind_of,
    rough,
    settings_of,
)
from idlewatt_operator.resources.times import format_duration, parse_duration
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import AT, a_pod
from idlewatt_scheduler.why import (
    AnyTariff,
    Brief,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Together,
)

KEY = "default/pod"
WAIT = LaterStart(AT + HOUR, Plan(AT))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (WAIT, "later start", "wait until 23:00 (in 1h)"),
        (
            ShorterStay(KEY, 9_899, of_all_services=False),
            "shorter stay",
            "expected-runtime: 2h44m59s",
        ),
        (
            ShorterStay(KEY, 2_700, of_all_services=True),
            "shorter stay",
            "policy minimumStaySeconds: 2700",
        ),
        (LessPower(KEY, 510, 510, {}), "less power", "power: 510"),
        (LessPower(KEY, 510, None, {"cpu": 8_160}), "less power", "requests cpu: 8160m"),
        (
            HigherPrice(Decimal("0.357"), "EUR"),
            "higher price",
            "policy offPeak.maxPricePerKWh: 0.357",
        ),
        (AnyTariff(KEY), "any tariff", "tariff: any"),
        (
            Together((WAIT, LessPower(KEY, 510, 510, {}))),
            "later start, less power",
            "wait until 23:00 (in 1h), power: 510",
        ),
    ],
)
def test_a_change_is_told_as_it_is_made(change: Change, kind: str, words: str) -> None:
    """The annotation, request or policy's field, and its value."""
    assert (kind_of(change), amount_of(change, AT)) == (kind, words)


def test_settings_name_the_object_and_the_whole_field() -> None:
    """Of several changes, all; of a wait, none."""
    both = Together((AnyTariff(KEY), ShorterStay(KEY, 60, of_all_services=True)))
    assert settings_of(both, KEY) == (
        Setting("Pod default/pod", "idlewatt.dev/tariff", "any"),
        Setting("FleetPolicy default", "spec.minimumStaySeconds", "60"),
    )
    assert settings_of(WAIT, KEY) == ()


@pytest.mark.parametrize(
    "length", [0, 1, 999, 1_000, 61_000, HOUR, 2 * HOUR + 44 * MINUTE + 59_500]
)
def test_a_duration_is_read_back_as_it_was(length: int) -> None:
    """What is printed can be pasted into an annotation."""
    assert parse_duration(format_duration(length)) == length


def test_clocks_name_the_day_only_where_it_is_another() -> None:
    """And never an instant that is too early."""
    assert clock(AT + MINUTE, AT) == "22:01"
    assert clock(AT + 1, AT) == "22:00:01"
    assert clock(AT + 3 * HOUR, AT) == "2026-01-16 01:00"
    assert rough(HOUR + 1) == "1h1m"
    assert rough(59_001) == "1m"


def test_in_short_tells_figures_only_where_there_are_any() -> None:
    """Nought says that few cars stand behind it, and is told without a figure."""
    job = a_pod(demand__expected_runtime=8 * HOUR)
    full = Brief(AT + HOUR, 9_900, 510, any_tariff=True)
    assert in_short(full, job, AT) == (
        "Enough would be to wait until about 23:00 UTC, a stay of 2h45m, a power of 510 W or the "
        "annotation tariff: any; `idlewatt why default/pod` says more"
    )
    assert in_short(Brief(stay_seconds=0), job, AT).startswith("Enough would be a shorter stay;")
    assert "minimumStaySeconds of 900" in in_short(Brief(stay_seconds=900), a_pod(), AT)
    assert in_short(Brief(), job, AT) == ""
