"""The load of a circuit at an instant, by the rules' arithmetic."""

from fractions import Fraction

from tests.e2e.loads import Car, looks
from tests.e2e.witness import Container, Span

CARS = {"v-1": Car(40, 80), "v-2": Car(40, 80, charging_watts=1000)}
WATTS = {"a": 60, "b": 100}


def a_span(vehicle: str, uid: str, began: float, ended: float | None = None) -> Span:
    """A container of that pod."""
    return Span(vehicle, Container("e2e", "p", uid, "c"), began, began, ended)


def load(at: float, *spans: Span) -> Fraction:
    """The load at that time."""
    return looks([at], spans, WATTS, CARS)[0].load_watts


def test_an_idle_car_draws_what_it_charges() -> None:
    """No standby without a pod."""
    assert load(1) == 1000


def test_standby_counts_once_and_all_of_it_through_the_converter() -> None:
    """The pods' watts and one standby, over the efficiency."""
    both = a_span("v-1", "a", 0), a_span("v-1", "b", 0)
    assert load(1, *both) == 1000 + Fraction(60 + 100 + 40, 1) * 100 / 80


def test_a_pod_of_two_containers_counts_once() -> None:
    """Its watts are the pod's."""
    assert load(1, a_span("v-1", "a", 0), a_span("v-1", "a", 0)) == 1000 + Fraction(100 * 100, 80)


def test_a_pod_counts_while_it_runs_and_no_longer() -> None:
    """By what containerd showed, to the look."""
    span = a_span("v-1", "a", 1, 2)
    assert [load(at, span) for at in (0.5, 1, 1.9, 2)] == [1000, 1125, 1125, 1000]


def test_what_is_not_ours_draws_nothing_of_ours() -> None:
    """A daemon's container has no watts, and wakes no standby."""
    assert load(1, a_span("v-1", "kube-proxy", 0), a_span("v-9", "a", 0)) == 1000


def test_what_else_is_on_the_circuit_is_added() -> None:
    """The uncontrolled load."""
    assert looks([1], [], WATTS, CARS, uncontrolled_watts=500)[0].load_watts == 1500
