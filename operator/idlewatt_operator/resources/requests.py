"""What a pod asks of its node in all, as kube-scheduler counts it.

Containers and sidecars add up; an init container runs beside the sidecars that stand before
it and before the rest, so the greater of both counts; the overhead comes on top. A request
that is missing where a limit is given equals the limit, as the API server would write it.
While a resize is under way the greater of what is asked and what is given counts.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from idlewatt_operator.resources.amounts import add, greatest, quantities, raise_to, unreadable
from idlewatt_operator.resources.mistakes import Mistake
from idlewatt_operator.resources.objects import (
    Container,
    ContainerStatus,
    PodObject,
    PodStatus,
    Resources,
)

ONE_POD: Final = 1_000

_SET_FOR_A_WHOLE_POD: Final = ("cpu", "memory", "hugepages-")


def effective_requests(pod: PodObject) -> dict[str, int]:
    """Thousandths by resource, with `pods: 1000` for the pod itself.

    A quantity that cannot be read counts as nothing: `unreadable_requests` names it.
    """
    given = _given(pod.status)
    infeasible = _resize_is_infeasible(pod.status)
    total: dict[str, int] = {}
    for container in pod.spec.containers or ():
        add(total, _container(container, given.get(container.name), infeasible=infeasible))
    sidecars: dict[str, int] = {}
    while_starting: dict[str, int] = {}
    for container in pod.spec.init_containers or ():
        status = given.get(container.name) if is_sidecar(container) else None
        asked = _container(container, status, infeasible=infeasible)
        if is_sidecar(container):
            add(total, asked)
            add(sidecars, asked)
            raise_to(while_starting, sidecars)
        else:
            add(asked, sidecars)
            raise_to(while_starting, asked)
    raise_to(total, while_starting)
    _set_for_the_pod(total, pod.spec.resources)
    add(total, quantities(pod.spec.overhead))
    total["pods"] = ONE_POD
    return total


def is_sidecar(container: Container) -> bool:
    """An init container that stays beside the others."""
    return container.restart_policy == "Always"


def _container(
    container: Container, status: ContainerStatus | None, *, infeasible: bool
) -> dict[str, int]:
    asked = _with_limits(container.resources)
    if status is None or status.resources is None:
        return asked
    given = (quantities(status.resources.requests), quantities(status.allocated_resources))
    return greatest(given if infeasible else (asked, *given))


def _with_limits(resources: Resources | None) -> dict[str, int]:
    if resources is None:
        return {}
    return {**quantities(resources.limits), **quantities(resources.requests)}


def _set_for_the_pod(total: dict[str, int], resources: Resources | None) -> None:
    """Let the pod-level requests take the place of the containers' sum, in place."""
    if resources is None:
        return
    limits = {
        name: amount for name, amount in quantities(resources.limits).items() if name not in total
    }
    whole = {**limits, **quantities(resources.requests)}
    total |= {n: amount for n, amount in whole.items() if n.startswith(_SET_FOR_A_WHOLE_POD)}


def _given(status: PodStatus) -> Mapping[str, ContainerStatus]:
    statuses = (*(status.container_statuses or ()), *(status.init_container_statuses or ()))
    return {status.name: status for status in statuses}


def _resize_is_infeasible(status: PodStatus) -> bool:
    return any(
        condition.type == "PodResizePending" and condition.reason == "Infeasible"
        for condition in status.conditions or ()
    )


def unreadable_requests(pod: PodObject) -> Iterator[Mistake]:
    """A mistake for each quantity of the spec that is none, with the field it stands in."""
    lists = (("containers", pod.spec.containers), ("initContainers", pod.spec.init_containers))
    for kind, containers in lists:
        for index, container in enumerate(containers or ()):
            yield from _of(container.resources, f"spec.{kind}[{index}].resources")
    yield from _of(pod.spec.resources, "spec.resources")
    yield from unreadable(pod.spec.overhead, "spec.overhead")


def _of(resources: Resources | None, field: str) -> Iterator[Mistake]:
    if resources is not None:
        yield from unreadable(resources.requests, f"{field}.requests")
        yield from unreadable(resources.limits, f"{field}.limits")
