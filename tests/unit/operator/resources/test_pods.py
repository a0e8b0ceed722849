"""Pods become what planning needs of them; no hard field is taken for absent."""

from typing import Any

import msgspec
import pytest

from idlewatt_operator.resources.objects import POD_DECODER, pod_object
from idlewatt_operator.resources.pods import pod_record
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_operator.resources.times import parse_instant
from idlewatt_scheduler.model.workload import (
    NodeSelectorTerm,
    Preference,
    Requirement,
    Spread,
    Toleration,
)
from idlewatt_scheduler.selectors import is_selected

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
ANYWAY = {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"}


def a_record(
    metadata: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: object
) -> PodRecord:
    """The record of a pod with this spec."""
    written = {
        "metadata": {"name": "llm", "namespace": "team-a", **(metadata or {})},
        "spec": {"schedulerName": "idlewatt", "containers": [{"image": "llm:1"}], **spec},
        "status": status or {},
    }
    return pod_record(pod_object(written))


def test_a_plain_pod() -> None:
    """What is not written has Kubernetes' defaults."""
    record = a_record()
    assert record.pod.key == "team-a/llm"
    assert record.scheduler_name == "idlewatt"
    assert (record.node, record.phase, record.ended) == (None, "Pending", False)
    assert (record.gated, record.being_deleted) == (False, False)
    assert (record.pod.priority, record.pod.termination_grace_seconds) == (0, 30)
    assert record.pod.requests == {"pods": 1_000}
    assert record.pod.images == ("llm:1",)
    assert record.pod.node_affinity is None
    assert not record.pod.controlled
    assert not record.pod.reads_secret


def test_an_empty_object_is_read() -> None:
    """A bookmark of the watch carries nothing but a resource version."""
    record = pod_record(POD_DECODER.decode(b'{"metadata":{"resourceVersion":"7"}}'))
    assert record.resource_version == "7"
    assert record.scheduler_name == "default-scheduler"
    assert record.pod.namespace == "default"


def test_bytes_and_dicts_give_the_same() -> None:
    """The watch's bytes and a manifest's dicts meet in one struct."""
    written = {
        "metadata": {"name": "a", "labels": {"x": "y"}},
        "spec": {"unknown": [1], "priority": 3},
    }
    assert POD_DECODER.decode(msgspec.json.encode(written)) == pod_object(written)


def test_an_explicit_null_counts_as_absent() -> None:
    """As for the API server, in maps and lists of any depth."""
    record = a_record(
        {"labels": None, "creationTimestamp": None},
        nodeName=None,
        containers=[{"image": "a", "ports": None, "resources": {"limits": {"cpu": None}}}],
    )
    assert record.pod.requests == {"pods": 1_000}


def test_what_only_the_shell_needs() -> None:
    """Node, phase, times, deadline, deletion, gates and the resource version."""
    record = a_record(
        {
            "uid": "u-1",
            "resourceVersion": "42",
            "creationTimestamp": "2026-01-15T12:00:00Z",
            "deletionTimestamp": "2026-01-15T13:00:00Z",
            "annotations": {
                "idlewatt.dev/bound-watts": "437.5",
                "idlewatt.dev/bound-until": "2026-01-15T14:00:00Z",
                "idlewatt.dev/bound-agreement-version": "3",
            },
        },
        {"phase": "Running", "startTime": "2026-01-15T12:00:10Z"},
        nodeName="v-1",
        activeDeadlineSeconds=600,
        schedulingGates=[{"name": "quota"}],
        priority=5,
        terminationGracePeriodSeconds=0,
    )
    noon = 1_768_478_400_000
    assert (record.pod.uid, record.resource_version) == ("u-1", "42")
    assert (record.pod.created_at, record.start_time) == (noon, noon + 10_000)
    assert (record.node, record.phase, record.active_deadline_seconds) == ("v-1", "Running", 600)
    assert (record.being_deleted, record.gated) == (True, True)
    assert (record.bound_power, record.bound_until) == (437_500, noon + 7_200_000)
    assert record.bound_agreement_version == 3
    assert (record.pod.priority, record.pod.termination_grace_seconds) == (5, 0)


@pytest.mark.parametrize(
    ("conditions", "waiting"),
    [
        ([], (None, "")),
        ([{"type": "PodScheduled", "status": "True"}], (None, "")),
        ([{"type": "Ready", "status": "False", "reason": "X"}], (None, "")),
        (
            [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "WaitingForEnergy",
                    "message": "m",
                }
            ],
            ("WaitingForEnergy", "m"),
        ),
    ],
)
def test_why_a_pod_was_said_to_wait(
    conditions: list[dict[str, str]], waiting: tuple[str | None, str]
) -> None:
    """Only a `PodScheduled` that is False says that it waits."""
    record = a_record(status={"conditions": conditions})
    assert (record.waiting_reason, record.waiting_message) == waiting


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_whose_containers_ended(phase: str) -> None:
    """Both ends are ends."""
    assert a_record(status={"phase": phase}).ended


