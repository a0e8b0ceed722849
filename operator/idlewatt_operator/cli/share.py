"""`python -m idlewatt_operator.cli.share`: reads pieces of manifests for another process."""

import gc
import sys

from idlewatt_operator.cli.shares import Piece, look_through
from idlewatt_operator.planning.frames import framed, read_frame
from idlewatt_operator.planning.wire import decoder, encode


def main() -> None:
    """Answer one piece after the other until there is none."""
    gc.disable()
    read, answers = decoder(Piece), sys.stdout.buffer
    while (content := read_frame(sys.stdin.buffer)) is not None:
        answers.write(framed(encode(look_through(read.decode(content)))))
        answers.flush()


if __name__ == "__main__":
    main()
