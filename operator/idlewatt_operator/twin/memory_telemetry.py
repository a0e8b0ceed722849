"""Telemetry in memory: what was observed last, and who was asked to wake."""

from dataclasses import dataclass, field

from idlewatt_operator.gateways.protocols import Outcome, Result, Telemetry
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import Observation


@dataclass
class MemoryTelemetry:
    """`TelemetryGateway` in memory.

    Attributes:
        woken: the vehicles that were asked to wake, in order; whoever plays them reads it.
        answer: what `wake` answers.
    """

    vehicles: dict[str, Observation] = field(default_factory=dict)
    circuits: dict[str, tuple[ObservedCircuit, ...]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    limits_changed_at: Instant | None = None
    woken: list[str] = field(default_factory=list)
    answer: Result = field(default_factory=lambda: Result(Outcome.DONE))

    def latest(self) -> Telemetry:
        """What is known now."""
        return Telemetry(
            dict(self.vehicles),
            dict(self.circuits),
            self.refused,
            limits_changed_at=self.limits_changed_at,
        )

    async def wake(self, vehicle: str) -> Result:
        """Keep the request."""
        self.woken.append(vehicle)
        return self.answer
