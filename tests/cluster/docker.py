"""The ``docker`` client: one call, its answer, and a sentence where it fails."""

import subprocess

from tests.cluster.places import SetupError
from tests.cluster.wheels import find_executable

ANSWER_TIMEOUT_SECONDS = 20.0
CALL_TIMEOUT_SECONDS = 300.0
# Everything of ours on an engine carries it, with what it is for as its value.
LABEL = "dev.idlewatt"


def answers() -> bool:
    """Tell whether a Docker engine answers, wherever the client's own settings look for it."""
    if find_executable("docker") is None:
        return False
    try:
        answer = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            timeout=ANSWER_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def docker(
    *arguments: str, given: str | bytes | None = None, timeout_seconds: float = CALL_TIMEOUT_SECONDS
) -> str:
    """Run one docker command and give what it writes. Raises SetupError with its own words."""
    asked = f"docker {' '.join(arguments[:3])}"
    try:
        answer = subprocess.run(
            ["docker", *arguments],
            input=given.encode() if isinstance(given, str) else given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except FileNotFoundError:
        message = "`docker` is not on the PATH."
        raise SetupError(message) from None
    except subprocess.TimeoutExpired:
        message = f"`{asked}` did not end within {timeout_seconds:.0f} s."
        raise SetupError(message) from None
    if answer.returncode != 0:
        said = answer.stderr.decode(errors="replace").strip()
        message = f"`{asked}` failed with exit status {answer.returncode}: {said[-2000:]}"
        raise SetupError(message)
    return answer.stdout.decode(errors="replace")


def image_exists(tag: str) -> bool:
    """Tell whether the engine has an image of this name."""
    return bool(docker("image", "ls", "--quiet", tag).strip())
