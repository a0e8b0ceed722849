"""docs/howto/run-a-gang.md: what a reader copies has no mistake, and what is quoted is said."""

from collections.abc import Iterator
from typing import Any

import yaml
from tests.cluster.places import CHECKOUT
from tests.pages import blocks

from idlewatt_operator.reconcile.phrases import histogram
from idlewatt_operator.resources.admission import pod_mistakes
from idlewatt_operator.resources.annotations import read_annotations
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.objects import PodObject, pod_object
from idlewatt_operator.resources.pods import pod_record
from idlewatt_scheduler.model.reasons import PodReason, Reason

PAGE = CHECKOUT / "docs" / "howto" / "run-a-gang.md"
MANIFESTS = [yaml.safe_load(block.text) for block in blocks(PAGE, "yaml")]


def of_kind(kind: str) -> dict[str, Any]:
    """The manifest of this kind; there is one."""
    (manifest,) = (each for each in MANIFESTS if each["kind"] == kind)
    return dict(manifest)


def made_by(kind: str) -> PodObject:
    """A pod as its controller makes it."""
    manifest = of_kind(kind)
    owner = {"kind": kind, "name": "o", "controller": True}
    template = manifest["spec"]["template"]
    metadata = {**template.get("metadata", {}), "name": "p", "ownerReferences": [owner]}
    return pod_object({"metadata": metadata, "spec": template["spec"]})


def quoted() -> Iterator[str]:
    """The sentences in the page's table."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            yield line.split("`")[1]


def test_the_gang_is_read() -> None:
    """Its name and its size, and nothing is wrong with it."""
    pod = made_by("Job")
    assert list(pod_mistakes(pod)) == []
    read = pod_record(pod).pod
    assert (read.demand.gang, read.demand.gang_size) == ("llama-70b", 3)
    assert (read.invalid_annotations, read.unsupported_fields) == ((), ())


def test_the_spread_is_read() -> None:
    """One constraint that must hold, and that is honoured."""
    pod = made_by("Deployment")
    assert list(pod_mistakes(pod)) == []
    read = pod_record(pod).pod
    (spread,) = read.spread
    assert (spread.topology_key, spread.max_skew) == ("example.com/row", 1)
    assert read.unsupported_fields == ()


def test_the_policy_is_read() -> None:
    """Both ways of making room are on."""
    spec = FleetPolicy.model_validate(of_kind("FleetPolicy")).spec
    assert (spec.preemption, str(spec.migration_cost)) == ("LowerPriority", "0.25")


def test_what_the_page_quotes_is_said() -> None:
    """Word by word."""
    half, waits = quoted()
    assert read_annotations({"idlewatt.dev/gang": "llama-70b"}).invalid == (half,)
    counted: dict[Reason, int] = {PodReason.NOT_ENOUGH_RESOURCES: 3, PodReason.GANG_INCOMPLETE: 1}
    assert histogram(counted).endswith(waits)
