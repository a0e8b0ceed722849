"""Patience with pods that cannot be bound."""

from idlewatt_operator.reconcile.backoff import Backoffs
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.testing import AT


def test_each_refusal_doubles_the_pause_up_to_the_most() -> None:
    """10, 20, 40, 80, 160 seconds, then five minutes for ever."""
    backoffs = Backoffs(10 * SECOND, 5 * MINUTE)
    pauses = [(backoffs.refused("a", AT).until - AT) // SECOND for _ in range(40)]
    assert pauses[:7] == [10, 20, 40, 80, 160, 300, 300]
    assert pauses[-1] == 300


def test_a_pod_is_left_alone_until_then_and_no_other_is() -> None:
    """The pause is one pod's, and ends."""
    backoffs = Backoffs(10 * SECOND, 5 * MINUTE)
    backoffs.refused("a", AT)
    assert backoffs.holds("a", AT + 9 * SECOND)
    assert not backoffs.holds("a", AT + 10 * SECOND)
    assert not backoffs.holds("b", AT)


def test_a_clock_that_is_set_back_holds_no_pod() -> None:
    """A pause that lies further ahead than any pause is long is over."""
    backoffs = Backoffs(10 * SECOND, 5 * MINUTE)
    backoffs.refused("a", AT)
    assert not backoffs.holds("a", AT - HOUR)


def test_a_pod_that_is_gone_is_forgotten() -> None:
    """What is remembered is bounded by the pods there are."""
    backoffs = Backoffs(10 * SECOND, 5 * MINUTE)
    backoffs.refused("a", AT)
    backoffs.keep_only({"b"})
    assert not backoffs.holds("a", AT)
    assert backoffs.refused("a", AT).refusals == 1
