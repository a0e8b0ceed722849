"""What the chart makes of values: how its pods are held, what it keeps, what it leaves out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.api import Manifest
from tests.cluster.chart_lint import VALUES
from tests.cluster.places import CHECKOUT
from tests.integration.chart.release import one, rendered

KEEP = ("helm.sh/resource-policy", "keep")
CRDS = sorted((CHECKOUT / "crds").glob("*.yaml"))
EXTERNAL = {"redis": {"enabled": False}, "externalRedis": {"host": "redis.example.org"}}


@pytest.fixture(scope="module", params=VALUES, ids=lambda path: path.stem)
def manifests(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Manifest]:
    """All manifests of each set of values."""
    home = tmp_path_factory.mktemp("helm")
    return rendered(home, yaml.safe_load(request.param.read_text(encoding="utf-8")))


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The specs of all pods."""
    for manifest in manifests:
        if manifest["kind"] == "Pod":
            yield manifest["spec"]
        elif "template" in manifest.get("spec", {}):
            yield manifest["spec"]["template"]["spec"]


def environment(manifests: list[Manifest]) -> dict[str, Any]:
    """The operator's environment: values, or where they come from."""
    (container,) = one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_every_container_is_held_tightly(manifests: list[Manifest]) -> None:
    """Nobody is root, writes to its image, gains rights, or is without a seccomp profile."""
    specs = list(pods(manifests))
    assert specs
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_only_the_operator_gets_a_token(manifests: list[Manifest]) -> None:
    """Redis and the test pod cannot speak to the API server."""
    tokens = [spec["automountServiceAccountToken"] for spec in pods(manifests)]
    assert tokens.count(True) == 1
    assert one(manifests, "Deployment")["spec"]["template"]["spec"]["automountServiceAccountToken"]


def test_no_secret_is_on_a_command_line(manifests: list[Manifest]) -> None:
    """Passwords come from Secrets, into the environment or a file."""
    for spec in pods(manifests):
        for container in spec["containers"]:
            words = " ".join([*container.get("command", ()), *container.get("args", ())])
            assert "$(" not in words.replace('"$(redis-cli ping)"', "")
            for variable in container.get("env", ()):
                assert "PASSWORD" not in variable["name"] or "value" not in variable


def test_everything_is_labelled_and_in_its_place(manifests: list[Manifest]) -> None:
    """All but our definitions says what made it, and what has a namespace is in the release's."""
    for manifest in manifests:
        metadata = manifest["metadata"]
        if manifest["kind"] != "CustomResourceDefinition":
            assert metadata["labels"]["app.kubernetes.io/name"] == "idlewatt"
        assert metadata.get("namespace", "idlewatt") == "idlewatt"


def test_no_role_adds_to_what_everybody_may(manifests: list[Manifest]) -> None:
    """No aggregation, no wildcard, no Secrets, and no way to more rights."""
    for manifest in manifests:
        if manifest["kind"] in {"ClusterRole", "Role"}:
            assert not [name for name in manifest["metadata"]["labels"] if "aggregate-to" in name]
            text = str(manifest["rules"])
            for word in ("*", "secrets", "escalate", "impersonate", "'roles'", "bind'"):
                assert word not in text.replace("pods/binding", "")


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_definitions_are_those_of_crds(home: Path, path: Path) -> None:
    """They come whole out of crds/, to be kept when the release goes."""
    plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    made = one(
        rendered(home, only=["customresourcedefinitions.yaml"]),
        "CustomResourceDefinition",
        plain["metadata"]["name"],
    )
    annotations = made["metadata"]["annotations"]
    assert annotations.pop(KEEP[0]) == KEEP[1]
    assert made == plain


def test_what_cannot_be_made_again_is_kept(home: Path) -> None:
    """The passwords, what vehicles reported, and the definitions outlive the release."""
    kept = {
        manifest["kind"]
        for manifest in rendered(home)
        if KEEP in manifest["metadata"].get("annotations", {}).items()
    }
    assert kept == {"CustomResourceDefinition", "PersistentVolumeClaim", "Secret"}


def test_a_secret_of_ones_own_takes_the_place_of_ours(home: Path) -> None:
    """So that manifests rendered without a cluster are the same each time."""
    values = {"redis": {"auth": {"existingSecret": "passwords"}}}
    first, second = rendered(home, values), rendered(home, values)
    assert first == second
    assert "Secret" not in {manifest["kind"] for manifest in first}
    assert environment(first)["IDLEWATT_REDIS_PASSWORD"]["secretKeyRef"]["name"] == "passwords"


def test_redis_elsewhere_leaves_nothing_of_ours(home: Path) -> None:
    """With redis.enabled false there is no StatefulSet, claim, password or policy of Redis."""
    made = rendered(home, EXTERNAL)
    assert not [each["metadata"]["name"] for each in made if "redis" in each["metadata"]["name"]]
    given = environment(made)
    assert given["IDLEWATT_REDIS_URL"] == "redis://redis.example.org:6379/0"
    assert not given.keys() & {"IDLEWATT_REDIS_USERNAME", "IDLEWATT_REDIS_PASSWORD"}


