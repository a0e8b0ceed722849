"""Pods for the scenarios: they do nothing, are there in a moment, and say what they draw."""

from typing import Any, Final

Manifest = dict[str, Any]

NAMESPACE: Final = "e2e"
PAUSE: Final = "registry.k8s.io/pause:3.10.1"  # every node has it
GRACE_SECONDS: Final = 5
POWER_WATTS: Final = 60
BEHIND_THE_CUT: Final = "night-shift"


def label_of(name: str) -> str:
    """The label of the Nodes where the pods of a held workload may run."""
    return f"e2e.idlewatt.dev/{name}"


def a_deployment(
    name: str,
    replicas: int = 1,
    *,
    power_watts: int = POWER_WATTS,
    held: bool = False,
    annotations: dict[str, str] | None = None,
) -> Manifest:
    """A Deployment of pods that are ours. Held ones run only where a Node has their `label_of`."""
    labels = {"app": name}
    notes = {"idlewatt.dev/power": str(power_watts), **(annotations or {})}
    selector = {"nodeSelector": {label_of(name): "true"}} if held else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": notes},
                "spec": {
                    "schedulerName": "idlewatt",
                    "automountServiceAccountToken": False,
                    "terminationGracePeriodSeconds": GRACE_SECONDS,
                    **selector,
                    "containers": [
                        {
                            "name": "pause",
                            "image": PAUSE,
                            "resources": {"requests": {"cpu": "10m", "memory": "8Mi"}},
                        }
                    ],
                },
            },
        },
    }
