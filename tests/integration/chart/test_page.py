"""What NOTES and the page of the installation tell people to type works."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.cluster.binaries import CHART, ensure
from tests.cluster.chart_lint import VALUES
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT
from tests.integration.chart.release import Installer, rendered
from tests.integration.chart.test_install import served
from tests.integration.fleet_manifests import a_vehicle

PAGE = CHECKOUT / "docs" / "howto" / "install-with-helm.md"

# These wait for containers that run, which none does here: tests/e2e has them.
NEED_CONTAINERS = ("rollout status", " test ", " logs ")


def blocks(language: str) -> list[str]:
    """The page's blocks of a language."""
    pattern = rf"^```{language}$(.*?)^```$"
    return re.findall(pattern, PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The commands of the page, in order, each on one line."""
    lines = "".join(blocks("console")).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


class Shell:
    """A shell in the checkout, with helm and kubectl and a kubeconfig."""

    def __init__(self, plane: ControlPlane, home: Path) -> None:
        folders = (ensure(CHART), ensure())
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
            "KUBECONFIG": str(plane.kubeconfig),
            **{f"HELM_{what}_HOME": str(home / what) for what in ("CACHE", "CONFIG", "DATA")},
        }

    def run(self, command: str) -> str:
        """Run a command, which has to succeed, and give what it printed."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=CHECKOUT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout


def test_the_pages_commands_work_in_their_order(plane: ControlPlane, home: Path) -> None:
    """From the first install to nothing left, with definitions that kubectl applied between."""
    shell = Shell(plane, home)
    plane.create_nodes("v-1", "n-1")
    taint = [{"key": "idlewatt.dev/vehicle", "effect": "NoSchedule"}]
    plane.api.patch("Node", "v-1", {"spec": {"taints": taint}})
    for command in commands():
        if "--take-ownership" in command:
            shell.run("helm --namespace idlewatt uninstall idlewatt")
            shell.run("kubectl annotate crd vehiclenodes.idlewatt.dev meta.helm.sh/release-name-")
        if not any(word in command for word in NEED_CONTAINERS):
            shell.run(command)
        if command.startswith(("helm install", "helm upgrade --install")):
            served(plane)
            plane.api.apply(a_vehicle("v-1"))
    left = [each["metadata"]["name"] for each in plane.api.list("CustomResourceDefinition")]
    assert left == []
    assert "taints" not in plane.api.get("Node", "v-1")["spec"]


@pytest.mark.parametrize("values", blocks("yaml"), ids=lambda text: text.strip().splitlines()[0])
def test_the_pages_values_are_right(home: Path, values: str) -> None:
    """The blocks of values on the page make manifests."""
    assert rendered(home, yaml.safe_load(values))


@pytest.mark.parametrize("path", [VALUES[0], *VALUES[-2:]], ids=lambda path: path.stem)
def test_notes_say_what_to_do_next(
    plane: ControlPlane, installer: Installer, home: Path, path: Path
) -> None:
    """Each command in NOTES works on the release that they were printed for."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    plane.apply_definitions()
    said = installer.install(values, "--take-ownership", "--force-conflicts")
    notes = said.partition("NOTES:")[2]
    typed = [line.strip() for line in notes.splitlines() if line.startswith("  ")]
    typed = [line for line in typed if shlex.split(line)[0] in {"kubectl", "helm"}]
    assert len(typed) >= 4  # waiting, looking at vehicles and at pods
    shell = Shell(plane, home)
    for command in typed:
        if not any(word in f"{command} " for word in NEED_CONTAINERS):
            shell.run(command)
