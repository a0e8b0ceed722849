"""Definitions in the cluster that this operator can work with, and those it cannot."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.definitions import DEFINITIONS_PATH, lacking
from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, Call
from idlewatt_operator.gateways.leadership import Leadership
from idlewatt_operator.resources.base import SCHEMA_VERSION, SCHEMA_VERSION_ANNOTATION
from idlewatt_operator.resources.generate import definition
from idlewatt_operator.resources.kinds import KINDS


class Cluster(ApiSession):
    """An API server that holds these definitions, by name."""

    def __init__(self) -> None:
        super().__init__(CredentialSource(Path("unused")))
        made = [definition(kind) for kind in KINDS.values()]
        self.held: dict[str, Any] = {each["metadata"]["name"]: each for each in made}
        self.forbids = False

    async def send(self, call: Call, leadership: Leadership | None = None) -> Answer:  # noqa: ARG002
        """Answer a GET of a definition."""
        name = call.path.removeprefix(f"{DEFINITIONS_PATH}/")
        if self.forbids:
            return Answer(403, b'{"message": "you may not get resource"}')
        if name not in self.held:
            return Answer(404, b"{}")
        return Answer(200, msgspec.json.encode(self.held[name]))

    def version(self, name: str, written: str | None) -> None:
        """Let a definition carry another schema version, or none."""
        annotations = {} if written is None else {SCHEMA_VERSION_ANNOTATION: written}
        self.held[name]["metadata"]["annotations"] = annotations


async def test_our_own_definitions_lack_nothing() -> None:
    """What `make crds` writes is what the operator needs."""
    assert await lacking(Cluster()) == ""


@pytest.mark.parametrize("ahead", [1, 41])
async def test_newer_definitions_are_fine(ahead: int) -> None:
    """Definitions are upgraded before the operator is: it has to go on meanwhile."""
    cluster = Cluster()
    cluster.version("vehiclenodes.idlewatt.dev", str(SCHEMA_VERSION + ahead))
    assert await lacking(cluster) == ""


async def test_an_older_one_is_named_with_both_versions() -> None:
    """A person has to see which one, and what to do."""
    cluster = Cluster()
    cluster.version("parkingsites.idlewatt.dev", str(SCHEMA_VERSION - 1))
    lack = await lacking(cluster)
    assert lack.startswith(
        "The definition parkingsites.idlewatt.dev is too old: its idlewatt.dev/schema-version is "
        f"{SCHEMA_VERSION - 1}, and this operator needs {SCHEMA_VERSION}. Apply those that came"
    )
    assert "vehiclenodes" not in lack


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (None, "is too old: it has no idlewatt.dev/schema-version."),
        ("", "'' is not a whole number."),
        ("-1", "'-1' is not a whole number."),
        ("1.0", "'1.0' is not a whole number."),
        ("٤", "'٤' is not a whole number."),
        ("9" * 5_000, f"'{'9' * 64}' is not a whole number."),
    ],
)
async def test_a_version_that_is_none_is_refused(written: str | None, sentence: str) -> None:
    """Definitions of before there were versions, and edited ones."""
    cluster = Cluster()
    cluster.version("energytariffs.idlewatt.dev", written)
    assert sentence in await lacking(cluster)


async def test_a_missing_kind_is_named() -> None:
    """Half of the definitions is as good as none."""
    cluster = Cluster()
    del cluster.held["vehiclenodes.idlewatt.dev"], cluster.held["fleetpolicies.idlewatt.dev"]
    assert (await lacking(cluster)).startswith("The cluster does not know FleetPolicy, VehicleNode")


async def test_a_version_that_is_not_served_is_refused() -> None:
    """A definition may know our version of the API and not serve it."""
    cluster = Cluster()
    cluster.held["vehiclenodes.idlewatt.dev"]["spec"]["versions"][0]["served"] = False
    assert "does not serve idlewatt.dev/v1alpha1 of VehicleNode" in await lacking(cluster)


async def test_what_may_not_be_read_is_refused_with_what_to_allow() -> None:
    """An operator that cannot see the versions must not guess that they are right."""
    cluster = Cluster()
    cluster.forbids = True
    lack = await lacking(cluster)
    assert "you may not get resource" in lack
    assert "Allow it `get` on customresourcedefinitions" in lack
