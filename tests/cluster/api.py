"""A small client of the Kubernetes API for tests: plain dictionaries in, plain dictionaries out.

It knows where few kinds live: it asks the server. Nothing is retried, so what a test sees is
what the server said.

    api.apply(Path("crds"), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})
    api.get("Pod", "p", "default")["status"]["phase"]
    api.bind(pod, "v-1", annotations={"idlewatt.dev/bound-watts": "460"})
"""

import copy
import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import urllib3
import yaml

Manifest = dict[str, Any]
Source = Mapping[str, Any] | Path

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
TIMEOUT_SECONDS = 30.0
LOWEST_REFUSAL = 400
NOT_FOUND = 404
CONFLICT = 409

# So that a test may write "Job"; whatever is not named here is asked for with api_version.
API_VERSIONS = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "PodDisruptionBudget": "policy/v1",
    "Lease": "coordination.k8s.io/v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "VehicleNode": "idlewatt.dev/v1alpha1",
    "ParkingSite": "idlewatt.dev/v1alpha1",
    "EnergyTariff": "idlewatt.dev/v1alpha1",
    "FleetPolicy": "idlewatt.dev/v1alpha1",
}


class RefusedError(Exception):
    """The API server answered with a status of 400 or more; ``message`` is its own sentence."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message


class Api:
    """Requests to one API server. It may be used from several threads."""

    def __init__(self, url: str, token: str, ca_file: Path) -> None:
        self.url = url
        self.headers = urllib3.HTTPHeaderDict({"Authorization": f"Bearer {token}"})
        self._pool = urllib3.PoolManager(
            ssl_context=ssl.create_default_context(cafile=str(ca_file)),
            retries=False,
            maxsize=32,
            timeout=urllib3.Timeout(TIMEOUT_SECONDS),
        )
        self._places: dict[tuple[str, str], tuple[str, bool]] = {}

    @classmethod
    def from_kubeconfig(cls, path: Path) -> Self:
        """Reach the server of a kubeconfig that ``ControlPlane`` wrote. Raises OSError."""
        content = yaml.safe_load(path.read_text())
        cluster = content["clusters"][0]["cluster"]
        token = content["users"][0]["user"]["token"]
        return cls(cluster["server"], token, Path(cluster["certificate-authority"]))

    def acting_as(self, user: str, *groups: str) -> "Api":
        """Give the same connection, on which every request is another user's."""
        other = copy.copy(self)
        other.headers = self.headers.copy()
        other.headers.add("Impersonate-User", user)
        for group in groups:
            other.headers.add("Impersonate-Group", group)
        return other

    def close(self) -> None:
        """Let go of the connections."""
        self._pool.clear()

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Send one request and give the answer.

        Raises RefusedError, or urllib3's HTTPError where the server cannot be reached.
        """
        response = self._pool.request(
            method,
            self.url + path + (f"?{urlencode(query)}" if query else ""),
            body=None if body is None else json.dumps(body).encode(),
            headers=self.headers | {"Content-Type": content_type},
        )
        if response.status >= LOWEST_REFUSAL:
            raise _refusal(response.status, response.data)
        answer: Manifest = json.loads(response.data)
        return answer

    def apply(self, *sources: Source) -> list[Manifest]:
        """Create or merge-patch manifests under ``fieldValidation=Strict``; give the results.

        A source is a manifest, a file of YAML or JSON, or a folder of such files; ``List``
        kinds are taken apart. ``status`` is written too, where the kind has that subresource.
        Raises RefusedError at the first manifest that is refused.
        """
        return [self._apply_one(manifest) for manifest in manifests_of(*sources)]

    def _apply_one(self, manifest: Manifest) -> Manifest:
        collection = self._collection(manifest)
        query = {"fieldValidation": "Strict", "fieldManager": "tests"}
        status = manifest.get("status")
        try:
            result = self.request("POST", collection, manifest, query=query)
        except RefusedError as refusal:
            if refusal.reason != "AlreadyExists":
                raise
            item = f"{collection}/{manifest['metadata']['name']}"
            result = self.request("PATCH", item, manifest, content_type=MERGE_PATCH, query=query)
        # Where status is a subresource, the requests above have ignored it; a Node's first is kept.
        if status and not status.items() <= result.get("status", {}).items():
            name = result["metadata"]["name"]
            result = self.request(
                "PATCH",
                f"{collection}/{name}/status",
                {"status": status},
                content_type=MERGE_PATCH,
                query=query,
            )
        return result

    def get(self, kind: str, name: str, namespace: str = "", *, api_version: str = "") -> Manifest:
        """Read one object."""
        return self.request("GET", f"{self.path(kind, namespace, api_version)}/{name}")

    def exists(self, kind: str, name: str, namespace: str = "", *, api_version: str = "") -> bool:
        """Tell whether an object is there."""
        try:
            self.get(kind, name, namespace, api_version=api_version)
        except RefusedError as refusal:
            if refusal.status != NOT_FOUND:
                raise
            return False
        return True

    def list(
        self, kind: str, namespace: str = "", *, api_version: str = "", **query: str
    ) -> "list[Manifest]":
        """Read all objects of a kind, in one namespace or in all of them.

        ``query`` are parameters of the API: ``labelSelector="app=x"``.
        """
        answer = self.request("GET", self.path(kind, namespace, api_version), query=query)
        return list(answer["items"])

    def patch(  # noqa: PLR0913 - the parts of a patch's address
        self,
        kind: str,
        name: str,
        body: object,
        namespace: str = "",
        *,
        subresource: str = "",
        api_version: str = "",
        content_type: str = MERGE_PATCH,
    ) -> Manifest:
        """Patch one object, or its subresource (``"status"``)."""
        path = f"{self.path(kind, namespace, api_version)}/{name}"
        path += f"/{subresource}" if subresource else ""
        query = {"fieldValidation": "Strict"}
        return self.request("PATCH", path, body, content_type=content_type, query=query)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = "",
        *,
        api_version: str = "",
        grace_seconds: int | None = None,
    ) -> None:
        """Delete one object; ``grace_seconds=0`` removes a pod's object at once."""
        options: Manifest = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        self.request("DELETE", f"{self.path(kind, namespace, api_version)}/{name}", options)

    def bind(
        self,
        pod: Mapping[str, Any],
        node: str,
        *,
        uid: str | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> None:
        """Bind a pod to a node, as a scheduler does. ``uid`` defaults to the pod's own."""
        metadata = pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"] if uid is None else uid,
                "annotations": dict(annotations or {}),
            },
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/binding"
        self.request("POST", path, binding)

    def path(self, kind: str, namespace: str = "", api_version: str = "") -> str:
        """Give the path of a kind's collection: in a namespace, or of the whole cluster."""
        group_version = api_version or API_VERSIONS.get(kind, "v1")
        plural, namespaced = self._place(group_version, kind)
        prefix = f"/api/{group_version}" if "/" not in group_version else f"/apis/{group_version}"
        where = f"/namespaces/{namespace}" if namespaced and namespace else ""
        return f"{prefix}{where}/{plural}"

    def _collection(self, manifest: Manifest) -> str:
        namespace = manifest.get("metadata", {}).get("namespace") or "default"
        return self.path(manifest["kind"], namespace, manifest["apiVersion"])

    def _place(self, group_version: str, kind: str) -> tuple[str, bool]:
        if (group_version, kind) not in self._places:
            prefix = "/api" if "/" not in group_version else "/apis"
            answer = self.request("GET", f"{prefix}/{group_version}")
            for resource in answer["resources"]:
                if "/" not in resource["name"]:
                    place = (resource["name"], bool(resource["namespaced"]))
                    self._places[group_version, resource["kind"]] = place
        if (group_version, kind) not in self._places:
            raise RefusedError(NOT_FOUND, "NotFound", f"{group_version} has no kind {kind}")
        return self._places[group_version, kind]


def manifests_of(*sources: Source) -> Iterator[Manifest]:
    """Read manifests out of dictionaries, files and folders, in that order, ``List`` unpacked."""
    for source in sources:
        if isinstance(source, Path):
            files = sorted(_manifest_files(source)) if source.is_dir() else [source]
            for file in files:
                yield from manifests_of(*filter(None, yaml.safe_load_all(file.read_text())))
        elif source["kind"].endswith("List") and "items" in source:
            yield from manifests_of(*source["items"])
        else:
            yield dict(source)


def _manifest_files(folder: Path) -> Iterator[Path]:
    for suffix in ("*.yaml", "*.yml", "*.json"):
        yield from folder.rglob(suffix)


def _refusal(status: int, data: bytes) -> RefusedError:
    try:
        answer = json.loads(data)
        return RefusedError(status, answer.get("reason", ""), answer.get("message", ""))
    except (ValueError, AttributeError):
        return RefusedError(status, "", data.decode(errors="replace").strip())
