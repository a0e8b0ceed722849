"""`python -m idlewatt_operator`, and the command `idlewatt`."""

import os
import sys
from typing import Final

from idlewatt_operator.cli.app import app

_DEBUG: Final = "IDLEWATT_DEBUG"
_FAULT_OF_OURS: Final = 70


def main() -> None:
    """Run the command; a fault of our own ends in a sentence, and in a trace for who asks."""
    try:
        app(prog_name="idlewatt")
    except Exception as error:
        if os.environ.get(_DEBUG):
            raise
        sys.stderr.write(
            f"idlewatt: this is a fault of idlewatt's own, not of your input: {error!r}. "
            f"Please report it, with what {_DEBUG}=1 shows.\n"
        )
        sys.exit(_FAULT_OF_OURS)


if __name__ == "__main__":
    main()
