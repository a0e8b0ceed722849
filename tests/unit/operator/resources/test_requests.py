"""Effective requests are those of kube-scheduler."""

from typing import Any

import pytest

from idlewatt_operator.resources.objects import pod_object
from idlewatt_operator.resources.requests import effective_requests, unreadable_requests


def asks(name: str = "c", *, sidecar: bool = False, **requests: object) -> dict[str, Any]:
    """A container with these requests."""
    restart = {"restartPolicy": "Always"} if sidecar else {}
    return {"name": name, "resources": {"requests": requests}, **restart}


def requested(
    *containers: dict[str, Any],
    init: tuple[dict[str, Any], ...] = (),
    status: dict[str, Any] | None = None,
    **spec: object,
) -> dict[str, int]:
    """The effective requests of a pod with these containers, without the `pods` entry."""
    written = {"containers": list(containers), "initContainers": list(init), **spec}
    total = effective_requests(pod_object({"spec": written, "status": status or {}}))
    assert total.pop("pods") == 1_000
    return total


def test_containers_add_up() -> None:
    """Each resource by itself; a resource that one container names is the pod's too."""
    assert requested(asks(cpu="500m", memory="1Gi"), asks(cpu="1")) == {
        "cpu": 1_500,
        "memory": 2**30 * 1_000,
    }


def test_a_pod_without_requests_is_still_a_pod() -> None:
    """It takes one of the node's places and nothing else."""
    assert requested({"name": "c"}) == {}


@pytest.mark.parametrize(
    ("written", "thousandths"),
    [("1", 1_000), (1, 1_000), (0.5, 500), ("0.1", 100), ("1u", 1), ("1500u", 2), ("0", 0)],
)
def test_quantities_are_thousandths_rounded_up(written: object, thousandths: int) -> None:
    """As the API server rounds them, numbers without quotes included."""
    assert requested(asks(cpu=written)) == {"cpu": thousandths}


def test_each_quantity_is_rounded_up_before_they_are_added() -> None:
    """The API server stores thousandths, so two of a half are two and not one."""
    assert requested(asks(cpu="500u"), asks(cpu="500u")) == {"cpu": 2}


def test_a_limit_stands_in_for_a_missing_request_of_the_same_resource() -> None:
    """As the API server defaults it: per resource, and never above a request that is given."""
    container = {
        "name": "c",
        "resources": {
            "requests": {"cpu": "1"},
            "limits": {"cpu": "4", "memory": "1Ki", "nvidia.com/gpu": "1"},
        },
    }
    assert requested(container) == {"cpu": 1_000, "memory": 1_024_000, "nvidia.com/gpu": 1_000}


def test_an_init_container_counts_where_it_asks_for_more() -> None:
    """They run one after the other, before the rest: the greatest of all counts."""
    init = (asks(cpu="3", memory="1"), asks(cpu="2", memory="5"))
    assert requested(asks(cpu="1", memory="4"), init=init) == {"cpu": 3_000, "memory": 5_000}


def test_sidecars_add_to_the_containers() -> None:
    """A restartable init container runs as long as the pod does."""
    assert requested(asks(cpu="1"), init=(asks("s", sidecar=True, cpu="2"),)) == {"cpu": 3_000}


def test_an_init_container_runs_beside_the_sidecars_before_it() -> None:
    """Those after it are not up yet: 2 + 4 while it starts outweighs 1 + 2 + 2."""
    init = (
        asks("before", sidecar=True, cpu="2"),
        asks("init", cpu="4"),
        asks("after", sidecar=True, cpu="2"),
    )
    assert requested(asks(cpu="1"), init=init) == {"cpu": 6_000}


def test_the_overhead_comes_on_top_of_the_greater() -> None:
    """A runtime's overhead is paid while init containers run too."""
    total = requested(asks(cpu="1"), init=(asks(cpu="2"),), overhead={"cpu": "250m", "memory": 1})
    assert total == {"cpu": 2_250, "memory": 1_000}


def test_requests_of_the_whole_pod_take_the_place_of_the_sum() -> None:
    """Of cpu, memory and huge pages; a pod-level limit only where nothing else is asked."""
    resources = {
        "requests": {"cpu": "5"},
        "limits": {"cpu": "9", "memory": "2", "example.com/x": 7},
    }
    assert requested(asks(cpu="1", memory="1"), resources=resources) == {
        "cpu": 5_000,
        "memory": 1_000,
    }
    assert requested(asks(cpu="1"), resources=resources) == {"cpu": 5_000, "memory": 2_000}


def test_a_resize_under_way_counts_the_greater() -> None:
    """Until the kubelet has shrunk a container it still holds what it was given."""
    given = [{"name": "c", "resources": {"requests": {"cpu": "4"}}, "allocatedResources": {}}]
    assert requested(asks(cpu="1"), status={"containerStatuses": given}) == {"cpu": 4_000}


def test_a_resize_that_is_infeasible_counts_what_is_given() -> None:
    """What the node will never give is not held against it."""
    status = {
        "containerStatuses": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}],
        "conditions": [{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}],
    }
    assert requested(asks(cpu="8"), status=status) == {"cpu": 1_000}


def test_a_quantity_that_is_none_counts_as_nothing_and_is_named() -> None:
    """Garbage, and a negative amount, each with the field it stands in."""
    pod = pod_object(
        {
            "spec": {
                "containers": [asks(cpu="much", memory="1")],
                "initContainers": [{"resources": {"limits": {"cpu": "-1"}}}],
                "overhead": {"memory": "1 Gi"},
            }
        }
    )
    assert effective_requests(pod) == {"memory": 1_000, "pods": 1_000}
    assert [
        (mistake.field, mistake.sentence.split(";")[0]) for mistake in unreadable_requests(pod)
    ] == [
        ("spec.containers[0].resources.requests.cpu", "'much' is not a Kubernetes quantity"),
        ("spec.initContainers[0].resources.limits.cpu", "'-1' is negative"),
        ("spec.overhead.memory", "'1 Gi' is not a Kubernetes quantity"),
    ]
