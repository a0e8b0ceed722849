"""`python -m idlewatt_operator.planning.warm`: compile the kernels, for an image to ship them.

They are written below `NUMBA_CACHE_DIR`. An image names that folder `IDLEWATT_SHIPPED_KERNELS`.
"""

import os
import sys
import time

from idlewatt_operator.planning.kernels import KEPT, warm


def main() -> None:
    """Compile all of them, and say how long it took."""
    folder = os.environ.get(KEPT)
    if not folder:
        sys.exit(f"Set {KEPT} to the folder that is to hold the compiled kernels.")
    started = time.perf_counter()
    sys.stdout.write("Compiling the planner's kernels; this takes half a minute or so.\n")
    sys.stdout.flush()
    warm()
    sys.stdout.write(f"Compiled in {time.perf_counter() - started:.1f} s, into {folder}.\n")


if __name__ == "__main__":
    main()
