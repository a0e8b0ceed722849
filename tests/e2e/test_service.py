"""Two replicas of a model behind a Service lose no request while their cars are drained in turn."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.cluster.api import Manifest
from tests.cluster.places import CHECKOUT
from tests.e2e.stage import Stage

FOLDER = CHECKOUT / "examples" / "embedding"
NAMESPACE = "default"
APP = "embedding"
RATE = 6
LOAD_SECONDS = 600  # it is ended before
UNDER_WAY = {"Pending", "Running"}
CPU = "700m"  # so that both fit one of two cars while the third is away


@pytest.fixture
def service(cars: Stage) -> Iterator[Stage]:
    """Give the service as the example has it, one replica on each car; it is deleted afterwards."""
    image = cars.embedding.result(timeout=300)
    deployment, *rest = manifests(image)
    deployment["spec"]["replicas"] = 1
    cars.cars.set(cars.other, occupied=True)
    cars.api.apply(deployment, *rest)
    cars.wait(lambda: cars.ready_on(APP, NAMESPACE) == {cars.near: 1}, "one replica answers", 120)
    cars.cars.set(cars.other, occupied=False)
    cars.cars.set(cars.near, temperature=-9)  # too cold for more, and no reason to leave
    cars.api.patch("Deployment", APP, {"spec": {"replicas": 2}}, NAMESPACE)
    cars.wait(lambda: cars.ready_on(APP, NAMESPACE) == each_one(cars), "both answer", 120)
    cars.cars.set(cars.near, temperature=21)
    yield cars
    for manifest in (deployment, *rest, a_client(image)):
        cars.kubectl(
            "delete", "--ignore-not-found", "--wait=false", "-f", "-", given=json.dumps(manifest)
        )


def test_no_request_is_lost(service: Stage) -> None:
    """A client inside the cluster counts every request while one car leaves, then the other."""
    cars = service
    cars.api.apply(a_client(cars.embedding.result()))
    cars.wait(lambda: "answered" in client_log(cars), "the client is being answered", 60)

    for leaving, staying in ((cars.near, cars.other), (cars.other, cars.near)):
        caused = cars.cars.set(leaving, departure="+70s")
        cars.wait(
            lambda leaving=leaving: (
                leaving not in cars.ready_on(APP, NAMESPACE)  # type: ignore[misc]
                and not running_on(cars, leaving)
            ),
            f"{leaving} is vacated",
            80,
        )
        ended = max(
            span.ended or 0.0
            for span in cars.witness.spans(NAMESPACE, APP)
            if span.vehicle == leaving
        )
        cars.figures.note(f"service: {leaving} vacated after (s)", ended - caused)
        cars.wait(
            lambda staying=staying: cars.ready_on(APP, NAMESPACE) == {staying: 2},  # type: ignore[misc]
            "both answer on the other car",
            60,
        )
        cars.cars.set(leaving, departure=None)

    counted = finished(cars)
    cars.figures.note("service: requests answered", counted["answered"])
    cars.figures.note("service: requests lost", counted["failed"])
    cars.figures.note("service: latency, median (ms)", float(counted["latency_ms"]["median"]))
    assert counted["failed"] == 0
    assert counted["answered"] > 100


def manifests(image: str) -> list[Manifest]:
    """The example's Deployment, Service and PodDisruptionBudget, each replica a little smaller."""
    found = [
        yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in ("deployment", "service", "pdb")
    ]
    (container,) = found[0]["spec"]["template"]["spec"]["containers"]
    container["image"] = image
    for kind in ("requests", "limits"):
        container["resources"][kind]["cpu"] = CPU
    return found


def a_client(image: str) -> Manifest:
    """The example's client, as a pod on the control plane's node: it is on none of the cars."""
    key = "node-role.kubernetes.io/control-plane"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "client", "namespace": NAMESPACE},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "nodeSelector": {key: ""},
            "tolerations": [{"key": key, "operator": "Exists"}],
            "containers": [
                {
                    "name": "client",
                    "image": image,
                    "command": [
                        "python3",
                        "-m",
                        "embedder.load",
                        f"http://{APP}.{NAMESPACE}.svc:8080",
                        f"--rate={RATE}",
                        f"--seconds={LOAD_SECONDS}",
                    ],
                }
            ],
        },
    }


def each_one(cars: Stage) -> dict[str, int]:
    """One replica on each of the two cars."""
    return {cars.near: 1, cars.other: 1}


def running_on(cars: Stage, vehicle: str) -> bool:
    """Whether containerd shows a replica there."""
    return any(span.vehicle == vehicle for span in cars.witness.running(NAMESPACE, APP))


def client_log(cars: Stage) -> str:
    """What the client said so far."""
    return cars.kubectl("-n", NAMESPACE, "logs", "client", "--ignore-errors")


def finished(cars: Stage) -> dict[str, Any]:
    """End the client as its help says, and read what it counted."""
    cars.signal("client", "TERM", namespace=NAMESPACE)
    cars.wait(
        lambda: cars.api.get("Pod", "client", NAMESPACE)["status"]["phase"] not in UNDER_WAY,
        "the client has ended",
    )
    lines = [line for line in client_log(cars).splitlines() if line.startswith("{")]
    counted: dict[str, Any] = json.loads(lines[-1])
    return counted
