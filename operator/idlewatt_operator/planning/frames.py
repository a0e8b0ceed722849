"""Frames: a mark, a length and so many bytes; what is no frame is found out at once."""

import asyncio
import struct
from typing import BinaryIO, Final

_HEAD: Final = struct.Struct(">4sI")
_MARK: Final = b"iwP1"
_CUT_SHORT: Final = "A message of the planner's process ended before its end."

LONGEST_BYTES: Final = 2**30
"""No frame is longer: what claims to be is garbage."""


class FrameError(Exception):
    """What was read is no frame, or ended within one; the message is a sentence."""


def framed(content: bytes) -> bytes:
    """The content as a frame."""
    return _HEAD.pack(_MARK, len(content)) + content


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame's content; None where the other side has closed the pipe between two.

    Raises:
        FrameError: it is no frame.
    """
    head = stream.read(_HEAD.size)
    if not head:
        return None
    content = stream.read(length) if (length := _length(head)) else b""
    if len(content) < length:
        raise FrameError(_CUT_SHORT)
    return content


async def next_frame(stream: asyncio.StreamReader) -> bytes | None:
    """The same, for an event loop."""
    try:
        head = await stream.readexactly(_HEAD.size)
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            return None
        raise FrameError(_CUT_SHORT) from error
    try:
        return await stream.readexactly(_length(head))
    except asyncio.IncompleteReadError as error:
        raise FrameError(_CUT_SHORT) from error


def _length(head: bytes) -> int:
    if len(head) < _HEAD.size:
        raise FrameError(_CUT_SHORT)
    mark, length = _HEAD.unpack(head)
    if mark != _MARK or length > LONGEST_BYTES:
        sentence = "What was read from the planner's process is no message of it."
        raise FrameError(sentence)
    return int(length)
