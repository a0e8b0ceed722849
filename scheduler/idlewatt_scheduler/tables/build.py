"""From a fleet and templates to columns."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from idlewatt_scheduler.candidates import Fleet
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.tables.asking import Asking
from idlewatt_scheduler.tables.layout import Indices, Offered, Pairs, Spreads, Tables, Wanted
from idlewatt_scheduler.tables.pairs import pairs_of
from idlewatt_scheduler.tables.rooms import rooms_of
from idlewatt_scheduler.tables.together import Running, gangs_of
from idlewatt_scheduler.tables.vehicles import Vehicles
from idlewatt_scheduler.tables.workings import Workings, workings_of
from idlewatt_scheduler.templates import Template


def tabulate(
    fleet: Fleet, templates: Sequence[Template], leavers: Iterable[Leaving] = ()
) -> Tables:
    """The vehicles and the templates as columns.

    Args:
        fleet: looked up.
        templates: of the pending pods, in the board's order.
        leavers: running pods that leave for one of the reasons to leave: neither gangs nor spread
            count them.
    """
    return tables_of(workings_of(fleet, templates, leavers))


def tables_of(
    work: Workings, lay: Callable[[Workings], tuple[Pairs, Indices]] = pairs_of
) -> Tables:
    """The columns of what was worked out already.

    Args:
        work: what was.
        lay: what lays out the pairs, and says which rows of the vehicles have any.
    """
    fleet, templates, vehicles = work.fleet, work.templates, work.vehicles
    pairs, rows = lay(work)
    return Tables(
        resources=work.resources,
        wanted=_wanted(templates, work.resources, work.running),
        offered=_offered(vehicles, rows, work.asking),
        pairs=pairs,
        rooms=rooms_of(fleet, vehicles, rows),
        spreads=_of_rows(work.spreads, rows),
        at=fleet.snapshot.at,
        site=vehicles.site[rows],
        sites=vehicles.sites,
    )


def _wanted(templates: Sequence[Template], resources: Sequence[str], running: Running) -> Wanted:
    gang, needs = gangs_of(templates, running)
    amounts = [amounts_of(template.sample) for template in templates]
    requests = [[each.get(name, 0) for name in resources] for each in amounts]
    return Wanted(
        count=np.array([len(template.pods) for template in templates], np.int64),
        weight=np.array([template.weight for template in templates], np.int64),
        priority=np.array([template.priority for template in templates], np.int64),
        request=np.array(requests, np.int64).reshape(len(templates), len(resources)),
        gang=gang,
        gang_needs=needs,
    )


def _offered(vehicles: Vehicles, rows: Indices, asking: Asking) -> Offered:
    return Offered(
        candidate=vehicles.candidate[rows],
        free=asking.free[rows],
        power=np.maximum(vehicles.power[rows], 0),
        energy=np.maximum(vehicles.energy[rows], 0),
        start=vehicles.start[rows],
        departure=vehicles.departure[rows],
        opening=vehicles.opening[rows],
        fallible=vehicles.fallible[rows],
        base=vehicles.base[rows],
        standby=vehicles.standby[rows],
        cap=vehicles.cap[rows],
        charging=vehicles.charging[rows],
        efficiency_percent=vehicles.efficiency_percent[rows],
        lone_from=vehicles.lone_from[rows],
        lone_power=vehicles.lone_power[rows],
    )


def _of_rows(spreads: Spreads, rows: Indices) -> Spreads:
    """The same for some of the vehicles."""
    return Spreads(
        subject=spreads.subject,
        counted=spreads.counted,
        domain=spreads.domain[:, rows],
        first=spreads.first,
        running=spreads.running,
        skew=spreads.skew,
        floor_is_zero=spreads.floor_is_zero,
    )
