"""Templates: pending pods that no clause can tell apart, planned as one with a count."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from idlewatt_scheduler.model.workload import Pod, Spread
from idlewatt_scheduler.selectors import is_selected

WEIGHT_BASE: Final = 16
HIGHEST_RANK: Final = 5


@dataclass(frozen=True, slots=True)
class Template:
    """Pods alike in everything but name and age, the oldest first.

    Attributes:
        weight: 16 to the power of the priority's rank.
    """

    pods: tuple[Pod, ...]
    weight: int

    @property
    def sample(self) -> Pod:
        """Any one of them."""
        return self.pods[0]

    @property
    def priority(self) -> int:
        """Theirs in common."""
        return self.pods[0].priority


def templates_of(pods: Iterable[Pod], last: Sequence[Template] = ()) -> tuple[Template, ...]:
    """The pending pods as templates: by priority, the highest first, then by age.

    `last` are those of some of these pods and of others: who was alike then still is, as long as
    the same constraints of spread are there.
    """
    groups: dict[Hashable, list[Pod]] = {}
    everybody = sorted(pods, key=_age)
    spreads = {(pod.namespace, spread) for pod in everybody for spread in pod.spread}
    alike: dict[int, int] = {}
    if spreads == {(each.sample.namespace, s) for each in last for s in each.sample.spread}:
        alike = {id(pod): number for number, each in enumerate(last) for pod in each.pods}
    # Pods of one controller often share what they are made of: then nothing has to be compared.
    seen: dict[Hashable, list[Pod]] = {}
    for pod in everybody:
        number = alike.get(id(pod))
        made_of = _made_of(pod) if number is None else number
        group = seen.get(made_of)
        if group is None:
            group = groups.setdefault((_alike(pod), *_together(pod, spreads)), [])
            seen[made_of] = group
        group.append(pod)
    weights = weights_of(group[0].priority for group in groups.values())
    made = [Template(tuple(group), weights[group[0].priority]) for group in groups.values()]
    return tuple(sorted(made, key=lambda made: (-made.priority, _age(made.sample))))


def weights_of(priorities: Iterable[int]) -> Mapping[int, int]:
    """16^k by priority, k its rank from 0 to 5; of more than six the lowest are one."""
    distinct = sorted(set(priorities))
    merged = max(len(distinct) - 1 - HIGHEST_RANK, 0)
    return {
        priority: WEIGHT_BASE ** max(index - merged, 0) for index, priority in enumerate(distinct)
    }


def _age(pod: Pod) -> tuple[int, str, str, str]:
    return pod.created_at, pod.namespace, pod.name, pod.uid


def _made_of(pod: Pod) -> Hashable:
    """What `_alike` and `_together` look at, by identity: pods with the same are alike."""
    return (
        pod.priority,
        pod.namespace,
        pod.reads_secret,
        pod.controlled,
        pod.termination_grace_seconds,
        id(pod.requests),
        id(pod.node_selector) if pod.node_selector else 0,
        id(pod.node_affinity),
        id(pod.tolerations),
        id(pod.images),
        id(pod.unsupported_fields),
        id(pod.invalid_annotations),
        id(pod.demand),
        id(pod.preferred_affinity),
        id(pod.spread),
        id(pod.host_ports) if pod.host_ports else 0,
        id(pod.labels) if pod.labels else 0,
    )


def _alike(pod: Pod) -> Hashable:
    """All that a clause, a stay or a weight may look at."""
    return (
        pod.priority,
        tuple(sorted(pod.requests.items())),
        tuple(sorted(pod.node_selector.items())),
        pod.node_affinity,
        pod.tolerations,
        pod.images,
        pod.reads_secret,
        pod.controlled,
        pod.unsupported_fields,
        pod.invalid_annotations,
        pod.termination_grace_seconds,
        pod.demand,
        pod.preferred_affinity,
        pod.spread,
        pod.host_ports,
    )


def _together(pod: Pod, spreads: Iterable[tuple[str, Spread]]) -> Iterator[Hashable]:
    """What rules about several pods may look at: its gang, and which spreads count it."""
    yield pod.namespace if pod.demand.gang is not None or pod.spread else None
    for namespace, spread in spreads:
        if namespace == pod.namespace and is_selected(spread.selector, pod.labels):
            yield namespace, spread
