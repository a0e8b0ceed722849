"""The operator as one of several: it stands by, leads, and ends where it has lost the lease."""

import asyncio
import contextlib
import logging
import os
import random
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.election import Elector
from idlewatt_operator.gateways.kubernetes.lease import LeaseRefused, LeaseStore
from idlewatt_operator.gateways.kubernetes.session import ApiSession, ApiUnreachable
from idlewatt_operator.gateways.leadership import Tenure, Terms
from idlewatt_operator.gateways.preflight import StartError
from idlewatt_operator.gateways.protocols import Clock
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import SECOND

_log: Final = logging.getLogger(__name__)

LOST: Final = 76
"""Exit status of a process that led and has lost the lease."""

_CONNECTIONS: Final = 2


class StoppedShort(Exception):  # noqa: N818 # not a fault: it was asked to stop
    """Not all that was sent is answered, and it may still be done."""


@dataclass(frozen=True, slots=True)
class Election:
    """The lease that makes one of several the leader.

    Attributes:
        namespace, name: of the lease.
        identity: such as the pod's name; each process adds what no other has.
    """

    namespace: str
    name: str
    identity: str


@contextlib.asynccontextmanager
async def candidate(
    election: Election, source: CredentialSource, settings: Settings, clock: Clock
) -> AsyncIterator[Elector]:
    """Who will reach for the lease, on a line of its own so that a renewal waits behind nothing.

    Raises:
        StartError: the lease may not be read.
    """
    terms = Terms(
        settings.lease_duration / SECOND,
        settings.lease_renewed_within / SECOND,
        settings.lease_retried_every / SECOND,
    )
    session = ApiSession(
        source, connections=_CONNECTIONS, timeout_seconds=terms.renew_deadline_seconds / 2
    )
    async with session:
        store = LeaseStore(session, election.namespace, election.name)
        identity = f"{election.identity}_{secrets.token_hex(4)}"
        elector = Elector(store, identity, Tenure(terms), clock, jitter=random.random)
        try:
            await elector.look()
        except LeaseRefused as error:
            sentence = f"{error}. Leader election needs get, create and update of leases there."
            raise StartError(sentence) from error
        except ApiUnreachable as error:
            sentence = f"The cluster cannot be reached. {error}"
            raise StartError(sentence) from error
        yield elector


@contextlib.asynccontextmanager
async def elected(elector: Elector | None, stop: asyncio.Event) -> AsyncIterator[bool]:
    """Lead for as long as the block lasts; false: it was stopped before it led.

    Where the lease is lost the process ends on the spot: whatever it has decided is not its
    affair any more, and a new process begins with what is true. Where the block ends in order,
    all it has sent is answered, and the lease is given back; not where it raises StoppedShort.
    """
    if elector is None:
        with contextlib.suppress(StoppedShort):
            yield True
        return
    _log.info("%s stands by.", elector.identity)
    campaign = asyncio.create_task(elector.run(), name="lease")
    campaign.add_done_callback(_end_where_lost)
    try:
        acquired, stopped = (
            asyncio.create_task(elector.acquired.wait()),
            asyncio.create_task(stop.wait()),
        )
        await asyncio.wait({acquired, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (acquired, stopped):
            task.cancel()
        yield elector.acquired.is_set() and not stop.is_set()
    except StoppedShort:
        _log.warning("Not all that was sent is answered: the lease is left to run out by itself.")
        return
    finally:
        campaign.remove_done_callback(_end_where_lost)
        elector.tenure.end()
        campaign.cancel()
        await asyncio.gather(campaign, return_exceptions=True)
    if elector.tenure.was_held:
        await elector.release()


def _end_where_lost(campaign: "asyncio.Task[None]") -> None:
    if campaign.cancelled():
        return
    error = campaign.exception()
    why = "" if error is None else f" ({error!r})"
    _log.critical(
        "The lease was lost%s: this process ends, so that nothing more is written by it.", why
    )
    logging.shutdown()
    os._exit(LOST)
