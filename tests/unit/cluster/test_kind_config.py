"""What kind is told: names of this checkout alone, vehicles for workers, and an audit log."""

import json
from pathlib import Path

import pytest
import yaml
from tests.cluster import kind_config
from tests.cluster.kind_config import cluster_name, workers_of


@pytest.mark.parametrize(
    "checkout",
    ["/home/a/idlewatt", "/srv/My Checkout (2)", "/x/" + "very-long-name-" * 10, "/", "/x/ünïcode"],
)
def test_a_name_is_one_that_kind_and_a_host_can_have(checkout: str) -> None:
    """Whatever the folder is called, the longest host name made of it is a valid one."""
    name = cluster_name("e2e", Path(checkout))
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(kind_config.control_plane_of(name)) <= 63
    assert name.startswith("idlewatt-")
    assert "--" not in name


def test_two_checkouts_have_two_clusters() -> None:
    """Folders of one name at two places, and two purposes of one checkout, are told apart."""
    names = {cluster_name("", Path("/a/idlewatt")), cluster_name("", Path("/b/idlewatt"))}
    names |= {cluster_name("e2e", Path("/a/idlewatt"))}
    assert len(names) == 3


def test_each_worker_is_a_vehicle() -> None:
    """The nodes bear the vehicles' names; their containers bear the cluster's."""
    nodes = kind_config.kind_config("c", "image", Path("/audit"))["nodes"]
    joined = [json.loads(node["kubeadmConfigPatches"][0]) for node in nodes[1:]]
    assert [one["nodeRegistration"]["name"] for one in joined] == list(kind_config.VEHICLES)
    assert list(workers_of("c").values()) == ["c-worker", "c-worker2", "c-worker3"]
    assert {node["image"] for node in nodes} == {"image"}


def test_no_worker_is_tainted_or_labelled() -> None:
    """What makes a Node a vehicle is for the operator to write, not for the cluster."""
    text = json.dumps(kind_config.kind_config("c", "image", Path("/audit")))
    assert "taint" not in text.lower()
    assert "label" not in text.lower()


def test_the_api_server_is_told_where_the_policy_is() -> None:
    """The policy's folder is mounted into the node, and from there into the API server."""
    control_plane = kind_config.kind_config("c", "image", Path("/here/audit"))["nodes"][0]
    (mount,) = control_plane["extraMounts"]
    assert mount == {
        "hostPath": "/here/audit",
        "containerPath": kind_config.AUDIT_FOLDER,
        "readOnly": True,
    }
    server = yaml.safe_load(control_plane["kubeadmConfigPatches"][0])["apiServer"]
    assert server["extraArgs"]["audit-policy-file"] == f"{kind_config.AUDIT_FOLDER}/policy.yaml"
    assert server["extraArgs"]["audit-log-path"] == kind_config.AUDIT_LOG
    assert kind_config.AUDIT_FOLDER in {one["mountPath"] for one in server["extraVolumes"]}


def test_programs_in_pods_are_audited_and_nobody_else() -> None:
    """The first rule that fits decides: the system's accounts, then all others', then nobody."""
    rules = kind_config.audit_policy()["rules"]
    levels = [(rule["level"], rule.get("userGroups")) for rule in rules]
    assert levels[-2:] == [("Metadata", ["system:serviceaccounts"]), ("None", None)]
    assert all(level == "None" for level, _ in levels[:-2])