@pytest.mark.parametrize(
    ("owners", "controlled"),
    [
        ([], False),
        ([{"kind": "Node", "controller": False}], False),
        ([{"kind": "A"}, {"kind": "ReplicaSet", "controller": True}], True),
    ],
)
def test_a_controller_would_replace_the_pod(
    owners: list[dict[str, Any]], *, controlled: bool
) -> None:
    """An owner is not enough: it has to be the controller."""
    assert a_record({"ownerReferences": owners}).pod.controlled is controlled


def test_node_selector_affinity_and_tolerations() -> None:
    """Terms keep their expressions and fields apart; a toleration has Kubernetes' defaults."""
    term = {
        "matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}],
        "matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["v-1"]}],
    }
    pod = a_record(
        nodeSelector={"disk": "ssd"},
        affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term, {}]}}},
        tolerations=[{"operator": "Exists"}, {"key": "k", "value": "v", "effect": "NoSchedule"}],
    ).pod
    assert pod.node_selector == {"disk": "ssd"}
    assert pod.node_affinity == (
        NodeSelectorTerm(
            labels=(Requirement("zone", "In", ("a", "b")),),
            fields=(Requirement("metadata.name", "NotIn", ("v-1",)),),
        ),
        NodeSelectorTerm(),
    )
    assert pod.tolerations == (
        Toleration(key="", operator="Exists"),
        Toleration(key="k", operator="Equal", value="v", effect="NoSchedule"),
    )


@pytest.mark.parametrize(("written", "seconds"), [(None, 30), (0, 0), (90, 90), (-5, 1)])
def test_the_termination_grace(written: int | None, seconds: int) -> None:
    """Thirty seconds unless the pod says otherwise; the API server makes one of less than none."""
    assert a_record(terminationGracePeriodSeconds=written).pod.termination_grace_seconds == seconds


def test_what_is_preferred_is_no_hard_field() -> None:
    """Soft preferences neither filter nor keep the pod waiting."""
    preferred = {PREFERRED: [{"weight": 1}]}
    pod = a_record(
        affinity={
            "nodeAffinity": preferred,
            "podAffinity": preferred,
            "podAntiAffinity": preferred,
        },
        topologySpreadConstraints=[ANYWAY],
    ).pod
    assert pod.node_affinity is None
    assert pod.unsupported_fields == ()
    assert (pod.spread, pod.preferred_affinity) == ((), ())


def test_preferred_node_affinity_keeps_its_weights() -> None:
    """A term that asks for nothing matches every Node, and is left out."""
    zone = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    pod = a_record(
        affinity={
            "nodeAffinity": {
                PREFERRED: [{"weight": 30, "preference": zone}, {"weight": 5, "preference": {}}]
            }
        }
    ).pod
    term = NodeSelectorTerm(labels=(Requirement("zone", "In", ("a",)),))
    assert pod.preferred_affinity == (Preference(30, term),)


def test_a_spread_constraint_counts_whom_its_selector_selects() -> None:
    """Labels become requirements, sorted, each of them once."""
    selector = {
        "matchLabels": {"app": "llm"},
        "matchExpressions": [
            {"key": "tier", "operator": "Exists"},
            {"key": "app", "operator": "In", "values": ["llm"]},
        ],
    }
    labels = {"app": "llm", "pod-template-hash": "5d"}
    constraint = {**SPREAD, "labelSelector": selector, "minDomains": 3}
    pod = a_record({"labels": labels}, topologySpreadConstraints=[constraint]).pod
    assert pod.labels == labels
    asked = (Requirement("app", "In", ("llm",)), Requirement("tier", "Exists"))
    assert pod.spread == (Spread("zone", 1, asked, min_domains=3),)


