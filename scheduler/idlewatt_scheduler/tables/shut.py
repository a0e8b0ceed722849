"""The vehicles that take no pods now, to be asked whether they ever would take one."""

from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.tables.lasting import Lasting
from idlewatt_scheduler.tables.layout import Flags, Indices
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.tables.reading import Machine, Reading
from idlewatt_scheduler.tables.workings import Workings


@dataclass(frozen=True, slots=True)
class _Shut:
    """Their rows, as far as they stay what they are."""

    machine: Indices
    machines: tuple[Machine, ...]
    attested: Flags
    region: Indices
    regions: tuple[str | None, ...]


def shut(work: Workings) -> Lasting:
    """The vehicles that have a Node and take no pods now."""
    reading = Reading(work.fleet, work.resources, frozenset())
    chosen = [
        (candidate, candidate.parked)
        for candidate in work.fleet.candidates
        if candidate.parked is not None
        and candidate.refusal is not None
        and candidate.node is not None
    ]
    machine = [reading.machine_of(candidate, parked) for candidate, parked in chosen]
    region = [reading.region_of(parked) for _, parked in chosen]
    rows = _Shut(
        machine=np.array(machine, np.int32),
        machines=tuple(reading.machines),
        attested=np.array([parked.vehicle.attested for _, parked in chosen], np.bool_),
        region=np.array(region, np.int32),
        regions=tuple(reading.regions),
    )
    pods = [template.sample for template in work.templates]
    return Lasting(rows, Matching([each for each, _ in chosen], pods), work.resources)
