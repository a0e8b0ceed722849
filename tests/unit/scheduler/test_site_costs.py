"""What a plan costs at a site as a whole: the month's peak, and what the sun gives."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from tests.unit.scheduler.scenes import Overrides, a_fleet

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.calendar import instant_of
from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.site import EnergyBearer, ObservedCircuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import DemandCharge, TariffInterval
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE, Instant
from idlewatt_scheduler.planner import Params, plan
from idlewatt_scheduler.site_costs import site_terms
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
)

ALWAYS = Recurrence(EVERY_DAY, 0, 0)
CHARGE = DemandCharge("peak", ALWAYS, Decimal(10))
CARS = ("v-1", "v-2")


def a_site_that_pays_for_its_peak(
    *charges: DemandCharge, main: ObservedCircuit | None = None, **tariff: object
) -> Overrides:
    """Two cars at a depot where the fleet pays; 8 kW are drawn by others, nothing charges."""
    interval = TariffInterval(AT, 2 * DAY, Decimal("0.20"), "OffPeak", None, Decimal("0.05"))
    return {
        "vehicles": tuple(
            a_vehicle(
                name=name,
                compensation__availability_per_hour=Decimal(0),
                compensation__wear_per_kwh=Decimal(0),
                compute__standby_power_watts=0,
                compute__efficiency_percent=100,
                observed__connection__charge_power_watts=0,
            )
            for name in CARS
        ),
        "nodes": tuple(a_node(name=name) for name in CARS),
        "sites": (
            a_site(
                energy_borne_by=EnergyBearer.FLEET,
                observed_circuits=(main,) if main else (),
            ),
        ),
        "tariffs": (a_tariff(zones=(), intervals=(interval,), demand_charges=charges, **tariff),),
    }


def money(scene: Overrides, **pods: int) -> Fraction:
    """What the site costs beside its vehicles, with a 500 W pod for an hour on each of these."""
    pending = tuple(
        a_pod(name=f"p-{n}", demand__expected_runtime=HOUR, demand__power_watts=500)
        for n in range(sum(pods.values()))
    )
    fleet = a_fleet(**scene, pending=pending)
    board = Board(fleet, templates_of(pending))
    for name, count in pods.items():
        index = [candidate.name for candidate in fleet.candidates].index(name.replace("_", "-"))
        board.put(0, index, count)
    held = dict(enumerate(board.placed))
    return board.site_money("depot-7", held)


def test_what_a_plan_adds_to_the_peak_is_paid_for() -> None:
    """10 EUR a kW: two pods of 500 W on top of everything add one."""
    assert money(a_site_that_pays_for_its_peak(CHARGE), v_1=1, v_2=1) == 10
    assert money(a_site_that_pays_for_its_peak(CHARGE), v_1=1) == 5


def test_tax_is_paid_on_it_too() -> None:
    """19 % on 5 EUR."""
    scene = a_site_that_pays_for_its_peak(CHARGE, tax_percent=Decimal(19))
    assert money(scene, v_1=1) == Fraction("5.95")


@pytest.mark.parametrize(
    ("peak_watts", "peak_at", "owed"),
    [
        pytest.param(8_400, AT - HOUR, 1, id="100 W more than the month's peak so far"),
        pytest.param(20_000, AT - HOUR, 0, id="far under it"),
        pytest.param(20_000, AT - 40 * DAY, 5, id="that was last month"),
        pytest.param(None, None, 5, id="not measured"),
    ],
)
def test_the_peak_so_far_is_paid_for_already(
    peak_watts: int | None, peak_at: Instant | None, owed: int
) -> None:
    """8 kW are drawn by others: with 500 W more, only what exceeds the month's peak costs."""
    main = ObservedCircuit("main", 8_000, AT, peak_watts=peak_watts, peak_at=peak_at)
    assert money(a_site_that_pays_for_its_peak(CHARGE, main=main), v_1=1) == owed


