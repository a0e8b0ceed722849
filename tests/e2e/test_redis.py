"""Redis goes away, comes back, and comes back empty: nobody is drained for it."""

import time

from tests.e2e import release, workloads
from tests.e2e.stage import Stage

POD = "idlewatt-redis-0"
APP = "undisturbed"


def redis(cars: Stage) -> tuple[str, int]:
    """The UID of Redis' pod, and how often its container was started again; empty: not Ready."""
    pods = cars.api.list(
        "Pod", release.NAMESPACE, labelSelector="app.kubernetes.io/component=redis"
    )
    for pod in pods:
        statuses = pod["status"].get("containerStatuses", [])
        if statuses and statuses[0]["ready"] and "deletionTimestamp" not in pod["metadata"]:
            return pod["metadata"]["uid"], int(statuses[0]["restartCount"])
    return "", 0


def place(cars: Stage, app: str, replicas: int = 1) -> None:
    """Place pods on the car that can be reached for sure."""
    cars.allow(app, cars.other)
    cars.place(workloads.a_deployment(app, replicas, held=True), cars.other)


def still_there(cars: Stage, uids: set[str]) -> None:
    """The same containers run, nobody was asked to leave, and a new pod is placed."""
    running = cars.witness.running(workloads.NAMESPACE, APP)
    assert {span.container.pod_uid for span in running} == uids
    assert cars.told("Draining", APP) == []


def test_redis_is_restarted_and_emptied(cars: Stage) -> None:
    """What runs goes on; new pods are placed as soon as it answers, though it knows nothing."""
    place(cars, APP, 2)
    uids = {span.container.pod_uid for span in cars.witness.running(workloads.NAMESPACE, APP)}

    uid, restarts = redis(cars)
    killed = time.time()
    cars.signal(POD, "KILL", container="redis")
    cars.wait(lambda: redis(cars) == (uid, restarts + 1), "Redis is back", 90)
    place(cars, "after-restart")
    cars.figures.note("Redis killed: next pod placed after (s)", time.time() - killed)
    still_there(cars, uids)

    emptied = time.time()
    cars.on_control_plane("find", release.VOLUME_FOLDER, "-mindepth", "1", "-delete")
    cars.api.delete("Pod", POD, release.NAMESPACE)
    cars.wait(lambda: redis(cars)[0] not in {"", uid}, "another Redis is there, empty", 120)
    place(cars, "after-loss")
    cars.figures.note("Redis back empty: next pod placed after (s)", time.time() - emptied)
    still_there(cars, uids)
