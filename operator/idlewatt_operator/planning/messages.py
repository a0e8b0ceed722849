"""What the operator and its planner's process say to each other."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from idlewatt_operator.planning.columns import PlanColumns
from idlewatt_scheduler.why import Brief


class Kind(StrEnum):
    """The kinds of objects that a snapshot is made of; mappings go as pairs of name and value."""

    VEHICLE = "vehicle"
    NODE = "node"
    SITE = "site"
    TARIFF = "tariff"
    PENDING = "pending"
    RUNNING = "running"
    OTHER_USE = "otherUse"
    OTHER_PORTS = "otherPorts"
    POLICY = "policy"
    DEPARTURES = "departures"


class Effort(StrEnum):
    """How hard a plan is looked for."""

    FULL = "Full"
    GREEDY = "Greedy"


class Halted(StrEnum):
    """Why a plan is not what it might have been: the label of a metric."""

    COMPILING = "Compiling"
    DEADLINE = "Deadline"
    CANCELLED = "Cancelled"
    OUT_OF_MEMORY = "OutOfMemory"
    FAILED = "Failed"
    KILLED = "Killed"
    ENDED = "Ended"
    GARBLED = "Garbled"
    SILENT = "Silent"
    NOT_STARTED = "NotStarted"
    SOLVER = "Solver"


class Show(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Objects that were not shown before, or have changed.

    Attributes:
        numbers: what they are called from now on, as unsigned 32-bit integers.
        objects: as many values of the kind.
    """

    kind: Kind
    numbers: bytes
    objects: msgspec.Raw


class Ask(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Plan the snapshot that is made of these objects.

    Attributes:
        ask: its number; the answer has it too.
        at: the snapshot's time.
        rows: by kind the numbers of its objects in their order; others are forgotten.
        seconds: after that the best plan so far is answered.
        work: of the exact solver.
        check_seconds: a check that is expected to take longer comes after the answer.
    """

    ask: int
    at: int
    rows: dict[Kind, bytes]
    seconds: float
    work: float
    effort: Effort
    check_seconds: float


class Advise(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Say what would place these of the pods that waited in the last plan, by their row there."""

    ask: int
    pending: list[int]


class Cancel(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """Answer this `Ask` at once, with the best plan so far; it may come before the `Ask`."""

    ask: int


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """A rule that a plan breaks, as the check words it."""

    rule: str
    subject: str
    sentence: str


class Hello(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The process is there, and reads."""


class Planned(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The answer to `Ask`.

    Attributes:
        faults: what the check found; None: it was not asked yet.
        halted: None: the solver finished.
        told: why it was halted, as a sentence, perhaps with a trace below it.
        plan_seconds, check_seconds: what they took.
        is_warm: the compiled kernels were ready.
    """

    ask: int
    plan: PlanColumns
    faults: list[Fault]
    halted: Halted | None
    told: str
    plan_seconds: float
    check_seconds: float
    is_warm: bool


class Checked(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """What the whole check found of a plan that was answered before."""

    ask: int
    faults: list[Fault]
    check_seconds: float


class Advised(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The answer to `Advise`; None where it could not be looked up."""

    ask: int
    briefs: list[Brief | None]


class Unable(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """No plan could be made at all.

    Attributes:
        told: the sentence, perhaps with a trace below it.
    """

    ask: int
    halted: Halted
    told: str


ToWorker: TypeAlias = Show | Ask | Advise | Cancel
FromWorker: TypeAlias = Hello | Planned | Checked | Advised | Unable
