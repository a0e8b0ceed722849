"""The chart's Redis without its container: the same script and configuration, on this machine."""

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import redis
from tests.cluster.api import Manifest
from tests.cluster.components import Component, free_ports
from tests.cluster.places import SetupError
from tests.cluster.redis_server import answers, find_redis
from tests.cluster.sessions import Session, open_session

PASSWORDS: Final = {"operator-password": "of the operator", "gateway-password": "of a gateway"}
START_TIMEOUT_SECONDS: Final = 15.0


class ChartRedis:
    """A Redis with the chart's users. A context manager; it keeps nothing."""

    def __init__(self, files: Manifest) -> None:
        program = find_redis()
        self._session: Session = open_session("chart-redis")
        folder = self._session.folder
        (self.port,) = free_ports(1)
        self.knows_keys_by_direction = version_of(program) >= (7, 0)
        for name, password in PASSWORDS.items():
            (folder / name).write_text(password)
        script = str(files["start.sh"])
        if not self.knows_keys_by_direction:
            script = script.replace("%W~", "~").replace("%R~", "~")
        (folder / "start.sh").write_text(script)
        configuration = str(files["redis.conf"])
        configuration = configuration.replace("port 6379", f"port {self.port}")
        configuration = configuration.replace("bind * -::*", "bind 127.0.0.1")
        configuration = configuration.replace("dir /data", f"dir {folder}/")
        # Sessions know their processes by the folder in the command line.
        (folder / "redis.conf").write_text(configuration + "\nset-proc-title no\n")
        settings = {
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PASSWORDS": folder,
            "CONFIG": folder / "redis.conf",
            "USERS": folder / "users.acl",
        }
        words = [*(f"{name}={value}" for name, value in settings.items()), "sh"]
        self._component = Component(
            Path("/usr/bin/env"), [*words, str(folder / "start.sh")], folder, standing=False
        )

    def __enter__(self) -> Self:
        """Start it, and wait until it answers whoever asks."""
        self._component.start()
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while not answers(self.port):
            if not self._component.is_alive() or time.monotonic() > give_up_at:
                words = self._component.last_words()
                self.__exit__(None, None, None)
                message = f"The chart's Redis did not start:\n{words}"
                raise SetupError(message)
            time.sleep(0.02)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it and delete what it wrote."""
        self._component.end()
        self._session.release()

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self, user: str = "") -> redis.Redis:
        """A client that logs in as `operator` or `gateway`, or not at all."""
        if not user:
            return redis.Redis.from_url(self.url)
        password = PASSWORDS[f"{user}-password"]
        return redis.Redis.from_url(self.url, username=user, password=password)


def version_of(program: Path) -> tuple[int, int]:
    """Major and minor version of a redis-server."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    major, minor = answer.stdout.partition("v=")[2].split(".")[:2]
    return int(major), int(minor)
