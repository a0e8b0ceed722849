"""The permissions that docs/howto/run-the-operator.md lists are enough, and all are asked for."""

import re
import signal
from pathlib import Path

import pytest
import yaml
from tests.cluster.api import Api, Manifest
from tests.cluster.control_plane import ControlPlane, kubeconfig
from tests.cluster.places import CHECKOUT
from tests.integration.fleet_manifests import a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_deployment, ended, idlewatt_run, report_now

PAGE = CHECKOUT / "docs" / "howto" / "run-the-operator.md"
ACCOUNT = "/api/v1/namespaces/idlewatt/serviceaccounts/idlewatt/token"


def permissions() -> list[Manifest]:
    """The manifests that the page shows."""
    (block,) = re.findall(r"^```yaml$(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return list(yaml.safe_load_all(block))


@pytest.fixture
def permitted(cluster: ControlPlane, tmp_path: Path) -> Path:
    """A kubeconfig of the service account that the page makes."""
    for manifest in permissions():
        cluster.api.apply(manifest)
    wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = cluster.api.request("POST", ACCOUNT, wish)["status"]["token"]
    own = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig(cluster.url, token, Path(own["certificate-authority"])))
    return path


def may(api: Api, verb: str, group: str, resource: str) -> bool:
    """Whether the user of this connection may do it in every namespace."""
    resource, _, subresource = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    return bool(api.request("POST", path, review)["status"]["allowed"])


def test_the_operator_works_with_what_it_is_permitted(
    cluster: ControlPlane, permitted: Path
) -> None:
    """It leads, binds, taints, writes status, conditions and events, and is forbidden nothing."""
    cluster.apply_definitions()
    cluster.create_nodes("v-1")
    cluster.api.apply(a_site(), a_tariff(), a_vehicle(parkingWindows=ALWAYS), a_deployment(3))
    report_now(cluster)
    election = ("--leader-election", "--lease-namespace", "idlewatt", "--identity", "here")
    process = idlewatt_run("--kubeconfig", str(permitted), *election)
    try:
        cluster.wait_until(
            lambda: any(pod["spec"].get("nodeName") for pod in cluster.api.list("Pod", "default")),
            "a pod is bound",
            60,
        )
        cluster.wait_until(
            lambda: bool(cluster.api.get("ParkingSite", "depot").get("status", {})),
            "the site is judged",
            60,
        )
    finally:
        process.send_signal(signal.SIGTERM)
        status, _, err = ended(process)
    assert status == 0, err
    assert "gave the lease back" in err
    assert "forbidden" not in err.lower()


def test_it_may_not_read_secrets_nor_make_pods(cluster: ControlPlane, permitted: Path) -> None:
    """What the page says that it does not do, it may not do; evicting and binding it may."""
    del cluster
    api = Api.from_kubeconfig(permitted)
    try:
        assert not may(api, "get", "", "secrets")
        assert not may(api, "list", "", "secrets")
        assert not may(api, "list", "", "configmaps")
        assert not may(api, "create", "", "pods")
        assert may(api, "create", "", "pods/binding")
        assert may(api, "create", "", "pods/eviction")
    finally:
        api.close()
