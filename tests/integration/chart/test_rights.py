"""What the chart grants is what the operator uses, as the API server's audit log shows it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import yaml
from tests.cluster.api import Api, Manifest, RefusedError
from tests.cluster.control_plane import ControlPlane, kubeconfig
from tests.cluster.places import CHECKOUT
from tests.e2e.audit import FORBIDDEN, Permission, Request, granted_by, request_of
from tests.integration.chart.chart_redis import PASSWORDS, ChartRedis
from tests.integration.chart.release import NAMESPACE, Installer, one, rendered
from tests.integration.chart.test_install import served
from tests.integration.fleet_manifests import a_pod, a_policy, a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_deployment

from idlewatt_operator.gateways.kubernetes.vehicle_list import API_VERSION

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:idlewatt"
TOKEN = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/idlewatt/token"

IDLEWATT = (sys.executable, "-m", "idlewatt_operator")
DRIVER = "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied"

# Granted, and not seen in the scenario below; each with its reason.
SELDOM: dict[Permission, str] = {
    ("get", "", "pods"): "a binding whose answer was lost is settled by asking for the pod",
    (
        "patch",
        "events.k8s.io",
        "events",
    ): "an event is said again after five minutes, and counts up",
    ("create", "admission.idlewatt.dev", "vehiclelists"): "an apply that makes the object is a "
    "patch in the log, and has to be allowed as both",
}

PARKED = {
    "Idlewatt.Power": "Awake",
    "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 90,
    "Vehicle.Powertrain.Transmission.IsParkLockEngaged": True,
    DRIVER: False,
    "Idlewatt.Parking.Since": "2026-01-01T00:00:00Z",
    "OCPP.TransactionEvent.transactionInfo.chargingState": "SuspendedEV",
    "Idlewatt.Connection.Site": "depot",
    "Idlewatt.Connection.Circuit": "main",
    "OCPP.MeterValues.Power.Active.Import": 0,
}


class Cars:
    """Three parked cars that report to Redis as a gateway would, until told otherwise."""

    def __init__(self, server: ChartRedis) -> None:
        self.facts: dict[str, dict[str, Any]] = {name: {} for name in ("v-1", "v-2", "v-3")}
        self._client = server.client("gateway")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._report, daemon=True)

    def __enter__(self) -> Self:
        """Begin to report."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Report no more."""
        self._over.set()
        self._thread.join()
        self._client.close()

    def _report(self) -> None:
        while not self._over.wait(1):
            at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            for name, facts in self.facts.items():
                data = json.dumps({**PARKED, **facts})
                fields: dict[Any, Any] = {"vehicle": name, "observedAt": at, "data": data}
                self._client.xadd("idlewatt:telemetry", fields)


class Operator:
    """`idlewatt run` as the Deployment runs it, with its account's token and its environment."""

    def __init__(self, plane: ControlPlane, deployment: Manifest, folder: Path) -> None:
        self._plane = plane
        self._container = deployment["spec"]["template"]["spec"]["containers"][0]
        self._folder = folder

    @contextlib.contextmanager
    def running(self, **changed: str) -> Iterator[Path]:
        """Run it; give the path of its log. It has to end well."""
        log = self._folder / "operator.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [*IDLEWATT, *self._container["args"], "--kubeconfig", str(self._kubeconfig())],
                cwd=CHECKOUT,
                env={**os.environ, **self._environment(), **changed},
                stdout=output,
                stderr=output,
            )
            try:
                yield log
            finally:
                process.send_signal(signal.SIGTERM)
                status = process.wait(60)
        assert status == 0, log.read_text()

    def _environment(self) -> dict[str, str]:
        return {each["name"]: self._value(each) for each in self._container["env"]}

    def _value(self, variable: Manifest) -> str:
        if "value" in variable:
            return str(variable["value"])
        source = variable["valueFrom"]
        if "fieldRef" in source:
            path = source["fieldRef"]["fieldPath"]
            return {"metadata.name": "idlewatt-0", "metadata.namespace": NAMESPACE}[path]
        return PASSWORDS[source["secretKeyRef"]["key"]]

    def _kubeconfig(self) -> Path:
        wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self._plane.api.request("POST", TOKEN, wish)["status"]["token"]
        own = yaml.safe_load(self._plane.kubeconfig.read_text())["clusters"][0]["cluster"]
        path = self._folder / "kubeconfig"
        path.touch(mode=0o600)
        path.write_text(kubeconfig(self._plane.url, token, Path(own["certificate-authority"])))
        return path


