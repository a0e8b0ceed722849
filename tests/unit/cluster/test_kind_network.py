"""The network between pods: routes to all others, and names that nobody outside is asked for."""

import json
import subprocess
from typing import Any

from tests.cluster import kind_network
from tests.cluster.kind_network import NodeNetwork

ONE = NodeNetwork("one", "10.244.0.0/24", "172.18.0.2")
TWO = NodeNetwork("two", "10.244.1.0/24", "172.18.0.3")
COREFILE = """\
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
    }
}
"""


def a_node(name: str, pod_range: str | None, *addresses: tuple[str, str]) -> dict[str, Any]:
    """Give a Node as the API server answers it, as far as it is read."""
    return {
        "metadata": {"name": name},
        "spec": {} if pod_range is None else {"podCIDR": pod_range},
        "status": {"addresses": [{"type": kind, "address": one} for kind, one in addresses]},
    }


def test_networks_are_read_from_nodes() -> None:
    """A node counts once it has a range; of its addresses the inner one of version 4 is taken."""
    nodes = [
        a_node(
            "one",
            "10.244.0.0/24",
            ("Hostname", "one"),
            ("InternalIP", "172.18.0.2"),
            ("InternalIP", "fc00::2"),
        ),
        a_node("late", None, ("InternalIP", "172.18.0.9")),
    ]
    assert kind_network.node_networks({"items": nodes}) == [ONE]


def test_a_node_has_routes_to_the_others_and_addresses_of_its_own() -> None:
    """One route for each other node, none for itself, and its own range for its pods."""
    script = kind_network.script(ONE, [ONE, TWO])
    assert "ip route replace 10.244.1.0/24 via 172.18.0.3" in script
    assert "replace 10.244.0.0/24" not in script
    assert "10.244.0.0/24" in script
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_the_plugins_are_written_whole() -> None:
    """What stands between the lines of the script is the plugins' configuration, as JSON."""
    lines = kind_network.script(ONE, [ONE]).splitlines()
    plugins = json.loads(lines[lines.index("END") - 1])
    assert [plugin["type"] for plugin in plugins["plugins"]] == ["ptp", "portmap"]
    assert plugins["plugins"][0]["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/24"}]]


def test_no_upstream_is_asked() -> None:
    """The forward block goes with its braces, and every other line stays."""
    without = kind_network.without_upstream(COREFILE)
    kept = [line for line in COREFILE.splitlines() if "forward" not in line]
    kept.remove("       max_concurrent 1000")
    kept.remove("    }")
    assert without.splitlines() == kept
    assert kind_network.without_upstream(without) == without


def test_a_forward_without_braces_goes_alone() -> None:
    """A forward on one line takes nothing of what follows with it."""
    corefile = ".:53 {\n    forward . 1.1.1.1\n    cache 30 {\n       x\n    }\n}\n"
    assert kind_network.without_upstream(corefile) == (
        ".:53 {\n    cache 30 {\n       x\n    }\n}\n"
    )


def test_what_the_system_runs_stays_off_the_workers() -> None:
    """A patched Deployment is for the control plane's node, and tolerates its taint."""
    pod = kind_network.on_the_control_plane("coredns")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"node-role.kubernetes.io/control-plane": ""}
    assert pod["tolerations"][0]["key"] == "node-role.kubernetes.io/control-plane"
    assert pod["containers"][0]["name"] == "coredns"
    assert "containers" not in kind_network.on_the_control_plane()["spec"]["template"]["spec"]
