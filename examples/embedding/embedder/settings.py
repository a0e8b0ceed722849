"""What can be set about the server: environment variables, checked before anything starts."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MICROSECONDS_KEYS = ("cpu.cfs_quota_us", "cpu.cfs_period_us")


class BadSettingError(Exception):
    """A setting cannot be used; the message says which, and what to write instead."""


def allowed_threads(cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Give the threads for the model: the CPU limit rounded down, at least 1.

    What the limit has beyond that is left to what goes in and out.
    """
    processors = len(os.sched_getaffinity(0))
    limit = cpu_limit(cgroups)
    return processors if limit is None else max(1, min(processors, math.floor(limit)))


def cpu_limit(cgroups: Path) -> float | None:
    """Read a container's CPU limit, in processors, from its cgroup (2 or 1); None without one."""
    try:
        quota, period = (cgroups / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota, period = (
                (cgroups / "cpu" / key).read_text(encoding="ascii").strip()
                for key in MICROSECONDS_KEYS
            )
        except OSError:
            return None
    if quota in {"max", "-1"}:
        return None
    return int(quota) / int(period)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server listens, how much it takes at once, and how it stops."""

    host: str = "0.0.0.0"  # noqa: S104 - a pod is reached from outside itself
    port: int = 8080
    model_folder: Path = Path("/opt/model")
    # The processors the model may use at once; more threads than the limit only wait in turn.
    threads: int = field(default_factory=allowed_threads)
    # After SIGTERM: for so long requests are taken, on new connections too.
    drain_seconds: float = 10.0
    # After that: for so long a request that is being answered may go on.
    finish_seconds: float = 20.0
    max_texts: int = 64
    max_body_bytes: int = 1 << 20
    # Requests that wait for the model or are in it; one more is told to come back (503).
    max_waiting: int = 64
    # Who answered, for a client that counts: a pod's name is its host name.
    server_name: str = field(default_factory=lambda: os.uname().nodename)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings; raises BadSettingError with one sentence."""
        defaults = cls()
        return cls(
            host=environment.get("EMBEDDER_HOST", defaults.host),
            port=_whole(environment, "EMBEDDER_PORT", defaults.port, most=65_535),
            model_folder=Path(environment.get("EMBEDDER_MODEL", str(defaults.model_folder))),
            threads=_whole(environment, "EMBEDDER_THREADS", defaults.threads, least=1, most=256),
            drain_seconds=_seconds(environment, "EMBEDDER_DRAIN_SECONDS", defaults.drain_seconds),
            finish_seconds=_seconds(
                environment, "EMBEDDER_FINISH_SECONDS", defaults.finish_seconds
            ),
            max_texts=_whole(environment, "EMBEDDER_MAX_TEXTS", defaults.max_texts, least=1),
            max_body_bytes=_whole(
                environment, "EMBEDDER_MAX_BODY_BYTES", defaults.max_body_bytes, least=1
            ),
            max_waiting=_whole(environment, "EMBEDDER_MAX_WAITING", defaults.max_waiting, least=1),
            server_name=environment.get("POD_NAME", defaults.server_name),
        )


def _whole(
    environment: Mapping[str, str], name: str, default: int, *, least: int = 0, most: int = 1 << 30
) -> int:
    written = environment.get(name)
    if written is None:
        return default
    if written.isascii() and written.isdigit() and least <= int(written) <= most:
        return int(written)
    message = f"{name} is {written!r}; write a whole number from {least} to {most}."
    raise BadSettingError(message)


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    written = environment.get(name)
    if written is None:
        return default
    try:
        seconds = float(written)
    except ValueError:
        seconds = math.nan
    if 0 <= seconds <= 3_600:  # noqa: PLR2004 - an hour; not a number fails this too
        return seconds
    message = f"{name} is {written!r}; write seconds, from 0 to 3600, such as 10."
    raise BadSettingError(message)