def test_what_is_granted_is_what_is_used(
    plane: ControlPlane, installer: Installer, tmp_path: Path
) -> None:
    """Binding, waking, draining and giving up: nothing is forbidden, and nothing is left over."""
    installer.install()
    served(plane)
    files = plane.api.get("ConfigMap", "idlewatt-redis", NAMESPACE)["data"]
    deployment = plane.api.get("Deployment", "idlewatt", NAMESPACE)
    began = time.time()
    with ChartRedis(files) as server, Cars(server) as cars:
        operator = Operator(plane, deployment, tmp_path)
        with operator.running(IDLEWATT_REDIS_URL=server.url, IDLEWATT_LISTEN="127.0.0.1:0") as log:
            day = Day(plane, cars, log)
            day.begin()
            day.an_owner_gets_in()
            day.a_budget_stands_against_it()
            day.a_link_is_cut()
    asked = requests_of(plane, ACCOUNT, began)
    forbidden = {each.permission for each in asked if each.status == FORBIDDEN}
    assert forbidden == set()
    used = {each.permission for each in asked}
    granted = rights(plane.api)
    assert used - granted == set()
    assert granted - used == SELDOM.keys()


def test_the_page_without_helm_grants_the_same(home: Path) -> None:
    """Who installs by hand grants what the chart does, but for what the chart alone needs."""
    page = (CHECKOUT / "docs" / "howto" / "run-the-operator.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml$(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    shown = one(yaml.safe_load_all(block), "ClusterRole")
    chart = rendered(home, {"admissionPolicy": {"enabled": False}}, only=["clusterrole.yaml"])
    assert shown["rules"] == one(chart, "ClusterRole")["rules"]


def test_vehicles_are_in_no_role_that_everybody_has(plane: ControlPlane, home: Path) -> None:
    """Who may see or change a namespace's workloads learns nothing of who is away when."""
    plane.apply_definitions()
    plane.api.apply(a_vehicle(), *rendered(home, only=["peopleroles.yaml", "clusterrole.yaml"]))
    people = {role: plane.api.acting_as(role) for role in ("view", "edit", "admin")}
    for role, person in people.items():
        grant(plane.api, role, role)
        plane.wait_until(partial(can, person, "Pod"), f"{role} is granted")
        assert not can(person, "VehicleNode")
        assert not can(person, "ParkingSite")
    viewer = plane.api.acting_as("viewer")
    grant(plane.api, "viewer", "idlewatt-viewer")
    plane.wait_until(lambda: can(viewer, "VehicleNode"), "who is granted it may see them")
    with pytest.raises(RefusedError, match="cannot delete"):
        viewer.delete("VehicleNode", "v-1")


def grant(api: Api, user: str, role: str) -> None:
    """Bind a user to a ClusterRole."""
    group = "rbac.authorization.k8s.io"
    api.apply(
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": f"idlewatt-test-{user}"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        }
    )


def can(api: Api, kind: str) -> bool:
    """Whether this user may list a kind."""
    try:
        api.list(kind)
    except RefusedError:
        return False
    return True


def requests_of(plane: ControlPlane, user: str, since: float) -> list[Request]:
    """What this user asked for, as the API server wrote it down."""
    lines = plane.audit_log.read_text(encoding="utf-8").splitlines()
    found = (request_of(json.loads(line)) for line in lines)
    return [each for each in found if each and each.user == user and each.at > since]


def rights(api: Api) -> set[Permission]:
    """All that the operator's roles grant."""
    cluster_wide = api.get("ClusterRole", "idlewatt")["rules"]
    version = "rbac.authorization.k8s.io/v1"
    own = api.get("Role", "idlewatt", NAMESPACE, api_version=version)["rules"]
    return granted_by([*cluster_wide, *own])


class Day:
    """A day of three cars with one service, step by step."""

    def __init__(self, plane: ControlPlane, cars: Cars, log: Path) -> None:
        self.plane = plane
        self.cars = cars
        self.log = log

    def wait(self, true: Callable[[], bool], what: str) -> None:
        """Wait until it is so; where it never is, the operator's last words are shown."""
        try:
            self.plane.wait_until(true, what, 120)
        except AssertionError as error:
            message = f"{error}\n{self.log.read_text()[-3000:]}"
            raise AssertionError(message) from None

    def pods(self) -> list[Manifest]:
        """The service's pods that are bound and stay."""
        pods = self.plane.api.list("Pod", "default", labelSelector="app=a")
        bound = [pod for pod in pods if pod["spec"].get("nodeName")]
        return [pod for pod in bound if "deletionTimestamp" not in pod["metadata"]]

    def on(self, car: str) -> list[Manifest]:
        """Those on a car."""
        return [pod for pod in self.pods() if pod["spec"]["nodeName"] == car]

    def runs(self) -> bool:
        """Whether all three run."""
        return [pod["status"]["phase"] for pod in self.pods()] == ["Running"] * 3

    def car_in_use(self) -> str:
        """A car with pods."""
        return str(self.pods()[0]["spec"]["nodeName"])

    def listed(self) -> list[str]:
        """The names that the admission policy knows."""
        lists = self.plane.api.list("VehicleList", api_version=API_VERSION)
        return [name for each in lists for name in each["names"]]

    def begin(self) -> None:
        """Pods are bound, one that cannot be is told why, and the vehicles are listed."""
        api = self.plane.api
        self.plane.create_nodes(*self.cars.facts)
        policy = a_policy(60)
        policy["spec"] |= {
            "staleDrainSeconds": 5,
            "idleBeforeStartSeconds": 0,
            "departuresRef": {"namespace": NAMESPACE, "name": "idlewatt-departures"},
        }
        vehicles = [a_vehicle(name, parkingWindows=ALWAYS) for name in self.cars.facts]
        bare = a_pod("bare")
        bare["metadata"]["labels"] = {"app": "bare"}
        api.apply(policy, a_site(), a_tariff(), *vehicles, a_deployment(3), bare)
        self.wait(self.runs, "three pods run")
        self.wait(
            lambda: "allow-loss" in str(api.get("Pod", "bare", "default")["status"]),
            "the bare pod is told why it waits",
        )
        self.wait(lambda: self.listed() == [*self.cars.facts], "the vehicles are listed")
        self.wait(lambda: "taints" in api.get("Node", "v-1")["spec"], "the car is tainted")

    def an_owner_gets_in(self) -> None:
        """The car is vacated at once."""
        car = self.car_in_use()
        self.cars.facts[car] = {DRIVER: True}
        self.wait(lambda: not self.on(car), f"{car} is vacated")
        self.wait(self.runs, "its pods run elsewhere")
        self.cars.facts[car] = {}

    def a_budget_stands_against_it(self) -> None:
        """An owner who gets in is not kept waiting by a disruption budget."""
        budget = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "b", "namespace": "default"},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "a"}}},
        }
        self.plane.api.apply(budget)
        self.wait(
            lambda: bool(
                self.plane.api.get("PodDisruptionBudget", "b", "default")
                .get("status", {})
                .get("expectedPods")
            ),
            "the budget holds",
        )
        self.an_owner_gets_in()

    def a_link_is_cut(self) -> None:
        """The pods of a lost car are given up, and others run in their place."""
        car = self.car_in_use()
        self.plane.cut_link(car)
        self.wait(lambda: not self.on(car), f"the pods on {car} are given up")
        self.wait(self.runs, "others run in their place")
        kept = self.plane.api.get("VehicleNode", car)["metadata"].get("annotations", {})
        assert "idlewatt.dev/given-up" in kept
