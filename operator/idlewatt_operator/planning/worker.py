"""The process that plans: it is shown objects, asked for plans, and answers; nothing else.

It ends when its pipe is closed. Standard output is the pipe, so that nothing else may be written
there: whatever a library prints goes to standard error.
"""

import gc
import os
import queue
import resource
import sys
import threading
import traceback
from typing import BinaryIO, Final

import msgspec

from idlewatt_operator.planning import kernels
from idlewatt_operator.planning.frames import FrameError, framed, read_frame
from idlewatt_operator.planning.messages import (
    Advise,
    Ask,
    Cancel,
    FromWorker,
    Hello,
    Show,
    ToWorker,
)
from idlewatt_operator.planning.showing import Seen
from idlewatt_operator.planning.wire import decoder, encode

NICENESS: Final = 5
"""The operator's event loop goes first where there are few processors."""

_IDLE_SECONDS: Final = 0.2
"""After an answer: if nothing is asked for so long, there is time to look for garbage."""

_BAD_INPUT: Final = 65


def main() -> None:
    """Plan until the pipe is closed.

    Arguments of the process: bytes of memory that it may have, 0 for as many as there are.
    """
    limit_memory(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    os.nice(NICENESS)
    kernels.prepare(os.environ)
    with _own_output() as output:
        Worker(sys.stdin.buffer, output).run()


def limit_memory(most_bytes: int) -> None:
    """Let allocations beyond that fail here, before the kernel ends every process of the pod."""
    if most_bytes:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _own_output() -> BinaryIO:
    """Standard output for messages alone; what is printed goes to standard error from here on."""
    ours = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(ours, "wb")


class Worker:
    """Reads messages and answers them, one after the other."""

    def __init__(self, messages: BinaryIO, answers: BinaryIO) -> None:
        self._inbox = Inbox(messages)
        self._answers = answers
        self._seen = Seen()

    def run(self) -> None:
        """Until the pipe is closed, which ends the process."""
        self.answer(Hello())
        self._inbox.start()
        # OR-Tools and numba take seconds to be imported; the operator knows by now that we are.
        from idlewatt_operator.planning.desk import Desk  # noqa: PLC0415

        gc.disable()  # to look through a whole fleet for garbage takes longer than to plan it
        desk = Desk(self._inbox.is_cancelled)
        threading.Thread(target=_compile, name="kernels", daemon=True).start()
        has_garbage = False
        while True:
            message = self._inbox.next(_IDLE_SECONDS if has_garbage else desk.idle_seconds)
            match message:
                case None if has_garbage:
                    gc.collect()
                    has_garbage = False
                case None:
                    self.answer(desk.check_more())
                case Show():
                    self._seen.take(message)
                case Ask():
                    self.answer(desk.plan(message, self._seen.snapshot(message.at, message.rows)))
                    has_garbage = True
                case Advise():
                    self.answer(desk.advise(message))

    def answer(self, message: FromWorker) -> None:
        """Write a message."""
        self._answers.write(framed(encode(message)))
        self._answers.flush()


class Inbox(threading.Thread):
    """Reads beside the planning, so that a cancellation and the end are seen while it goes on."""

    def __init__(self, messages: BinaryIO) -> None:
        super().__init__(name="inbox", daemon=True)
        self._messages = messages
        self._decoder = decoder(ToWorker)
        self._queue: queue.SimpleQueue[Show | Ask | Advise] = queue.SimpleQueue()
        self._cancelled = 0

    def is_cancelled(self, ask: int) -> bool:
        """Whether the operator does not want to wait for this answer any longer.

        It may have said so before it asked.
        """
        return self._cancelled >= ask

    def next(self, seconds: float | None) -> Show | Ask | Advise | None:
        """The next message; None where none came within so many seconds, if any are given."""
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None

    def run(self) -> None:
        """Read until the pipe is closed; the operator is gone then, or wants us gone."""
        try:
            while (content := read_frame(self._messages)) is not None:
                message = self._decoder.decode(content)
                if isinstance(message, Cancel):
                    self._cancelled = max(self._cancelled, message.ask)
                else:
                    self._queue.put(message)
        except (FrameError, msgspec.MsgspecError):
            traceback.print_exc()
            os._exit(_BAD_INPUT)
        os._exit(0)


def _compile() -> None:
    """In the background: the first plans are greedy."""
    try:
        kernels.warm()
    except Exception:  # noqa: BLE001 - without them planning goes on, greedily
        traceback.print_exc()
