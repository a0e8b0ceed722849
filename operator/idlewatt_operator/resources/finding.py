"""One aspect of an object, as a condition says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One aspect of an object.

    Attributes:
        type: of the condition, CamelCase.
        status: `True`, `False` or `Unknown`.
        reason: CamelCase.
        message: a sentence; where the status is not True, it says what would help.
    """

    type: str
    status: str
    reason: str
    message: str
