"""The instances that planners are measured on: repeatable, and as hard as they say."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, a_changed, an_instance
from tests.benchmarks.manifests import FORMATS, write

from idlewatt_operator.gateways.manifests.cluster import read_cluster
from idlewatt_operator.gateways.manifests.sources import read_sources
from idlewatt_operator.reconcile.snapshot import build_snapshot
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing.contradictions import (
    contradictions_of_pod,
    contradictions_of_site,
    contradictions_of_snapshot,
    contradictions_of_vehicle,
)

SIZE = Size(1_000, 2_000)


@pytest.fixture(scope="module")
def instance() -> Snapshot:
    """Give one that is neither small nor slow."""
    return an_instance(SIZE, Plenty.TIGHT, seed=3)


def test_the_same_arguments_give_the_same_instance(instance: Snapshot) -> None:
    """Nothing but the size, the plenty and the seed decides."""
    assert an_instance(SIZE, Plenty.TIGHT, seed=3) == instance
    assert an_instance(SIZE, Plenty.TIGHT, seed=4) != instance


def test_an_instance_is_possible(instance: Snapshot) -> None:
    """No part of it is what no cluster could show."""
    assert list(contradictions_of_snapshot(instance)) == []
    assert [no for each in instance.vehicles for no in contradictions_of_vehicle(each)] == []
    assert [no for each in instance.sites.values() for no in contradictions_of_site(each)] == []
    assert [no for each in instance.pending for no in contradictions_of_pod(each)] == []


def test_every_reason_keeps_one_to_five_percent_of_the_vehicles_away(instance: Snapshot) -> None:
    """No vehicle clause is left out, and none rules."""
    refusals = Counter(candidate.refusal for candidate in assemble(instance).candidates)
    shares = {reason: refusals[reason] / SIZE.vehicles for reason in VehicleReason}
    assert {reason: share for reason, share in shares.items() if not 0.01 <= share <= 0.051} == {}


def test_pods_are_of_many_kinds(instance: Snapshot) -> None:
    """150 templates and more, six priorities, gangs of 2 to 32, all pods that were asked for."""
    pods = instance.pending
    assert len(pods) == SIZE.pods
    assert len(templates_of(pods)) >= 150
    assert len({pod.priority for pod in pods}) == 6
    gangs = Counter(pod.demand.gang for pod in pods if pod.demand.gang is not None)
    assert gangs
    assert all(2 <= members <= 32 for members in gangs.values())


def test_kinds_are_bound_to_places_and_spread(instance: Snapshot) -> None:
    """About a fifth of the kinds with affinity or residency, about a tenth spread."""
    kinds = [template.sample for template in templates_of(instance.pending)]
    bound = sum(map(_is_bound_to_places, kinds)) / len(kinds)
    spread = sum(bool(kind.spread) for kind in kinds) / len(kinds)
    assert 0.1 <= bound <= 0.3
    assert 0.05 <= spread <= 0.15


def _is_bound_to_places(pod: Pod) -> bool:
    return bool(pod.node_selector or pod.node_affinity or pod.demand.residency)


def test_a_change_leaves_most_things_the_same_objects(instance: Snapshot) -> None:
    """3 % of the vehicles and of the pods are not what they were, and the rest is untouched."""
    later = a_changed(instance, 0.03, seed=1)
    vehicles = zip(instance.vehicles, later.vehicles, strict=True)
    pods = zip(instance.pending, later.pending, strict=True)
    assert sum(before is not after for before, after in vehicles) == 30
    assert sum(before is not after for before, after in pods) == 60
    assert later.sites is instance.sites


@pytest.mark.parametrize("form", FORMATS)
def test_manifests_say_what_the_instance_says(form: str, tmp_path: Path) -> None:
    """Read back, they are the same snapshot, but for what daemons request."""
    instance = an_instance(Size(60, 200), Plenty.SCARCE, seed=5)
    files = list(write(instance, tmp_path, form))
    cluster = read_cluster(read_sources([str(tmp_path)]))
    assert (len(files), cluster.mistakes) == (7, [])
    read = build_snapshot(instance.at, cluster.view(), None, {})
    assert read == replace(
        instance,
        other_use={},
        pending=tuple(sorted(instance.pending, key=_key)),
        running=tuple(sorted(instance.running, key=lambda each: _key(each.pod))),
    )


def _key(pod: Pod) -> tuple[str, str]:
    return pod.namespace, pod.name
