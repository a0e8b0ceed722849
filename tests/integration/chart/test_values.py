"""The chart's values: wrong ones are refused before anything is installed, each is described."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.cluster.chart_lint import VALUES
from tests.cluster.places import CHECKOUT
from tests.integration.chart.release import FOLDER, HelmError, helm, rendered

SCHEMA = json.loads((FOLDER / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
OUTSIDE: dict[str, Any] = {"redis": {"enabled": False}}


def nested(path: str, value: object) -> dict[str, Any]:
    """A value under its path."""
    for name in reversed(path.split(".")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def outside(**external: object) -> dict[str, Any]:
    """Values of a Redis that is elsewhere."""
    return {**OUTSIDE, "externalRedis": {"host": "redis.example.org", **external}}


WRONG = [
    # A name that is not there.
    nested("replicaCount", 2),
    nested("Replicas", 2),
    nested("image.name", "x"),
    nested("image.pullpolicy", "Always"),
    nested("leaderElection", {"enabled": True}),
    nested("redis.persistance", {"enabled": True}),
    nested("redis.auth.password", "secret"),
    nested("redis.image.registry", "x"),
    nested("externalRedis.password", "secret"),
    nested("externalRedis.tls", {"insecureSkipVerify": True}),
    nested("networkPolicy.egress", []),
    nested("metrics.serviceMonitor.scrapeTimeout", "1s"),
    nested("resources.limit", {"cpu": "1"}),
    nested("resources.limits.mem", "1Gi"),
    nested("affinity.podAntiaffinity", {}),
    nested("affinity.nodeAffinity.required", []),
    nested("tolerations", [{"Key": "x"}]),
    nested("rbac", {"create": False}),
    nested("crds", {"keep": False}),
    nested("admissionPolicy.failurePolicy", "Ignore"),
    # A value of another type.
    nested("replicas", "2"),
    nested("replicas", 1.5),
    nested("replicas", None),
    nested("redis.persistence", None),
    nested("redis.image.repository", None),
    nested("externalRedis.tls", {"enabled": None}),
    nested("dryRun", "false"),
    nested("podDisruptionBudget.enabled", 1),
    nested("image", "idlewatt/operator:0.1.0"),
    nested("image.tag", 1.0),
    nested("imagePullSecrets", [{"name": "registry"}]),
    nested("nodeSelector", ["a=b"]),
    nested("nodeSelector", {"disk": True}),
    nested("tolerations", {"key": "x"}),
    nested("redis", "redis://redis:6379"),
    nested("redis.maxmemory", 805306368),
    nested("networkPolicy.apiServer.ports", ["https"]),
    # A value that cannot be.
    nested("replicas", 0),
    nested("replicas", 100),
    nested("image.repository", "idlewatt/operator:0.1.0 "),
    nested("image.tag", "0.1.0@sha256:1"),
    nested("image.digest", "0123456789"),
    nested("image.pullPolicy", "always"),
    nested("schedulerName", "Idlewatt"),
    nested("schedulerName", ""),
    nested("leaderElection.leaseName", "a_b"),
    nested("departures.configMapName", "a_b"),
    nested("tariffSources.configMapName", "a_b"),
    nested("tariffSources.entsoeSecretName", "a secret"),
    nested("tariffSources.entsoeSecretKey", ""),
    nested("tariffSources.cidrs", ["prices.example.org"]),
    nested("priorityClass.value", 2_000_000_000),
    nested("terminationGracePeriodSeconds", 5),
    nested("resources.limits.memory", "1GB"),
    nested("resources.requests.cpu", "-1"),
    nested("podLabels", {"a b": "c"}),
    nested("podLabels", {"a": "b c"}),
    nested("tolerations", [{"key": "x", "operator": "In"}]),
    nested("tolerations", [{"key": "x", "operator": "Exists", "value": "y"}]),
    nested("tolerations", [{"key": "x", "effect": "NoRun"}]),
    nested("networkPolicy.apiServer.cidrs", ["10.0.0.1"]),
    nested("networkPolicy.apiServer.ports", []),
    nested("networkPolicy.apiServer.ports", [0]),
    nested("metrics.serviceMonitor.interval", "30"),
    nested("redis.image.tag", ""),
    nested("redis.appendfsync", "everysecond"),
    nested("redis.maxmemory", "1Gi"),
    nested("redis.persistence.size", "8 Gi"),
    nested("redis.persistence.storageClass", "Fast"),
    outside(host="redis://redis.example.org"),
    outside(host="redis.example.org:6379"),
    outside(port=0),
    outside(port=65536),
    outside(database=-1),
    outside(existingSecret="a secret"),
    outside(tls={"caKey": ""}),
    # A gateway without a label would be every pod of its namespace.
    nested("networkPolicy.gateways", {"podLabels": {"idlewatt.dev/gateway": None}}),
]


@pytest.mark.parametrize("values", WRONG, ids=json.dumps)
def test_a_wrong_value_is_refused(home: Path, values: dict[str, Any]) -> None:
    """Helm names the value and what is wrong with it, and makes nothing."""
    with pytest.raises(HelmError, match="values don't meet the specifications"):
        rendered(home, values, only=["serviceaccount.yaml"])


ON_A_CAR = [{"key": "idlewatt.dev/vehicle", "operator": "Exists"}]
CONTRADICTIONS = [
    (OUTSIDE, "externalRedis.host is empty. Say there where a Redis is."),
    (nested("externalRedis.host", "redis.example.org"), "There is one Redis: set redis.enabled"),
    (nested("priorityClass", {"create": True, "name": ""}), "Give the class a name."),
    (outside(username="idlewatt"), "Name a Secret that has one in externalRedis.existingSecret."),
    (outside(tls={"enabled": False, "caSecret": "redis-ca"}), "or leave the Secret out."),
    (nested("schedulerName", "default-scheduler"), "two schedulers would place the same pods"),
    (nested("tolerations", ON_A_CAR), "do not belong on a car"),
    (nested("redis.tolerations", ON_A_CAR), "do not belong on a car"),
]


@pytest.mark.parametrize(("values", "sentence"), CONTRADICTIONS, ids=str)
def test_values_that_contradict_each_other_are_refused(
    home: Path, values: dict[str, Any], sentence: str
) -> None:
    """Where each value could be right and together they are not, a sentence says what to do."""
    with pytest.raises(HelmError, match=re.escape(sentence)):
        rendered(home, values, only=["serviceaccount.yaml"])


@pytest.mark.parametrize("path", VALUES, ids=lambda path: path.name)
def test_right_values_make_manifests(home: Path, path: Path) -> None:
    """The defaults, and the sets of values that the linters try, are taken."""
    assert rendered(home, yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "values",
    [
        nested("global", {"of": "a chart that has this one in it"}),
        nested("redis.tolerations", [{"operator": "Exists"}]),
        nested("resources.limits", {"cpu": 1, "memory": "1.5Gi"}),
        nested("image.repository", "registry.example.org:5000/a/b_c"),
        nested("networkPolicy.metrics.namespaceLabels", {"kubernetes.io/metadata.name": None}),
        outside(host="2001:db8::1"),
        outside(username="idlewatt", existingSecret="redis"),
    ],
    ids=json.dumps,
)
def test_what_is_unusual_and_right_is_taken(home: Path, values: dict[str, Any]) -> None:
    """The schema stops mistakes, and nothing that would work."""
    assert rendered(home, values, only=["serviceaccount.yaml"])


def objects(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a schema that names properties of its own, with where it stands."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield path, schema
        for name, part in schema.items():
            yield from objects(part, f"{path}/{name}")
    if isinstance(schema, list):
        for number, part in enumerate(schema):
            yield from objects(part, f"{path}/{number}")


def test_no_object_takes_a_name_that_it_does_not_know() -> None:
    """A typing mistake is refused at every depth."""
    assert [path for path, part in objects(SCHEMA) if part.get("additionalProperties", True)] == []


def keys(values: object, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The paths at which defaults and schema do not name the same."""
    named = schema.get("properties")
    if named is None or not isinstance(values, dict):
        return
    yield from (f"{path}.{name}" for name in values.keys() ^ named.keys())
    for name in values.keys() & named.keys():
        yield from keys(values[name], named[name], f"{path}.{name}")


