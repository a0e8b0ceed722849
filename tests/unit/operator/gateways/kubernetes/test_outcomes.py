"""What an answer to a write means."""

import json

import pytest

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.kubernetes.outcomes import lost_the_race, result_of
from idlewatt_operator.gateways.kubernetes.session import Answer
from idlewatt_operator.gateways.protocols import Outcome


def an_answer(status: int, message: str = "because") -> Answer:
    """An answer with the server's sentence."""
    return Answer(status, json.dumps({"message": message}).encode(), retry_after_seconds=3.0)


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (200, "", Outcome.DONE),
        (201, "", Outcome.DONE),
        (202, "", Outcome.DONE),
        (400, "bad", Outcome.REFUSED),
        (401, "who?", Outcome.REFUSED),
        (403, "no", Outcome.REFUSED),
        (404, "where?", Outcome.GONE),
        (408, "slow", Outcome.UNKNOWN),
        (409, "the object has been modified", Outcome.CONFLICT),
        (409, "the UID in the precondition (a) does not match (b)", Outcome.GONE),
        (409, "Precondition failed: UID in precondition: a", Outcome.GONE),
        (422, "spec.activeDeadlineSeconds: Invalid value", Outcome.REFUSED),
        (422, 'metadata.uid: Invalid value: "a": field is immutable', Outcome.GONE),
        (429, "disruption budget", Outcome.BLOCKED),
        (500, "", Outcome.UNKNOWN),
        (500, "This pod has more than one PodDisruptionBudget, which", Outcome.BLOCKED),
        (503, "", Outcome.UNKNOWN),
        (504, "", Outcome.UNKNOWN),
    ],
)
def test_every_status_has_an_outcome(status: int, message: str, outcome: Outcome) -> None:
    """Each answer of the API server means one of six things."""
    assert result_of(an_answer(status, message)).outcome is outcome


def test_the_servers_words_are_handed_on() -> None:
    """A refusal carries the server's sentence, and how long it asks to wait."""
    result = result_of(an_answer(429, "too many"))
    assert result.message == "too many"
    assert result.retry_after_seconds == 3.0


def test_a_lost_race_is_no_refusal() -> None:
    """A failed test of a JSON patch says look again; what is invalid does not."""
    rejected = "the server rejected our request due to an error in our request"
    assert lost_the_race(an_answer(422, rejected))
    assert lost_the_race(an_answer(409))
    assert not lost_the_race(an_answer(422, "spec.taints[0].effect: Unsupported value"))
    assert not lost_the_race(an_answer(200))


def test_delays_double_and_are_bounded() -> None:
    """Delays double to a limit, spread at random, never under what was asked, and start anew."""
    backoff = Backoff(lambda: 1.0, first_seconds=1, most_seconds=5)
    assert [backoff.next_seconds() for _ in range(5)] == [1, 2, 4, 5, 5]
    assert backoff.failures == 5
    assert backoff.next_seconds(60) == 60
    backoff.reset()
    assert backoff.next_seconds() == 1
    assert Backoff(lambda: 0.0, first_seconds=1).next_seconds() == 0.5
