"""`ChargingGateway` on two Redis streams: profiles that are wanted, and what charge points said.

`docs/reference/charging.md` is the contract. Whoever speaks to the charge points reads the one and
answers on the other. An answer counts for the request that it names, however late it comes; those
to requests of an earlier process name none that is known here.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.leadership import Leadership, NotLeading, Unchallenged
from idlewatt_operator.gateways.ocpp import charging_profile
from idlewatt_operator.gateways.protocols import Clock, Outcome, Result
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.entries import (
    end_if_cancelled,
    entries_of,
    number_of,
    text_of,
)
from idlewatt_operator.gateways.redis.refusals import Refusals
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.units import SECOND

_LOG: Final = logging.getLogger(__name__)

WANTED: Final = "idlewatt:charging"
ANSWERS: Final = "idlewatt:charging:answers"

ANSWERED_WITHIN_SECONDS: Final = 3.0
"""A charge point that has not answered by then is not waited for; its answer counts later, too."""

_EXPIRES_AFTER: Final = 30 * SECOND
_WRITE_SECONDS: Final = 2.0
_BLOCK_MILLISECONDS: Final = 1_000
_BATCH: Final = 500
_WANTED_MAX: Final = 100_000
_REMEMBERED: Final = 4
_START: Final = "0-0"
_INFO_SHOWN: Final = 256


class Status(StrEnum):
    """What a charge point said, or what became of what it had said."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    CLEARED = "Cleared"


@dataclass(slots=True)
class _Request:
    """A profile that was asked for.

    Attributes:
        number: a later one has a greater.
        answer: who waits for it; done where nobody does any more.
    """

    vehicle: str
    profile: ChargingProfile
    number: int
    answer: "asyncio.Future[Result]"


