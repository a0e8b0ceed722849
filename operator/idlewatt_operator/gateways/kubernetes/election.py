"""Leader election by a Lease, as client-go does it.

A lease that another holds is believed for as long as it says, counted on our own steady clock
from the moment we saw it change: no two clocks are compared. Whoever renews is the one whose
write is taken at the version that was read. A lease that was deleted is believed for the rest of
its time too, since its holder may not know yet.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from idlewatt_operator.gateways.kubernetes.lease import Lease, LeaseRefused, LeaseStore
from idlewatt_operator.gateways.kubernetes.session import ApiUnreachable
from idlewatt_operator.gateways.leadership import LEASE_SECONDS_MAX, Tenure, steady_seconds
from idlewatt_operator.gateways.protocols import Clock
from idlewatt_operator.resources.times import format_micro_time

_LOG: Final = logging.getLogger(__name__)

_RELEASED_SECONDS: Final = 1
"""The duration of a lease that nobody holds; the API server wants one."""


class Elector:
    """Takes the lease and keeps it: `run` goes on until it is lost.

    Args:
        store: of the lease.
        identity: of this process alone; one that is started anew has another.
        tenure: told of every renewal; what writes, asks it.
        clock: the wall's, only for the times that people read in the lease.
        now: the steady clock.
        jitter: numbers in [0, 1).

    Attributes:
        acquired: set once the lease was taken.
    """

    def __init__(  # noqa: PLR0913 # what it is made of, all of it injected
        self,
        store: LeaseStore,
        identity: str,
        tenure: Tenure,
        clock: Clock,
        *,
        jitter: Callable[[], float],
        now: Callable[[], float] = steady_seconds,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.identity = identity
        self.tenure = tenure
        self.acquired = asyncio.Event()
        self._store = store
        self._clock = clock
        self._jitter = jitter
        self._now = now
        self._sleep = sleep
        self._ours: Lease | None = None
        self._seen: Lease | None = None
        self._seen_at = 0.0
        self._said = ""
        self._attempted_at: float | None = None

    @property
    def holder(self) -> str:
        """Who was last seen to hold the lease; empty: nobody."""
        return self._seen.holder if self._seen is not None else ""

    @property
    def attempt_age_seconds(self) -> float:
        """How long ago the last attempt ended, well or badly; 0 before the first."""
        return 0.0 if self._attempted_at is None else self._now() - self._attempted_at

    async def look(self) -> None:
        """See who holds the lease, if anybody does; from now on that is believed for its time.

        Raises:
            ApiUnreachable: no answer came.
            LeaseRefused: it may not be read.
        """
        lease = await self._store.read()
        if lease is not None:
            self._see(lease)

    async def run(self) -> None:
        """Take the lease, renew it, and return once it is lost."""
        while not await self._attempt():
            if self.tenure.was_held:
                return  # it was granted so late that it cannot be relied on
            # Many that wait for the same lease do not ask in step.
            await self._sleep(self.tenure.terms.retry_seconds * (1 + self._jitter() / 5))
        _LOG.info("%s holds the lease and leads.", self.identity)
        self.acquired.set()
        while self.tenure.is_valid:
            await self._sleep(self.tenure.terms.retry_seconds)
            await self._renew()

    async def release(self) -> None:
        """Give the lease back, so that another takes it at once; nothing may be sent from now on.

        Where that does not work the lease runs out by itself.
        """
        self.tenure.end()
        try:
            # A renewal that was cut off may arrive between the reading and the writing.
            if await self._given_up() or await self._given_up():
                _LOG.info("%s gave the lease back.", self.identity)
        except (ApiUnreachable, LeaseRefused) as error:
            _LOG.warning("The lease was not given back and runs out by itself: %s", error)

    async def _given_up(self) -> bool:
        lease = await self._store.read()
        if lease is None or lease.holder != self.identity:
            return False
        return await self._store.write(lease, self._given_back(lease)) is not None

    async def _renew(self) -> None:
        """One renewal; where the version held was not the last, another at once."""
        try:
            async with asyncio.timeout(max(0.0, self.tenure.until_deadline_seconds())):
                if not await self._attempt() and self.tenure.is_valid and self._ours is None:
                    await self._attempt()
        except TimeoutError:
            _LOG.warning("The lease could not be renewed in time.")

    async def _attempt(self) -> bool:
        """One attempt to take or keep the lease; whether it is ours after it."""
        try:
            return await self._take()
        except (ApiUnreachable, LeaseRefused) as error:
            self._ours = None
            self._say(str(error))
            return False
        finally:
            self._attempted_at = self._now()

    async def _take(self) -> bool:
        lease = self._ours or await self._store.read()
        if lease is not None:
            self._see(lease)
        if self._is_anothers():
            if self.tenure.was_held:
                self.tenure.end()
            return False
        asked_at = self._now()
        taken = await (
            self._store.create(self._wanted(None))
            if lease is None
            else self._store.write(lease, self._wanted(lease))
        )
        self._ours = taken
        if taken is None:
            return False
        self._see(taken)
        self.tenure.renewed(asked_at)
        return self.tenure.is_valid

    def _see(self, lease: Lease) -> None:
        if self._seen is None or self._seen.spec != lease.spec:
            self._seen, self._seen_at = lease, self._now()

    def _is_anothers(self) -> bool:
        """Whether the lease that was last seen, there or deleted since, is held by another."""
        lease = self._seen
        if lease is None or lease.holder in {"", self.identity}:
            return False
        own = self.tenure.terms.lease_seconds
        lasts = min(LEASE_SECONDS_MAX, lease.duration_seconds or own)
        return self._now() < self._seen_at + lasts

    def _wanted(self, lease: Lease | None) -> dict[str, Any]:
        now = format_micro_time(self._clock.now())
        spec = {} if lease is None else lease.spec
        is_ours = lease is not None and lease.holder == self.identity
        transitions = spec.get("leaseTransitions")
        so_far = transitions if isinstance(transitions, int) else 0
        return {
            **spec,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": round(self.tenure.terms.lease_seconds),
            "acquireTime": spec.get("acquireTime") or now if is_ours else now,
            "renewTime": now,
            "leaseTransitions": so_far + (lease is not None and not is_ours),
        }

    def _given_back(self, lease: Lease) -> dict[str, Any]:
        kept = {name: value for name, value in lease.spec.items() if name != "holderIdentity"}
        now = format_micro_time(self._clock.now())
        return {**kept, "leaseDurationSeconds": _RELEASED_SECONDS, "renewTime": now}

    def _say(self, sentence: str) -> None:
        """Once for each trouble, not once for each attempt."""
        if sentence != self._said:
            self._said = sentence
            _LOG.warning("The lease: %s", sentence)
