"""What an answer to a write means for whoever decided it."""

from typing import Final

from idlewatt_operator.gateways.kubernetes.session import Answer
from idlewatt_operator.gateways.protocols import Outcome, Result

_NOT_FOUND: Final = 404
_TIMED_OUT: Final = 408
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_TOO_MANY: Final = 429
_SERVER_FAULT: Final = 500
# All the API server says where the `test` of a JSON patch fails; what is invalid it explains.
_TEST_FAILED: Final = "the server rejected our request due to an error in our request"
# What it says of a namesake: a delete or an eviction with a precondition, a binding, a patch.
_ANOTHER_UID: Final = (
    "UID in the precondition",
    "UID in precondition",
    "metadata.uid: Invalid value",
)
# Evictions support one budget for a pod, and say so with a 500; asking again will not help.
_MANY_BUDGETS: Final = "more than one PodDisruptionBudget"


def result_of(answer: Answer) -> Result:
    """Map an answer to an outcome; nothing is raised."""
    if answer.ok:
        return Result(Outcome.DONE)
    return Result(_outcome(answer), answer.message, answer.retry_after_seconds)


def _outcome(answer: Answer) -> Outcome:
    if _is_blocked(answer):
        return Outcome.BLOCKED
    if answer.status >= _SERVER_FAULT or answer.status == _TIMED_OUT:
        return Outcome.UNKNOWN
    if answer.status == _NOT_FOUND:
        return Outcome.GONE
    if answer.status in {_CONFLICT, _UNPROCESSABLE} and _names_another_uid(answer.message):
        return Outcome.GONE
    if answer.status == _CONFLICT:
        return Outcome.CONFLICT
    return Outcome.REFUSED


def _is_blocked(answer: Answer) -> bool:
    return answer.status == _TOO_MANY or (
        answer.status == _SERVER_FAULT and _MANY_BUDGETS in answer.message
    )


def _names_another_uid(message: str) -> bool:
    """Whether the pod that was meant is not there any more, and a namesake is."""
    return any(sign in message for sign in _ANOTHER_UID)


def lost_the_race(answer: Answer) -> bool:
    """Whether a patch was refused because the object had changed since it was read."""
    return answer.status == _CONFLICT or (
        answer.status == _UNPROCESSABLE and _TEST_FAILED in answer.message
    )
