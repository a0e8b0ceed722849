"""The cluster of containers for people: ``python -m tests.cluster kind up|down|status|load``.

``make kind`` and ``make kind-down`` call them. There is one for each checkout, beside those that
tests make and remove.
"""

import argparse
import sys

from tests.cluster import engine, kind
from tests.cluster.binaries import CHART, ensure
from tests.cluster.docker import answers
from tests.cluster.kind_config import cluster_name
from tests.cluster.places import CHECKOUT, SetupError
from tests.cluster.progress import say
from tests.cluster.wheels import find_executable


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the commands under ``kind`` on the command line."""
    parser = commands.add_parser("kind", help="a cluster of containers: three vehicles")
    actions = parser.add_subparsers(dest="action", required=True)
    up = actions.add_parser("up", help="make one control plane and three workers")
    down = actions.add_parser("down", help="remove the cluster")
    down.add_argument("--engine", action="store_true", help="and end the engine started for it")
    status = actions.add_parser("status", help="tell whether it runs")
    load = actions.add_parser("load", help="give images of the engine to its nodes")
    load.add_argument("images", nargs="+", metavar="IMAGE")
    for action in (up, down, status, load):
        action.add_argument(
            "--purpose", default="", help="another one of this checkout's, by what it is for"
        )


def run(chosen: argparse.Namespace) -> int:
    """Run one command and give its exit status. Raises SetupError."""
    name = cluster_name(chosen.purpose)
    if chosen.action == "up":
        _say_what_next(kind.up(name))
    elif chosen.action == "down":
        _down(name, with_engine=chosen.engine)
    elif chosen.action == "status":
        return _status(name)
    else:
        _running(name).load(*chosen.images)
    return 0


def _running(name: str) -> kind.KindCluster:
    cluster = kind.is_up(name) if answers() else None
    if cluster is None:
        message = f"The cluster {name} of {CHECKOUT} does not run; `make kind` makes it."
        raise SetupError(message)
    return cluster


def _say_what_next(cluster: kind.KindCluster) -> None:
    folders = [str(kind.kubectl_program().parent)]
    if find_executable("helm") is None:
        folders.append(str(ensure(CHART, "helm")))
    say(
        f"\nThe cluster {cluster.name} runs: a control plane, and the workers "
        f"{', '.join(cluster.workers)}, which are the vehicles. In your shell:\n\n"
        f"  export KUBECONFIG={cluster.kubeconfig}\n"
        f"  export PATH={':'.join(folders)}:$PATH\n\n"
        "and then try\n\n"
        "  kubectl get nodes\n\n"
        "Images that you build are given to it with `python -m tests.cluster kind load IMAGE`. "
        "Nothing enforces a NetworkPolicy here. `make kind-down` removes the cluster."
    )
    sys.stdout.write(f"{cluster.kubeconfig}\n")


def _down(name: str, *, with_engine: bool) -> None:
    if not answers():
        say("No Docker engine answers, so no cluster runs.")
    elif kind.down(name):
        say(f"The cluster {name} and its files are gone.")
    else:
        say(f"There is no cluster {name}.")
    if with_engine:
        ended = engine.stop()
        say("The Docker engine is ended." if ended else "No Docker engine of ours runs.")


def _status(name: str) -> int:
    cluster = _running(name)
    nodes = cluster.kubectl_json("get", "nodes")["items"]
    pods = cluster.kubectl_json("get", "pods", "--all-namespaces")["items"]
    version = nodes[0]["status"]["nodeInfo"]["kubeletVersion"]
    say(f"{cluster.name} runs Kubernetes {version}: {len(nodes)} nodes, {len(pods)} pods.")
    sys.stdout.write(f"{cluster.kubeconfig}\n")
    return 0
