"""Clusters for people: ``python -m tests.cluster build|up|down|status``, and ``kind ...``.

``up`` starts a control plane that stays until ``down``; ``make cluster`` and ``make cluster-down``
call them. There is one for each checkout, beside those that tests start and end. ``kind`` is a
cluster of containers (see ``kind_commands``).
"""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import urllib3
from tests.cluster import kind_commands, sessions
from tests.cluster.api import Api, RefusedError
from tests.cluster.binaries import ensure
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT, SetupError
from tests.cluster.progress import say

TAINT = {"key": "idlewatt.dev/vehicle", "effect": "NoSchedule"}
# A kubelet's own default: nobody waits for it here, and fewer leases are written.
NODE_GRACE_SECONDS = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the binaries, where that was never done")
    up = commands.add_parser("up", help="start a control plane that stays")
    up.add_argument("--vehicles", type=_count, default=0, help="simulated vehicle nodes to make")
    commands.add_parser("down", help="end it and delete what it wrote")
    commands.add_parser("status", help="tell whether it runs, and what it holds")
    kind_commands.add_to(commands)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "kind":
            return kind_commands.run(chosen)
        if chosen.command == "build":
            say(f"The binaries are in {ensure()}.")
        elif chosen.command == "up":
            _up(chosen.vehicles)
        elif chosen.command == "down":
            _down()
        else:
            return _status()
    except SetupError as error:
        say(str(error))
        return 1
    except RefusedError as refusal:
        say(f"The API server refused: {refusal.message}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; what was finished is kept, and the next call goes on from there.")
        return 130
    return 0


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 1000:
        message = f"{count} is not between 0 and 1000"
        raise argparse.ArgumentTypeError(message)
    return count


def kubeconfig() -> Path:
    """Give where the standing control plane's kubeconfig is, whether it runs or not."""
    return sessions.standing_folder() / "kubeconfig"


def _standing_api() -> Api | None:
    """Reach the standing control plane; None where it does not answer."""
    with contextlib.suppress(OSError):
        api = Api.from_kubeconfig(kubeconfig())
        with contextlib.suppress(RefusedError, urllib3.exceptions.HTTPError):
            api.request("GET", "/version")
            return api
        api.close()
    return None


def _up(vehicles: int) -> None:
    api = _standing_api()
    if api is None:
        # What is left of one that the machine's last shutdown ended.
        sessions.Session(sessions.standing_folder()).release()
        plane = ControlPlane.start(standing=True, node_grace_seconds=NODE_GRACE_SECONDS)
    else:
        say("A control plane of this checkout runs already.")
        plane = ControlPlane(sessions.Session(sessions.standing_folder()), api, ())
    plane.apply_definitions()
    names = [f"v-{number:04d}" for number in range(1, vehicles + 1)]
    plane.create_nodes(*names, labels={"idlewatt.dev/simulated": "true"}, taints=[TAINT])
    _say_what_next(plane)


def _say_what_next(plane: ControlPlane) -> None:
    say(
        f"Kubernetes answers at {plane.url}, with {len(plane.api.list('Node'))} simulated nodes "
        f"and the definitions of {CHECKOUT / 'crds'}. In your shell:\n\n"
        f"  export KUBECONFIG={plane.kubeconfig}\n"
        f"  export PATH={ensure()}:$PATH\n\n"
        "and then try\n\n"
        "  kubectl get nodes\n"
        "  kubectl apply -f examples/depot\n"
        "  kubectl get vn\n\n"
        "`make cluster-down` ends it and deletes everything it wrote."
    )
    sys.stdout.write(f"{plane.kubeconfig}\n")


def _down() -> None:
    folder = sessions.standing_folder()
    if not folder.exists():
        say("No control plane of this checkout runs.")
        return
    sessions.Session(folder).release()
    say(f"Ended, and {folder} is deleted.")


def _status() -> int:
    api = _standing_api()
    if api is None:
        say(f"No control plane of {CHECKOUT} runs; `make cluster` starts one.")
        return 1
    nodes = len(api.list("Node"))
    pods = len(api.list("Pod"))
    version = api.request("GET", "/version")["gitVersion"]
    say(f"Kubernetes {version} answers at {api.url}: {nodes} nodes, {pods} pods.")
    for pid in sessions.processes_of(sessions.standing_folder()):
        name, mebibytes = sessions.name_and_memory(pid)
        say(f"  {name} (process {pid}): {mebibytes} MiB")
    sys.stdout.write(f"{kubeconfig()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
