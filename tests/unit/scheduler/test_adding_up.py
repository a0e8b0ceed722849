"""Adding up: who gets which place, and what it adds."""

from decimal import Decimal
from fractions import Fraction

from tests.unit.scheduler.scenes import a_fleet, policy

from idlewatt_scheduler.adding_up import Added, add_up
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.workload import NodeSelectorTerm, Preference, Requirement
from idlewatt_scheduler.tables.layout import Count
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle

CARS = (a_vehicle(), a_vehicle(name="v-2"))
HOURLY = {"demand__expected_runtime": HOUR}


def added(counts: list[Count], **overrides: object) -> Added:
    """The placements of a snapshot with two vehicles."""
    fleet = a_fleet(**{"vehicles": CARS, **overrides})
    return add_up(fleet, templates_of(fleet.snapshot.pending), counts)


def test_the_oldest_are_placed_on_the_first_candidates_first() -> None:
    """Templates in the plan's order; the youngest waits."""
    small = [a_pod(name=f"s-{n}", created_at=n, **HOURLY) for n in range(4)]
    urgent = a_pod(name="urgent", priority=9, **HOURLY)
    found = added([(0, 1, 2), (1, 0, 1), (1, 1, 1)], pending=(*small, urgent))
    assert [(each.pod.name, each.node) for each in found.placements] == [
        ("urgent", "v-2"),
        ("s-0", "v-1"),
        ("s-1", "v-1"),
        ("s-2", "v-2"),
    ]


def test_the_first_pod_pays_for_the_stay_and_the_next_for_its_energy() -> None:
    """152.5 W are 173 295 mW AC, 215 W 244 318: the second one adds what is between."""
    pending = tuple(a_pod(name=f"p-{n}", **HOURLY) for n in range(2))
    found = added([(0, 0, 2)], pending=pending)
    first, second = found.placements
    assert first.energy_watt_hours == Fraction(173_295, 1_000)
    assert second.energy_watt_hours == Fraction(244_318 - 173_295, 1_000)
    assert first.cost == Fraction("0.1") + Fraction(173_295 * 30 + 152_500 * 5, 10**8)
    assert second.cost == Fraction((244_318 - 173_295) * 30 + 62_500 * 5, 10**8)
    assert found.money == first.cost + second.cost


def test_what_is_preferred_and_not_given_weighs_on_each_pod() -> None:
    """Seven points at a hundredth each."""
    term = NodeSelectorTerm((Requirement("zone", "In", ("a",)),))
    pod = a_pod(preferred_affinity=(Preference(7, term),), **HOURLY)
    rate = policy(preference_cost_per_point=Decimal("0.01"))
    plain, liked = a_node(name="v-1"), a_node(name="v-2", labels={"zone": "a"})
    costs = [
        added([(car, 0, 1)], pending=(pod,), nodes=[plain, liked], **rate).money for car in range(2)
    ]
    assert costs[0] - costs[1] == Fraction(7, 100)


def test_nothing_placed_costs_nothing() -> None:
    """A node without a vehicle costs nothing either."""
    assert added([]) == Added((), Fraction(0), {})
    nodes = [*(a_node(name=car.name) for car in CARS), a_node(name="w-1")]
    there = {"pending": (a_pod(),), "nodes": nodes, **policy(plain_nodes_allowed=True)}
    (placement,) = added([(2, 0, 1)], **there).placements
    assert placement.node == "w-1"
    assert (placement.cost, placement.energy_watt_hours) == (Fraction(0), Fraction(0))


def test_pods_alike_keep_the_places_they_had() -> None:
    """As long as there is one for them; the others take what is left, the oldest first."""
    pods = [a_pod(name=f"p-{n}", created_at=n, **HOURLY) for n in range(4)]
    before = {"default/p-1": "v-2", "default/p-2": "v-1", "default/p-3": "v-9"}
    fleet = a_fleet(vehicles=CARS, pending=tuple(pods))
    templates = templates_of(fleet.snapshot.pending)
    found = add_up(fleet, templates, [(0, 0, 1), (1, 0, 3)], before)
    assert {each.pod.name: each.node for each in found.placements} == {
        "p-0": "v-2",
        "p-1": "v-2",
        "p-2": "v-1",
        "p-3": "v-2",
    }
    assert found.money == add_up(fleet, templates, [(0, 0, 1), (1, 0, 3)]).money
