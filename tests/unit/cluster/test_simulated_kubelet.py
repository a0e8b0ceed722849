"""The stages that KWOK plays: well-formed, and never two for one pod."""

import itertools
from typing import Any

import pytest
import yaml
from tests.cluster.simulated_kubelet import kwok_configuration


def stages() -> list[dict[str, Any]]:
    """Give the stages of the file that KWOK is started with."""
    documents = yaml.safe_load_all(kwok_configuration())
    return [document for document in documents if document["kind"] == "Stage"]


def test_every_template_is_filled() -> None:
    """No placeholder of ours is left for KWOK to stumble over."""
    for stage in stages():
        assert "@" not in stage["spec"]["next"].get("statusTemplate", "")


@pytest.mark.parametrize("kind", ["Node", "Pod"])
def test_stages_of_a_kind_have_names_of_their_own(kind: str) -> None:
    """KWOK tells stages apart by name."""
    names = [
        stage["metadata"]["name"]
        for stage in stages()
        if stage["spec"]["resourceRef"]["kind"] == kind
    ]
    assert len(names) == len(set(names)) > 1


def test_what_is_told_of_a_pod_is_told_only_while_its_node_is_heard_of() -> None:
    """Every stage that reports on a pod changes nothing once its node's link is cut."""
    reports = [
        stage["spec"]["next"]["statusTemplate"]
        for stage in stages()
        if stage["spec"]["resourceRef"]["kind"] == "Pod" and "delete" not in stage["spec"]["next"]
    ]
    assert reports
    for template in reports:
        assert template.rstrip().endswith("{{ else }}{}{{ end }}")
        assert "PodIPsWith .spec.nodeName" in template.splitlines()[0] + template.splitlines()[1]


def test_no_two_stages_have_the_same_test() -> None:
    """Each stage is asked its own question."""
    tests = [stage["spec"]["selector"]["matchExpressions"][0]["key"] for stage in stages()]
    assert all(one != other for one, other in itertools.combinations(tests, 2))
