"""A plan that follows another keeps every rule, and its bound holds, whatever changed between."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, an_instance
from tests.property.crowd_strategies import busy_fleets
from tests.property.strategies import snapshots

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.planner import Params, plan

Draw = Callable[[st.SearchStrategy[Any]], Any]

AT_SCALE = Params(
    exact_literals=0, exact_vehicles=0, price_rounds=6, polish_rounds=6, improve_rounds=2
)
A_LITTLE = Fraction(1, 10**9)
"""Of a currency, more than what rounding makes of a cost."""

FLEETS = st.one_of(
    snapshots(most_vehicles=5, most_pending=8, most_running=4),
    busy_fleets(),
    st.builds(
        an_instance, st.just(Size(16, 24)), st.sampled_from(list(Plenty)), st.integers(0, 20)
    ),
)
PATIENT = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def later(draw: Draw, before: Snapshot) -> Snapshot:
    """The same fleet after a while: some vehicles gone, some pods gone or new, other circuits."""
    vehicles = draw(_some_of(before.vehicles, most_gone=3))
    pending = draw(_some_of(before.pending, most_gone=10))
    models = before.pending or (None,)
    drawn = draw(st.lists(st.sampled_from(models), max_size=5))
    new = tuple(_like(pod, number) for number, pod in enumerate(drawn) if pod is not None)
    if draw(st.booleans()):
        vehicles = vehicles[::-1]
    factor = draw(st.sampled_from([1, 1, Fraction(1, 2), Fraction(9, 10), 2]))
    sites = {
        name: replace(site, circuits=tuple(_scaled(each, factor) for each in site.circuits))
        for name, site in before.sites.items()
    }
    passed = draw(st.sampled_from([0, 0, 1, MINUTE, 40 * MINUTE, 5 * HOUR]))
    return replace(
        before, at=before.at + passed, vehicles=vehicles, pending=(*pending, *new), sites=sites
    )


@st.composite
def _some_of(draw: Draw, all_of: tuple[Any, ...], most_gone: int) -> tuple[Any, ...]:
    gone = draw(st.sets(st.integers(0, max(len(all_of) - 1, 0)), max_size=most_gone))
    return tuple(each for number, each in enumerate(all_of) if number not in gone)


def _like(pod: Pod, number: int) -> Pod:
    return replace(pod, name=f"new-{number}", uid=f"uid-new-{number}")


def _scaled(circuit: Circuit, factor: Fraction) -> Circuit:
    return replace(
        circuit, import_capacity_limit_watts=int(circuit.import_capacity_limit_watts * factor)
    )


def _is_not_beaten(made: Plan, other: Plan) -> bool:
    """Whether what is said that no plan beats is not beaten by that other one."""
    if made.bound is not None and other.weight > made.bound:
        return False
    if made.cost_bound is None or other.weight < made.weight:
        return True
    return made.cost_bound <= other.cost + A_LITTLE


@PATIENT
@given(before=FLEETS, drawn=st.data())
def test_a_plan_that_follows_keeps_every_rule(before: Snapshot, drawn: st.DataObject) -> None:
    """And a plan made anew beats neither of its bounds, nor does it beat that one's."""
    now = drawn.draw(later(before))
    after = plan(now, AT_SCALE, previous=plan(before, AT_SCALE))
    assert violations(now, after) == ()
    anew = plan(now, AT_SCALE)
    for made in (after, anew):
        assert all(_is_not_beaten(made, other) for other in (after, anew))


@settings(PATIENT, max_examples=5)
@given(first=FLEETS, second=FLEETS)
def test_a_plan_of_another_fleet_does_no_harm(first: Snapshot, second: Snapshot) -> None:
    """Nothing is known of it but some names, and those may mean somebody else."""
    after = plan(second, AT_SCALE, previous=plan(first, AT_SCALE))
    assert violations(second, after) == ()
    anew = plan(second, AT_SCALE)
    for made in (after, anew):
        assert all(_is_not_beaten(made, other) for other in (after, anew))


@settings(PATIENT, max_examples=5)
@given(before=FLEETS)
def test_a_plan_that_follows_is_the_same_each_time(before: Snapshot) -> None:
    """The same fleet, the same last plan: the same plan, and in a world that stands still too."""
    first = plan(before, AT_SCALE)
    one, other = (plan(before, AT_SCALE, previous=first) for _ in range(2))
    assert one == other
    assert violations(before, one) == ()
