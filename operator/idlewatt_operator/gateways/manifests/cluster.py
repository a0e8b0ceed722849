"""From objects in manifests to what a cluster's watches would show, or every mistake in them."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
import pydantic

from idlewatt_operator.gateways.kubernetes.given_up import ANNOTATION, read_given_up
from idlewatt_operator.gateways.manifests.kubernetes_fields import field_mistakes
from idlewatt_operator.gateways.manifests.sources import Source, Unreadable
from idlewatt_operator.gateways.protocols import ClusterView
from idlewatt_operator.resources.admission import node_mistakes, pod_mistakes
from idlewatt_operator.resources.base import API_VERSION, GROUP, Resource
from idlewatt_operator.resources.energytariff import EnergyTariff
from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.kinds import KINDS, read_resource
from idlewatt_operator.resources.learned import (
    Learned,
    Named,
    learned_departures,
    named_departures,
)
from idlewatt_operator.resources.mistakes import Mistake
from idlewatt_operator.resources.nodes import node
from idlewatt_operator.resources.objects import node_object, pod_object
from idlewatt_operator.resources.parkingsite import ParkingSite
from idlewatt_operator.resources.pods import DEFAULT_NAMESPACE, pod_record
from idlewatt_operator.resources.records import PodRecord, VehicleRecord
from idlewatt_operator.resources.to_model import to_policy, to_site, to_tariff, to_vehicle
from idlewatt_operator.resources.vehiclenode import VehicleNode
from idlewatt_scheduler.model.policy import FleetPolicy as FleetRules
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.workload import Node

_Name = TypeVar("_Name")
_Value = TypeVar("_Value")

_MISSING: Final = "Object missing required field "

_NAMESPACED: Final = frozenset({"Pod", "ConfigMap"})

_API_VERSIONS: Final = {**dict.fromkeys(KINDS, API_VERSION), "Node": "v1", "Pod": "v1"}


@dataclass
class ManifestCluster:
    """What was read.

    Attributes:
        mistakes: one line for each, with file, object and field.
        skipped: how many objects of each kind take no part in planning.
        learned: what was learned of departures, from the ConfigMap that the policy names.
        config_maps: every other one takes no part.
        resources: the objects of our own kinds, for checks between two of them.
        counts: how many objects of each kind were read.
    """

    policy: FleetRules = field(default_factory=FleetRules)
    vehicles: dict[str, VehicleRecord] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    sites: dict[str, Site] = field(default_factory=dict)
    tariffs: dict[str, Tariff] = field(default_factory=dict)
    pods: dict[str, PodRecord] = field(default_factory=dict)
    learned: Learned = field(default_factory=Learned)
    config_maps: dict[Named, Source] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)

    def view(self) -> ClusterView:
        """The same as the watches of a real cluster would show it."""
        return ClusterView(
            synced=True,
            policy=self.policy,
            vehicles=self.vehicles,
            nodes=self.nodes,
            sites=self.sites,
            tariffs=self.tariffs,
            pods=self.pods,
            learned=self.learned,
        )


def read_cluster(sources: Iterable[Source | Unreadable]) -> ManifestCluster:
    """Read every object, going on after each mistake so that all of them are found at once."""
    cluster = ManifestCluster()
    places: dict[tuple[str, str], str] = {}
    nothing = True
    for source in sources:
        nothing = False
        if isinstance(source, Unreadable):
            cluster.mistakes.append(f"{source.place}: {source.sentence}")
            continue
        found = tuple(_read(cluster, source))
        cluster.mistakes.extend(_line(source, mistake) for mistake in found)
        twin = _twin(source, places)
        if twin is not None:
            cluster.mistakes.append(_line(source, twin))
    _read_learned(cluster)
    if nothing:
        cluster.mistakes.append("there is nothing to read: none of the files holds an object")
    return cluster


def read_good(sources: Iterable[Source | Unreadable]) -> ManifestCluster | None:
    """The same without what was learned; None where there is a mistake, which has to be told."""
    cluster = ManifestCluster()
    places: dict[tuple[str, str], str] = {}
    for source in sources:
        if isinstance(source, Unreadable) or any(True for _ in _read(cluster, source)):
            return None
        if _twin(source, places) is not None:
            return None
    return cluster


def put_together(parts: Iterable[ManifestCluster]) -> ManifestCluster | None:
    """One cluster of several that were read apart; None where an object stands in two of them."""
    whole = ManifestCluster()
    for part in parts:
        if not all(
            (
                _joined(whole.vehicles, part.vehicles),
                _joined(whole.nodes, part.nodes),
                _joined(whole.pods, part.pods),
                _joined(whole.sites, part.sites),
                _joined(whole.tariffs, part.tariffs),
                _joined(whole.config_maps, part.config_maps),
            )
        ):
            return None
        if part.counts["FleetPolicy"]:
            whole.policy = part.policy
        whole.resources += part.resources
        whole.counts += part.counts
        whole.skipped += part.skipped
    _read_learned(whole)
    return None if whole.mistakes else whole


def _joined(whole: dict[_Name, _Value], part: Mapping[_Name, _Value]) -> bool:
    """Add a part, in place; false where they have a name in common."""
    expected = len(whole) + len(part)
    whole.update(part)
    return len(whole) == expected


def _read_learned(cluster: ManifestCluster) -> None:
    """The ConfigMap that the policy names, once every file was read; one alone takes part."""
    policy = next((each for each in cluster.resources if isinstance(each, FleetPolicy)), None)
    named = named_departures(policy.spec) if policy is not None else None
    source = cluster.config_maps.pop(named, None) if named is not None else None
    if cluster.config_maps:
        cluster.skipped["ConfigMap"] += len(cluster.config_maps)
    if named is None:
        return
    if source is None:
        cluster.learned = Learned.missing(named)
        return
    cluster.counts["ConfigMap"] += 1
    data = source.manifest.get("data")
    texts = data if isinstance(data, Mapping) else {}
    known = {key: text for key, text in texts.items() if isinstance(text, str)}
    cluster.learned = learned_departures(named, known)
    if cluster.learned.fault:
        cluster.mistakes.append(_line(source, Mistake("data", cluster.learned.fault)))


def _read(cluster: ManifestCluster, source: Source) -> Iterator[Mistake]:
    kind = source.manifest.get("kind")
    if kind == "ConfigMap" and source.manifest.get("apiVersion") == "v1":
        namespace, _, name = _named(source.manifest).partition("/")
        cluster.config_maps[Named(namespace, name)] = source
        return
    version = source.manifest.get("apiVersion")
    wrong = tuple(_kind_mistakes(kind, version))
    if wrong or not isinstance(kind, str):
        yield from wrong
        return
    reader = _READERS.get(kind)
    if reader is None:
        cluster.skipped[kind] += 1
        return
    cluster.counts[kind] += 1
    yield from reader(cluster, source.manifest)


def _kind_mistakes(kind: object, version: object) -> Iterator[Mistake]:
    if not isinstance(kind, str) or not kind:
        yield Mistake("kind", "this field is required; write what the object is, such as Pod")
        return
    if not isinstance(version, str) or not version:
        yield Mistake("apiVersion", "this field is required; write it in text, such as v1")
        return
    expected = _API_VERSIONS.get(kind)
    if expected is not None:
        if version != expected:
            yield Mistake("apiVersion", f"'{version}' is not that of a {kind}: write {expected}")
        return
    likely = [known for known in _API_VERSIONS if known.lower() == kind.lower()]
    if version.startswith(f"{GROUP}/") or likely:
        likely = likely or difflib.get_close_matches(kind, _API_VERSIONS, n=1)
        meant = f"did you mean {likely[0]}?" if likely else f"known are {', '.join(KINDS)}"
        yield Mistake("kind", f"'{kind}' is unknown; {meant}")


def _read_pod(cluster: ManifestCluster, manifest: Mapping[str, Any]) -> Iterator[Mistake]:
    wrong = tuple(field_mistakes("Pod", manifest))
    yield from wrong
    if wrong:
        return
    try:
        written = pod_object(manifest)
    except msgspec.ValidationError as error:
        yield _decoding_mistake(error)
        return
    yield from pod_mistakes(written)
    record = pod_record(written)
    cluster.pods[record.pod.key] = record


def _read_node(cluster: ManifestCluster, manifest: Mapping[str, Any]) -> Iterator[Mistake]:
    wrong = tuple(field_mistakes("Node", manifest))
    yield from wrong
    if wrong:
        return
    try:
        written = node_object(manifest)
    except msgspec.ValidationError as error:
        yield _decoding_mistake(error)
        return
    yield from node_mistakes(written)
    cluster.nodes[written.metadata.name] = node(written)


def _decoding_mistake(error: msgspec.ValidationError) -> Mistake:
    sentence, _, path = str(error).replace("`", "").partition(" - at $")
    if sentence.startswith(_MISSING):
        field = f"{path}.{sentence.removeprefix(_MISSING)}"
        return Mistake(field.removeprefix("."), "this field is required")
    return Mistake(path.removeprefix("."), sentence)


def _read_ours(cluster: ManifestCluster, manifest: Mapping[str, Any]) -> Iterator[Mistake]:
    try:
        resource = read_resource(manifest)
    except pydantic.ValidationError as error:
        yield from mistakes(error, KINDS[manifest["kind"]])
        return
    cluster.resources.append(resource)
    name = resource.metadata.name
    match resource:
        case VehicleNode():
            yield from _add_vehicle(cluster, resource)
        case ParkingSite():
            cluster.sites[name] = to_site(resource)
        case EnergyTariff():
            cluster.tariffs[name] = to_tariff(resource)
        case FleetPolicy():
            cluster.policy = to_policy(resource)


def _add_vehicle(cluster: ManifestCluster, resource: VehicleNode) -> Iterator[Mistake]:
    name = resource.metadata.name
    kept = (resource.metadata.annotations or {}).get(ANNOTATION)
    try:
        given_up = read_given_up(name, kept)
    except ValueError as error:
        yield Mistake("metadata.annotations", str(error))
        return
    cluster.vehicles[name] = VehicleRecord(
        to_vehicle(resource), generation=resource.metadata.generation, given_up=given_up
    )


_READERS: Final[Mapping[str, Callable[[ManifestCluster, Mapping[str, Any]], Iterator[Mistake]]]] = {
    **dict.fromkeys(KINDS, _read_ours),
    "Node": _read_node,
    "Pod": _read_pod,
}


def _named(manifest: Mapping[str, Any]) -> str:
    """`team-a/llm` for a pod, the name alone for what has no namespace; empty without a name."""
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(metadata, Mapping) or not isinstance(name, str) or not name:
        return ""
    if manifest.get("kind") in _NAMESPACED:
        return f"{metadata.get('namespace') or DEFAULT_NAMESPACE}/{name}"
    return name


def _line(source: Source, mistake: Mistake) -> str:
    kind = source.manifest.get("kind")
    subject = f"{kind if isinstance(kind, str) else 'object'} {_named(source.manifest)}".rstrip()
    steps = (source.place, source.within, subject, str(mistake))
    return ": ".join(step for step in steps if step)


def _twin(source: Source, places: dict[tuple[str, str], str]) -> Mistake | None:
    kind, name = source.manifest.get("kind"), _named(source.manifest)
    if kind not in _READERS or not name:
        return None
    place = " ".join(step for step in (source.place, source.within) if step)
    first = places.setdefault((str(kind), name), place)
    if first == place:
        return None
    return Mistake("metadata.name", f"this object was read already, from {first}")
