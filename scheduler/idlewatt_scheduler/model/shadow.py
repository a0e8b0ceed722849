"""Shadow prices: what more of something scarce would be worth to the plan.

A price is by how much the best plan would become better with one more of it: in placed weight,
and, at the weight that was placed, in money. Nothing that is left over has a price.
"""

from dataclasses import dataclass

from idlewatt_scheduler.model.units import Instant


@dataclass(frozen=True, slots=True)
class Worth:
    """What one more is worth: in weight, and in the plan's currency at the weight that was placed.

    These are estimates, not money that anybody is paid: they are the only floating-point figures of
    a plan.
    """

    weight: float = 0.0
    money: float = 0.0


@dataclass(frozen=True, slots=True)
class CircuitPrice:
    """What a kilowatt more on a circuit would be worth, from `start` to `end`.

    Attributes:
        phase: `L1`, `L2` or `L3` where it is the current of a phase that is short; else None.
    """

    site: str
    circuit: str
    phase: str | None
    start: Instant
    end: Instant
    kilowatt: Worth


@dataclass(frozen=True, slots=True)
class SlotPrice:
    """What one more vehicle like those at a site that stay through an hour would be worth.

    Attributes:
        start: of the hour; the first begins at the plan's time.
        vehicles: how many of those that take pods are parked there through that hour.
        slot: the mean over them of what each adds at the prices of everything else.
    """

    site: str
    start: Instant
    end: Instant
    vehicles: int
    slot: Worth


@dataclass(frozen=True, slots=True)
class PodPrice:
    """What one more place for a pod of a kind would be worth: how scarce its places are.

    Attributes:
        sample: the key of the oldest pod of the kind.
        pods: how many there are, and `waiting` of them wait.
    """

    sample: str
    pods: int
    waiting: int
    place: Worth


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices of one plan: circuits by site, name and time; sites by name and hour; pods."""

    circuits: tuple[CircuitPrice, ...] = ()
    slots: tuple[SlotPrice, ...] = ()
    pods: tuple[PodPrice, ...] = ()