def test_the_schema_knows_what_there_is() -> None:
    """Every default has a place in the schema, and everything in the schema has a default."""
    assert list(keys(DEFAULTS, SCHEMA)) == [".global"]


@pytest.fixture(scope="module")
def page() -> ModuleType:
    """The script that writes the page of the values."""
    path = CHECKOUT / "scripts" / "chart_values.py"
    spec = importlib.util.spec_from_file_location("chart_values", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaves(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """The paths of all values."""
    for name, value in values.items():
        here = f"{path}.{name}".lstrip(".")
        yield from leaves(value, here) if isinstance(value, dict) and value else [here]


def test_every_value_is_described(page: ModuleType) -> None:
    """A comment that begins with # -- stands above each value, or above what holds it."""
    text = (FOLDER / "values.yaml").read_text(encoding="utf-8")
    described = {each.path for each in page.described(text)}
    alone = [
        path
        for path in leaves(DEFAULTS)
        if not any(path == each or path.startswith(f"{each}.") for each in described)
    ]
    assert alone == []


def test_the_page_is_what_the_values_say(page: ModuleType) -> None:
    """docs/reference/chart-values.md was generated from the values that are there."""
    assert page.main(["--check"]) == 0


def test_the_chart_and_the_operator_have_one_version() -> None:
    """The image that the chart runs unless told otherwise is of this tree's version."""
    chart = yaml.safe_load((FOLDER / "Chart.yaml").read_text(encoding="utf-8"))
    project = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{chart["appVersion"]}"' in project


def test_the_package_holds_the_definitions(home: Path, tmp_path: Path) -> None:
    """`helm package` follows the link to crds/: what is shipped makes what the checkout makes."""
    helm("package", str(FOLDER), "--destination", str(tmp_path), home=home)
    (package,) = tmp_path.glob("idlewatt-*.tgz")
    fixed = nested("redis.auth.existingSecret", "x")
    assert rendered(home, fixed, folder=package) == rendered(home, fixed)
