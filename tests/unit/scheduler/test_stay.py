"""The stay of a pod on a candidate: start, ready, until, to the millisecond."""

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_case,
    node,
    observed,
    pod,
    policy,
    vehicle,
)

from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Link, Power
from idlewatt_scheduler.stay import Stay, grace_of, lead_of, missing_bytes
from idlewatt_scheduler.testing import AT, a_pod, a_policy

THERE = node(images=frozenset({"registry.example/model:1", "registry.example/side:1"}))
SIZED = pod(demand__image_size_bytes=50_000_000)


@pytest.mark.parametrize(
    ("overrides", "start", "ready", "until"),
    [
        pytest.param(pod(), 0, 0, HOUR, id="open-ended: an hour"),
        pytest.param(
            pod() | policy(minimum_stay_seconds=60), 0, 0, MINUTE, id="as the policy says"
        ),
        pytest.param(pod(demand__expected_runtime=1), 0, 0, 1, id="a job: its run time"),
        pytest.param(pod() | observed(power=Power.ASLEEP), 60_000, 60_000, 60_000 + HOUR),
        pytest.param(pod() | observed(power=Power.WAKING), 60_000, 60_000, 60_000 + HOUR),
        pytest.param(pod(demand__model_load_time=7), 0, 7, 7 + HOUR, id="a model is loaded"),
        pytest.param(SIZED, 0, 8 * SECOND, 8 * SECOND + HOUR, id="50 MB at 50 Mbit/s"),
        pytest.param(
            pod(demand__image_size_bytes=1), 0, 1, 1 + HOUR, id="rounded up to the millisecond"
        ),
        pytest.param(
            pod(demand__image_size_bytes=6_250), 0, 1, 1 + HOUR, id="a millisecond exactly"
        ),
        pytest.param(
            pod(demand__image_size_bytes=6_251), 0, 2, 2 + HOUR, id="a byte more than a millisecond"
        ),
        pytest.param(SIZED | THERE, 0, 0, HOUR, id="the image is there"),
        pytest.param(SIZED | vehicle(link=Link()), 0, 0, HOUR, id="the link's rate is unknown"),
        pytest.param(
            pod(
                demand__image_size_bytes=6_250,
                demand__model_load_time=10,
                demand__expected_runtime=100,
            )
            | observed(power=Power.ASLEEP),
            60_000,
            60_011,
            60_111,
            id="wake, fetch, load, run",
        ),
    ],
)
def test_the_instants_of_a_stay(overrides: Overrides, start: int, ready: int, until: int) -> None:
    """Milliseconds after `at`."""
    assert a_case(**overrides).stay == Stay(AT + start, AT + ready, AT + until)


def test_on_a_plain_node_nothing_is_woken_or_fetched() -> None:
    """It has no link of which anything is known."""
    case = a_case(vehicles=(), **SIZED, **node(name="plain"), **policy(plain_nodes_allowed=True))
    assert case.stay == Stay(AT, AT, AT + HOUR)


@pytest.mark.parametrize(
    ("images", "missing"),
    [
        (("registry.example/model:1",), 0),
        (("registry.example/model:1", "registry.example/side:1"), 0),
        (("registry.example/model:1", "registry.example/other:1"), 50_000_000),
        (("registry.example/model",), 50_000_000),
        ((), 50_000_000),
    ],
)
def test_every_image_must_be_there_by_the_very_same_name(
    images: tuple[str, ...], missing: int
) -> None:
    """One that is missing counts all of the stated size; a tag more or less is another image."""
    case = a_case(**pod(images=images, demand__image_size_bytes=50_000_000), **THERE)
    assert missing_bytes(case.pod, case.candidate) == missing


def test_without_a_stated_size_nothing_is_missing() -> None:
    """Nobody can say how long it takes."""
    case = a_case(**pod())
    assert missing_bytes(case.pod, case.candidate) == 0


@pytest.mark.parametrize(
    ("overrides", "grace", "lead"),
    [
        ({}, 30 * SECOND, 300 * SECOND),
        ({"termination_grace_seconds": 300}, 300 * SECOND, 300 * SECOND),
        ({"termination_grace_seconds": 301}, 301 * SECOND, 301 * SECOND),
        ({"demand__drain_grace": 300_001}, 300_001, 300_001),
        ({"termination_grace_seconds": 900, "demand__drain_grace": SECOND}, SECOND, 300 * SECOND),
        ({"demand__drain_grace": 0}, 0, 300 * SECOND),
    ],
)
def test_the_lead_is_the_greater_of_the_policys_and_the_pods(
    overrides: Overrides, grace: int, lead: int
) -> None:
    """The pod's own word, `drain-grace`, counts before its termination grace."""
    assert grace_of(a_pod(**overrides)) == grace
    assert lead_of(a_pod(**overrides), a_policy()) == lead
