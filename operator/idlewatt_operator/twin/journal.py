"""What happened: facts, draws and departures, in the order of their time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from idlewatt_operator.twin.kubelet import Run
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.model.units import Instant, Milliseconds, Milliwatts


class Kind(StrEnum):
    """What a fact is about."""

    ARRIVED = "Arrived"
    FULL = "Full"
    TOLD = "Told"
    BOARDED = "Boarded"
    LEFT = "Left"
    ASLEEP = "Asleep"
    WAKING = "Waking"
    AWAKE = "Awake"
    WAKE_FAILED = "WakeFailed"
    LINK_LOST = "LinkLost"
    LINK_BACK = "LinkBack"
    SUBMITTED = "Submitted"
    WAITING = "Waiting"
    PLACED = "Placed"
    RELEASED = "Released"
    DRAINED = "Drained"
    GIVEN_UP = "GivenUp"
    FENCED = "Fenced"
    ENDED = "Ended"
    BROKEN = "Broken"
    CURTAILED = "Curtailed"
    RELIEVED = "Relieved"
    CHARGER = "Charger"
    OFF_PEAK = "OffPeak"
    ON_PEAK = "OnPeak"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, and a sentence about it."""

    at: Instant
    kind: Kind
    text: str
    vehicle: str = ""
    pod: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """What a plugged car drew over `[start, end)`, in which nothing changed.

    Attributes:
        charging_watts: AC, into the battery.
        computing: AC milliwatts.
        computing_dc: milliwatts at the computer.
        sheddable: milliwatts of both that were ours to shed: charging that follows a profile of
            ours, and pods that were not told to leave yet.
    """

    start: Instant
    end: Instant
    site: str
    circuit: str
    charging_watts: float
    computing: Milliwatts
    computing_dc: Milliwatts
    sheddable: Milliwatts = 0


@dataclass(frozen=True, slots=True)
class Departure:
    """A car that left, what its battery held, and what still ran.

    Attributes:
        watt_hours: in the battery.
        alone_watt_hours: what the same stay would have held, charged at once, without us.
        cut_off: the runs that the car ended because it left.
        charger_failed: its charge point gave nothing for a while.
    """

    stay: Stay
    watt_hours: float
    alone_watt_hours: float
    cut_off: tuple[Run, ...]
    charger_failed: bool = False


@dataclass
class Journal:
    """Everything that is written down while the clock moves.

    Attributes:
        draws: by vehicle.
        wakes: vehicle and instant of every wake that was asked for.
        powers: milliwatts a pod was bound with, by UID.
        charges: by vehicle, when its battery held how many watt-hours; between two a line.
        reactions: milliseconds from each change of a circuit's limit until it was acted on.
    """

    facts: list[Fact] = field(default_factory=list)
    draws: dict[str, list[Draw]] = field(default_factory=dict)
    departures: list[Departure] = field(default_factory=list)
    wakes: list[tuple[str, Instant]] = field(default_factory=list)
    powers: dict[str, Milliwatts] = field(default_factory=dict)
    charges: dict[str, list[tuple[Instant, float]]] = field(default_factory=dict)
    reactions: list[Milliseconds] = field(default_factory=list)
    listener: Callable[[Fact], None] | None = None

    def note(self, fact: Fact) -> None:
        """Write a fact down."""
        self.facts.append(fact)
        if self.listener is not None:
            self.listener(fact)
