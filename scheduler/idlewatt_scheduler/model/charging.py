"""When a car is charged, and with how much."""

from dataclasses import dataclass

from idlewatt_scheduler.model.units import Instant, Milliwatts


@dataclass(frozen=True, slots=True)
class ChargingPeriod:
    """From `start` on, to the start of the next period, the car takes `power` into its battery.

    Attributes:
        power: milliwatts AC, whole watts.
    """

    start: Instant
    power: Milliwatts


@dataclass(frozen=True, slots=True)
class ChargingProfile:
    """What a charger was told, or is to be told: periods in order of time, the last without end.

    Attributes:
        periods: at least one; before the first nothing is said.
    """

    periods: tuple[ChargingPeriod, ...]

    def power_at(self, instant: Instant) -> Milliwatts | None:
        """The power at one instant; None before the first period."""
        power = None
        for period in self.periods:
            if period.start > instant:
                break
            power = period.power
        return power

    def pieces(self, start: Instant, end: Instant) -> list[tuple[Instant, Instant, Milliwatts]]:
        """From, to and power of each stretch of `[start, end)` that the profile covers."""
        found: list[tuple[Instant, Instant, Milliwatts]] = []
        since, power = end, 0
        for period in self.periods:
            if period.start >= end:
                break
            if period.start > start and since < period.start:
                found.append((max(since, start), period.start, power))
            since, power = period.start, period.power
        if since < end and start < end:
            found.append((max(since, start), end, power))
        return found
