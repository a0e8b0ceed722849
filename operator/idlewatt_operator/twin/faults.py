"""What can be made to go wrong in the simulated cluster, and the record of what was written."""

from collections import deque
from dataclasses import dataclass, field

from idlewatt_operator.gateways.protocols import Result
from idlewatt_scheduler.model.units import Instant


class Crashed(BaseException):
    """The operator's process died here; nothing of it may catch this."""


@dataclass(frozen=True, slots=True)
class Write:
    """A write that reached the cluster: when, which method, about what, and what it said."""

    at: Instant
    verb: str
    subject: str
    detail: object = None


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer to give instead of the true one.

    Attributes:
        subject: `namespace/name` or a vehicle's name; None: whatever is written next.
        applied: the write takes effect although the answer says otherwise.
    """

    verb: str
    result: Result
    subject: str | None = None
    applied: bool = False


@dataclass
class Faults:
    """What is to go wrong: answers in turn, and a death of the operator."""

    answers: deque[Fault] = field(default_factory=deque)
    writes_until_crash: int | None = None

    def next_for(self, verb: str, subject: str) -> Fault | None:
        """Take the first fault that fits; raise `Crashed` when the operator is to die."""
        if self.writes_until_crash is not None:
            if self.writes_until_crash == 0:
                raise Crashed
            self.writes_until_crash -= 1
        for fault in self.answers:
            if fault.verb == verb and fault.subject in {None, subject}:
                self.answers.remove(fault)
                return fault
        return None
