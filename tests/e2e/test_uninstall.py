"""The release is taken away: what is to be kept is kept, and what is left can be removed."""

import time

from tests.e2e import objects, release, stage, workloads
from tests.e2e.stage import Stage

KEPT = {
    ("Secret", release.NAMESPACE, "idlewatt-redis"),
    ("PersistentVolumeClaim", release.NAMESPACE, "idlewatt-redis"),
}
KINDS = {"VehicleNode", "ParkingSite", "EnergyTariff", "FleetPolicy"}
PASSING = {"Pod", "EndpointSlice", "Endpoints", "ReplicaSet"}


def test_uninstalling_keeps_what_cannot_be_made_again(fleet: Stage) -> None:
    """`helm uninstall` leaves definitions, vehicles, passwords, the volume, and pods that run."""
    if stage.is_kept():
        return
    fleet.place(workloads.a_deployment("survivor"), fleet.near, fleet.other)
    (pod,) = fleet.pods("survivor")
    fleet.release.uninstall()
    left = objects.inventory(fleet.api)
    assert left >= KEPT
    assert {kind for kind, _, _ in left} >= KINDS
    assert not {each for each in left if each[0] == "Deployment" and each[2] == "idlewatt"}
    assert [each["metadata"]["uid"] for each in fleet.pods("survivor")] == [pod["metadata"]["uid"]]
    assert fleet.running("survivor")


def test_what_is_left_can_be_removed(fleet: Stage, before: objects.Inventory) -> None:
    """After the commands of the page, every object in the cluster is one that was there before."""
    if stage.is_kept():
        return
    fleet.remove("survivor")
    fleet.kubectl("delete", "namespace", release.NAMESPACE, workloads.NAMESPACE)
    fleet.kubectl(
        "delete",
        "crd",
        *(f"{plural}.idlewatt.dev" for plural in PLURALS),
    )
    fleet.kubectl("taint", "nodes", *fleet.nodes, "idlewatt.dev/vehicle:NoSchedule-")
    time.sleep(0)
    fleet.wait(lambda: not _more(fleet, before), f"nothing is left: {_more(fleet, before)}", 60)
    assert objects_but_pods(before) - objects_but_pods(objects.inventory(fleet.api)) == set()
    for node in fleet.nodes:
        assert "taints" not in fleet.api.get("Node", node)["spec"]


PLURALS = ("vehiclenodes", "parkingsites", "energytariffs", "fleetpolicies")


def objects_but_pods(found: objects.Inventory) -> objects.Inventory:
    """Without what controllers make anew under other names."""
    return {each for each in found if each[0] not in PASSING}


def _more(fleet: Stage, before: objects.Inventory) -> objects.Inventory:
    return objects_but_pods(objects.inventory(fleet.api)) - objects_but_pods(before)
