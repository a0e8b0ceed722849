"""Installing, upgrading and taking away: nothing is lost that cannot be made again."""

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.api import Api, Manifest
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT
from tests.integration.chart.release import FOLDER, NAMESPACE, RELEASE, HelmError, Installer
from tests.integration.fleet_manifests import a_site, a_tariff, a_vehicle

from idlewatt_operator.resources.base import SCHEMA_VERSION, SCHEMA_VERSION_ANNOTATION

REDIS = "idlewatt-redis"
DEFINITIONS = sorted(path.stem for path in (CHECKOUT / "crds").glob("*.yaml"))


def definitions(api: Api) -> dict[str, Manifest]:
    """Our definitions in the cluster, by plural."""
    return {
        item["spec"]["names"]["plural"]: item
        for item in api.list("CustomResourceDefinition")
        if item["spec"]["group"] == "idlewatt.dev"
    }


def served(plane: ControlPlane) -> None:
    """Wait until our definitions are served."""
    plane.wait_until(
        lambda: (
            len(definitions(plane.api)) == len(DEFINITIONS)
            and all(
                any(
                    each["type"] == "Established" and each["status"] == "True"
                    for each in (item.get("status") or {}).get("conditions") or ()
                )
                for item in definitions(plane.api).values()
            )
        ),
        "the definitions are served",
    )


def passwords(api: Api) -> dict[str, str]:
    """The passwords of the embedded Redis."""
    data = api.get("Secret", REDIS, NAMESPACE)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_one_command_installs_everything(plane: ControlPlane, installer: Installer) -> None:
    """Definitions, operator and Redis come from one install, and their controllers make pods."""
    installer.install()
    served(plane)
    plane.wait_until(
        lambda: len(plane.api.list("Pod", NAMESPACE)) == 3, "two operators and a Redis are made"
    )
    assert sorted(definitions(plane.api)) == DEFINITIONS
    assert {len(each) for each in passwords(plane.api).values()} == {40}
    assert len(set(passwords(plane.api).values())) == 2


def test_its_pods_pass_the_strictest_standard(plane: ControlPlane, installer: Installer) -> None:
    """Operator, Redis and the test pod are let into a namespace that enforces `restricted`."""
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    plane.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": NAMESPACE, "labels": label},
        }
    )
    installer.install()
    plane.wait_until(lambda: len(plane.api.list("Pod", NAMESPACE)) == 3, "all pods are let in")
    for hook in yaml.safe_load_all(installer.run("get", "hooks", "idlewatt")):
        plane.api.apply(hook)


def test_an_upgrade_with_other_values_keeps_the_passwords(
    plane: ControlPlane, installer: Installer
) -> None:
    """The passwords of Redis are made once; what was changed is changed, in place."""
    installer.install()
    before = passwords(plane.api)
    claim = plane.api.get("PersistentVolumeClaim", REDIS, NAMESPACE)["metadata"]["uid"]
    installer.upgrade({"replicas": 3, "redis": {"maxmemory": "256mb"}, "schedulerName": "cars"})
    installer.upgrade({"replicas": 1})
    assert passwords(plane.api) == before
    assert plane.api.get("PersistentVolumeClaim", REDIS, NAMESPACE)["metadata"]["uid"] == claim
    assert plane.api.get("Deployment", "idlewatt", NAMESPACE)["spec"]["replicas"] == 1
    assert not plane.api.exists("PodDisruptionBudget", "idlewatt", NAMESPACE)


def test_only_a_change_of_its_configuration_restarts_redis(
    plane: ControlPlane, installer: Installer
) -> None:
    """An upgrade that changes nothing of Redis leaves its pod alone; one that does replaces it."""
    installer.install()

    def template() -> Any:  # noqa: ANN401 # as the API server gave it
        return plane.api.get("StatefulSet", REDIS, NAMESPACE)["spec"]["template"]

    first = template()
    installer.upgrade({"replicas": 3})
    assert template() == first
    installer.upgrade({"redis": {"appendfsync": "always"}})
    assert template() != first


