"""`idlewatt validate`: what is wrong with these manifests, before anybody applies them."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import typer

from idlewatt_operator.cli.manifests import Files, MoreFiles, read_manifests

if TYPE_CHECKING:
    from idlewatt_operator.gateways.manifests.cluster import ManifestCluster
    from idlewatt_operator.resources.findings import Finding
    from idlewatt_scheduler.model.units import Instant

NEEDS_ARGUMENTS: Final = True
EXAMPLES: Final = (
    "idlewatt validate -f examples/offline-plan",
    "kubectl get vn,site,tariff,policy -o yaml | idlewatt validate -f -",
)


def command(files: Files = None, more: MoreFiles = None) -> None:
    """Check manifests as the API server would, and as the operator would after it.

    Unknown fields, impossible values, objects that are there twice: each is told in a sentence
    with its file and field, and the exit status is 2. What can be applied but will not work as
    it is meant, such as a tariff that does not exist, is told as a warning.
    """
    cluster = read_manifests(files, more, whole=True)
    warnings = [*_finding_warnings(cluster, int(time.time() * 1_000)), *_pod_warnings(cluster)]
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(_summary(cluster, len(warnings)))


def _summary(cluster: "ManifestCluster", warnings: int) -> str:
    total = cluster.counts.total()
    if not total:
        return "There is nothing here that idlewatt reads."
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(cluster.counts.items()))
    noted = f", {warnings} {'warning' if warnings == 1 else 'warnings'}" if warnings else ""
    return f"{total} {'object is' if total == 1 else 'objects are'} valid{noted}: {kinds}."


def _finding_warnings(cluster: "ManifestCluster", at: "Instant") -> Iterator[str]:
    """What takes two objects or a calendar to see."""
    from idlewatt_operator.resources.findings import (  # noqa: PLC0415 - with its command
        policy_findings,
        site_findings,
        tariff_findings,
        vehicle_findings,
    )

    for record in cluster.vehicles.values():
        found = vehicle_findings(record.vehicle, cluster.sites, cluster.policy, at)
        yield from _told(f"VehicleNode {record.vehicle.name}", found)
    for site in cluster.sites.values():
        found = site_findings(site, cluster.tariffs, cluster.policy, at)
        yield from _told(f"ParkingSite {site.name}", found)
    for tariff in cluster.tariffs.values():
        found = tariff_findings(tariff, cluster.tariffs, at)
        # A file has no source's answer: the operator asks it, and says when it is silent.
        asked = tuple(each for each in found if each.reason != "PricesStale")
        yield from _told(f"EnergyTariff {tariff.name}", asked)
    if cluster.counts["FleetPolicy"]:
        yield from _told("FleetPolicy default", policy_findings(cluster.policy, cluster.learned))


def _told(subject: str, findings: "tuple[Finding, ...]") -> Iterator[str]:
    for finding in findings:
        if finding.status == "False" and finding.type != "Ready":
            yield f"{subject}: {finding.message}"


def _pod_warnings(cluster: "ManifestCluster") -> Iterator[str]:
    """What the API server takes and what would keep the pod waiting for ever."""
    from idlewatt_operator.reconcile.phrases import (  # noqa: PLC0415 - with its command
        annotation_faults,
        unsupported_faults,
    )
    from idlewatt_operator.reconcile.snapshot import SCHEDULER_NAME  # noqa: PLC0415

    for record in cluster.pods.values():
        if record.scheduler_name != SCHEDULER_NAME:
            continue
        for fault in (*annotation_faults(record.pod), *unsupported_faults(record.pod)):
            yield f"Pod {record.pod.key}: {fault}{'' if fault.endswith('?') else '.'}"
