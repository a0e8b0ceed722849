"""Takes away what a test left on a control plane, so that the next one finds it empty."""

import contextlib
import time

from tests.cluster.api import Api, Manifest, RefusedError

TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.1
NOT_YET = 429
OURS = "idlewatt.dev/v1alpha1"
KEPT_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})

# Owners before what they own, or it would be made again.
NAMESPACED = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("apps/v1", "ReplicaSet"),
    ("policy/v1", "PodDisruptionBudget"),
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "PersistentVolumeClaim"),
    ("coordination.k8s.io/v1", "Lease"),
)
CLUSTER_WIDE = (("v1", "Node"), ("scheduling.k8s.io/v1", "PriorityClass"))


def clean(api: Api, *, keep: frozenset[str] = frozenset()) -> None:
    """Delete every workload, node, object of ours and namespace a test could have made.

    Custom resource definitions stay, and the namespaces named by ``keep``: the end of one takes
    five seconds. Raises AssertionError naming what would not go.
    """
    api.request("DELETE", "/api/v1/namespaces/default/events")
    give_up_at = time.monotonic() + TIMEOUT_SECONDS
    while left := _delete_all(api, KEPT_NAMESPACES | keep):
        if time.monotonic() > give_up_at:
            message = f"not gone after {TIMEOUT_SECONDS:.0f} s: {', '.join(left)}"
            raise AssertionError(message)
        time.sleep(POLL_SECONDS)


def _delete_all(api: Api, kept: frozenset[str]) -> list[str]:
    """Ask for everything's deletion once; give what was still there when it was asked."""
    kinds = [*NAMESPACED, *CLUSTER_WIDE, *((OURS, kind) for kind in _our_kinds(api))]
    left = []
    for api_version, kind in kinds:
        try:
            items = api.list(kind, api_version=api_version)
        except RefusedError as refusal:
            if refusal.status != NOT_YET:
                raise
            left.append(f"{kind} (not served yet)")  # its definition is some seconds old
            continue
        for item in items:
            if not _is_systems(item):
                left.append(f"{kind} {item['metadata']['name']}")
                _delete(api, api_version, kind, item)
    for namespace in api.list("Namespace"):
        name = namespace["metadata"]["name"]
        if name not in kept:
            left.append(f"Namespace {name}")
            _delete(api, "v1", "Namespace", namespace)
    return left


def _is_systems(item: Manifest) -> bool:
    metadata = item["metadata"]
    namespace, name = str(metadata.get("namespace", "default")), str(metadata["name"])
    return namespace.startswith("kube-") or name.startswith("system-")


def _delete(api: Api, api_version: str, kind: str, item: Manifest) -> None:
    metadata = item["metadata"]
    # Gone already, or being changed by its controller: the next round sees.
    with contextlib.suppress(RefusedError):
        api.delete(
            kind,
            metadata["name"],
            metadata.get("namespace", ""),
            api_version=api_version,
            grace_seconds=0,
        )


def _our_kinds(api: Api) -> list[str]:
    try:
        answer = api.request("GET", f"/apis/{OURS}")
    except RefusedError:
        return []
    return [item["kind"] for item in answer["resources"] if "/" not in item["name"]]
