"""`TelemetryGateway` on a Redis stream: read, fold, keep, and go on where it stopped."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.leadership import Leadership, NotLeading, Unchallenged
from idlewatt_operator.gateways.protocols import Clock, Outcome, Result, Telemetry
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.contract import (
    STREAM,
    WAKE_STREAM,
    Report,
    ReportError,
    VehicleReport,
    read_report,
)
from idlewatt_operator.gateways.redis.entries import (
    end_if_cancelled,
    entries_of,
    number_of,
    text_of,
)
from idlewatt_operator.gateways.redis.folding import (
    KnownCircuit,
    KnownVehicle,
    fold_circuit,
    fold_vehicle,
)
from idlewatt_operator.gateways.redis.keeping import (
    HASH,
    POSITION,
    CircuitKey,
    Kept,
    circuit_field,
    kept,
    vehicle_field,
)
from idlewatt_operator.gateways.redis.refusals import Refusals
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.units import CLOCK_TOLERANCE, Instant

_LOG: Final = logging.getLogger(__name__)

_BATCH: Final = 500
_BLOCK_MILLISECONDS: Final = 1_000
_START: Final = "0-0"
_ENTRY_ID: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_WRITE_SECONDS: Final = 20.0
_WISHES_MAX: Final = 10_000
_VEHICLES_MAX: Final = 200_000
_CIRCUITS_MAX: Final = 50_000

Client: TypeAlias = Redis


class RedisTelemetry:
    """Reads the stream from `run` until that is cancelled; wakes by writing to another.

    Args:
        known: the names of the vehicles there are; None while that is not known yet, when
            every name is taken.
        on_change: called after a batch that brought something new.
        leadership: asked before anything is written; None: nobody else can lead. Who only reads
            keeps in mind what would have to be kept, and keeps all of it once it leads.

    Attributes:
        accepted: how many reports could be used so far.
        answered_at: when Redis last answered a read.
        reported_at: when the last report that was read had arrived in Redis.
        trouble: why Redis cannot be read, or keeps nothing, in a sentence; empty: all is well.
    """

    def __init__(  # noqa: PLR0913 # what it is made of, all of it injected
        self,
        client: Client,
        clock: Clock,
        *,
        known: Callable[[], Container[str] | None],
        on_change: Callable[[], None],
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        leadership: Leadership | None = None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._known = known
        self._on_change = on_change
        self._sleep = sleep
        self._backoff = Backoff(jitter)
        self._leadership = leadership or Unchallenged()
        self._refusals = Refusals(clock.now)
        self._vehicles: dict[str, KnownVehicle] = {}
        self._circuits: dict[CircuitKey, KnownCircuit] = {}
        self._unkept: dict[str, KnownVehicle | KnownCircuit] = {}
        self._position: str | None = None
        self._caught_up = asyncio.Event()
        self._shown: Telemetry | None = None
        self._limits_changed_at: Instant | None = None
        self.accepted = 0
        self.answered_at: Instant | None = None
        self.reported_at: Instant | None = None
        self.trouble = ""
        self._keeps_nothing = ""

    @property
    def synced(self) -> bool:
        """What was kept is read, and the stream was read to its end once."""
        return self._caught_up.is_set()

    async def wait_synced(self) -> None:
        """Return once `synced`; before that a vehicle seems never to have reported."""
        await self._caught_up.wait()

    @property
    def refused_count(self) -> int:
        """How many parts of reports could not be used so far."""
        return self._refusals.count

    def latest(self) -> Telemetry:
        """What is known now, copied once for each batch; absent before `synced`."""
        if not self.synced:
            return Telemetry(absent=True)
        if self._shown is None:
            self._shown = Telemetry(
                vehicles=MappingProxyType(
                    {name: known.observed for name, known in self._vehicles.items()}
                ),
                circuits=MappingProxyType(self._by_site()),
                refused=self._refusals.latest(),
                limits_changed_at=self._limits_changed_at,
            )
        return self._shown

    def _by_site(self) -> dict[str, tuple[ObservedCircuit, ...]]:
        sites: dict[str, tuple[ObservedCircuit, ...]] = {}
        for (site, _), known in sorted(self._circuits.items(), key=lambda item: item[0]):
            sites[site] = (*sites.get(site, ()), known.observed)
        return sites

    async def wake(self, vehicle: str) -> Result:
        """Write the wish to wake; telemetry `Waking` or `Awake` acknowledges it."""
        wish: dict[Any, Any] = {
            "vehicle": vehicle,
            "requestedAt": format_instant(self._clock.now()),
        }
        left = self._leadership.left_seconds()
        if left <= 0:
            return Result(Outcome.REFUSED, str(NotLeading()))
        try:
            async with asyncio.timeout(min(left, _WRITE_SECONDS)):
                await self._client.xadd(WAKE_STREAM, wish, maxlen=_WISHES_MAX, approximate=True)
        except (RedisError, OSError, TimeoutError) as error:
            sentence = f"The wish to wake {vehicle} may not have been written: {error}."
            return Result(Outcome.UNKNOWN, sentence)
        return Result(Outcome.DONE)

    async def run(self) -> None:
        """Read and fold for ever; where Redis is away, what is known goes stale by itself."""
        while True:
            try:
                await self._restore()
                while True:
                    end_if_cancelled()
                    await self._step()
                    self._backoff.reset()
            except (RedisError, OSError, TimeoutError) as error:
                self.trouble = f"Telemetry cannot be read from Redis: {error}"
                _LOG.warning("%s", self.trouble)
            except Exception:  # noqa: BLE001 # a fault of ours must not leave the fleet blind
                _LOG.exception("The reading of telemetry failed; it is tried again.")
            end_if_cancelled()
            await self._sleep(self._backoff.next_seconds())

    async def _restore(self) -> None:
        """Find where to go on; the first time also what was known."""
        if self._position is None:
            held = Kept()
            async for field, text in self._client.hscan_iter(HASH, count=1_000):
                held.take(text_of(field), text)
            for sentence in held.refused:
                self._refusals.note(HASH, sentence)
            self._vehicles, self._circuits = held.vehicles, held.circuits
            position = await self._client.get(POSITION)
            self._position = _START if position is None else _entry_id(text_of(position))
            self._shown = None
        if number_of(self._position) > number_of(await self._last_id()):
            # Another stream took the place of the one that was read: waiting would be for ever.
            _LOG.warning("The stream %s began anew; it is read from its start.", STREAM)
            self._position = _START
            self._keep_all()  # what was kept beside it may be gone too

    async def _last_id(self) -> str:
        try:
            about = await self._client.xinfo_stream(STREAM)
        except ResponseError as error:
            if "no such key" in str(error):
                return _START
            raise
        return text_of(about["last-generated-id"])

    async def _step(self) -> None:
        position = self._position or _START
        block = _BLOCK_MILLISECONDS if self.synced else None
        answer = await self._client.xread({STREAM: position}, count=_BATCH, block=block)
        entries = entries_of(answer)
        self.answered_at, self.trouble = self._clock.now(), self._keeps_nothing
        if not entries:
            self._caught_up_now()
            await self._restore()  # an empty read is the moment to see that the stream is the same
            return
        changed = [self._take_surely(fields) for _, fields in entries]
        self._position = text_of(entries[-1][0])
        self.reported_at = number_of(self._position)[0]
        self._shown = None
        await self._keep_if_it_is_taken()
        if len(entries) < _BATCH:
            self._caught_up_now()
        if any(changed):
            self._on_change()
        await asyncio.sleep(0)  # a backlog must not starve the cycle

    def _caught_up_now(self) -> None:
        if not self._caught_up.is_set():
            self._caught_up.set()
            self._on_change()

    def _take_surely(self, raw: Mapping[Any, Any]) -> bool:
        """`_take`, where a fault of ours costs one entry and not all that follow it."""
        try:
            return self._take(raw)
        except Exception:  # noqa: BLE001 # whatever it was, the next report has to be read
            _LOG.exception("A report was passed over through a fault of ours.")
            self._refusals.note("a report", "It could not be read through a fault of ours.")
            return False

    def _take(self, raw: Mapping[Any, Any]) -> bool:
        """Fold one entry; whether it brought something new."""
        fields = {text_of(name): text_of(value) for name, value in raw.items()}
        try:
            report = read_report(fields)
        except ReportError as error:
            self._refusals.note(_subject(fields), str(error))
            return False
        subject = _subject(fields)
        for problem in report.problems:
            self._refusals.note(subject, problem)
        refusal = self._refusal(report)
        if refusal:
            self._refusals.note(subject, refusal)
        return not refusal and bool(report.blocks) and self._fold(report)

    def _refusal(self, report: Report) -> str:
        if report.observed_at > self._clock.now() + CLOCK_TOLERANCE:
            # Folded, it would shut out every true report until its time has come.
            return "It was observed in the future; set the reporter's clock."
        if not isinstance(report, VehicleReport):
            is_new = (report.site, report.circuit) not in self._circuits
            if is_new and len(self._circuits) >= _CIRCUITS_MAX:
                return f"More than {_CIRCUITS_MAX} circuits are known already."
            return ""
        known = self._known()
        if known is not None and report.vehicle not in known:
            return "There is no VehicleNode of this name."
        if report.vehicle not in self._vehicles and len(self._vehicles) >= _VEHICLES_MAX:
            return f"More than {_VEHICLES_MAX} vehicles are known already."
        return ""

    def _fold(self, report: Report) -> bool:
        self.accepted += 1
        if isinstance(report, VehicleReport):
            vehicle = self._vehicles.get(report.vehicle, KnownVehicle())
            folded = fold_vehicle(vehicle, report)
            self._vehicles[report.vehicle] = folded
            self._unkept[vehicle_field(report.vehicle)] = folded
            return folded != vehicle
        key = (report.site, report.circuit)
        before = self._circuits.get(key)
        circuit = fold_circuit(before, report)
        changed = circuit != before
        if _limit(circuit) != _limit(before):
            self._limits_changed_at = self._clock.now()
        self._circuits[key] = circuit
        self._unkept[circuit_field(key)] = circuit
        return changed

    def _keep_all(self) -> None:
        self._unkept = {vehicle_field(name): known for name, known in self._vehicles.items()}
        self._unkept |= {circuit_field(key): known for key, known in self._circuits.items()}

    async def _keep_if_it_is_taken(self) -> None:
        """Where Redis lets nothing be written, what it lets be read counts all the same."""
        refused = ""
        try:
            await self._keep()
        except ResponseError as error:
            refused = f"What vehicles report cannot be kept in Redis: {error}"
            if refused != self._keeps_nothing:
                _LOG.warning("%s", refused)
        self.trouble = self._keeps_nothing = refused

    async def _keep(self) -> None:
        """Keep what is new; everything, where nothing stands kept: that Redis lost its memory."""
        if self._leadership.left_seconds() > 0 and not await self._is_kept_where_some_was():
            self._keep_all()
            await self._is_kept_where_some_was()

    async def _is_kept_where_some_was(self) -> bool:
        """Keep what is new, and where to go on: the one without the other would lose reports."""
        left = self._leadership.left_seconds()
        if left <= 0:
            return True
        mapping: dict[Any, Any] = {field: kept(known) for field, known in self._unkept.items()}
        async with (
            asyncio.timeout(min(left, _WRITE_SECONDS)),
            self._client.pipeline(transaction=True) as pipeline,
        ):
            if mapping:
                pipeline.hset(HASH, mapping=mapping)
            pipeline.set(POSITION, self._position or _START, get=True)
            answers = await pipeline.execute()
        self._unkept.clear()
        return answers[-1] is not None


@contextlib.asynccontextmanager
async def reading(  # noqa: PLR0913 # what it is made of, all of it injected
    address: RedisAddress,
    clock: Clock,
    *,
    known: Callable[[], Container[str] | None],
    on_change: Callable[[], None],
    jitter: Callable[[], float],
    leadership: Leadership | None = None,
) -> AsyncIterator[RedisTelemetry]:
    """Read the telemetry at `address` for as long as the block lasts; see `RedisTelemetry`.

    Raises:
        AddressError: it is no address of a Redis.
    """
    client = address.connect()
    telemetry = RedisTelemetry(
        client, clock, known=known, on_change=on_change, jitter=jitter, leadership=leadership
    )
    task = asyncio.create_task(telemetry.run(), name="read telemetry")
    try:
        yield telemetry
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()


def _limit(known: KnownCircuit | None) -> tuple[int | None, Instant | None]:
    """What was imposed on a circuit from outside, and until when."""
    if known is None:
        return None, None
    return known.observed.curtailed_to_watts, known.observed.curtailed_until


def _entry_id(text: str) -> str:
    return text if _ENTRY_ID.fullmatch(text) else _START


def _subject(fields: Mapping[str, str]) -> str:
    """Whom a sentence is about, never longer than a name may be."""
    about = fields.get("vehicle") or "/".join(
        part for part in (fields.get("site"), fields.get("circuit")) if part
    )
    return about[:253] or "a report without a name"
