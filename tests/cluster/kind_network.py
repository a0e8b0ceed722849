"""The network between a kind cluster's pods, without an image: a bridge for each node, and routes.

Each pod has a pair of interfaces to its node, and each node a route to the others' pods. There is
no policy engine among it: a NetworkPolicy is taken by the API server and holds nothing back.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

CNI_FILE = "/etc/cni/net.d/10-idlewatt.conflist"
MTU_BYTES = 1500
CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True)
class NodeNetwork:
    """A node, the addresses its pods have, and its own."""

    name: str
    pod_range: str
    address: str


def node_networks(nodes: dict[str, Any]) -> list[NodeNetwork]:
    """Read the networks out of a list of Nodes, leaving out nodes that were given none yet."""
    return [
        NodeNetwork(node["metadata"]["name"], node["spec"]["podCIDR"], _internal_address(node))
        for node in nodes["items"]
        if node["spec"].get("podCIDR")
    ]


def _internal_address(node: dict[str, Any]) -> str:
    (address,) = [
        address["address"]
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP" and ":" not in address["address"]
    ]
    return str(address)


def plugin_list(pod_range: str) -> dict[str, Any]:
    """Configure the network plugins of one node."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni-ipam-state",
        "ranges": [[{"subnet": pod_range}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": "idlewatt",
        "plugins": [
            {"type": "ptp", "ipMasq": False, "mtu": MTU_BYTES, "ipam": addresses},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def script(node: NodeNetwork, others: list[NodeNetwork]) -> str:
    """Give the shell lines that make a node's network; run again, they change nothing."""
    routes = [
        f"ip route replace {other.pod_range} via {other.address}"
        for other in others
        if other != node
    ]
    # Renamed when it is whole: containerd reads the folder as soon as it changes.
    written = f"cat > {CNI_FILE}.partial <<'END'\n{json.dumps(plugin_list(node.pod_range))}\nEND"
    return "\n".join(["set -e", *routes, written, f"mv {CNI_FILE}.partial {CNI_FILE}", ""])


def without_upstream(corefile: str) -> str:
    """Take out of a Corefile whom to ask for other names: it would find itself there, and stop."""
    return re.sub(r"\n[ \t]*forward \. [^\n{]*(?:\{.*?\n[ \t]*\})?", "", corefile, flags=re.DOTALL)


def on_the_control_plane(container: str | None = None) -> dict[str, Any]:
    """Patch a Deployment to one replica that no worker runs: workers are cut off and drained."""
    pod: dict[str, Any] = {
        "nodeSelector": {CONTROL_PLANE_LABEL: ""},
        "tolerations": [{"key": CONTROL_PLANE_LABEL, "operator": "Exists", "effect": "NoSchedule"}],
    }
    if container is not None:
        # Asked each second, it is found ready at once.
        probed = {"name": container, "readinessProbe": {"periodSeconds": 1}}
        pod["containers"] = [probed]
    return {"spec": {"replicas": 1, "template": {"spec": pod}}}
