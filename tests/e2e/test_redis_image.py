"""The chart's Redis in the image it runs in: who may do what, with keys by direction."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.cluster.docker import LABEL, docker
from tests.cluster.images import redis_image
from tests.integration.chart.chart_redis import PASSWORDS
from tests.integration.chart.release import one, rendered

NAME: Final = f"idlewatt-redis-users-{os.getpid()}"
REFUSED: Final = "NOPERM"
STREAM: Final = "idlewatt:telemetry"
WISHES: Final = "idlewatt:wake"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run it as its pod does: nobody in particular, and nothing to write to but its data."""
    home = tmp_path_factory.mktemp("redis")
    files = one(rendered(home, only=["redis-configmap.yaml"]), "ConfigMap")["data"]
    mounts = {
        "/etc/redis": written(home / "etc", files),
        "/run/secrets/redis": written(home / "secrets", PASSWORDS),
    }
    hardened = ["--read-only", "--user", "999:999", "--cap-drop", "ALL", "--network", "none"]
    hardened += ["--security-opt", "no-new-privileges"]
    hardened += ["--tmpfs", "/run/redis:uid=999", "--tmpfs", "/data:uid=999"]
    for place, folder in mounts.items():
        hardened += ["--volume", f"{folder}:{place}:ro"]
    label = ["--label", f"{LABEL}=redis-users"]
    run = ["run", "--rm", "--detach", "--name", NAME, *label, *hardened, "--entrypoint", "sh"]
    docker(*run, redis_image(), "/etc/redis/start.sh")
    try:
        give_up_at = time.monotonic() + 30
        while "PONG" not in asked("", "PING") and time.monotonic() < give_up_at:
            time.sleep(0.1)
        yield NAME
    finally:
        docker("rm", "--force", NAME)


def written(folder: Path, files: dict[str, str]) -> Path:
    """Write files that anybody may read."""
    folder.mkdir()
    folder.chmod(0o755)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    return folder


def asked(user: str, *words: str) -> str:
    """Send a command as a user of the chart's Redis, or as nobody; its answer as text."""
    login = ["--user", user, "--pass", PASSWORDS[f"{user}-password"]] if user else []
    command = ["redis-cli", "--no-auth-warning", *login, *words]
    return docker("exec", NAME, "sh", "-c", '"$@" 2>&1 || true', "sh", *command).strip()


@pytest.mark.usefixtures("redis")
def test_a_gateway_reports_and_reads_wishes() -> None:
    """It may add to the stream of reports, and read the stream of wishes."""
    report = json.dumps({"Idlewatt.Power": "Awake"})
    assert REFUSED not in asked("gateway", "XADD", STREAM, "*", "vehicle", "v-1", "data", report)
    asked("operator", "XADD", WISHES, "*", "vehicle", "v-1")
    assert "v-1" in asked("gateway", "XREAD", "STREAMS", WISHES, "0")


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize(
    "words",
    [
        ("XREAD", "STREAMS", STREAM, "0"),
        ("XRANGE", STREAM, "-", "+"),
        ("XADD", WISHES, "*", "vehicle", "v-1"),
        ("HGETALL", "idlewatt:observed"),
        ("FLUSHALL",),
    ],
    ids=lambda words: words[0],
)
def test_a_gateway_learns_nothing_of_other_cars(words: tuple[str, ...]) -> None:
    """What was reported tells who is away: a gateway may not read it, nor wake a car."""
    assert REFUSED in asked("gateway", *words)


@pytest.mark.usefixtures("redis")
def test_a_probe_needs_no_password() -> None:
    """Without one Redis says that it lives, and nothing else."""
    assert asked("", "PING") == "PONG"
    assert REFUSED in asked("", "XLEN", STREAM)
    assert REFUSED in asked("", "INFO")
