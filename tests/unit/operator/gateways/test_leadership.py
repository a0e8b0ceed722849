"""For how long a holder of the lease may write: on either side of each moment."""

import math
import time

import pytest

from idlewatt_operator.gateways.leadership import (
    MARGIN_SECONDS,
    Tenure,
    Terms,
    Unchallenged,
    steady_seconds,
)


class Steady:
    """A steady clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """The present moment."""
        return self.seconds


@pytest.fixture
def clock() -> Steady:
    """A clock that stands still."""
    return Steady()


@pytest.fixture
def tenure(clock: Steady) -> Tenure:
    """A tenure that was never held: lease 15 s, deadline 10 s, retry 2 s."""
    return Tenure(Terms(), clock)


def test_before_the_lease_is_held_nothing_may_be_sent(tenure: Tenure) -> None:
    """A standby writes nothing."""
    assert tenure.left_seconds() == 0
    assert not tenure.was_held


def test_a_renewal_counts_from_when_it_was_asked_for(tenure: Tenure, clock: Steady) -> None:
    """Nobody can have seen it earlier, and others count from when they saw it."""
    asked_at = clock.seconds
    clock.seconds += 3
    tenure.renewed(asked_at)
    assert tenure.left_seconds() == pytest.approx(15 - MARGIN_SECONDS - 3)


@pytest.mark.parametrize(("passed", "may"), [(9.999, True), (10.0, False), (10.001, False)])
def test_nothing_is_sent_after_the_renew_deadline(
    tenure: Tenure, clock: Steady, passed: float, *, may: bool
) -> None:
    """Up to it something may be sent; from it on, nothing."""
    tenure.renewed(clock.seconds)
    clock.seconds += passed
    assert tenure.is_valid is may


def test_what_is_sent_last_has_time_to_end_before_another_may_lead(
    tenure: Tenure, clock: Steady
) -> None:
    """The lease outlasts the deadline by five seconds, of which one is margin."""
    tenure.renewed(clock.seconds)
    clock.seconds += 9.999
    assert tenure.left_seconds() == pytest.approx(4.001)


def test_what_is_lost_does_not_come_back(tenure: Tenure, clock: Steady) -> None:
    """A process that was stopped for a minute and renews after it may not go on writing."""
    tenure.renewed(clock.seconds)
    clock.seconds += 60
    tenure.renewed(clock.seconds)
    assert not tenure.is_valid
    assert tenure.left_seconds() == 0


def test_what_was_ended_is_over(tenure: Tenure, clock: Steady) -> None:
    """Whoever gives the lease back writes nothing from then on."""
    tenure.renewed(clock.seconds)
    tenure.end()
    assert not tenure.is_valid


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ((15, 14, 2), "over 1 s beyond the renew deadline"),
        ((15, 10, 9), "longer than 1.2 times"),
        ((15, 10, 0), "longer than 1.2 times"),
        ((61, 10, 2), "60 s at most"),
    ],
)
def test_terms_that_contradict_each_other_are_refused(
    terms: tuple[float, float, float], sentence: str
) -> None:
    """Under them two could lead, or nobody could for long."""
    with pytest.raises(ValueError, match=sentence):
        Terms(*terms)


def test_without_an_election_there_is_always_time() -> None:
    """`idlewatt run` outside a cluster."""
    assert Unchallenged().left_seconds() == math.inf


def test_the_steady_clock_runs() -> None:
    """It moves on by itself, whatever the wall's clock says."""
    before = steady_seconds()
    time.sleep(0.01)
    assert steady_seconds() > before
