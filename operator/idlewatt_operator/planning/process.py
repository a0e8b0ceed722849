"""The operator's end of the planner's process: it is started, asked, cancelled, and ended.

What it is asked is answered, or `ProcessLostError` says why it never will be. A process that was
lost is not used again: what it had been shown is gone with it.
"""

import asyncio
import contextlib
import itertools
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from idlewatt_operator.planning.columns import PlanReader
from idlewatt_operator.planning.frames import FrameError, framed, next_frame
from idlewatt_operator.planning.messages import (
    Advise,
    Advised,
    Ask,
    Cancel,
    Checked,
    Effort,
    FromWorker,
    Halted,
    Hello,
    Planned,
    ToWorker,
    Unable,
)
from idlewatt_operator.planning.showing import Shown
from idlewatt_operator.planning.wire import decoder, encode
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.why import Brief

ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""What numpy's library would start threads for here is too small to be worth them."""

_ENDS_WITHIN_SECONDS: Final = 2.0
_READ_AHEAD_BYTES: Final = 2**20

_Answer = TypeVar("_Answer", bound=FromWorker)


class PlanningError(Exception):
    """There is no plan; the message is a sentence.

    Attributes:
        halted: why, for a metric.
    """

    def __init__(self, halted: Halted, sentence: str) -> None:
        super().__init__(sentence)
        self.halted = halted


class ProcessLostError(PlanningError):
    """The process cannot be asked anything any more."""


class UnansweredError(PlanningError):
    """The process goes on, but had no answer to this."""


@dataclass(frozen=True, slots=True)
class Order:
    """How long and how hard a plan is looked for.

    Attributes:
        seconds: after that the best plan so far is answered.
        work: of the exact solver, in its own units.
        check_seconds: a check that is expected to take longer comes after the answer.
    """

    seconds: float
    work: float
    check_seconds: float
    effort: Effort = Effort.FULL


