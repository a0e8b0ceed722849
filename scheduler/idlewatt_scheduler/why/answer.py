"""What `why` answers: frozen values that say in figures what a shell turns into words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from idlewatt_scheduler.model.plan import Placement
from idlewatt_scheduler.model.reasons import Reason, WaitingCondition
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.why.changes import Change

Figure: TypeAlias = int | str | Decimal | tuple[str, ...] | None
"""A figure by a name whose ending is its unit: `_at` an instant, `_milliseconds`, `_milliwatts`,
`_percent`, `_celsius`, `_bytes`; without such an ending a name, or names."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A clause that fails, with the figures that it compared."""

    reason: Reason
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spell:
    """A time to come, and the first clause that would fail for a start in it; None: it fits."""

    start: Instant
    end: Instant
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class VehicleAnswer:
    """One candidate.

    Attributes:
        name: of the vehicle, or of a Node without one.
        failing: all clauses that fail there, in their order; none: the pod would fit.
        examined: changes were looked for; otherwise `changes` says nothing.
        changes: the least of each kind that alone would place the pod here; where there is none,
            those that do together.
        spells: of the day to come, for the nearest vehicles; a start is tried every half hour.
    """

    name: str
    failing: tuple[Failing, ...]
    examined: bool = False
    changes: tuple[Change, ...] = ()
    spells: tuple[Spell, ...] = ()

    @property
    def reason(self) -> Reason | None:
        """The first that fails: under this one the candidate is counted."""
        return self.failing[0].reason if self.failing else None


@dataclass(frozen=True, slots=True)
class Advice:
    """The least change of one kind over the fleet.

    Attributes:
        vehicle: one on which it places the pod.
        vehicles: on how many of those examined a change of this kind would.
    """

    change: Change
    vehicle: str
    vehicles: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """When the pod starts, for all that is known.

    Attributes:
        at: the cycle that would place it.
        vehicle: where that would be.
        ahead: pods that wait as well and take their places before.
        queue_asked: those were planned as well; otherwise only what the present plan places.
    """

    at: Instant
    vehicle: str
    ahead: int = 0
    queue_asked: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """How far `why` looks.

    Attributes:
        examined: vehicles for which changes are looked for, the nearest first.
        drawn: vehicles of which the day to come is told, the nearest first.
        rounds: how often the queue is planned before a prediction is given up.
        queued: the queue is planned where there are no more than so many pairs of a vehicle and
            another pod that waits.
    """

    examined: int = 32
    drawn: int = 3
    rounds: int = 6
    queued: int = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a pod waits.

    Attributes:
        pod: `namespace/name`.
        placed: where the plan puts it; None: it waits.
        reasons: how many candidates fail first on each clause, the commonest first.
        vehicles: every candidate asked about, the nearest first.
        advice: the least change of each kind over those examined.
        prediction: None: nothing that is known would start it within a week.
    """

    pod: str
    at: Instant
    placed: Placement | None
    condition: WaitingCondition | None
    reasons: Mapping[Reason, int]
    vehicles: tuple[VehicleAnswer, ...]
    advice: tuple[Advice, ...] = ()
    prediction: Prediction | None = None

    @property
    def examined(self) -> int:
        """For how many candidates changes were looked for."""
        return sum(vehicle.examined for vehicle in self.vehicles)
