"""Waiting until an admission policy holds: the API server takes some time to know of it."""

from tests.cluster.api import RefusedError
from tests.cluster.control_plane import ControlPlane

from idlewatt_operator.resources.annotations import BOUND_WATTS


def settled(plane: ControlPlane, vehicle: str = "v-1") -> None:
    """Return once both policies refuse what they are there to refuse."""
    spec = {"containers": [{"name": "c", "image": "x"}]}
    annotated = {"name": "probe", "namespace": "default", "annotations": {BOUND_WATTS: "1"}}
    named = {"name": "probe", "namespace": "default"}
    pods = (
        {"metadata": annotated, "spec": spec},
        {"metadata": named, "spec": {**spec, "nodeName": vehicle}},
    )
    for pod in pods:
        body = {"apiVersion": "v1", "kind": "Pod", **pod}

        def refuses(body: dict[str, object] = body) -> bool:
            try:
                plane.api.request(
                    "POST", "/api/v1/namespaces/default/pods", body, query={"dryRun": "All"}
                )
            except RefusedError:
                return True
            return False

        plane.wait_until(refuses, "the policy holds")
