"""Manifests mean the same offline as after a real API server has filled in its defaults."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.api import RefusedError
from tests.cluster.control_plane import ControlPlane

from idlewatt_operator.gateways.manifests.cluster import ManifestCluster, read_cluster
from idlewatt_operator.gateways.manifests.sources import read_sources
from idlewatt_scheduler.model.workload import Pod

CONTAINER = {"name": "c", "image": "llm:1"}


def asks(name: str, **resources: object) -> dict[str, Any]:
    """A container with these requests or limits."""
    return {"name": name, "image": "llm:1", "resources": resources}


PLAIN = {"schedulerName": "idlewatt", "containers": [CONTAINER]}

SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
TERM = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}
LABELS = {"app": "llm", "release": "blue"}

SPECS: dict[str, dict[str, Any]] = {
    "plain": {"containers": [CONTAINER]},
    "limits-only": {"containers": [asks("c", limits={"cpu": "2", "memory": "1Gi"})]},
    "limits-and-requests": {
        "containers": [asks("c", limits={"cpu": "2", "memory": "1Gi"}, requests={"cpu": "500m"})]
    },
    "extended": {"containers": [asks("c", limits={"nvidia.com/gpu": 1, "cpu": 0.5})]},
    "fine-fractions": {
        "containers": [
            asks("a", requests={"cpu": "500u", "memory": "100m"}),
            asks("b", requests={"cpu": "1500u", "memory": "1e3"}),
        ]
    },
    "sidecars": {
        "initContainers": [
            {**asks("s", requests={"cpu": "2"}), "restartPolicy": "Always"},
            asks("i", requests={"cpu": "4"}, limits={"memory": "2Gi"}),
            {**asks("t", requests={"cpu": "2"}), "restartPolicy": "Always"},
        ],
        "containers": [asks("c", requests={"cpu": "1"})],
    },
    "whole-pod": {
        "resources": {"requests": {"cpu": "5"}, "limits": {"memory": "2Gi"}},
        "containers": [asks("c", requests={"cpu": "1"})],
    },
    "host-network": {
        "hostNetwork": True,
        "containers": [{**CONTAINER, "ports": [{"containerPort": 80}]}],
    },
    "secret": {
        "containers": [{**CONTAINER, "envFrom": [{"secretRef": {"name": "s"}}]}],
        "volumes": [{"name": "v", "emptyDir": {"sizeLimit": 5}}],
    },
    "selectors": {
        "containers": [CONTAINER],
        "nodeSelector": {"disk": "ssd"},
        "priority": 0,
        "terminationGracePeriodSeconds": 90,
        "topologySpreadConstraints": [SPREAD],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]},
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "preference": TERM}
                ],
            }
        },
    },
    "spread": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [
            {
                **SPREAD,
                "minDomains": 2,
                "labelSelector": {"matchLabels": {"app": "llm"}},
                "matchLabelKeys": ["release", "absent"],
            },
            {**SPREAD, "topologyKey": "row", "labelSelector": {}},
            {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway", "matchLabelKeys": []},
        ],
    },
}


def read(tmp_path: Path, manifest: dict[str, Any]) -> ManifestCluster:
    """Read an object as `idlewatt plan` does."""
    file = tmp_path / "object.json"
    file.write_text(json.dumps(manifest), encoding="utf-8")
    return read_cluster(read_sources([str(file)]))


def create(cluster: ControlPlane, pod: dict[str, Any]) -> dict[str, Any]:
    """Give it to the API server as kubectl does, and take what it made of it."""
    query = {"fieldValidation": "Strict"}
    return cluster.api.request("POST", "/api/v1/namespaces/default/pods", pod, query=query)


def comparable(pod: Pod) -> Pod:
    """Leave out what only the API server can know, and what its admission adds."""
    return replace(pod, uid="", created_at=0, tolerations=())


@pytest.mark.parametrize("name", SPECS)
def test_a_pod_means_the_same_before_and_after_the_defaults(
    cluster: ControlPlane, tmp_path: Path, name: str
) -> None:
    """Requests, ports, graces and all: the API server's defaults change nothing of it."""
    written = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": LABELS},
        "spec": {"schedulerName": "idlewatt", "automountServiceAccountToken": False, **SPECS[name]},
    }
    offline = read(tmp_path, written)
    stored = read(tmp_path, create(cluster, written))
    assert (offline.mistakes, stored.mistakes) == ([], [])
    (before,), (after,) = offline.pods.values(), stored.pods.values()
    assert comparable(before.pod) == comparable(after.pod)


BAD: dict[str, dict[str, Any]] = {
    "no-containers": {"containers": []},
    "garbage-quantity": {"containers": [asks("c", requests={"cpu": "lots"})]},
    "negative-quantity": {"containers": [asks("c", requests={"cpu": "-1"})]},
    "misspelt": {"containers": [CONTAINER], "nodeSelectr": {"a": "b"}},
    "effect": {"containers": [CONTAINER], "tolerations": [{"key": "k", "effect": "NoShedule"}]},
    "operator": {"containers": [CONTAINER], "tolerations": [{"key": "k", "operator": "Is"}]},
    "keyless": {"containers": [CONTAINER], "tolerations": [{"operator": "Equal"}]},
    "spread": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "Sometimes"}],
    },
    "no-skew": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [{**SPREAD, "maxSkew": 0}],
    },
    "no-key": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [{**SPREAD, "topologyKey": ""}],
    },
    "no-domains": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [{**SPREAD, "minDomains": 0}],
    },
    "domains-anyway": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [
            {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}
        ],
    },
    "policy": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [{**SPREAD, "nodeAffinityPolicy": "Maybe"}],
    },
    "keys-of-nobody": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [{**SPREAD, "matchLabelKeys": ["app"]}],
    },
    "label-operator": {
        "containers": [CONTAINER],
        "topologySpreadConstraints": [
            {
                **SPREAD,
                "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Gt"}]},
            }
        ],
    },
    "too-heavy": {
        "containers": [CONTAINER],
        "affinity": {
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 101, "preference": TERM}
                ]
            }
        },
    },
    "type": {"containers": [CONTAINER], "hostNetwork": "yes"},
    "selector-value": {"containers": [CONTAINER], "nodeSelector": {"disk": 5}},
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_api_server_refuses_is_refused_offline(
    cluster: ControlPlane, tmp_path: Path, name: str
) -> None:
    """Under strict validation, as kubectl asks for it."""
    written = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"automountServiceAccountToken": False, **BAD[name]},
    }
    assert read(tmp_path, written).mistakes != []
    with pytest.raises(RefusedError):
        create(cluster, written)


def test_what_a_cluster_lists_has_no_mistakes(cluster: ControlPlane, tmp_path: Path) -> None:
    """What `kubectl get nodes,pods -o json` writes can be piped into a plan."""
    cluster.create_nodes("v-1", "v-2")
    create(cluster, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "llm"}, "spec": PLAIN})
    for kind in ("nodes", "pods"):
        listed = read(tmp_path, cluster.api.request("GET", f"/api/v1/{kind}"))
        assert listed.mistakes == []
        assert listed.counts.total() == {"nodes": 2, "pods": 1}[kind]
