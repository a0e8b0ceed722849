"""The operators are killed, stopped and upgraded while they bind: nothing is bound twice."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e import release, workloads
from tests.e2e.audit import Request
from tests.e2e.stage import Stage

LEASE_SECONDS = 15
STOPPED_SECONDS = 22  # longer than the Lease lasts, and less than liveness gives it
PODS_EACH = 2
WAVES = 10
WAVE_EVERY_SECONDS = 0.5
POWER_WATTS = 15


@contextmanager
def arriving(cars: Stage, app: str) -> Iterator[None]:
    """Let pods arrive two at a time while the block runs, so that it happens in the middle."""
    cars.api.apply(workloads.a_deployment(app, PODS_EACH, power_watts=POWER_WATTS))

    def grow() -> None:
        for wave in range(2, WAVES + 1):
            time.sleep(WAVE_EVERY_SECONDS)
            size = {"spec": {"replicas": wave * PODS_EACH}}
            cars.api.patch("Deployment", app, size, workloads.NAMESPACE)

    thread = threading.Thread(target=grow)
    thread.start()
    try:
        cars.wait(
            lambda: any(pod["spec"].get("nodeName") for pod in cars.pods(app)), "one is bound", 30
        )
        yield
    finally:
        thread.join()


def all_run(cars: Stage, app: str, seconds: float = 120) -> float:
    """Wait until every pod runs; give the time at which they did."""
    return cars.wait(
        lambda: sum(cars.ready_on(app).values()) == WAVES * PODS_EACH, f"all of {app} run", seconds
    )


def assert_each_bound_once(cars: Stage, app: str) -> list[Request]:
    """Whoever led: the API server took one Binding of each pod. Gives the Bindings."""
    bindings = [
        request
        for request in cars.requests()
        if request.resource == "pods/binding" and request.name.startswith(f"{app}-")
    ]
    taken = Counter(request.name for request in bindings if request.status < 300)
    assert len(taken) >= WAVES * PODS_EACH
    assert max(taken.values()) == 1
    return bindings


def test_the_leader_is_killed_in_the_middle(cars: Stage) -> None:
    """Another takes over and binds the rest; the kubelet starts a new one beside it."""
    app = "killed"
    cars.wait(cars.leader, "one leads")
    leader = cars.leader()
    with arriving(cars, app):
        killed = time.time()
        cars.signal(leader, "KILL")
    all_run(cars, app)
    bindings = assert_each_bound_once(cars, app)
    after = [each.at for each in bindings if each.at > killed and each.pod != leader]
    if after:
        cars.figures.note("leader killed: next bind by another after (s)", min(after) - killed)
    cars.wait(lambda: len(ready(cars)) == 2, "both operators are ready again", 120)


def test_the_leader_is_stopped_in_the_middle(cars: Stage) -> None:
    """Stopped for longer than its Lease and then woken, it writes nothing more, and starts anew."""
    app = "stopped"
    cars.wait(lambda: cars.leader() and len(ready(cars)) == 2, "one leads, one stands by", 120)
    leader = cars.leader()
    restarts = restarts_of(cars, leader)
    with arriving(cars, app):
        stopped = time.time()
        cars.signal(leader, "STOP")
    time.sleep(max(0.0, stopped + STOPPED_SECONDS - time.time()))
    assert cars.leader() not in {"", leader}
    woken = time.time()
    cars.signal(leader, "CONT")
    all_run(cars, app)
    cars.wait(lambda: restarts_of(cars, leader) > restarts, "it ended by itself", 60)
    ended = ended_at(cars, leader)

    bindings = assert_each_bound_once(cars, app)
    writes = [
        (each.verb, each.resource, each.name)
        for each in cars.requests()
        if each.pod == leader and each.writes and woken <= each.at <= ended
    ]
    # To ask for the Lease is no write of a decision, and is refused to whoever comes late.
    assert [each for each in writes if each[1] != "leases"] == []
    others = [each.at for each in bindings if each.pod != leader and each.at > stopped]
    assert others
    takeover = min(others) - stopped
    cars.figures.note("leader stopped: next bind by another after (s)", takeover)
    assert takeover <= LEASE_SECONDS + 15
    cars.wait(lambda: len(ready(cars)) == 2, "both operators are ready again", 120)


def ready(cars: Stage) -> list[str]:
    """The names of the operators that are Ready."""
    return [
        pod["metadata"]["name"]
        for pod in cars.operators()
        for each in pod["status"].get("conditions", [])
        if (each["type"], each["status"]) == ("Ready", "True")
    ]


def restarts_of(cars: Stage, pod: str) -> int:
    """How often its container was started again."""
    status = cars.api.get("Pod", pod, release.NAMESPACE)["status"]
    return int(status["containerStatuses"][0]["restartCount"])


def ended_at(cars: Stage, pod: str) -> float:
    """When its container last ended, by its kubelet; a second later, since that is rounded."""
    found = cars.kubectl("-n", release.NAMESPACE, "get", "pod", pod, "-o", "json")
    state = json.loads(found)["status"]["containerStatuses"][0]["lastState"]["terminated"]
    return cars.instant(state["finishedAt"]) + 1
