"""A further rule is carried by everything that plans, once it stands among the rules."""

from typing import Final

import pytest

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.further import registry
from idlewatt_scheduler.further.registry import amounts_of, columns_of, held, reason_of
from idlewatt_scheduler.further.rule import NOTHING, Rule
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Quantities
from idlewatt_scheduler.model.workload import HostPort, Node, Pod
from idlewatt_scheduler.planner import Params, plan
from idlewatt_scheduler.testing import a_node, a_pod, a_running_pod, a_snapshot, a_vehicle

WAYS: Final = (
    pytest.param(Params(), id="literals"),
    pytest.param(Params(exact_literals=1), id="patterns"),
    pytest.param(Params(exact_literals=1, exact_vehicles=0), id="prices"),
    pytest.param(Params(exact_literals=0, exact_vehicles=0, compiled=False), id="greed"),
)
PORT = (HostPort(8080),)


class Disks:
    """A made-up rule: a pod's label says how many disks it attaches, a Node's how many it may."""

    kind: Final = "disk"
    reason: Final = PodReason.HOST_PORT_TAKEN

    def takes(self, pod: Pod) -> Quantities:
        """As its label says."""
        return {"disk:any": int(pod.labels["disks"])} if "disks" in pod.labels else NOTHING

    def taken(self, snapshot: Snapshot, node: str) -> Quantities:
        """What others' pods have attached is left out here."""
        assert node in snapshot.nodes
        return NOTHING

    def holds(self, column: str, node: Node | None) -> int:
        """As the Node's label says."""
        assert column == "disk:any"
        return 0 if node is None else int(node.labels.get("disks", "0"))


@pytest.fixture
def _with_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    rules: tuple[Rule, ...] = (*registry.RULES, Disks())
    monkeypatch.setattr(registry, "RULES", rules)


def placed(found: Plan) -> dict[str, int]:
    """How many pods the plan places on each Node."""
    names = sorted({each.node for each in found.placements})
    return {name: sum(each.node == name for each in found.placements) for name in names}


def test_what_is_none_has_no_columns() -> None:
    """A pod without any is asked for what it requests, and for the very same mapping."""
    pod = a_pod()
    assert amounts_of(pod) is pod.requests
    assert not columns_of(pod)
    assert held("nvidia.com/gpu", a_node()) == held("unknown:x", a_node()) == 0
    assert reason_of("cpu") is PodReason.NOT_ENOUGH_RESOURCES
    assert reason_of("hostPort:TCP:80") is PodReason.HOST_PORT_TAKEN


def test_no_column_can_be_taken_for_a_resource() -> None:
    """Names of resources have no colon; kinds have neither that nor a slash, and are distinct."""
    kinds = [rule.kind for rule in registry.RULES]
    assert len(set(kinds)) == len(kinds)
    assert not any(mark in kind for kind in kinds for mark in ":/")


@pytest.mark.parametrize("params", WAYS)
def test_pods_with_one_port_stand_on_a_vehicle_each(params: Params) -> None:
    """However the plan is made; a third one waits, and says why."""
    names = ("v-1", "v-2")
    snapshot = a_snapshot(
        vehicles=tuple(a_vehicle(name=name) for name in names),
        pending=tuple(
            a_pod(name=f"p-{n}", host_ports=PORT, demand__any_tariff=True) for n in range(3)
        ),
    )
    found = plan(snapshot, params)
    assert placed(found) == {"v-1": 1, "v-2": 1}
    assert [dict(each.reasons) for each in found.waiting] == [{PodReason.HOST_PORT_TAKEN: 2}]
    assert found.bound >= found.weight == 2
    assert violations(snapshot, found) == ()


@pytest.mark.parametrize("params", WAYS)
def test_a_port_that_is_left_behind_is_taken_still(params: Params) -> None:
    """Until the containers have ended, even of a pod that leaves."""
    pod = a_pod(name="old", host_ports=PORT, demand__any_tariff=True)
    snapshot = a_snapshot(
        pending=(a_pod(name="new", host_ports=PORT, demand__any_tariff=True),),
        running=(a_running_pod(pod=pod, being_deleted=True),),
    )
    found = plan(snapshot, params)
    assert placed(found) == {}
    assert [dict(each.reasons) for each in found.waiting] == [{PodReason.HOST_PORT_TAKEN: 1}]


@pytest.mark.usefixtures("_with_disks")
@pytest.mark.parametrize("params", WAYS)
def test_a_rule_whose_limit_differs_from_node_to_node_is_carried(params: Params) -> None:
    """As volumes of a driver will be: three pods of two disks fit into seven, one into three."""
    names = {"v-1": "7", "v-2": "3"}
    snapshot = a_snapshot(
        vehicles=tuple(a_vehicle(name=name) for name in names),
        nodes=[a_node(name=name, labels={"disks": disks}) for name, disks in names.items()],
        pending=tuple(
            a_pod(name=f"p-{n}", labels={"disks": "2"}, demand__any_tariff=True) for n in range(6)
        ),
    )
    found = plan(snapshot, params)
    assert placed(found) == {"v-1": 3, "v-2": 1}
    assert dict(found.waiting[0].reasons) == {Disks.reason: 2}