@pytest.mark.parametrize(
    ("selector", "counted"),
    [
        ({"matchLabels": {"app": "llm"}}, {"a": True, "b": False, "others": False}),
        ({}, {"a": True, "b": False, "others": False}),
    ],
)
def test_match_label_keys_count_pods_with_its_own_value(
    selector: dict[str, Any], counted: dict[str, bool]
) -> None:
    """A key that the pod itself lacks is passed over."""
    keys = ["pod-template-hash", "absent"]
    constraint = {**SPREAD, "labelSelector": selector, "matchLabelKeys": keys}
    labels = {"app": "llm", "pod-template-hash": "a"}
    (spread,) = a_record({"labels": labels}, topologySpreadConstraints=[constraint]).pod.spread
    others = {"a": labels, "b": {**labels, "pod-template-hash": "b"}, "others": {"app": "x"}}
    assert {
        name: is_selected(spread.selector, theirs) for name, theirs in others.items()
    } == counted


def test_a_constraint_without_a_selector_counts_nobody() -> None:
    """Not even the pod itself, as in Kubernetes; an empty selector counts everybody."""
    nobody, everybody = a_record(
        {"labels": {"app": "llm"}},
        topologySpreadConstraints=[SPREAD, {**SPREAD, "labelSelector": {}}],
    ).pod.spread
    assert [is_selected(nobody.selector, labels) for labels in ({}, {"": ""})] == [False, False]
    assert everybody.selector == ()


def test_what_counts_of_a_spread_that_is_not_honoured() -> None:
    """Nothing: the pod waits for another reason, and the constraint is asked of nobody."""
    ignoring = {**SPREAD, "nodeAffinityPolicy": "Ignore"}
    assert a_record(topologySpreadConstraints=[ignoring]).pod.spread == ()


def test_a_required_affinity_without_terms_matches_nothing() -> None:
    """It is not the same as no affinity."""
    pod = a_record(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}).pod
    assert pod.node_affinity == ()


def test_images_of_init_containers_count_too() -> None:
    """All have to be fetched before the pod is ready."""
    pod = a_record(
        containers=[{"image": "a"}, {"image": "b"}], initContainers=[{"image": "model-loader"}]
    ).pod
    assert pod.images == ("a", "b", "model-loader")


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
        {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {"name": "s"}}]}}]},
        {"volumes": [{"name": "v", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}}]},
        {"volumes": [{"name": "v", "azureFile": {"secretName": "s", "shareName": "x"}}]},
        {"volumes": [{"name": "v", "scaleIO": {"secretRef": {"name": "s"}}}]},
        {"containers": [{"env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s"}}}]}]},
        {"containers": [{"envFrom": [{"secretRef": {"name": "s"}}]}]},
        {"initContainers": [{"env": [{"name": "E", "valueFrom": {"secretKeyRef": {}}}]}]},
        {"initContainers": [{"envFrom": [{"prefix": "P", "secretRef": {"name": "s"}}]}]},
    ],
)
def test_a_pod_that_reads_a_secret(spec: dict[str, Any]) -> None:
    """Through a volume, a projection, `env` or `envFrom`, of any container."""
    assert a_record(**spec).pod.reads_secret


