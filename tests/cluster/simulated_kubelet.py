"""What KWOK plays on every node: a kubelet whose containers are only ever said to run.

A pod bound to a node becomes Running at once, a Job's pod succeeds after ``JOB_SECONDS``, a
deleted pod's containers end at once. Annotations on a pod change that (whole seconds):

- ``simulated-kubelet/ready-after-seconds``: Running only so long after the binding;
- ``simulated-kubelet/complete-after-seconds``: succeeds so long after its start (any pod);
- ``simulated-kubelet/stop-after-seconds``: its containers end so long after it was deleted,
  at most its grace period.

``activeDeadlineSeconds`` is kept as the kubelet keeps it: counted from ``status.startTime``,
followed when it is lowered, ended as ``DeadlineExceeded``.

Labels on a node change the node:

- ``simulated-kubelet/link: cut``: nothing of the node is heard, neither its heartbeat nor what
  happened to its pods, until the label is taken off; then all of it is reported at once;
- ``simulated-kubelet/ready: "false"``: the node says of itself that it is not ready.
"""

from typing import Any

import yaml

READY_AFTER = "simulated-kubelet/ready-after-seconds"
COMPLETE_AFTER = "simulated-kubelet/complete-after-seconds"
STOP_AFTER = "simulated-kubelet/stop-after-seconds"
LINK = "simulated-kubelet/link"
LINK_CUT = "cut"
READY = "simulated-kubelet/ready"
MANAGED_NODES = f"{LINK}!={LINK_CUT}"

JOB_SECONDS = 2

# jq: seconds, or null where the pod has none.
_READY_S = f'((.metadata.annotations["{READY_AFTER}"] // "0") | tonumber)'
_JOB_S = (
    f'(if [.metadata.ownerReferences[]?.kind] | index("Job") then "{JOB_SECONDS}" else null end)'
)
_COMPLETE_S = (
    f'((.metadata.annotations["{COMPLETE_AFTER}"] // {_JOB_S}) | if . then tonumber else null end)'
)
_DEADLINE_S = ".spec.activeDeadlineSeconds"
_GRACE_S = "(.metadata.deletionGracePeriodSeconds // 0)"
_STOP_S = f'([((.metadata.annotations["{STOP_AFTER}"] // "0") | tonumber), {_GRACE_S}] | min)'
_DELETED_AT = f"((.metadata.deletionTimestamp | fromdate) - {_GRACE_S})"
_NEXT_S = f'(if .status.phase == "Running" then {_COMPLETE_S} else {_READY_S} end)'
_ALIVE = '(.metadata.deletionTimestamp == null and (.status.phase | IN("Pending", "Running")))'
_DEADLINE_FIRST = f"({_DEADLINE_S} != null and ({_NEXT_S} == null or {_DEADLINE_S} < {_NEXT_S}))"

# A stage that was queued before the link was cut is played all the same. Only a node that KWOK
# still hears of gives its pods addresses: without one, the stage is made to change nothing.
_HEARD = "{{ if PodIPsWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace }}"
_UNHEARD = "{{ else }}{}{{ end }}"

_NODE_STATUS = """
{{ $now := Now }}
addresses:
- {address: 198.18.0.1, type: InternalIP}
- {address: {{ .metadata.name | Quote }}, type: Hostname}
capacity:
{{ with .status.capacity }}
{{ YAML . 1 }}
{{ else }}
  {cpu: "16", memory: 32Gi, pods: "110"}
{{ end }}
allocatable:
{{ with .status.allocatable }}
{{ YAML . 1 }}
{{ else }}
  {cpu: "16", memory: 32Gi, pods: "110"}
{{ end }}
conditions:
- type: Ready
  status: "@STATUS@"
  reason: @REASON@
  message: A simulated kubelet
  lastHeartbeatTime: {{ $now | Quote }}
  lastTransitionTime: {{ $now | Quote }}
nodeInfo:
  architecture: amd64
  bootID: ""
  containerRuntimeVersion: kwok
  kernelVersion: kwok
  kubeProxyVersion: ""
  kubeletVersion: kwok
  machineID: ""
  operatingSystem: linux
  osImage: ""
  systemUUID: ""
"""

_POD_CREATED = f"""
{_HEARD}
{{{{ $now := Now }}}}
phase: Pending
startTime: {{{{ $now | Quote }}}}
conditions:
- {{type: Initialized, status: "True", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: Ready, status: "False", lastTransitionTime: {{{{ $now | Quote }}}}}}
- {{type: ContainersReady, status: "False", lastTransitionTime: {{{{ $now | Quote }}}}}}
containerStatuses:
{{{{ range .spec.containers }}}}
- name: {{{{ .name | Quote }}}}
  image: {{{{ .image | Quote }}}}
  imageID: ""
  ready: false
  restartCount: 0
  state: {{waiting: {{reason: ContainerCreating}}}}
{{{{ end }}}}
{_UNHEARD}
"""

_POD_RUNNING = """
{{ $ips := PodIPsWith .spec.nodeName false .metadata.uid .metadata.name .metadata.namespace }}
{{ if $ips }}
{{ $now := Now }}
phase: Running
startTime: {{ or .status.startTime $now | Quote }}
podIP: {{ index $ips 0 | Quote }}
podIPs:
- ip: {{ index $ips 0 | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ range .spec.readinessGates }}
- {type: {{ .conditionType | Quote }}, status: "True", lastTransitionTime: {{ $now | Quote }}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
{{ with .spec.initContainers }}
initContainerStatuses:
{{ range . }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: true
  restartCount: 0
{{ if eq (or .restartPolicy "") "Always" }}
  started: true
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ else }}
  state:
    terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}
{{ end }}
{{ end }}
{{ end }}
{{ else }}{}{{ end }}
"""  # noqa: E501 - a template's line cannot be broken

