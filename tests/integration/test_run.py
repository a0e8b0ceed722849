"""`idlewatt run` as a person starts it: what it says when it cannot, and what it leaves alone."""

import os
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT
from tests.integration.fleet_manifests import Manifest, a_pod, a_site, a_tariff, a_vehicle

ALWAYS = [{"name": "always", "siteRef": {"name": "depot"}, "start": "00:00", "end": "00:00"}]


def idlewatt_run(*arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "-m", "idlewatt_operator", "run", *arguments],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def await_words(process: subprocess.Popen[str]) -> None:
    """Wait until a dry run has written something: on a busy machine that takes a while."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 60)
    assert ready, "It said nothing."


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a process that ends by itself."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def a_report(at: datetime) -> Manifest:
    """A status as a gateway other than ours would have written it."""
    observed = {"observedAt": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "quality": "Good"}
    return {
        "power": "Awake",
        "battery": {"stateOfChargePercent": 85, **observed},
        "parking": {
            "parked": True,
            "occupied": False,
            "since": "2026-01-01T00:00:00Z",
            **observed,
        },
        "connection": {
            "siteRef": {"name": "depot"},
            "circuit": "main",
            "supply": "Supplied",
            "chargePowerWatts": 0,
            **observed,
        },
    }


def a_deployment(replicas: int = 2) -> Manifest:
    """A Deployment whose pods are ours."""
    pod = a_pod()
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "svc", "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "a"}},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": pod["spec"]},
        },
    }


@pytest.fixture
def fleet(cluster: ControlPlane) -> ControlPlane:
    """One vehicle that just reported, in its status, and a Deployment of two pods."""
    cluster.apply_definitions()
    cluster.create_nodes("v-1")
    cluster.api.apply(a_site(), a_tariff(), a_vehicle(parkingWindows=ALWAYS), a_deployment())
    report_now(cluster)
    cluster.wait_until(lambda: len(cluster.api.list("Pod", "default")) == 2, "pods are made")
    return cluster


def report_now(cluster: ControlPlane) -> None:
    """The vehicle reports again."""
    status = {"status": a_report(datetime.now(UTC))}
    cluster.api.patch("VehicleNode", "v-1", status, subresource="status")


def conditions_of(cluster: ControlPlane, kind: str, name: str = "depot") -> list[Manifest]:
    """The conditions of an object."""
    found: list[Manifest] = cluster.api.get(kind, name).get("status", {}).get("conditions", [])
    return found


def versions(cluster: ControlPlane) -> dict[str, str]:
    """The version of everything that the operator might write."""
    kinds = (
        ("Pod", "default"),
        ("Node", ""),
        ("VehicleNode", ""),
        ("ParkingSite", ""),
        ("EnergyTariff", ""),
    )
    found = {
        f"{kind}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
        for kind, namespace in kinds
        for each in cluster.api.list(kind, namespace)
    }
    events = cluster.api.list("Event", "default", api_version="events.k8s.io/v1")
    ours = [each for each in events if each.get("reportingController", "").startswith("idlewatt")]
    return {**found, "events": str(len(ours))}


def test_without_a_kubeconfig_a_sentence_says_so() -> None:
    """No trace, exit status 1, and what to do."""
    status, _, err = ended(idlewatt_run("--kubeconfig", "/nowhere/config"))
    assert status == 1
    assert err.startswith("idlewatt: There is no kubeconfig at /nowhere/config; name one with")


def test_without_a_cluster_a_sentence_says_so(tmp_path: Path) -> None:
    """A kubeconfig that leads nowhere."""
    config = tmp_path / "config"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        'clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]\n'
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
    )
    status, _, err = ended(idlewatt_run("--kubeconfig", str(config)))
    assert status == 1
    assert "The cluster cannot be reached." in err
    assert "Traceback" not in err


def test_without_the_definitions_a_sentence_says_so(cluster: ControlPlane) -> None:
    """The cluster is there and does not know our kinds."""
    for definition in cluster.api.list("CustomResourceDefinition"):
        cluster.api.delete("CustomResourceDefinition", definition["metadata"]["name"])
    kind = "CustomResourceDefinition"
    cluster.wait_until(lambda: not cluster.api.list(kind), "the definitions are gone")
    status, _, err = ended(idlewatt_run("--kubeconfig", str(cluster.kubeconfig)))
    assert status == 1
    assert "apply them with `kubectl apply -f crds/` first" in err


def test_older_definitions_are_refused(cluster: ControlPlane) -> None:
    """The cluster's definitions are those of an operator before this one."""
    cluster.apply_definitions()
    name, annotation = "vehiclenodes.idlewatt.dev", "idlewatt.dev/schema-version"
    older = {"metadata": {"annotations": {annotation: "0"}}}
    cluster.api.patch("CustomResourceDefinition", name, older)
    try:
        status, _, err = ended(idlewatt_run("--kubeconfig", str(cluster.kubeconfig)))
    finally:
        cluster.apply_definitions()
    assert status == 1
    assert f"The definition {name} is too old: its {annotation} is 0" in err
    assert "`kubectl apply -f crds/`" in err


