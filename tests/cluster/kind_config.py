"""What kind is told: the cluster's name, its nodes, and what its API server writes down."""

import json
import re
from pathlib import Path
from typing import Any

from tests.cluster.places import CHECKOUT, checkout_key

# The workers' Nodes, whatever the cluster is called: examples/kind/ has a VehicleNode for each.
VEHICLES = ("v-3f9c2a", "v-81d06b", "v-c4e7f0")
WORKERS = len(VEHICLES)
CLUSTER_LABEL = "io.x-k8s.kind.cluster"
# A node's name is its host name, of 63 characters at most, and ends in "-control-plane".
FOLDER_CHARACTERS = 16
AUDIT_FOLDER = "/etc/kubernetes/audit"
AUDIT_LOG = "/var/log/kubernetes/audit.log"
# One file for a whole run: nothing is to be rotated away before it was read.
AUDIT_LOG_MEGABYTES = 4096


def cluster_name(purpose: str = "", checkout: Path = CHECKOUT) -> str:
    """Name a checkout's cluster: no other checkout's, nor another project's, has this name."""
    folder, _, digest = checkout_key(checkout).rpartition("-")
    plain = re.sub(r"[^a-z0-9]+", "-", folder.lower())[:FOLDER_CHARACTERS].strip("-")
    return "-".join(filter(None, ("idlewatt", plain, digest, purpose)))


def control_plane_of(name: str) -> str:
    """Give what kind calls a cluster's control plane: its container and its Node alike."""
    return f"{name}-control-plane"


def workers_of(name: str) -> dict[str, str]:
    """Give by the name of a worker's Node what kind calls its container, in the order asked for."""
    return {
        vehicle: f"{name}-worker{number if number > 1 else ''}"
        for number, vehicle in enumerate(VEHICLES, start=1)
    }


def audit_policy() -> dict[str, Any]:
    """Have the API server write down who asked for what, of every program that runs in a pod.

    The control plane's own controllers are left out: they would be most of it.
    """
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "omitManagedFields": True,
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "None", "userGroups": ["system:serviceaccounts:local-path-storage"]},
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
            {"level": "None"},
        ],
    }


def kind_config(name: str, image: str, audit_folder: Path) -> dict[str, Any]:
    """Describe the cluster to kind: one control plane and three workers.

    ``audit_folder`` is the folder on this machine that holds the policy.
    """
    control_plane = {
        "role": "control-plane",
        "image": image,
        "kubeadmConfigPatches": [AUDIT_PATCH],
        "extraMounts": [
            {"hostPath": str(audit_folder), "containerPath": AUDIT_FOLDER, "readOnly": True}
        ],
    }
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": name,
        # Pods get their network from kind_network, whichever image the nodes are of.
        "networking": {"disableDefaultCNI": True, "kubeProxyMode": "iptables"},
        "kubeadmConfigPatches": [KUBELET_PATCH],
        "nodes": [control_plane, *(_worker(vehicle, image) for vehicle in VEHICLES)],
    }


def _worker(vehicle: str, image: str) -> dict[str, Any]:
    joining = {"kind": "JoinConfiguration", "nodeRegistration": {"name": vehicle}}
    # JSON is YAML.
    return {"role": "worker", "image": image, "kubeadmConfigPatches": [json.dumps(joining)]}


# A kubelet refuses version 1 of control groups unless it is told not to.
KUBELET_PATCH = """\
kind: KubeletConfiguration
failCgroupV1: false
"""

AUDIT_PATCH = f"""\
kind: ClusterConfiguration
apiServer:
  extraArgs:
    audit-policy-file: {AUDIT_FOLDER}/policy.yaml
    audit-log-path: {AUDIT_LOG}
    audit-log-maxsize: "{AUDIT_LOG_MEGABYTES}"
  extraVolumes:
    - name: audit-policy
      hostPath: {AUDIT_FOLDER}
      mountPath: {AUDIT_FOLDER}
      readOnly: true
      pathType: Directory
    - name: audit-log
      hostPath: {AUDIT_LOG.rpartition("/")[0]}
      mountPath: {AUDIT_LOG.rpartition("/")[0]}
      pathType: DirectoryOrCreate
"""