@dataclass(frozen=True, slots=True)
class Command:
    """How the process is started.

    Attributes:
        arguments: the program and its arguments.
        environment: what is added to our own.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: ONE_THREAD)

    @classmethod
    def of(cls, memory_bytes: int = 0) -> "Command":
        """The planner in this very Python, with so much memory at the most; 0: all there is."""
        module = "idlewatt_operator.planning"
        # Never from the working directory: a folder named `operator` there is not ours.
        arguments = (sys.executable, "-P", "-m", module, str(memory_bytes))
        return cls(arguments)


class PlannerProcess:
    """One process.

    Args:
        process: started with pipes for its standard input and output.
        on_checked: told of what the check found after its plan was answered.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, on_checked: Callable[[Checked], None]
    ) -> None:
        self._process = process
        self._on_checked = on_checked
        self._shown = Shown()
        self._asks = itertools.count(1)
        self._newest = 0
        self._waiting: dict[int, asyncio.Future[FromWorker]] = {}
        self._lost: ProcessLostError | None = None
        self._asked: tuple[int, Snapshot] | None = None
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(
        cls, command: Command, on_checked: Callable[[Checked], None]
    ) -> "PlannerProcess":
        """Start it; it takes some seconds until it plans.

        Raises:
            ProcessLostError: it cannot be started.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command.arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **command.environment},
                limit=_READ_AHEAD_BYTES,
                start_new_session=True,  # a terminal's Ctrl-C is for the operator
            )
        except OSError as error:
            sentence = f"The planner's process cannot be started: {error.strerror or error}."
            raise ProcessLostError(Halted.NOT_STARTED, sentence) from error
        return cls(process, on_checked)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_lost(self) -> bool:
        """Whether another one has to be started."""
        return self._lost is not None

    def resident_bytes(self) -> int:
        """Its memory; 0 where that is not known."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, LookupError):
            return 0
        return int(pages) * resource.getpagesize()

    def plan(self, snapshot: Snapshot, order: Order) -> Coroutine[Any, Any, tuple[Plan, Planned]]:
        """The plan of a snapshot, and what is to be said of it.

        From this call on `cancel` is about it, whether or not anything was sent yet.

        Raises:
            ProcessLostError: the process ended, or said what nobody understands.
            UnansweredError: no plan could be made.
        """
        self._newest = next(self._asks)
        return self._plan(self._newest, snapshot, order)

    async def _plan(self, ask: int, snapshot: Snapshot, order: Order) -> tuple[Plan, Planned]:
        with self._expecting(ask) as answer:
            await self._show_and_ask(ask, snapshot, order)
            found = await answer
            if isinstance(found, Unable):
                raise UnansweredError(found.halted, found.told)
            planned = self._expected(found, Planned)
            self._asked = ask, snapshot
            return await self._read(planned, snapshot), planned

    async def advise(self, rows: Sequence[int]) -> list[Brief | None]:
        """What would place pods, by their rows in the snapshot that was planned last.

        Raises:
            ProcessLostError: the process ended, or said what nobody understands.
        """
        ask = next(self._asks)
        with self._expecting(ask) as answer:
            await self._send(Advise(ask, list(rows)))
            return self._expected(await answer, Advised).briefs

    def cancel(self) -> None:
        """Have the plan that was asked for last answered at once, with the best plan so far.

        The process keeps its number: it does not matter which of the two it is told first.
        """
        if self._lost is None and self._process.stdin is not None:
            self._process.stdin.write(framed(encode(Cancel(self._newest))))

    def lose(self, halted: Halted, sentence: str) -> None:
        """Give it up: it is killed, and whoever waits for it is told."""
        if self._lost is None:
            self._lost = ProcessLostError(halted, sentence)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._lost)

    async def end(self) -> None:
        """Close its pipe, which ends it; kill it where that takes too long."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), _ENDS_WITHIN_SECONDS)
        self.lose(Halted.CANCELLED, "The operator ended the planner's process.")
        await self._process.wait()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _show_and_ask(self, ask: int, snapshot: Snapshot, order: Order) -> None:
        try:
            for part in self._shown.show(snapshot):
                if isinstance(part, dict):
                    await self._send(
                        Ask(
                            ask,
                            snapshot.at,
                            part,
                            order.seconds,
                            order.work,
                            order.effort,
                            order.check_seconds,
                        )
                    )
                else:
                    await self._send(part)
        except BaseException:
            # What it knows by now nobody could tell.
            self.lose(Halted.CANCELLED, "The planner's process was told half a snapshot.")
            raise

    async def _send(self, message: ToWorker) -> None:
        """Write a message, and let others have a turn."""
        if self._lost is not None:
            raise self._lost
        stdin = self._process.stdin
        try:
            if stdin is not None:
                stdin.write(framed(encode(message)))
                await stdin.drain()
        except (ConnectionError, RuntimeError):
            # It has gone; the listening task finds out how.
            await asyncio.wait({self._listening})
            raise self._lost or _gone() from None
        await asyncio.sleep(0)

    @contextlib.contextmanager
    def _expecting(self, ask: int) -> Iterator[asyncio.Future[FromWorker]]:
        if self._lost is not None:
            raise self._lost
        answer: asyncio.Future[FromWorker] = asyncio.get_running_loop().create_future()
        self._waiting[ask] = answer
        try:
            yield answer
        finally:
            del self._waiting[ask]
            if answer.done() and not answer.cancelled():
                answer.exception()  # what nobody waits for any longer is no news

    def _expected(self, found: FromWorker, kind: type[_Answer]) -> _Answer:
        if not isinstance(found, kind):
            self.lose(Halted.GARBLED, _NOT_UNDERSTOOD)
            raise self._lost or _gone()
        return cast("_Answer", found)

    async def _read(self, planned: Planned, snapshot: Snapshot) -> Plan:
        """The plan, put together a piece at a time."""
        reader = PlanReader(planned.plan, snapshot)
        try:
            for _ in reader.steps():
                await asyncio.sleep(0)
            return reader.plan()
        except (LookupError, ValueError):
            self.lose(Halted.GARBLED, _NOT_UNDERSTOOD)
            raise self._lost or _gone() from None

    async def _listen(self) -> None:
        """Give answers to those who wait for them, until there are none any more."""
        stdout = self._process.stdout
        read = decoder(FromWorker)
        try:
            while stdout is not None and (content := await next_frame(stdout)) is not None:
                self._take(read.decode(content))
        except (FrameError, msgspec.MsgspecError, ValueError):
            self.lose(Halted.GARBLED, _NOT_UNDERSTOOD)
            return
        halted, sentence = _how_it_ended(await self._process.wait())
        self.lose(halted, sentence)

    def _take(self, message: FromWorker) -> None:
        if isinstance(message, Hello):
            return
        if isinstance(message, Checked):
            if self._asked is not None and self._asked[0] == message.ask:
                self._on_checked(message)
            return
        answer = self._waiting.get(message.ask)
        if answer is not None and not answer.done():
            answer.set_result(message)


_NOT_UNDERSTOOD: Final = "The planner's process said what nobody understands; it was ended."


def _gone() -> ProcessLostError:
    return ProcessLostError(Halted.ENDED, "The planner's process is gone.")


def _how_it_ended(status: int) -> tuple[Halted, str]:
    if status == -signal.SIGKILL:
        return Halted.KILLED, (
            "The planner's process was killed, which is what the kernel does to one for which "
            "there is no memory left."
        )
    if status < 0:
        return Halted.ENDED, f"The planner's process was ended by {signal.Signals(-status).name}."
    return Halted.ENDED, f"The planner's process ended by itself, with status {status}."
