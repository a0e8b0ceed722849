"""Why a pod waits: every reason on every vehicle, and the least change that would place it.

`why(snapshot, plan, pod, on=None)` is the way in. What it answers is judged by the planner's own
board and clauses, beside everything the plan has placed: no rule is written here a second time.
"""

from idlewatt_scheduler.why.answer import (
    Advice,
    Answer,
    Failing,
    Limits,
    Prediction,
    Spell,
    VehicleAnswer,
)
from idlewatt_scheduler.why.asking import why
from idlewatt_scheduler.why.brief import Brief, brief
from idlewatt_scheduler.why.changes import (
    AnyTariff,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Single,
    Together,
)

__all__ = [
    "Advice",
    "Answer",
    "AnyTariff",
    "Brief",
    "Change",
    "Failing",
    "HigherPrice",
    "LaterStart",
    "LessPower",
    "Limits",
    "Prediction",
    "ShorterStay",
    "Single",
    "Spell",
    "Together",
    "VehicleAnswer",
    "brief",
    "why",
]
