"""A template asked of all vehicles: stays, powers and the first clause that fails."""

import pytest
from tests.unit.scheduler.scenes import Overrides, node, pod, site, vehicle
from tests.unit.scheduler.tables.sheets import a_working

from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Link
from idlewatt_scheduler.tables.asking import Answer
from idlewatt_scheduler.tables.lasting import REASONS
from idlewatt_scheduler.testing import AT


def answer(**overrides: object) -> Answer:
    """The first pending pod asked of the vehicles."""
    work = a_working(**overrides)
    return work.asking.answer(work.templates[0].sample)


def test_a_stay_ends_after_fetching_loading_and_running() -> None:
    """A gigabyte over 50 Mbit/s takes 160 s; a model five minutes; then an hour."""
    wishes = {"image_size_bytes": 10**9, "model_load_time": 5 * MINUTE, "expected_runtime": HOUR}
    given = pod(**{f"demand__{name}": value for name, value in wishes.items()})
    assert answer(**given).until[0] == 160 * SECOND + 5 * MINUTE + HOUR
    there = node(images=frozenset({"registry.example/model:1"}))
    assert answer(**given, **there).until[0] == 5 * MINUTE + HOUR


def test_power_is_the_greater_of_what_is_declared_and_the_share_of_the_machine() -> None:
    """One of 16 cores of 1 kW; AC it is that by 88 %, rounded down; sixteen of them fit."""
    found = answer(**pod())
    assert (found.power[0], found.ac[0], found.fit[0]) == (62_500, 71_022, 16)
    assert answer(**pod(demand__power_watts=100)).power[0] == 100_000


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        pytest.param(pod(), None, id="none"),
        pytest.param(pod(controlled=False), PodReason.INVALID_ANNOTATION, id="a bare pod"),
        pytest.param(pod(unsupported_fields=("x",)), PodReason.UNSUPPORTED_FIELD, id="field"),
        pytest.param(pod(node_selector={"a": "b"}), PodReason.NODE_AFFINITY, id="selector"),
        pytest.param(
            pod() | node(unschedulable=True), PodReason.TAINT_NOT_TOLERATED, id="a cordon"
        ),
        pytest.param(pod(demand__residency=frozenset()), PodReason.RESIDENCY, id="residency"),
        pytest.param(pod(reads_secret=True), PodReason.UNTRUSTED, id="a secret"),
        pytest.param(
            pod(requests={"cpu": 16_001, "pods": 1_000}), PodReason.EXCEEDS_CAPACITY, id="capacity"
        ),
        pytest.param(
            pod(demand__power_watts=1_001), PodReason.EXCEEDS_CAPACITY, id="more than it draws"
        ),
        pytest.param(
            pod(demand__model_load_time=31 * MINUTE), PodReason.LINK_TOO_SLOW, id="a slow start"
        ),
        pytest.param(pod() | vehicle(windows=()), PodReason.OUTSIDE_PARKING_WINDOW, id="no window"),
        pytest.param(
            pod(demand__expected_runtime=8 * HOUR), PodReason.LEAVES_TOO_EARLY, id="departure"
        ),
        pytest.param(pod(demand__deadline=AT + HOUR - 1), PodReason.DEADLINE_MISSED, id="deadline"),
        pytest.param(
            pod(demand__expected_runtime=7 * HOUR + 1), PodReason.ON_PEAK, id="the day begins"
        ),
        pytest.param(
            pod(demand__expected_runtime=7 * HOUR + 1, demand__any_tariff=True), None, id="any"
        ),
        pytest.param(pod() | site(tariff=None), PodReason.PRICE_UNKNOWN, id="no tariff"),
    ],
)
def test_the_first_clause_that_fails(overrides: Overrides, reason: PodReason | None) -> None:
    """Under the code of its reason; 0 where none does."""
    code = int(answer(**overrides).code[0])
    assert (REASONS[code - 1] if code else None) is reason


def test_what_would_never_fit_is_told_from_what_waits_for_time() -> None:
    """A region may change with the site; a machine does not grow."""
    for overrides, never in (
        (pod(requests={"cpu": 16_001, "pods": 1_000}), True),
        (pod(demand__residency=frozenset(), reads_secret=True), False),
        (pod(demand__expected_runtime=8 * HOUR), False),
    ):
        work = a_working(**overrides)
        assert work.asking.never(work.templates[0].sample).tolist() == [never]


def test_a_month_s_data_is_asked_of_metered_links_alone() -> None:
    """A limit that nobody meters keeps nothing away."""
    wishes = pod(demand__image_size_bytes=10**9)
    for metered, reason in ((True, PodReason.LINK_TOO_SLOW), (False, None)):
        link = Link(50_000_000, metered=metered, monthly_limit_bytes=10**8)
        code = int(answer(**wishes, **vehicle(link=link)).code[0])
        assert (REASONS[code - 1] if code else None) is reason
