"""Pod clauses that no placement changes: where each fails, and the nearest case without."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_case,
    node,
    observed,
    off_peak,
    pod,
    policy,
    site,
    vehicle,
)

from idlewatt_scheduler.clauses.pod import FIXED_POD_CLAUSES, first_fixed_reason, never_fits
from idlewatt_scheduler.model.policy import ExchangeRate
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Link, ParkingWindow, Power
from idlewatt_scheduler.model.workload import Taint
from idlewatt_scheduler.testing import AT, GIBIBYTE, a_node, a_tariff

R = PodReason
FLEET_PAYS = site(energy_borne_by=EnergyBearer.FLEET)
NO_TARIFF: Overrides = {"tariffs": ()}
ANY = {"demand__any_tariff": True}
METERED = vehicle(
    link=Link(None, metered=True, monthly_limit_bytes=2_000), used_this_month_bytes=1_000
)


def bands(*bands: str | None, price: str | None = "0.1") -> Overrides:
    """A tariff of one-hour intervals from `AT` on, each with a band and the same price."""
    worth = None if price is None else Decimal(price)
    intervals = tuple(
        TariffInterval(AT + hour * HOUR, HOUR, worth, band) for hour, band in enumerate(bands)
    )
    return {"tariffs": (a_tariff(zones=(), intervals=intervals),)}


def window(end: int) -> Overrides:
    """The only window closes so many milliseconds after `AT`."""
    return vehicle(windows=(ParkingWindow("once", "depot-7", start=AT - HOUR, end=AT + end),))


def lasting(runtime: int, **overrides: object) -> Overrides:
    """A job of so many milliseconds."""
    return pod(demand__expected_runtime=runtime, **overrides)


CASES: list[tuple[PodReason | None, str, Overrides]] = [
    (None, "nothing is wrong", pod()),
    (R.INVALID_ANNOTATION, "malformed", pod(invalid_annotations=("`power` is no number",))),
    (R.INVALID_ANNOTATION, "nobody would replace it", pod(controlled=False)),
    (None, "nobody would miss it", pod(controlled=False, demand__allow_loss=True)),
    (
        R.INVALID_ANNOTATION,
        "nobody would miss it, but malformed",
        pod(controlled=False, demand__allow_loss=True, invalid_annotations=("?",)),
    ),
    (R.UNSUPPORTED_FIELD, "a host port", pod(unsupported_fields=("hostPort",))),
    (R.NODE_AFFINITY, "another label", pod(node_selector={"gen": "4"})),
    (None, "the label", pod(node_selector={"gen": "4"}) | node(labels={"gen": "4"})),
    (R.NODE_AFFINITY, "no Node", pod() | {"nodes": ()}),
    (R.TAINT_NOT_TOLERATED, "a taint", pod() | node(taints=(Taint("team", "NoSchedule"),))),
    (None, "our taint", pod() | node(taints=(Taint("idlewatt.dev/vehicle", "NoSchedule"),))),
    (
        R.TAINT_NOT_TOLERATED,
        "not ready, awake",
        pod() | node(taints=(Taint("node.kubernetes.io/not-ready", "NoSchedule"),)),
    ),
    (
        None,
        "not ready, waking",
        pod()
        | node(taints=(Taint("node.kubernetes.io/not-ready", "NoSchedule"),))
        | observed(power=Power.WAKING),
    ),
    (R.RESIDENCY, "another region", pod(demand__residency=frozenset({"eu-fr"}))),
    (None, "one of its regions", pod(demand__residency=frozenset({"eu-fr", "eu-de"}))),
    (R.RESIDENCY, "no region at all", pod(demand__residency=frozenset())),
    (
        R.RESIDENCY,
        "a site of no region",
        pod(demand__residency=frozenset({"eu-de"})) | site(region=None),
    ),
    (None, "a site of no region, any will do", pod() | site(region=None)),
    (
        R.RESIDENCY,
        "no site",
        pod(demand__residency=frozenset({"eu-de"})) | observed(connection__site=None),
    ),
    (R.UNTRUSTED, "a Secret", pod(reads_secret=True)),
    (None, "a Secret, attested", pod(reads_secret=True) | vehicle(attested=True)),
    (None, "a Secret, allowed", pod(reads_secret=True, demand__allow_untrusted=True)),
    (R.EXCEEDS_CAPACITY, "a milli more", pod(requests={"cpu": 16_001, "pods": 1_000})),
    (None, "all of it", pod(requests={"cpu": 16_000, "pods": 1_000})),
    (
        R.EXCEEDS_CAPACITY,
        "a byte more",
        pod(requests={"memory": 32 * GIBIBYTE + 1_000, "pods": 1_000}),
    ),
    (R.EXCEEDS_CAPACITY, "what nobody has", pod(requests={"x/y": 1, "pods": 1_000})),
    (None, "nothing of what nobody has", pod(requests={"x/y": 0, "pods": 1_000})),
    (R.EXCEEDS_CAPACITY, "a watt more", pod(demand__power_watts=1_001)),
    (None, "all watts", pod(demand__power_watts=1_000)),
    (
        None,
        "what others use is not asked here",
        pod(requests={"cpu": 16_000, "pods": 1_000}) | {"other_use": {"v-1": {"cpu": 1_000}}},
    ),
    (R.LINK_TOO_SLOW, "a millisecond too slow", pod(demand__model_load_time=30 * MINUTE + 1)),
    (None, "just fast enough", pod(demand__model_load_time=30 * MINUTE)),
    (
        None,
        "waking does not count",
        pod(demand__model_load_time=30 * MINUTE) | observed(power=Power.ASLEEP),
    ),
    (R.LINK_TOO_SLOW, "a byte too many", pod(demand__image_size_bytes=11_250_000_001)),
    (None, "as many bytes as half an hour fetches", pod(demand__image_size_bytes=11_250_000_000)),
    (R.LINK_TOO_SLOW, "more than the month", pod(demand__image_size_bytes=1_001) | METERED),
    (None, "the rest of the month", pod(demand__image_size_bytes=1_000) | METERED),
    (
        None,
        "metered without a limit",
        pod(demand__image_size_bytes=1_001) | vehicle(link=Link(None, metered=True)),
    ),
    (
        None,
        "a limit, but not metered",
        pod(demand__image_size_bytes=1_001) | vehicle(link=Link(None, monthly_limit_bytes=1)),
    ),
    (
        None,
        "nothing to fetch and nothing left",
        pod()
        | vehicle(link=Link(None, metered=True, monthly_limit_bytes=2), used_this_month_bytes=2),
    ),
    (
        R.LINK_TOO_SLOW,
        "nothing to fetch and less than nothing left",
        pod()
        | vehicle(link=Link(None, metered=True, monthly_limit_bytes=2), used_this_month_bytes=3),
    ),
    (R.OUTSIDE_PARKING_WINDOW, "no window", pod() | vehicle(windows=())),
    (R.OUTSIDE_PARKING_WINDOW, "it closes now", pod() | window(0)),
    (R.LEAVES_TOO_EARLY, "a millisecond too early", pod() | window(65 * MINUTE - 1)),
    (None, "just late enough", pod() | window(65 * MINUTE)),
    (
        R.LEAVES_TOO_EARLY,
        "a grace longer than the lead",
        pod(termination_grace_seconds=301) | window(65 * MINUTE),
    ),
    (
        None,
        "a grace as long as the lead",
        pod(termination_grace_seconds=300) | window(65 * MINUTE),
    ),
    (
        None,
        "its own word on the grace",
        pod(termination_grace_seconds=301, demand__drain_grace=SECOND) | window(65 * MINUTE),
    ),
    (
        R.LEAVES_TOO_EARLY,
        "expected back",
        pod() | observed(departure_expected_at=AT + 65 * MINUTE - 1),
    ),
    (
        R.LEAVES_TOO_EARLY,
        "it has to wake first",
        pod() | observed(departure_expected_at=AT + 66 * MINUTE - 1, power=Power.ASLEEP),
    ),
    (
        None,
        "it has to wake first, and has the time",
        pod() | observed(departure_expected_at=AT + 66 * MINUTE, power=Power.ASLEEP),
    ),
    (R.DEADLINE_MISSED, "a millisecond too late", lasting(HOUR, demand__deadline=AT + HOUR - 1)),
    (None, "at its deadline", lasting(HOUR, demand__deadline=AT + HOUR)),
    (R.DEADLINE_MISSED, "open-ended", pod(demand__deadline=AT + HOUR - 1)),
    (R.ON_PEAK, "a millisecond of peak", lasting(HOUR + 1) | bands("OffPeak", "Peak")),
    (None, "until the peak", lasting(HOUR) | bands("OffPeak", "Peak")),
    (None, "it does not mind", lasting(HOUR + 1, **ANY) | bands("OffPeak", "Peak")),
    (
        R.ON_PEAK,
        "peak after the unknown",
        lasting(3 * HOUR) | bands("OffPeak", None, "Peak", price=None),
    ),
    (R.PRICE_UNKNOWN, "a millisecond unknown", lasting(HOUR + 1) | bands("OffPeak", None)),
    (None, "until the unknown", lasting(HOUR) | bands("OffPeak", None)),
    (None, "unknown, and it does not mind", lasting(HOUR + 1, **ANY) | bands("OffPeak", None)),
    (R.PRICE_UNKNOWN, "no tariff", pod() | NO_TARIFF),
    (None, "no tariff, and it does not mind", pod(**ANY) | NO_TARIFF),
    (None, "no tariff, and the policy asks nothing", pod() | NO_TARIFF | off_peak()),
    (
        R.PRICE_UNKNOWN,
        "the fleet pays, nobody says what",
        pod(**ANY) | FLEET_PAYS | NO_TARIFF,
    ),
    (
        R.PRICE_UNKNOWN,
        "the fleet pays, a millisecond without a price",
        lasting(HOUR + 1, **ANY) | FLEET_PAYS | bands("OffPeak"),
    ),
    (
        None,
        "the fleet pays, all is priced",
        lasting(HOUR, **ANY) | FLEET_PAYS | bands("OffPeak"),
    ),
    (
        R.PRICE_UNKNOWN,
        "the fleet pays, off-peak by band alone",
        lasting(HOUR) | FLEET_PAYS | bands("OffPeak", price=None),
    ),
    (
        None,
        "others pay, off-peak by band alone",
        lasting(HOUR) | bands("OffPeak", price=None),
    ),
    (
        R.PRICE_UNKNOWN,
        "no rate into the policy's currency",
        pod() | off_peak(max_price_per_kwh=Decimal(1), currency="SEK"),
    ),
    (
        None,
        "a rate into the policy's currency",
        pod()
        | policy(
            off_peak=off_peak(max_price_per_kwh=Decimal(1), currency="SEK")["policy"].off_peak,
            exchange_rates=(
                ExchangeRate("SEK", "EUR", Decimal("0.1")),
                ExchangeRate("EUR", "SEK", Decimal("0.1")),
            ),
        ),
    ),
    (
        None,
        "no time at all, and no tariff",
        pod() | NO_TARIFF | policy(minimum_stay_seconds=0),
    ),
    (
        None,
        "no time at all, whatever is known of it",
        pod() | observed(power=Power.ASLEEP) | bands("Peak") | policy(minimum_stay_seconds=0),
    ),
]


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_a_pod_is_kept_away_by_the_clause_that_fails(
    reason: PodReason | None, overrides: Overrides
) -> None:
    """Each clause has its exact boundary, with an example on either side."""
    assert first_fixed_reason(a_case(**overrides)) == reason


def test_every_clause_has_an_example_and_its_place() -> None:
    """No clause goes without a case in which it fails, and all stand in the order of the rules."""
    fixed = [reason for reason, _ in FIXED_POD_CLAUSES]
    assert {reason for reason, _, _ in CASES} == {None, *fixed}
    assert fixed == list(PodReason)[: len(fixed)]


FAILS: dict[PodReason, Overrides] = {
    R.INVALID_ANNOTATION: {"invalid_annotations": ("?",)},
    R.UNSUPPORTED_FIELD: {"unsupported_fields": ("hostPort",)},
    R.NODE_AFFINITY: {"node_selector": {"gen": "4"}},
    R.RESIDENCY: {"demand__residency": frozenset({"eu-fr"})},
    R.UNTRUSTED: {"reads_secret": True},
    R.EXCEEDS_CAPACITY: {"demand__power_watts": 1_001},
    R.LINK_TOO_SLOW: {"demand__model_load_time": 31 * MINUTE},
    R.LEAVES_TOO_EARLY: {"termination_grace_seconds": 8 * 3_600},
    R.DEADLINE_MISSED: {"demand__deadline": AT},
}


@pytest.mark.parametrize("healed", range(len(FAILS)))
def test_of_several_clauses_that_fail_the_first_is_named(healed: int) -> None:
    """With everything wrong but what comes before it, each is the first in its turn."""
    wrong = list(FAILS)[healed:]
    overrides = {key: value for reason in wrong for key, value in FAILS[reason].items()}
    assert first_fixed_reason(a_case(**pod(**overrides))) == wrong[0]


@pytest.mark.parametrize(
    ("overrides", "never"),
    [
        pytest.param(pod(), False, id="nothing is wrong"),
        pytest.param(pod() | {"nodes": ()}, True, id="no Node"),
        pytest.param(pod(invalid_annotations=("?",)), True, id="malformed"),
        pytest.param(pod(unsupported_fields=("hostPort",)), True, id="unsupported"),
        pytest.param(pod(node_selector={"gen": "4"}), True, id="affinity"),
        pytest.param(pod() | node(unschedulable=True), True, id="cordoned"),
        pytest.param(pod(reads_secret=True), True, id="untrusted"),
        pytest.param(pod(requests={"cpu": 16_001, "pods": 1_000}), True, id="too large"),
        pytest.param(pod(demand__residency=frozenset()), False, id="the car may move"),
        pytest.param(
            pod(demand__residency=frozenset(), reads_secret=True),
            False,
            id="the first that fails counts: residency comes before",
        ),
        pytest.param(pod() | vehicle(windows=()), False, id="a window may open"),
        pytest.param(pod(demand__deadline=AT), False, id="a deadline is about time"),
        pytest.param(
            pod(reads_secret=True) | vehicle(suspend=True), True, id="vehicle clauses left aside"
        ),
    ],
)
def test_what_no_time_or_charge_would_help(
    overrides: Overrides,
    never: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Decided by the first failing clause, whatever else is wrong with the vehicle."""
    assert never_fits(a_case(**overrides)) is never


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [
        (R.INVALID_ANNOTATION, pod(invalid_annotations=("?",))),
        (R.UNSUPPORTED_FIELD, pod(unsupported_fields=("hostPort",))),
        (R.NODE_AFFINITY, pod(node_selector={"gen": "4"})),
        (R.EXCEEDS_CAPACITY, pod(requests={"cpu": 16_001, "pods": 1_000})),
        (None, pod(demand__residency=frozenset())),
        (None, pod(reads_secret=True)),
        (None, pod(demand__power_watts=10**6)),
        (None, pod(demand__model_load_time=HOUR)),
        (None, pod(demand__deadline=AT - 1)),
    ],
)
def test_a_plain_node_is_asked_few_clauses(reason: PodReason | None, overrides: Overrides) -> None:
    """It has no site, no link, no calendar, no price and no watts."""
    plain = {"vehicles": (), "nodes": (a_node(name="plain"),)} | policy(plain_nodes_allowed=True)
    assert first_fixed_reason(a_case(**plain, **overrides)) == reason


def test_a_plain_node_keeps_its_taints() -> None:
    """And a cordon is one."""
    nodes = (a_node(name="plain", unschedulable=True),)
    case = a_case(vehicles=(), nodes=nodes, **pod(), **policy(plain_nodes_allowed=True))
    assert first_fixed_reason(case) is R.TAINT_NOT_TOLERATED
    assert never_fits(case)
