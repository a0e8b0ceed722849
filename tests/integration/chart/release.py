"""The chart under test: rendered without a cluster, or installed by helm on a control plane."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from tests.cluster.api import Manifest
from tests.cluster.binaries import CHART, ensure
from tests.cluster.places import CHECKOUT

FOLDER: Final = CHECKOUT / "charts" / "idlewatt"
NAMESPACE: Final = "idlewatt"
RELEASE: Final = "idlewatt"
KUBERNETES: Final = "1.35.4"
Values = Mapping[str, Any]


class HelmError(Exception):
    """Helm refused; the message is what it said."""


def helm(*words: str, home: Path, kubeconfig: Path | None = None, input_text: str = "") -> str:
    """Run helm, with nothing of the user's own, and give what it printed.

    Raises HelmError.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HELM_")},
        "KUBECONFIG": str(kubeconfig or home / "none"),
        **{f"HELM_{what}_HOME": str(home / what.lower()) for what in ("CACHE", "CONFIG", "DATA")},
    }
    done = subprocess.run(
        [str(ensure(CHART) / "helm"), *words],
        input=input_text,
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        raise HelmError(done.stderr + done.stdout)
    return done.stdout


def rendered(
    home: Path,
    values: Values | None = None,
    *,
    folder: Path = FOLDER,
    release: str = RELEASE,
    only: Iterable[str] = (),
) -> list[Manifest]:
    """Give the manifests that the chart makes of some values; ``only`` names templates."""
    words = ["template", release, str(folder), "--namespace", NAMESPACE, "--values", "-"]
    words += ["--kube-version", KUBERNETES]
    for template in only:
        words += ["--show-only", f"templates/{template}"]
    text = helm(*words, home=home, input_text=json.dumps(values or {}))
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def one(manifests: Iterable[Manifest], kind: str, name: str = "") -> Manifest:
    """Give the only manifest of a kind, or the one of a name."""
    (found,) = (
        manifest
        for manifest in manifests
        if manifest["kind"] == kind and name in {"", manifest["metadata"]["name"]}
    )
    return found


class Installer:
    """Helm on one cluster. Whoever makes it takes the release away."""

    def __init__(self, kubeconfig: Path, home: Path) -> None:
        self._kubeconfig = kubeconfig
        self._home = home

    def run(self, *words: str, values: Values | None = None) -> str:
        """Run helm in the release's namespace, with ``values`` where there are any."""
        given = [] if values is None else ["--values", "-"]
        return helm(
            "--namespace",
            NAMESPACE,
            *words,
            *given,
            home=self._home,
            kubeconfig=self._kubeconfig,
            input_text="" if values is None else json.dumps(values),
        )

    def install(self, values: Values | None = None, *options: str, folder: Path = FOLDER) -> str:
        """Install the chart, without waiting: no container runs here."""
        words = ["install", RELEASE, str(folder), "--create-namespace", *options]
        return self.run(*words, values=values or {})

    def upgrade(self, values: Values | None = None, *options: str, folder: Path = FOLDER) -> str:
        """Upgrade it with these values and no others."""
        words = ["upgrade", RELEASE, str(folder), "--reset-values", *options]
        return self.run(*words, values=values or {})

    def uninstall(self) -> str:
        """Take the release away."""
        return self.run("uninstall", RELEASE)

    @property
    def is_installed(self) -> bool:
        """Whether there is a release."""
        return bool(json.loads(self.run("list", "--all", "--output", "json") or "[]"))
