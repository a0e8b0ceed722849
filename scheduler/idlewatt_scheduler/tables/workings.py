"""What tables are made of: what does not depend on what is placed, worked out once a plan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from idlewatt_scheduler.candidates import Candidate, Fleet
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.tables.asking import Asking
from idlewatt_scheduler.tables.layout import Spreads
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.tables.together import Running, spreads_of
from idlewatt_scheduler.tables.vehicles import Vehicles, vehicles_of
from idlewatt_scheduler.templates import Template


@dataclass(frozen=True, slots=True)
class Workings:
    """What tables are made of, and what a plan is explained with.

    Attributes:
        resources: what pods take of Nodes, in order; see `further` for those with a colon.
        takers: the candidates that no vehicle clause keeps pods away from, in the fleet's order.
        vehicles: those of them that are vehicles.
        spreads: with the domains of the takers.
    """

    fleet: Fleet
    templates: tuple[Template, ...]
    resources: tuple[str, ...]
    takers: tuple[Candidate, ...]
    vehicles: Vehicles
    matching: Matching
    asking: Asking
    running: Running
    spreads: Spreads


def workings_of(
    fleet: Fleet, templates: Sequence[Template], leavers: Iterable[Leaving] = ()
) -> Workings:
    """What does not depend on what is placed."""
    snapshot, pods = fleet.snapshot, [template.sample for template in templates]
    resources = resources_of(pods)
    takers = tuple(candidate for candidate in fleet.candidates if candidate.refusal is None)
    matching = Matching(takers, pods)
    images = frozenset(image for pod in pods if pod.demand.image_size_bytes for image in pod.images)
    vehicles = vehicles_of(fleet, resources, images)
    running = Running.of(fleet, leavers)
    return Workings(
        fleet=fleet,
        templates=tuple(templates),
        resources=resources,
        takers=takers,
        vehicles=vehicles,
        matching=matching,
        asking=Asking(vehicles, matching, resources, snapshot.policy, snapshot.at),
        running=running,
        spreads=spreads_of(fleet, templates, running, takers, matching),
    )


def resources_of(pods: Iterable[Pod]) -> tuple[str, ...]:
    """The resources of which some pod requests anything, and the columns of further rules."""
    return tuple(sorted({n for pod in pods for n, amount in amounts_of(pod).items() if amount > 0}))
