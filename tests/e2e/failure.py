"""What is kept of a cluster where a test failed: enough to see why without running it again."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.e2e import release
from tests.e2e.stage import BUILD, Stage

FOLDER: Final = BUILD / "failure"
TAIL_LINES: Final = 400
SELECTOR: Final = "app.kubernetes.io/name=idlewatt"


def keep(stage: Stage, test: str) -> Path:
    """Write everything into a folder of the test's name; give the folder."""
    folder = FOLDER / test.rpartition("::")[2].partition("[")[0]
    folder.mkdir(parents=True, exist_ok=True)
    for name, ask in _questions(stage):
        try:
            text = ask()
        except Exception as error:  # noqa: BLE001 - the others are still worth asking
            text = f"could not be asked: {error}"
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _questions(stage: Stage) -> Iterator[tuple[str, Callable[[], str]]]:
    kubectl = stage.kubectl
    ours = ("-n", release.NAMESPACE)
    tail = f"--tail={TAIL_LINES}"
    yield "pods.txt", lambda: kubectl("get", "pods", "-A", "-o", "wide")
    yield "nodes.txt", lambda: kubectl("describe", "nodes")
    yield "events.txt", lambda: kubectl("get", "events", "-A", "--sort-by=.lastTimestamp")
    yield "vehicles.yaml", lambda: kubectl("get", "vn,site,tariff,policy", "-o", "yaml")
    yield "workloads.yaml", lambda: kubectl("get", "pods,rs", "-n", "e2e", "-o", "yaml")
    yield "cars.txt", stage.cars.show
    for pod in stage.operators():
        name = pod["metadata"]["name"]
        yield f"{name}.log", lambda name=name: kubectl(*ours, "logs", name, tail)  # type: ignore[misc]
        yield (
            f"{name}-previous.log",
            lambda name=name: kubectl(*ours, "logs", name, "--previous", tail),  # type: ignore[misc]
        )
    yield "redis.log", lambda: kubectl(*ours, "logs", "statefulset/idlewatt-redis", tail)
    yield "cars.log", lambda: kubectl(*ours, "logs", "deploy/cars", tail)
    yield "containers.txt", lambda: "\n".join(map(str, stage.witness.spans()))
    for vehicle, node in stage.nodes.items():
        yield f"{vehicle}-journal.txt", lambda node=node: _journal(node)  # type: ignore[misc]


def _journal(node: str) -> str:
    command = ["docker", "exec", node, "journalctl", "--no-pager", "-n", str(TAIL_LINES)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