_POD_ENDED = (
    _HEARD
    + """
{{ $now := Now }}
{{ $started := or .status.startTime $now }}
phase: @PHASE@
@WHY@
conditions:
- {type: Ready, status: "False", reason: @CONDITION@, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", reason: @CONDITION@, lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
  restartCount: 0
  state:
    terminated: {exitCode: @EXIT@, reason: @REASON@, startedAt: {{ $started | Quote }}, finishedAt: {{ $now | Quote }}}
{{ end }}
"""  # noqa: E501 - a template's line cannot be broken
    + _UNHEARD
)


def _ended(phase: str, exit_code: int, reason: str, why: str = "") -> str:
    condition = "PodCompleted" if phase == "Succeeded" else "PodFailed"
    values = {"PHASE": phase, "EXIT": str(exit_code), "REASON": reason, "WHY": why}
    return _filled(_POD_ENDED, values | {"CONDITION": condition})


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def _stage(
    name: str, kind: str, when: str, then: dict[str, Any], until: str | None = None
) -> dict[str, Any]:
    """Build a KWOK Stage: where the jq test ``when`` is true, do ``then``, not before ``until``."""
    spec: dict[str, Any] = {
        "resourceRef": {"apiGroup": "v1", "kind": kind},
        "selector": {
            "matchExpressions": [{"key": when, "operator": "In", "values": ["true"]}],
        },
        "next": then,
    }
    if until is not None:
        spec["delay"] = {
            "durationMilliseconds": 0,
            "durationFrom": {"expressionFrom": f"{until} | todate"},
        }
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": spec,
    }


def _node_stages() -> list[dict[str, Any]]:
    says = '[.status.conditions[]? | select(.type == "Ready") | .status][0]'
    unready = f'(.metadata.labels["{READY}"] == "false")'
    ready_status = {"STATUS": "True", "REASON": "KubeletReady"}
    unready_status = {"STATUS": "False", "REASON": "KubeletNotReady"}
    return [
        _stage(
            "node-ready",
            "Node",
            f'({unready} | not) and {says} != "True"',
            {"statusTemplate": _filled(_NODE_STATUS, ready_status)},
        ),
        _stage(
            "node-not-ready",
            "Node",
            f'{unready} and {says} != "False"',
            {"statusTemplate": _filled(_NODE_STATUS, unready_status)},
        ),
    ]


def _pod_stages() -> list[dict[str, Any]]:
    """Give stages of which at most one is true of a pod: KWOK would draw lots between two."""
    started = "(.status.startTime | fromdate)"
    pending = f'{_ALIVE} and .status.phase == "Pending"'
    running = f'{_ALIVE} and .status.phase == "Running"'
    seen = ".status.startTime != null"
    at_once = f"({_READY_S} == 0)"
    deleted = ".metadata.deletionTimestamp != null"
    deadline = 'reason: DeadlineExceeded\nmessage: "The pod was active longer than its deadline"'
    return [
        _stage(
            "pod-created",
            "Pod",
            f"{pending} and ({seen} | not) and ({at_once} | not)",
            {"statusTemplate": _POD_CREATED},
        ),
        _stage(
            "pod-running-at-once",
            "Pod",
            f"{pending} and ({seen} | not) and {at_once}",
            {"statusTemplate": _POD_RUNNING},
        ),
        _stage(
            "pod-running",
            "Pod",
            f"{pending} and {seen} and ({_DEADLINE_FIRST} | not)",
            {"statusTemplate": _POD_RUNNING},
            until=f"{started} + {_READY_S}",
        ),
        _stage(
            "pod-succeeded",
            "Pod",
            f"{running} and {_COMPLETE_S} != null and ({_DEADLINE_FIRST} | not)",
            {"statusTemplate": _ended("Succeeded", 0, "Completed")},
            until=f"{started} + {_COMPLETE_S}",
        ),
        _stage(
            "pod-deadline",
            "Pod",
            f"{_ALIVE} and {seen} and {_DEADLINE_FIRST}",
            {"statusTemplate": _ended("Failed", 137, "Error", deadline)},
            until=f"{started} + {_DEADLINE_S}",
        ),
        _stage(
            "pod-stopped",
            "Pod",
            f'{deleted} and (.status.phase | IN("Pending", "Running"))',
            {"statusTemplate": _ended("Failed", 143, "Error")},
            until=f"{_DELETED_AT} + {_STOP_S}",
        ),
        _stage(
            "pod-removed",
            "Pod",
            f'{deleted} and (.status.phase | IN("Succeeded", "Failed"))',
            {"delete": True},
        ),
    ]


def kwok_configuration() -> str:
    """Give the file ``kwok --config`` reads: the stages of nodes and of pods."""
    options = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {
            "cidr": "10.64.0.0/10",
            "enableCRDs": [],
            "manageNodesWithLabelSelector": MANAGED_NODES,
            "nodePort": 0,
            "podPlayStageParallelism": 8,
            "nodePlayStageParallelism": 8,
            "nodeLeaseParallelism": 4,
            # Without workers, what happened on a node whose link was cut is never told.
            "podsOnNodeSyncParallelism": 4,
            "enablePodsOnNodeSyncStreamWatch": True,
        },
    }
    return yaml.safe_dump_all([options, *_node_stages(), *_pod_stages()], sort_keys=False)
