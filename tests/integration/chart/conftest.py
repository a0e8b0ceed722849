"""Fixtures for the chart: a control plane of its own, since policies hold for a whole cluster."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.cluster.api import Api, RefusedError
from tests.cluster.cleaning import clean
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import SetupError
from tests.integration.chart.release import NAMESPACE, Installer

RBAC = "rbac.authorization.k8s.io/v1"
ADMISSION = "admissionregistration.k8s.io/v1"
POLICIES = (
    ("ValidatingAdmissionPolicyBinding", ADMISSION),
    ("ValidatingAdmissionPolicy", ADMISSION),
)
IN_THE_NAMESPACE = (
    ("ServiceAccount", ""),
    ("Service", ""),
    ("ConfigMap", ""),
    ("Lease", ""),
    ("Role", RBAC),
    ("RoleBinding", RBAC),
    ("NetworkPolicy", "networking.k8s.io/v1"),
)
KEPT = (
    ("ClusterRoleBinding", ""),
    ("ClusterRole", ""),
    ("CustomResourceDefinition", ""),
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a folder for helm's own files."""
    return tmp_path / "helm"


@pytest.fixture(scope="session")
def chart_plane() -> Iterator[ControlPlane]:
    """Start the control plane of the chart's tests. Ask for ``plane`` instead."""
    try:
        plane = ControlPlane.start("chart", audit=True)
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)
    with plane:
        yield plane


@pytest.fixture
def plane(chart_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Give the control plane, and take away afterwards all that the test left."""
    yield chart_plane
    wipe(chart_plane)


@pytest.fixture
def installer(plane: ControlPlane, home: Path) -> Installer:
    """Give helm on that control plane."""
    return Installer(plane.kubeconfig, home)


def wipe(plane: ControlPlane) -> None:
    """Delete policies first, or what they guard could not be, and definitions last."""
    delete_ours(plane.api, POLICIES)
    clean(plane.api, keep=frozenset({NAMESPACE}))
    if plane.api.exists("Namespace", NAMESPACE):
        labels = {"pod-security.kubernetes.io/enforce": None}
        plane.api.patch("Namespace", NAMESPACE, {"metadata": {"labels": labels}})
    for kind, api_version in IN_THE_NAMESPACE:
        for item in plane.api.list(kind, NAMESPACE, api_version=api_version):
            name = str(item["metadata"]["name"])
            if "idlewatt" in name:
                plane.api.delete(kind, name, NAMESPACE, api_version=api_version)
    plane.wait_until(lambda: not delete_ours(plane.api, KEPT), "all that was installed is gone")
    plane.wait_until(lambda: not serves_ours(plane.api), "our kinds are served no longer")


def delete_ours(api: Api, kinds: Iterable[tuple[str, str]]) -> list[str]:
    """Ask for the deletion of what has our name; give what was there."""
    found = []
    for kind, api_version in kinds:
        for item in api.list(kind, api_version=api_version):
            name = str(item["metadata"]["name"])
            if "idlewatt" in name:
                found.append(name)
                with contextlib.suppress(RefusedError):
                    api.delete(kind, name, api_version=api_version)
    return found


def serves_ours(api: Api) -> bool:
    """Whether the API server knows our group."""
    groups = api.request("GET", "/apis")["groups"]
    return any(group["name"] == "idlewatt.dev" for group in groups)
