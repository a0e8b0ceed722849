"""What the planner asks of a further rule."""

from types import MappingProxyType
from typing import Final, Protocol

from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Quantities
from idlewatt_scheduler.model.workload import Node, Pod

NOTHING: Final[Quantities] = MappingProxyType({})
"""Of every column."""


class Rule(Protocol):
    """Something of which a Node has so much, and of which each pod there takes so much.

    What there is so much of is a column: `kind:` and whatever tells it from the rule's others.
    Of no column may the pods on a Node together take more than the Node holds. Amounts are whole
    numbers, and small enough that those of all pods on a Node add up to less than 2^53.

    Bounds, prices, greed and the exact solvers treat a column as they treat a resource, and a pod
    that takes more than a Node holds in all exceeds its capacity. A column has no part in what a
    pod draws.
    """

    @property
    def kind(self) -> str:
        """What the names of its columns begin with, up to a colon; no other rule's do."""

    @property
    def reason(self) -> PodReason:
        """Why a pod waits where a Node does not hold enough."""

    def takes(self, pod: Pod) -> Quantities:
        """What a pod takes of each column; of a column that is not there, nothing."""

    def taken(self, snapshot: Snapshot, node: str) -> Quantities:
        """What the pods of others take on a Node."""

    def holds(self, column: str, node: Node | None) -> int:
        """How much of one of its columns a Node has in all; `node` is None where there is none.

        It is asked again only where the Node has changed.
        """


def beside(one: Quantities, other: Quantities) -> Quantities:
    """Two lots that have nothing in common as one: resources and columns, or those of two rules."""
    if not other:
        return one
    return {**one, **other} if one else other
