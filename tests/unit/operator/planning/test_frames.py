"""Frames: what was written is read, and what is no frame is refused."""

import asyncio
import io

import pytest

from idlewatt_operator.planning.frames import FrameError, framed, next_frame, read_frame


def a_reader(content: bytes) -> asyncio.StreamReader:
    """A pipe with this in it, and then its end."""
    reader = asyncio.StreamReader()
    reader.feed_data(content)
    reader.feed_eof()
    return reader


async def test_frames_are_read_as_they_were_written() -> None:
    """One after the other, empty ones too, and at the end there is none."""
    written = framed(b"one") + framed(b"") + framed(b"three")
    stream, reader = io.BytesIO(written), a_reader(written)
    for expected in (b"one", b"", b"three", None):
        assert read_frame(stream) == expected
        assert await next_frame(reader) == expected


@pytest.mark.parametrize(
    "noise",
    [b"Welcome!", framed(b"whole")[:-1], framed(b"whole")[:5], b"iwP1\xff\xff\xff\xff rest"],
    ids=["text", "cut", "cut in its head", "endless"],
)
async def test_what_is_no_frame_is_refused(noise: bytes) -> None:
    """Before anything is waited for that will never come."""
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(noise))
    with pytest.raises(FrameError):
        await next_frame(a_reader(noise))
