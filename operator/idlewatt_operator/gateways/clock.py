"""The wall's clock."""

import asyncio
import time

from idlewatt_scheduler.model.units import Instant


class WallClock:
    """`Clock` of the wall."""

    def now(self) -> Instant:
        """The present instant."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed."""
        await asyncio.sleep(seconds)
