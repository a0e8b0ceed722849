"""The release is taken away: what is to be kept is kept, and what is left can be removed."""

import os
import re
import subprocess

import pytest
from tests.cluster.binaries import ensure
from tests.cluster.places import CHECKOUT
from tests.e2e import objects, release, stage, workloads
from tests.e2e.stage import Stage

PAGE = CHECKOUT / "docs" / "howto" / "install-with-helm.md"
KEPT = {
    ("Secret", release.NAMESPACE, "idlewatt-redis"),
    ("PersistentVolumeClaim", release.NAMESPACE, "idlewatt-redis"),
}
KINDS = {"VehicleNode", "ParkingSite", "EnergyTariff", "FleetPolicy"}
APP = "survivor"
# Made anew by controllers, under other names.
PASSING = {"Pod", "EndpointSlice", "Endpoints", "ReplicaSet"}

pytestmark = pytest.mark.skipif(stage.is_kept(), reason="the cluster is to stay as it is")


def test_uninstalling_keeps_what_cannot_be_made_again(fleet: Stage) -> None:
    """`helm uninstall` leaves definitions, vehicles, passwords, the volume, and pods that run."""
    fleet.place(workloads.a_deployment(APP))
    (pod,) = fleet.pods(APP)
    fleet.release.uninstall()
    left = objects.inventory(fleet.api)
    assert left >= KEPT
    assert {kind for kind, _, _ in left} >= KINDS
    assert not {each for each in left if each[0] == "Deployment" and each[2] == "idlewatt"}
    assert [each["metadata"]["uid"] for each in fleet.pods(APP)] == [pod["metadata"]["uid"]]
    assert fleet.running(APP)


def test_what_is_left_can_be_removed(fleet: Stage, before: objects.Inventory) -> None:
    """After the commands of the page, every object in the cluster is one that was there before."""
    fleet.kubectl("delete", "namespace", workloads.NAMESPACE, "--wait=false")
    for command in commands_to_remove_all():
        run(fleet, command)
    fleet.wait(lambda: not more(fleet, before), "nothing is left", 60)
    now = objects.inventory(fleet.api)
    assert lasting(before) - lasting(now) == set()
    for node in fleet.nodes:
        assert "taints" not in fleet.api.get("Node", node)["spec"]


def commands_to_remove_all() -> list[str]:
    """What the page says under `To remove all of it`."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("To remove all of it")
    block = rest.split("```console\n")[1].split("```")[0]
    commands = re.findall(r"^\$ (kubectl .*)$", block, re.MULTILINE)
    assert commands
    return commands


def run(fleet: Stage, command: str) -> None:
    """Run a line of the page in a shell, as its reader does."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(fleet.cluster.kubeconfig),
        "PATH": f"{ensure()}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"


def lasting(found: objects.Inventory) -> objects.Inventory:
    """Without what controllers make anew under other names."""
    return {each for each in found if each[0] not in PASSING}


def more(fleet: Stage, before: objects.Inventory) -> objects.Inventory:
    """What is there that was not there before."""
    return lasting(objects.inventory(fleet.api)) - lasting(before)
