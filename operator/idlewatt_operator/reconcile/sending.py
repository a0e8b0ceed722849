"""Sending profiles: what sheds at once, the rest beside, and how long a curtailment took.

A charge point is at the end of somebody else's network and may take seconds to answer. Neither a
drain nor a binding waits for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from idlewatt_operator.gateways.protocols import ChargingGateway, Clock, Outcome, Result
from idlewatt_operator.reconcile.charging import Charges, Sending
from idlewatt_operator.reconcile.flight import each
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.units import Instant, Milliseconds

_log = logging.getLogger(__name__)

_IN_FLIGHT: Final = 200
"""They wait for charge points, not for us: many at once cost nobody anything."""


_TURNS: Final = 2
"""Of the event loop, until all are on their way: before anything else is written."""


class Sender:
    """Sends what a cycle decided.

    Args:
        gateway: None: no charger can be told anything.
        charges: is told what was sent, and what was answered.
        beside: await the answers beside the next cycles.
        on_reaction: told how long after a circuit's limit changed what follows from it was done.
    """

    def __init__(
        self,
        gateway: ChargingGateway | None,
        charges: Charges,
        clock: Clock,
        *,
        beside: bool,
        on_reaction: Callable[[Milliseconds], None],
    ) -> None:
        self._gateway = gateway
        self._charges = charges
        self._clock = clock
        self._beside = beside
        self._on_reaction = on_reaction
        self._tasks: set[asyncio.Future[Any]] = set()
        self._shedding: asyncio.Future[Any] | None = None
        self._reacted_to: Instant | None = None

    @property
    def can_send(self) -> bool:
        """Whether there is anybody to send to."""
        return self._gateway is not None

    def acknowledged(self) -> Mapping[str, ChargingProfile] | None:
        """What chargers acknowledged; None: there is nobody to ask."""
        return None if self._gateway is None else self._gateway.acknowledged()

    async def send(self, sendings: Sequence[Sending]) -> None:
        """Send them; return at once where the answers are awaited beside the cycles."""
        if self._gateway is None:
            return
        send = partial(self._send, self._gateway)
        for sending in sendings:
            self._charges.sending(sending)
        sheds = [sending for sending in sendings if sending.sheds]
        rest = [sending for sending in sendings if not sending.sheds]
        self._shedding = self._started(each(sheds, send, _IN_FLIGHT)) if sheds else None
        resting = self._started(each(rest, send, _IN_FLIGHT)) if rest else None
        if not self._beside:
            await asyncio.gather(*filter(None, (self._shedding, resting)))
        else:
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    async def reacted(self, limits_changed_at: Instant | None) -> None:
        """All else is written that follows from the limits that changed at this instant."""
        if limits_changed_at is None or limits_changed_at == self._reacted_to:
            return
        self._reacted_to = limits_changed_at
        reacting = self._started(self._after(self._shedding, limits_changed_at))
        if not self._beside:
            await reacting

    async def end(self) -> None:
        """Return once every answer is there, or was waited for in vain."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _send(self, gateway: ChargingGateway, sending: Sending) -> None:
        result = Result(Outcome.UNKNOWN, "a fault of ours came between")
        try:
            result = await gateway.set_profile(sending.vehicle, sending.profile)
        finally:
            self._charges.answered(sending, result, self._clock.now())
        if result.outcome is not Outcome.DONE:
            _log.warning("charge of %s: %s. %s", sending.vehicle, result.outcome, result.message)

    async def _after(self, shedding: "asyncio.Future[Any] | None", since: Instant) -> None:
        if shedding is not None:
            await asyncio.wait({shedding})
        self._on_reaction(max(0, self._clock.now() - since))

    def _started(self, work: Awaitable[Any]) -> "asyncio.Future[Any]":
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