def test_what_is_no_redis_is_named_as_such(fleet: ControlPlane) -> None:
    """An address that is none ends in a sentence."""
    process = idlewatt_run("--kubeconfig", str(fleet.kubeconfig), "--redis-url", "ftp://x")
    status, _, err = ended(process)
    assert status == 1
    assert "The address of Redis cannot be used: It is none; write redis://HOST:6379/0" in err
    assert "Traceback" not in err


def test_a_password_on_the_command_line_is_refused() -> None:
    """Everybody on the machine could read it; it is not repeated either."""
    process = idlewatt_run("--redis-url", "redis://operator:s3cret@127.0.0.1:1/0")
    status, _, err = ended(process)
    assert status == 2
    assert "IDLEWATT_REDIS_PASSWORD" in err
    assert "s3cret" not in err


def test_a_dry_run_shows_the_plan_and_writes_nothing_at_all(
    fleet: ControlPlane, redis_url: str
) -> None:
    """Neither into the cluster nor into Redis; and SIGTERM ends it with status 0."""
    del redis_url
    time.sleep(2)  # what the controllers still write is written
    before = versions(fleet)
    process = idlewatt_run("--kubeconfig", str(fleet.kubeconfig), "--dry-run")
    await_words(process)
    time.sleep(8)  # for it to write something, if it did
    process.send_signal(signal.SIGTERM)
    status, out, err = ended(process)
    assert status == 0, err
    assert "default/svc-" in out
    assert "v-1" in out
    assert "2 pods bound. Nothing was written." in out
    after = versions(fleet)
    del before["Node/v-1"], after["Node/v-1"]  # its kubelet writes its heartbeat
    assert after == before


def test_without_redis_the_status_of_the_vehicles_is_the_source(fleet: ControlPlane) -> None:
    """Pods are bound on what the status says was observed, and that is left as it is."""
    process = idlewatt_run("--kubeconfig", str(fleet.kubeconfig))
    try:
        fleet.wait_until(
            lambda: all(pod["spec"].get("nodeName") for pod in fleet.api.list("Pod", "default")),
            "both pods are bound",
            60,
        )
        fleet.wait_until(
            lambda: fleet.api.get("VehicleNode", "v-1")["status"].get("pods") is not None,
            "the status is written",
        )
        fleet.wait_until(lambda: bool(conditions_of(fleet, "ParkingSite")), "the site is judged")
    finally:
        process.send_signal(signal.SIGTERM)
        status, _, err = ended(process)
    assert status == 0, err
    for each in conditions_of(fleet, "ParkingSite"):
        assert (each["status"], each["observedGeneration"]) == ("True", 1), each
    assert '"2 placed, 2 of 2 bound' in err
    shown = fleet.api.get("VehicleNode", "v-1")["status"]
    assert shown["battery"]["stateOfChargePercent"] == 85
    assert "compute" not in shown


def test_a_dry_run_leaves_redis_alone(fleet: ControlPlane, redis_url: str) -> None:
    """What vehicles reported is read, and no key is written."""
    with redis.Redis.from_url(redis_url) as client:
        client.xadd("idlewatt:telemetry", {"vehicle": "v-1", "data": "{}"})
        process = idlewatt_run(
            "--kubeconfig", str(fleet.kubeconfig), "--redis-url", redis_url, "--dry-run"
        )
        await_words(process)
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        status, out, _ = ended(process)
        assert status == 0
        assert "with stale telemetry" in out
        assert client.keys() == [b"idlewatt:telemetry"]