def test_redis_elsewhere_with_all_that_protects_it(home: Path) -> None:
    """TLS, the ACL user, its password out of a Secret, and the authority out of another."""
    path = next(path for path in VALUES if path.stem == "external-redis")
    made = rendered(home, yaml.safe_load(path.read_text(encoding="utf-8")))
    given = environment(made)
    assert given["IDLEWATT_REDIS_URL"] == "rediss://redis.example.org:6380/2"
    assert given["IDLEWATT_REDIS_USERNAME"] == "idlewatt"
    assert given["IDLEWATT_REDIS_PASSWORD"] == {
        "secretKeyRef": {"name": "redis-password", "key": "secret"}
    }
    spec = one(made, "Deployment")["spec"]["template"]["spec"]
    kernels, mount = spec["containers"][0]["volumeMounts"]
    assert given["NUMBA_CACHE_DIR"].startswith(f"{kernels['mountPath']}/")
    assert given["IDLEWATT_REDIS_CA_FILE"] == f"{mount['mountPath']}/ca.crt"
    kept, volume = spec["volumes"]
    assert kept == {"name": kernels["name"], "emptyDir": {"sizeLimit": "256Mi"}}
    assert volume["secret"] == {
        "secretName": "redis-ca",
        "items": [{"key": "ca.pem", "path": "ca.crt"}],
    }


def test_an_address_of_six_words_is_bracketed(home: Path) -> None:
    """An IPv6 address becomes part of a URL."""
    values = {**EXTERNAL, "externalRedis": {"host": "2001:db8::1"}}
    assert environment(rendered(home, values))["IDLEWATT_REDIS_URL"] == (
        "redis://[2001:db8::1]:6379/0"
    )


def test_one_operator_has_no_budget(home: Path) -> None:
    """A budget of one would keep its node from being drained for ever."""
    made = rendered(home, {"replicas": 1})
    assert "PodDisruptionBudget" not in {manifest["kind"] for manifest in made}


def test_who_only_looks_is_alone_and_leads_nobody(home: Path) -> None:
    """A dry run neither takes the Lease nor stands by."""
    deployment = one(rendered(home, {"dryRun": True}), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["spec"]["replicas"] == 1
    assert "--dry-run" in container["args"]
    assert "--leader-election" not in container["args"]


def test_operators_prefer_different_nodes(home: Path) -> None:
    """Unless an affinity is given; then that one holds alone."""
    term = "podAntiAffinity"

    def affinity(values: dict[str, Any]) -> Any:  # noqa: ANN401 # what YAML holds
        deployment = one(rendered(home, values), "Deployment")
        return deployment["spec"]["template"]["spec"]["affinity"]

    topologies = [
        each["podAffinityTerm"]["topologyKey"]
        for each in affinity({})[term]["preferredDuringSchedulingIgnoredDuringExecution"]
    ]
    assert sorted(topologies) == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    own: dict[str, Any] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    assert affinity({"affinity": own}) == own


def test_redis_hears_nobody_but_whom_it_serves(home: Path) -> None:
    """The operator, the test, and pods labelled as gateways; and it calls nobody."""
    policy = one(rendered(home), "NetworkPolicy", "idlewatt-redis")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy
    (rule,) = policy["ingress"]
    component = "app.kubernetes.io/component"
    callers = [source["podSelector"]["matchLabels"] for source in rule["from"]]
    assert [labels.get(component, labels) for labels in callers] == [
        "operator",
        "test",
        {"idlewatt.dev/gateway": "true"},
    ]


def test_the_selectors_of_policies_find_their_pods(home: Path) -> None:
    """Budget, Services and NetworkPolicies select what the Deployment and StatefulSet make."""
    made = rendered(home)
    labels = {
        kind: one(made, kind)["spec"]["template"]["metadata"]["labels"].items()
        for kind in ("Deployment", "StatefulSet")
    }
    budget = one(made, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    assert budget.items() <= labels["Deployment"]
    for name, kind in (("idlewatt-metrics", "Deployment"), ("idlewatt-redis", "StatefulSet")):
        assert one(made, "Service", name)["spec"]["selector"].items() <= labels[kind]
    for name, kind in (("idlewatt", "Deployment"), ("idlewatt-redis", "StatefulSet")):
        selector = one(made, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"]
        assert selector.items() <= labels[kind]


@pytest.mark.parametrize("release", ["idlewatt", "night", "idlewatt-" + "x" * 40, "x" * 53])
def test_any_name_of_a_release_will_do(home: Path, release: str) -> None:
    """Labels hold the names, and what is not in a namespace bears the release's own."""
    made = rendered(home, release=release)
    service = one(made, "StatefulSet")["metadata"]["name"]
    assert len(f"{service}-0123456789") <= 63  # a label's most
    wide = [each["metadata"]["name"] for each in made if "namespace" not in each["metadata"]]
    assert [name for name in wide if "idlewatt" not in name] == []


def test_metrics_are_watched_only_where_asked(home: Path) -> None:
    """A ServiceMonitor needs definitions that not every cluster has."""
    assert "ServiceMonitor" not in {manifest["kind"] for manifest in rendered(home)}
    values = {"metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "p"}}}}
    monitor = one(rendered(home, values), "ServiceMonitor")
    assert monitor["metadata"]["labels"]["release"] == "p"
    assert monitor["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "30s"}]