def test_uninstalling_keeps_what_cannot_be_made_again(
    plane: ControlPlane, installer: Installer
) -> None:
    """Definitions with their objects, passwords, the claim and running pods outlive the release."""
    installer.install()
    served(plane)
    plane.create_nodes("v-1")
    plane.api.apply(a_site(), a_tariff(), a_vehicle(), a_pod())
    plane.api.bind(plane.api.get("Pod", "p", "default"), "v-1")
    plane.wait_for_phase({"metadata": {"name": "p", "namespace": "default"}}, "Running")
    before = passwords(plane.api)
    said = installer.uninstall()
    assert "PersistentVolumeClaim" in said
    assert plane.api.exists("VehicleNode", "v-1")
    assert plane.api.exists("PersistentVolumeClaim", REDIS, NAMESPACE)
    assert plane.api.get("Pod", "p", "default")["status"]["phase"] == "Running"
    plane.wait_until(lambda: not plane.api.list("Deployment", NAMESPACE), "the operator is gone")
    installer.install()
    assert passwords(plane.api) == before
    assert plane.api.get("VehicleNode", "v-1")["spec"]["agreement"]["version"] == 1


def a_pod() -> Manifest:
    """A pod that idlewatt schedules."""
    container = {"name": "c", "image": "x"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"schedulerName": "idlewatt", "containers": [container]},
    }


# --- definitions


def an_older_chart(folder: Path) -> Path:
    """The chart as it may have been: definitions of an older schema, without a field."""
    chart = folder / "older"
    shutil.copytree(FOLDER, chart)
    for path in (chart / "files" / "crds").glob("*.yaml"):
        definition = yaml.safe_load(path.read_text())
        definition["metadata"]["annotations"][SCHEMA_VERSION_ANNOTATION] = "0"
        if path.stem == "vehiclenodes":
            schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            del schema["properties"]["spec"]["properties"]["link"]
        path.write_text(yaml.safe_dump(definition, sort_keys=False))
    return chart


def test_an_upgrade_brings_newer_definitions(
    plane: ControlPlane, installer: Installer, tmp_path: Path
) -> None:
    """Definitions of an older chart are upgraded with the release, and their objects stay."""
    installer.install(folder=an_older_chart(tmp_path))
    served(plane)
    plane.api.apply(a_site(), a_tariff(), a_vehicle())
    uid = plane.api.get("VehicleNode", "v-1")["metadata"]["uid"]
    installer.upgrade()
    versions = {
        item["metadata"]["annotations"][SCHEMA_VERSION_ANNOTATION]
        for item in definitions(plane.api).values()
    }
    assert versions == {str(SCHEMA_VERSION)}
    link = {"spec": {"link": {"downlinkBitsPerSecond": 50_000_000}}}
    plane.wait_until(
        lambda: "link" in plane.api.patch("VehicleNode", "v-1", link)["spec"],
        "the new field is known",
    )
    assert plane.api.get("VehicleNode", "v-1")["metadata"]["uid"] == uid


def test_a_rollback_takes_definitions_back(
    plane: ControlPlane, installer: Installer, tmp_path: Path
) -> None:
    """After it the older schema holds, as the page warns; objects are there all the same."""
    installer.install(folder=an_older_chart(tmp_path))
    installer.upgrade()
    served(plane)
    plane.api.apply(a_vehicle())
    installer.run("rollback", "idlewatt", "1")
    versions = {
        item["metadata"]["annotations"][SCHEMA_VERSION_ANNOTATION]
        for item in definitions(plane.api).values()
    }
    assert versions == {"0"}
    assert plane.api.exists("VehicleNode", "v-1")


def test_definitions_that_kubectl_applied_are_taken_over(
    plane: ControlPlane, installer: Installer
) -> None:
    """Helm says that they are not its own; with --take-ownership it takes them, objects and all."""
    plane.apply_definitions()
    plane.api.apply(a_vehicle())
    with pytest.raises(HelmError, match="cannot be imported into the current release"):
        installer.install()
    installer.install({}, "--take-ownership", "--force-conflicts")
    kept = {
        item["metadata"]["annotations"]["helm.sh/resource-policy"]
        for item in definitions(plane.api).values()
    }
    assert kept == {"keep"}
    assert plane.api.exists("VehicleNode", "v-1")


def test_a_second_release_is_refused(plane: ControlPlane, installer: Installer) -> None:
    """Under another name, or in another namespace, also if it is to take ownership."""
    installer.install()
    for words in (["two"], [RELEASE, "--namespace", "elsewhere", "--create-namespace"]):
        with pytest.raises(HelmError, match="as the release idlewatt in the namespace idlewatt"):
            installer.run("install", *words, str(FOLDER), "--take-ownership", "--force-conflicts")
    served(plane)


def test_definitions_may_come_from_elsewhere(plane: ControlPlane, installer: Installer) -> None:
    """With crds.install false the release has none, and an existing set is left alone."""
    plane.apply_definitions()
    installer.install({"crds": {"install": False}})
    installer.uninstall()
    assert sorted(definitions(plane.api)) == DEFINITIONS
