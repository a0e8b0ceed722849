"""`make bench-embedding`: what the example's server does on this machine; see embedder.measure."""

import subprocess
import sys

from tests.cluster.embedding import ready
from tests.cluster.places import CHECKOUT, SetupError
from tests.cluster.progress import say

RESULT = CHECKOUT / "build" / "embedding.json"


def main(arguments: list[str]) -> int:
    """Run the example's own measurement in the example's own environment."""
    try:
        environment = ready().environment()
    except SetupError as error:
        say(str(error))
        return 1
    command = [sys.executable, "-m", "embedder.measure", "--out", str(RESULT), *arguments]
    status = subprocess.run(command, env=environment, check=False).returncode
    if status == 0:
        say(f"All of it: {RESULT.relative_to(CHECKOUT)}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