class RedisCharging:
    """Asks by writing to a stream; hears from `run` until that is cancelled.

    Args:
        token: a text that no request had before, of this process or of any other.
        on_change: called when something that was acknowledged does not hold any more, and when
            an answer comes that nobody waits for.
        leadership: asked before anything is written; None: nobody else can lead.

    Attributes:
        trouble: why answers cannot be read, in a sentence; empty: they can.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, all of it injected
        self,
        client: Redis,
        clock: Clock,
        *,
        token: Callable[[], str],
        jitter: Callable[[], float],
        on_change: Callable[[], None] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        leadership: Leadership | None = None,
    ) -> None:
        self.trouble = ""
        self._client = client
        self._clock = clock
        self._token = token
        self._on_change = on_change
        self._sleep = sleep
        self._backoff = Backoff(jitter)
        self._leadership = leadership or Unchallenged()
        self._refusals = Refusals(clock.now)
        self._requests: dict[str, _Request] = {}
        self._by_vehicle: dict[str, tuple[str, ...]] = {}
        self._acknowledged: dict[str, _Request] = {}
        self._position: str | None = None
        self._number = 0
        self._hears = asyncio.Event()

    @property
    def refused_count(self) -> int:
        """How many answers could not be used so far."""
        return self._refusals.count

    async def wait_hearing(self) -> None:
        """Return once answers are read."""
        await self._hears.wait()

    def acknowledged(self) -> Mapping[str, ChargingProfile]:
        """By vehicle what its charge point took last."""
        known = {name: request.profile for name, request in self._acknowledged.items()}
        return MappingProxyType(known)

    async def set_profile(self, vehicle: str, profile: ChargingProfile) -> Result:
        """Ask for it, and wait a few seconds for the charge point's word."""
        left = self._leadership.left_seconds()
        if left <= 0:
            return Result(Outcome.REFUSED, str(NotLeading()))
        token, request = self._remember(vehicle, profile)
        try:
            async with asyncio.timeout(min(left, _WRITE_SECONDS)):
                await self._client.xadd(
                    WANTED, self._wish(token, request), maxlen=_WANTED_MAX, approximate=True
                )
        except (RedisError, OSError, TimeoutError) as error:
            sentence = f"The profile of {vehicle} may not have been written: {error}"
            return Result(Outcome.UNKNOWN, sentence)
        await asyncio.wait({request.answer}, timeout=ANSWERED_WITHIN_SECONDS)
        if request.answer.done():
            return request.answer.result()
        request.answer.cancel()
        sentence = f"The charge point of {vehicle} did not answer within 3 s"
        return Result(Outcome.UNKNOWN, sentence)

    async def run(self) -> None:
        """Read answers for ever; where Redis is away none come, and nothing is held to be taken."""
        while True:
            try:
                if self._position is None:
                    self._position = await self._last_id()
                while True:
                    end_if_cancelled()
                    await self._step()
                    self._backoff.reset()
            except (RedisError, OSError, TimeoutError) as error:
                self.trouble = f"Answers of charge points cannot be read from Redis: {error}"
                _LOG.warning("%s", self.trouble)
            except Exception:  # noqa: BLE001 # a fault of ours must not leave chargers unheard
                _LOG.exception("The reading of charge points' answers failed; it is tried again.")
            end_if_cancelled()
            await self._sleep(self._backoff.next_seconds())

    def _remember(self, vehicle: str, profile: ChargingProfile) -> tuple[str, _Request]:
        """Keep the last few requests of each vehicle: a late answer may name one of them."""
        token, self._number = self._token(), self._number + 1
        request = _Request(
            vehicle, profile, self._number, asyncio.get_running_loop().create_future()
        )
        tokens = (*self._by_vehicle.get(vehicle, ()), token)
        for old in tokens[:-_REMEMBERED]:
            self._requests.pop(old, None)
        self._by_vehicle[vehicle] = tokens[-_REMEMBERED:]
        self._requests[token] = request
        return token, request

    def _wish(self, token: str, request: _Request) -> dict[Any, Any]:
        now = self._clock.now()
        return {
            "request": token,
            "vehicle": request.vehicle,
            "requestedAt": format_instant(now),
            "expiresAt": format_instant(now + _EXPIRES_AFTER),
            "profile": msgspec.json.encode(charging_profile(request.profile)),
        }

    async def _last_id(self) -> str:
        """Where the answers begin that are to requests of ours."""
        try:
            about = await self._client.xinfo_stream(ANSWERS)
        except ResponseError as error:
            if "no such key" in str(error):
                return _START
            raise
        return text_of(about["last-generated-id"])

    async def _step(self) -> None:
        answer = await self._client.xread(
            {ANSWERS: self._position or _START}, count=_BATCH, block=_BLOCK_MILLISECONDS
        )
        self.trouble = ""
        self._hears.set()
        entries = entries_of(answer)
        for identity, raw in entries:
            self._position = text_of(identity)
            self._take({text_of(name): text_of(value) for name, value in raw.items()})
        if not entries and number_of(await self._last_id()) < number_of(self._position or _START):
            _LOG.warning("The stream %s began anew; it is read from its start.", ANSWERS)
            self._position = _START

    def _take(self, fields: Mapping[str, str]) -> None:
        """Heed one answer; what cannot be used is counted."""
        subject = (fields.get("vehicle") or "an answer without a vehicle")[:253]
        try:
            status = Status(fields.get("status", ""))
        except ValueError:
            self._refusals.note(subject, "Its field status is not Accepted, Rejected or Cleared.")
            return
        if status is Status.CLEARED:
            self._clear(fields.get("vehicle", ""), subject)
            return
        request = self._requests.get(fields.get("request", ""))
        if request is None:
            self._refusals.note(subject, "Its field request names none that is waited for.")
        elif "vehicle" in fields and fields["vehicle"] != request.vehicle:
            self._refusals.note(subject, "It names another vehicle than its request.")
        else:
            self._answered(request, status, fields.get("info", "")[:_INFO_SHOWN])

    def _clear(self, vehicle: str, subject: str) -> None:
        if self._acknowledged.pop(vehicle, None) is not None:
            self._on_change()
        elif vehicle not in self._by_vehicle:
            self._refusals.note(subject, "No profile was ever sent to its charge point.")

    def _answered(self, request: _Request, status: Status, info: str) -> None:
        result = Result(Outcome.DONE)
        if status is Status.REJECTED:
            result = Result(Outcome.REFUSED, f"the charge point rejected it: {info or 'no reason'}")
        before = self._acknowledged.get(request.vehicle)
        if status is Status.ACCEPTED and (before is None or before.number <= request.number):
            self._acknowledged[request.vehicle] = request
        if request.answer.done():
            self._on_change()
        else:
            request.answer.set_result(result)


@contextlib.asynccontextmanager
async def hearing(  # noqa: PLR0913 - what it is made of, all of it injected
    address: RedisAddress,
    clock: Clock,
    *,
    token: Callable[[], str],
    jitter: Callable[[], float],
    on_change: Callable[[], None] = lambda: None,
    leadership: Leadership | None = None,
) -> AsyncIterator[RedisCharging]:
    """Speak to charge points through the Redis at `address` for as long as the block lasts.

    Raises:
        AddressError: it is no address of a Redis.
    """
    client = address.connect()
    charging = RedisCharging(
        client, clock, token=token, jitter=jitter, on_change=on_change, leadership=leadership
    )
    task = asyncio.create_task(charging.run(), name="hear charge points")
    try:
        yield charging
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.aclose()
