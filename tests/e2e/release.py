"""The chart as a user installs it: helm's commands, the images on the nodes, a volume for Redis."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.cluster.binaries import CHART, ensure
from tests.cluster.places import CHECKOUT, SetupError

NAMESPACE: Final = "idlewatt"
RELEASE: Final = "idlewatt"
CHART_FOLDER: Final = CHECKOUT / "charts" / "idlewatt"
VALUES: Final = (CHART_FOLDER / "values-kind.yaml", Path(__file__).with_name("values.yaml"))
VOLUME_FOLDER: Final = "/var/local/idlewatt-e2e"
STORAGE_CLASS: Final = "e2e"
TIMEOUT_SECONDS: Final = 300


@dataclass
class Release:
    """The release `idlewatt` in the namespace `idlewatt`.

    Args:
        kubeconfig: of the cluster.
        folder: for helm's own files.
        settings: values beside those of values.yaml, as `--set` has them.
    """

    kubeconfig: Path
    folder: Path
    settings: dict[str, str]

    def install(self) -> str:
        """Install it, and wait until all of it is ready; give helm's own words."""
        return self._helm(
            "install", RELEASE, str(CHART_FOLDER), "--create-namespace", *self._values()
        )

    def upgrade(self, **changed: str) -> str:
        """Upgrade it with values changed, and wait until all of it is ready."""
        self.settings |= {name.replace("__", "."): value for name, value in changed.items()}
        return self._helm("upgrade", RELEASE, str(CHART_FOLDER), *self._values())

    def test(self) -> str:
        """Run the chart's own test."""
        return self._helm("test", RELEASE, "--timeout", f"{TIMEOUT_SECONDS}s", "--logs")

    def uninstall(self) -> str:
        """Take it away, as its NOTES say."""
        return self._helm("uninstall", RELEASE, "--wait", "--timeout", f"{TIMEOUT_SECONDS}s")

    def revision(self) -> int:
        """The release's revision; 0 where there is none."""
        found: list[dict[str, Any]] = json.loads(self._helm("list", "--output", "json") or "[]")
        return next((int(each["revision"]) for each in found if each["name"] == RELEASE), 0)

    def _values(self) -> list[str]:
        words = ["--wait", "--timeout", f"{TIMEOUT_SECONDS}s"]
        for file in VALUES:
            words += ["--values", str(file)]
        for name, value in self.settings.items():
            words += ["--set", f"{name}={value}"]
        return words

    def _helm(self, *words: str) -> str:
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.kubeconfig),
            **{
                f"HELM_{what}_HOME": str(self.folder / what) for what in ("CACHE", "CONFIG", "DATA")
            },
        }
        done = subprocess.run(
            [str(ensure(CHART) / "helm"), "--namespace", NAMESPACE, *words],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode != 0:
            message = f"helm {' '.join(words[:2])} failed:\n{done.stderr}{done.stdout}"
            raise SetupError(message)
        return done.stdout


def settings_for(operator_image: str, redis_image: str) -> dict[str, str]:
    """Values that name the images that were built here, wherever a registry may be."""
    settings: dict[str, str] = {}
    for prefix, image in (("image", operator_image), ("redis.image", redis_image)):
        repository, _, tag = image.rpartition(":")
        settings |= {f"{prefix}.repository": repository, f"{prefix}.tag": tag}
    return settings


def a_volume(node: str) -> list[dict[str, Any]]:
    """A StorageClass and one volume on that node's disk: a provisioner would be an image more."""
    place = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "idlewatt-e2e"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": STORAGE_CLASS,
                "local": {"path": VOLUME_FOLDER},
                "nodeAffinity": {
                    "required": {"nodeSelectorTerms": [{"matchExpressions": [place]}]}
                },
            },
        },
    ]