def test_only_the_hours_of_the_charge_count() -> None:
    """An afternoon's charge does not ask what is drawn at night."""
    afternoon = replace(CHARGE, recurrence=Recurrence(EVERY_DAY, 16 * 60, 21 * 60))
    assert money(a_site_that_pays_for_its_peak(afternoon), v_1=1) == 0


def test_what_lies_beyond_the_month_is_not_priced() -> None:
    """Ten minutes before midnight of the last day, those ten minutes alone count."""
    at = instant_of(datetime(2026, 1, 31, 22, 50, tzinfo=UTC))
    scene = a_site_that_pays_for_its_peak(CHARGE)
    months = {"january": frozenset({1}), "february": frozenset({2})}
    owed = {}
    for name, only in months.items():
        charge = replace(CHARGE, recurrence=replace(ALWAYS, months=only))
        tariff = replace(scene["tariffs"][0], demand_charges=(charge,))
        fleet = a_fleet(**{**scene, "tariffs": (tariff,)}, at=at)
        terms = site_terms(fleet).get("depot-7")
        assert terms is not None
        owed[name] = [hour.end - hour.start for hour in terms.demand[0].hours]
    assert owed == {"january": [10 * MINUTE], "february": []}


def exporting(watts: int, observed_at: Instant = AT) -> ObservedCircuit:
    """The site's main circuit, with so much flowing out of it."""
    return ObservedCircuit("main", 0, observed_at, export_watts=watts)


@pytest.mark.parametrize(
    ("watts", "saved_watts"),
    [
        pytest.param(5_000, 1_000, id="all that is used"),
        pytest.param(600, 600, id="as much as is exported, all cars together"),
        pytest.param(0, 0, id="nothing is exported"),
    ],
)
def test_what_would_be_exported_costs_the_export_price(watts: int, saved_watts: int) -> None:
    """15 ct less a kWh, for the quarter of an hour that the export is held to last."""
    scene = a_site_that_pays_for_its_peak(main=exporting(watts))
    if not saved_watts:
        assert not site_terms(a_fleet(**scene))
        return
    saved_kwh = Fraction(saved_watts, 4_000)
    assert money(scene, v_1=1, v_2=1) == -saved_kwh * Fraction("0.15")


def test_no_more_is_saved_than_is_exported_while_that_lasts() -> None:
    """A quarter of an hour of 400 W, at 20 cents less 5: what any plan may save there."""
    fleet = a_fleet(**a_site_that_pays_for_its_peak(main=exporting(400)))
    terms = site_terms(fleet)["depot-7"]
    assert terms.saved_at_most == Fraction(1, 10) * Fraction(15, 100)


def test_a_stale_measurement_is_no_surplus() -> None:
    """What was exported five minutes ago is not relied upon."""
    scene = a_site_that_pays_for_its_peak(main=exporting(5_000, AT - 5 * MINUTE))
    assert not site_terms(a_fleet(**scene))


def both_cars(**scene: object) -> Snapshot:
    """Two pods of 16 cores: one on each car."""
    pods = tuple(
        a_pod(name=f"p-{n}", requests={"cpu": 16_000, "pods": 1_000}, demand__expected_runtime=HOUR)
        for n in range(2)
    )
    return a_snapshot(**scene, pending=pods)


@pytest.mark.parametrize("exact_literals", [0, 400])
def test_a_plan_s_cost_holds_what_the_site_costs(exact_literals: int) -> None:
    """Each placement bears what it adds, and the sum is the plan's; nothing claims a proof."""
    main = ObservedCircuit("main", 8_000, AT, export_watts=300, peak_watts=8_500, peak_at=AT)
    snapshot = both_cars(**a_site_that_pays_for_its_peak(CHARGE, main=main))
    made = plan(snapshot, Params(exact_literals=exact_literals))
    energy = 2 * Fraction("0.20")
    saved = Fraction(300, 4_000) * Fraction("0.15")
    demand = 15
    assert made.cost == energy - saved + demand
    assert [each.cost for each in made.placements] == [
        Fraction("0.20") - saved + 5,
        Fraction("0.20") + 10,
    ]
    assert not made.proven
    assert not violations(snapshot, made)
