"""Node selectors, affinity, taints and tolerations mean what they mean to kube-scheduler."""

import pytest

from idlewatt_scheduler.clauses.affinity import selects, tolerates
from idlewatt_scheduler.model.workload import (
    NodeSelectorTerm,
    Requirement,
    Taint,
    Toleration,
)
from idlewatt_scheduler.testing import a_node, a_pod

RED = Taint("team", "NoSchedule", "red")
NOT_READY = Taint("node.kubernetes.io/not-ready", "NoExecute")
UNREACHABLE = Taint("node.kubernetes.io/unreachable", "NoSchedule")


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        ({}, {}, True),
        ({"gen": "4"}, {"gen": "4", "x": "y"}, True),
        ({"gen": "4"}, {"gen": "5"}, False),
        ({"gen": "4"}, {}, False),
        ({"gen": ""}, {}, False),
        ({"gen": "4", "x": "y"}, {"gen": "4"}, False),
    ],
)
def test_every_entry_of_a_selector_must_be_a_label(
    selector: dict[str, str],
    labels: dict[str, str],
    matches: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """With the very same value."""
    assert selects(a_pod(node_selector=selector), a_node(labels=labels)) is matches


@pytest.mark.parametrize(
    ("operator", "values", "value", "holds"),
    [
        ("In", ("3", "4"), "4", True),
        ("In", ("3", "4"), "5", False),
        ("In", ("3", "4"), None, False),
        ("In", (), "4", False),
        ("NotIn", ("3", "4"), "4", False),
        ("NotIn", ("3", "4"), "5", True),
        ("NotIn", ("3", "4"), None, True),
        ("Exists", (), "", True),
        ("Exists", (), None, False),
        ("DoesNotExist", (), "", False),
        ("DoesNotExist", (), None, True),
        ("Gt", ("3",), "4", True),
        ("Gt", ("4",), "4", False),
        ("Gt", ("-1",), "0", True),
        ("Gt", ("9",), "10", True),
        ("Lt", ("5",), "4", True),
        ("Lt", ("4",), "4", False),
        ("Gt", ("3",), None, False),
        ("Lt", ("3",), None, False),
        ("Gt", ("3",), "four", False),
        ("Gt", ("x",), "4", False),
        ("Gt", ("3",), "1_000", False),
        ("Gt", (), "4", False),
        ("Gt", ("1", "2"), "4", False),
        ("Near", ("4",), "4", False),
    ],
)
def test_an_expression_of_a_term(
    operator: str,
    values: tuple[str, ...],
    value: str | None,
    holds: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Numbers are compared as whole numbers, and what is none matches nothing."""
    term = NodeSelectorTerm((Requirement("gen", operator, values),))
    node = a_node(labels={} if value is None else {"gen": value})
    assert selects(a_pod(node_affinity=(term,)), node) is holds


GEN_4 = Requirement("gen", "In", ("4",))
HERE = Requirement("metadata.name", "In", ("v-1",))
ELSEWHERE = Requirement("metadata.name", "NotIn", ("v-1",))


@pytest.mark.parametrize(
    ("terms", "matches"),
    [
        pytest.param(None, True, id="no affinity"),
        pytest.param((), False, id="no term"),
        pytest.param((NodeSelectorTerm(),), False, id="a term without expressions"),
        pytest.param((NodeSelectorTerm((GEN_4,), (HERE,)),), True, id="labels and fields"),
        pytest.param((NodeSelectorTerm((GEN_4,), (ELSEWHERE,)),), False, id="labels, not fields"),
        pytest.param((NodeSelectorTerm((), (HERE,)),), True, id="by name"),
        pytest.param(
            (NodeSelectorTerm((), (ELSEWHERE,)), NodeSelectorTerm((GEN_4,))),
            True,
            id="one of two terms",
        ),
        pytest.param(
            (
                NodeSelectorTerm(
                    (GEN_4, Requirement("x", "Exists")),
                ),
            ),
            False,
            id="not all of it",
        ),
    ],
)
def test_one_term_must_hold_as_a_whole(
    terms: tuple[NodeSelectorTerm, ...] | None,
    matches: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Terms are alternatives; what is in one of them must all hold."""
    assert selects(a_pod(node_affinity=terms), a_node(labels={"gen": "4"})) is matches


def test_selector_and_affinity_must_both_match() -> None:
    """Either of them keeps a pod away."""
    node, term = a_node(labels={"gen": "4"}), NodeSelectorTerm((GEN_4,))
    assert selects(a_pod(node_selector={"gen": "4"}, node_affinity=(term,)), node)
    assert not selects(a_pod(node_selector={"gen": "5"}, node_affinity=(term,)), node)


@pytest.mark.parametrize(
    ("taint", "tolerations", "tolerated"),
    [
        pytest.param(RED, [], False, id="none"),
        pytest.param(RED, [Toleration("team", "Equal", "red")], True, id="key and value"),
        pytest.param(RED, [Toleration("team", "", "red")], True, id="Equal is the default"),
        pytest.param(RED, [Toleration("team", "Equal", "blue")], False, id="another value"),
        pytest.param(RED, [Toleration("team", "Exists")], True, id="any value"),
        pytest.param(RED, [Toleration("tea", "Exists")], False, id="another key"),
        pytest.param(RED, [Toleration("", "Exists")], True, id="anything"),
        pytest.param(RED, [Toleration("", "Exists", "", "NoExecute")], False, id="another effect"),
        pytest.param(RED, [Toleration("team", "Exists", "", "NoSchedule")], True, id="the effect"),
        pytest.param(RED, [Toleration("team", "Near", "red")], False, id="an unknown operator"),
        pytest.param(
            RED,
            [Toleration("x", "Exists"), Toleration("team", "Exists")],
            True,
            id="by one of two",
        ),
        pytest.param(Taint("team", "NoExecute"), [], False, id="NoExecute keeps away too"),
        pytest.param(Taint("team", "PreferNoSchedule"), [], True, id="a wish keeps nobody away"),
        pytest.param(Taint("idlewatt.dev/vehicle", "NoSchedule"), [], True, id="ours"),
        pytest.param(Taint("idlewatt.dev/vehicles", "NoSchedule"), [], False, id="nearly ours"),
    ],
)
def test_a_taint_must_be_tolerated(
    taint: Taint,
    tolerations: list[Toleration],
    tolerated: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Those that keep pods away, but for our own."""
    pod = a_pod(tolerations=tuple(tolerations))
    assert tolerates(pod, a_node(taints=(taint,)), asleep=False) is tolerated


def test_every_taint_must_be_tolerated() -> None:
    """One that is not is enough."""
    pod = a_pod(tolerations=(Toleration("team", "Exists"),))
    node = a_node(taints=(RED, Taint("other", "NoSchedule")))
    assert not tolerates(pod, node, asleep=False)


@pytest.mark.parametrize("taint", [NOT_READY, UNREACHABLE])
def test_what_sleep_does_to_a_node_is_no_reason(taint: Taint) -> None:
    """Waking the vehicle takes these taints away; of one that is awake they count."""
    assert tolerates(a_pod(), a_node(taints=(taint,)), asleep=True)
    assert not tolerates(a_pod(), a_node(taints=(taint,)), asleep=False)


def test_other_taints_of_a_sleeper_count() -> None:
    """Sleep explains no others."""
    assert not tolerates(a_pod(), a_node(taints=(RED,)), asleep=True)


def test_a_cordon_is_a_taint() -> None:
    """An unschedulable Node is tolerated by name only, asleep or not."""
    cordoned = a_node(unschedulable=True)
    pod = a_pod(tolerations=(Toleration("node.kubernetes.io/unschedulable", "Exists"),))
    assert tolerates(pod, cordoned, asleep=False)
    assert not tolerates(a_pod(), cordoned, asleep=False)
    assert not tolerates(a_pod(), cordoned, asleep=True)