@pytest.mark.parametrize(
    "spec",
    [
        {"imagePullSecrets": [{"name": "s"}]},
        {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
        {"volumes": [{"configMap": {"name": "c"}}, {"emptyDir": {}}, {"csi": {"driver": "d"}}]},
        {"containers": [{"env": [{"valueFrom": {"configMapKeyRef": {}}}, {"value": "x"}]}]},
        {"containers": [{"envFrom": [{"configMapRef": {"name": "c"}}]}]},
    ],
)
def test_a_pod_that_reads_none(spec: dict[str, Any]) -> None:
    """Pull secrets and API tokens do not count, nor do configuration maps."""
    assert not a_record(**spec).pod.reads_secret


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        (
            {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": "zone"}]}}},
            (f"spec.affinity.podAffinity.{REQUIRED}",),
        ),
        (
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": "zone"}]}}},
            (f"spec.affinity.podAntiAffinity.{REQUIRED}",),
        ),
        ({"affinity": {"podAntiAffinity": {REQUIRED: []}}}, ()),
        (
            {
                "topologySpreadConstraints": [
                    {**ANYWAY, "nodeAffinityPolicy": "Ignore"},
                    {**SPREAD, "nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Ignore"},
                    {**SPREAD, "nodeAffinityPolicy": "Ignore", "nodeTaintsPolicy": "Honor"},
                ]
            },
            (
                "spec.topologySpreadConstraints[2].nodeAffinityPolicy",
                "spec.topologySpreadConstraints[2].nodeTaintsPolicy",
            ),
        ),
        ({"containers": [{"ports": [{"containerPort": 1, "hostPort": 1}]}]}, ()),
        (
            {"hostNetwork": True, "containers": [{"ports": [{"containerPort": 80}]}]},
            ("spec.hostNetwork",),
        ),
        ({"hostNetwork": True}, ()),
        (
            {"volumes": [{"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "c"}}]},
            ("spec.volumes[1].persistentVolumeClaim",),
        ),
        (
            {"volumes": [{"ephemeral": {"volumeClaimTemplate": {}}}]},
            ("spec.volumes[0].ephemeral",),
        ),
        ({"resourceClaims": [{"name": "gpu"}]}, ("spec.resourceClaims",)),
        ({"resourceClaims": []}, ()),
        ({"resources": {"requests": {"cpu": "1"}}}, ("spec.resources",)),
        ({"resources": {"limits": {"cpu": "1"}}}, ("spec.resources",)),
        ({"resources": {}}, ()),
        ({"hostPID": True, "runtimeClassName": "kata", "dnsPolicy": "None"}, ()),
    ],
)
def test_hard_fields_that_are_not_honoured_yet_are_named(
    spec: dict[str, Any], fields: tuple[str, ...]
) -> None:
    """Exactly those; a pod is never placed as if one of them were absent."""
    assert a_record(**spec).pod.unsupported_fields == fields


def test_garbage_ends_in_a_sentence_and_never_in_an_error() -> None:
    """Quantities and annotations keep the pod waiting; a time that is none is absent."""
    pod = a_record(
        {"annotations": {"idlewatt.dev/power": "much"}, "creationTimestamp": "yesterday"},
        containers=[{"resources": {"requests": {"cpu": "lots"}}}],
    ).pod
    assert [sentence.split("'")[1] for sentence in pod.invalid_annotations] == ["much", "lots"]
    assert pod.invalid_annotations[1].startswith("spec.containers[0].resources.requests.cpu: ")
    assert pod.created_at == 0


def owned(kind: str = "ReplicaSet", name: str = "llm-7d9f8b", **labels: str) -> PodRecord:
    """A pod of this owner, with these labels."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "name": name,
        "uid": "rs-uid",
        "controller": True,
    }
    written = {key.replace("_", "-"): value for key, value in labels.items()}
    return a_record({"ownerReferences": [owner], "labels": written})


@pytest.mark.parametrize(
    ("record", "replica_set"),
    [
        (owned(pod_template_hash="7d9f8b"), "rs-uid"),
        (owned(pod_template_hash="other"), ""),
        (owned(), ""),
        (owned(kind="StatefulSet", pod_template_hash="7d9f8b"), ""),
        (owned(kind="Job", pod_template_hash="7d9f8b"), ""),
        (a_record({"labels": {"pod-template-hash": "7d9f8b"}}), ""),
    ],
)
def test_the_replica_set_of_a_deployment_is_known(record: PodRecord, replica_set: str) -> None:
    """By its kind, its name and the label that it selects by: only those let go of a pod."""
    assert record.replica_set == replica_set


def test_a_released_pod_is_known_by_its_label() -> None:
    """What is written on it says since when, from whom, and what is needed before it leaves."""
    label = {"labels": {"pod-template-hash": "7d9f8b-released"}}
    notes = {
        "idlewatt.dev/released-at": "2026-01-15T22:00:00Z",
        "idlewatt.dev/released-from": "rs-uid",
        "idlewatt.dev/released-ready": "2",
    }
    whole = a_record({**label, "annotations": notes}).released
    assert whole == Released(parse_instant("2026-01-15T22:00:00Z"), "rs-uid", 2)
    spoilt = a_record({**label, "annotations": {**notes, "idlewatt.dev/released-at": "soon"}})
    assert spoilt.released == Released(0, "rs-uid", 2)
    assert a_record(label).released == Released(0, "", 0)
    assert a_record({"annotations": notes}).released is None
    assert owned(pod_template_hash="7d9f8b-released").released is None


def test_ready_is_what_services_ask() -> None:
    """The condition `Ready`; without one it is not."""
    condition = {"type": "Ready", "status": "True"}
    assert a_record(status={"conditions": [condition]}).ready
    assert not a_record(status={"conditions": [{**condition, "status": "False"}]}).ready
    assert not a_record().ready
