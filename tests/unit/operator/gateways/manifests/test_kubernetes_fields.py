"""Misspelt fields and wrong types of Pods and Nodes are found without an API server."""

import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from idlewatt_operator.gateways.manifests import kubernetes_fields
from idlewatt_operator.gateways.manifests.generate import fields
from idlewatt_operator.gateways.manifests.kubernetes_fields import FILE, field_mistakes
from idlewatt_operator.resources.mistakes import Mistake


def told(of: str, **manifest: Any) -> list[str]:  # noqa: ANN401  # any JSON value
    """Every mistake as a line."""
    return [str(mistake) for mistake in field_mistakes(of, manifest)]


def test_the_fields_are_those_of_the_kubernetes_client() -> None:
    """When this fails the client was upgraded: run the generator and read what changed."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == fields()


def test_a_pod_as_the_api_server_writes_it() -> None:
    """Every type there is, nulls, and a field of the status that only a newer one knows."""
    assert (
        told(
            "Pod",
            apiVersion="v1",
            kind="Pod",
            metadata={"name": "a", "labels": {"x": "y"}, "creationTimestamp": None},
            spec={
                "hostNetwork": True,
                "priority": -5,
                "overhead": {"cpu": "1", "memory": 2, "x": 0.5},
                "containers": [
                    {
                        "livenessProbe": {"httpGet": {"port": "http"}},
                        "resources": {"claims": [{"name": "gpu"}]},
                    }
                ],
                "volumes": [{"emptyDir": {"sizeLimit": 5}}],
            },
            status={"brandNew": 1, "startTime": "2026-01-15T12:00:00Z"},
        )
        == []
    )


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (
            {"nodeSelectr": {}},
            "spec.nodeSelectr: unknown field; did you mean nodeSelector?",
        ),
        ({"xyz": 1}, "spec.xyz: unknown field"),
        ({"containers": {}}, "spec.containers: {} is not a list"),
        ({"containers": ["a"]}, 'spec.containers[0]: "a" is not a mapping of fields to values'),
        ({"containers": [{"image": 1}]}, "spec.containers[0].image: 1 is not text; write it in"),
        ({"hostNetwork": "yes"}, 'spec.hostNetwork: "yes" is neither true nor false'),
        ({"priority": "5"}, 'spec.priority: "5" is not a whole number'),
        ({"priority": True}, "spec.priority: true is not a whole number"),
        ({"priority": 2**63}, "spec.priority: 9223372036854775808 is not a whole number, or is"),
        ({"nodeSelector": ["a"]}, 'spec.nodeSelector: ["a"] is not a mapping of names to values'),
        ({"nodeSelector": {"a": True}}, "spec.nodeSelector.a: true is not text"),
        ({"overhead": {"cpu": True}}, "spec.overhead.cpu: true is not a quantity"),
        ({"overhead": {"cpu": ["1"]}}, 'spec.overhead.cpu: ["1"] is not a quantity'),
    ],
)
def test_a_mistake_in_a_spec(spec: dict[str, Any], line: str) -> None:
    """Field and sentence, with what was probably meant."""
    (found,) = told("Pod", spec=spec)
    assert found.startswith(line)


def test_what_is_looked_at_quickly_is_judged_alike() -> None:
    """Any value in any place of a Pod: no mistake is told where the whole is taken for good."""
    pod = {
        "metadata": {"labels": {"x": "y"}, "generation": 1},
        "spec": {
            "hostNetwork": True,
            "overhead": {"cpu": "1"},
            "containers": [{"image": "i", "livenessProbe": {"httpGet": {"port": 80}}}],
            "volumes": [{"emptyDir": {"sizeLimit": 5}}],
        },
        "status": {"conditions": [{"status": "True", "new": 1}], "startTime": "t", "new": {}},
    }
    junk: tuple[object, ...]
    junk = (None, True, 1, -(2**63), 2**64, 0.5, 1.0, "x", b"x", [], ["x"], [None], {}, {"x": 1})
    good = 0
    for path in _places(pod):
        for value in junk:
            changed = deepcopy(pod)
            whole = _with(changed, path, value)
            slowly = list(kubernetes_fields._model(whole, "V1Pod", ""))  # noqa: SLF001 - the judge
            good += not slowly
            assert told("Pod", **whole) == [
                str(Mistake(each.field.removeprefix("."), each.sentence)) for each in slowly
            ]
    assert 50 < good < len(junk) * 25


def _places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to each value within a value."""
    inner: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, item in inner:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _with(whole: Any, path: tuple[str | int, ...], value: object) -> Any:  # noqa: ANN401 - JSON
    """The same with another value in one place."""
    place = whole
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return whole


def test_all_mistakes_are_told_at_once() -> None:
    """In the manifest's order, of Nodes too."""
    found = told("Node", metadata={"lables": {}}, spec={"taints": [{"effct": ""}]}, status=[])
    assert [line.split(":")[0] for line in found] == [
        "metadata.lables",
        "spec.taints[0].effct",
        "status",
    ]


def test_a_long_value_is_shown_in_part() -> None:
    """A pasted certificate is not repeated on the screen."""
    (found,) = told("Pod", spec={"hostNetwork": "x" * 10_000})
    assert len(found) < 200
