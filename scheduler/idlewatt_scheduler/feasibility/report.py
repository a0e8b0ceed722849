"""What the checker answers with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a plan breaks.

    Attributes:
        rule: the reason's name (`CircuitFull`), or the name of what else a plan promises
            (`Stay`, `Power`, `Cost`, `Stability`, ...).
        subject: the pod, as `namespace/name`; the vehicle whose profile it is; or `plan`.
        sentence: what was found and what the rules ask for.
    """

    rule: str
    subject: str
    sentence: str
