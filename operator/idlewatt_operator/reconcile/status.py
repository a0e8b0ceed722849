"""What a vehicle's status says: rounded, only what changed, never more often than once a minute.

Nobody plans with it, but for `Draining`, which is written where the draining is decided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idlewatt_operator.gateways.protocols import Condition
from idlewatt_operator.reconcile.charging import Acknowledged
from idlewatt_operator.reconcile.conditions import vehicle_conditions
from idlewatt_operator.reconcile.observed import observed_blocks
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.reconcile.snapshot import Assumed
from idlewatt_operator.resources.records import VehicleRecord
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.model.units import (
    CALENDAR_HORIZON,
    DAY,
    HOUR,
    SECOND,
    Instant,
    Milliseconds,
)

_OBSERVED_AT_REFRESHED = HOUR
"""A time of observation alone is no change worth a write; once an hour it is brought up to date."""

_FIRST_REPORT_AWAITED = 10 * SECOND
"""What is written of a new vehicle before its first report would stand for a minute after it."""


@dataclass(frozen=True, slots=True)
class StatusWrite:
    """What one vehicle's status is to say.

    Attributes:
        patch: a merge patch of what differs; empty: nothing does.
        conditions: those that differ.
        is_new: nothing was ever written of it, and it has not reported yet.
    """

    vehicle: str
    patch: Mapping[str, object]
    conditions: tuple[Condition, ...]
    is_new: bool = False

    @property
    def writes(self) -> int:
        """How many requests it takes."""
        return bool(self.patch) + bool(self.conditions)


@dataclass
class StatusPace:
    """When which vehicle was written last, and how many writes are allowed now.

    Attributes:
        at_most_every: one vehicle.
        per_second: all together.
    """

    at_most_every: Milliseconds
    per_second: int
    _written: dict[str, Instant] = field(default_factory=dict)
    _new_since: dict[str, Instant] = field(default_factory=dict)
    _allowed: float = 0.0
    _at: Instant | None = None

    def choose(self, wanted: list[StatusWrite], at: Instant) -> list[StatusWrite]:
        """Those that may be written now, the longest unwritten first."""
        self._refill(at)
        due = [
            each
            for each in wanted
            if not self._is_recent(each.vehicle, at) and not self._may_report(each, at)
        ]
        due.sort(key=lambda each: (self._written.get(each.vehicle, 0), each.vehicle))
        chosen = []
        for each in due:
            if each.writes > self._allowed:
                break
            self._allowed -= each.writes
            self._written[each.vehicle] = at
            chosen.append(each)
        return chosen

    def keep_only(self, vehicles: Mapping[str, object]) -> None:
        """Forget the vehicles that are no more."""
        self._written = {name: at for name, at in self._written.items() if name in vehicles}
        self._new_since = {name: at for name, at in self._new_since.items() if name in vehicles}

    def _may_report(self, write: StatusWrite, at: Instant) -> bool:
        """Whether it is new, and its first report may come at any moment."""
        if not write.is_new:
            return False
        since = self._new_since.setdefault(write.vehicle, at)
        return 0 <= at - since < _FIRST_REPORT_AWAITED

    def _is_recent(self, vehicle: str, at: Instant) -> bool:
        """Whether it was written a moment ago; what lies ahead was before the clock was set."""
        written = self._written.get(vehicle)
        return written is not None and 0 <= at - written < self.at_most_every

    def _refill(self, at: Instant) -> None:
        passed = SECOND if self._at is None else max(0, at - self._at)
        most = float(self.per_second * 10)
        self._allowed = min(most, self._allowed + self.per_second * passed / SECOND)
        self._at = at


def wanted_statuses(
    situation: Situation,
    sent: Mapping[str, Assumed],
    acknowledged: Mapping[str, Acknowledged],
    *,
    with_observed: bool,
) -> list[StatusWrite]:
    """What differs from what stands in the cluster.

    Of a vehicle that cannot be used, `Available` says so; see `findings`.

    Args:
        situation: this cycle's.
        sent: by UID the bindings that the watch does not show yet.
        acknowledged: by vehicle the profile that its charge point took last.
        with_observed: the telemetry gateway is the source, so its blocks are written too.
    """
    wanted = []
    refused = {each.name for each in situation.view.refused if each.kind == "VehicleNode"}
    for name, candidate in situation.candidates.items():
        record = situation.view.vehicles[name]
        status = _status(situation, candidate, record, sent)
        if with_observed and candidate.parked is not None:
            observed = candidate.parked.vehicle.observed
            status |= observed_blocks(observed, acknowledged.get(name))
        patch = differing(status, record.status, situation.at)
        conditions = vehicle_conditions(candidate, record, situation)
        if name in refused:
            conditions = tuple(each for each in conditions if each.type != "Available")
        differ = _differing_conditions(conditions, record.status)
        if patch or differ:
            is_new = with_observed and not record.status and not _has_reported(candidate)
            wanted.append(StatusWrite(name, patch, differ, is_new))
    return wanted


def _has_reported(candidate: Candidate) -> bool:
    observed = None if candidate.parked is None else candidate.parked.vehicle.observed
    return observed is not None and observed.parking is not None


def differing(
    wanted: Mapping[str, object], standing: Mapping[str, object], at: Instant
) -> dict[str, object]:
    """The merge patch from one to the other: None removes, a block is patched field by field."""
    patch: dict[str, object] = {}
    for key, value in wanted.items():
        old = standing.get(key)
        if isinstance(value, Mapping):
            block = _differing_block(value, old if isinstance(old, Mapping) else {}, at)
            if block:
                patch[key] = block
        elif value != old:
            patch[key] = value
    return patch


def _differing_block(
    wanted: Mapping[str, object], standing: Mapping[str, object], at: Instant
) -> dict[str, object]:
    block = {key: value for key, value in wanted.items() if standing.get(key) != value}
    if set(block) == {"observedAt"} and not _is_old(standing.get("observedAt"), at):
        return {}
    return block


def _is_old(observed_at: object, at: Instant) -> bool:
    return not isinstance(observed_at, str) or observed_at < format_instant(
        at - _OBSERVED_AT_REFRESHED
    )


def _status(
    situation: Situation,
    candidate: Candidate,
    record: VehicleRecord,
    sent: Mapping[str, Assumed],
) -> dict[str, object]:
    name = candidate.name
    bound = {each.pod.uid: situation.power(each, name) for each in situation.bound.get(name, ())}
    coming = {uid: each.power for uid, each in sent.items() if each.node == name}
    powers = coming | bound
    standby = candidate.parked.electrics.standby if candidate.parked and powers else 0
    return {
        "observedGeneration": record.generation,
        "availableUntil": _available_until(situation, candidate),
        "pods": len(powers),
        "allocatedPowerWatts": (sum(powers.values()) + standby) // 1_000,
    }


def _available_until(situation: Situation, candidate: Candidate) -> str | None:
    departure = situation.departure(candidate.name)
    if candidate.refusal is not None or departure is None:
        return None
    if departure >= situation.at + CALENDAR_HORIZON:
        departure -= departure % DAY  # it may always stand there: the horizon moves with time
    return format_instant(departure - departure % SECOND)


def _differing_conditions(
    wanted: tuple[Condition, ...], status: Mapping[str, object]
) -> tuple[Condition, ...]:
    rows = status.get("conditions")
    standing = {
        row.get("type"): (
            row.get("status"),
            row.get("reason"),
            row.get("message"),
            row.get("observedGeneration"),
        )
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, Mapping)
    }
    return tuple(
        each
        for each in wanted
        if standing.get(each.type)
        != (each.status, each.reason, each.message, each.observed_generation)
        and not (each.type == "Draining" and "Draining" in standing)
    )
