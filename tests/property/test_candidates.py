"""A fleet that differs a little from the last one is looked up as if there had been no last one."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.charging_fleets import charging_fleets
from tests.property.strategies import snapshots

from idlewatt_scheduler.candidates import Fleet, assemble, forget
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE

PATIENT = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LARGE = {"most_vehicles": 5, "most_pending": 2, "most_running": 6}


def _known(fleet: Fleet) -> list[Any]:
    """All that was looked up, without what equals itself alone."""
    cars = [
        (
            each.name,
            each.node,
            each.capacity,
            each.used,
            each.refusal,
            each.parked
            and (
                each.parked.vehicle,
                each.parked.electrics,
                each.parked.departure,
                each.parked.charge_by,
                each.parked.circuits,
                each.parked.running,
                each.parked.base,
                each.parked.loads,
                each.parked.charging,
                each.parked.case.site,
                each.parked.case.tariff,
                each.parked.case.runs_ours,
                each.parked.prices and each.parked.prices.judgement.verdicts,
            ),
        )
        for each in fleet.candidates
    ]
    rooms = [
        {key: (room.starts, room.left) for key, room in each.items()}
        for each in (fleet.headroom, fleet.phases)
    ]
    return [cars, rooms, fleet.present, fleet.running, fleet.charging]


@PATIENT
@given(
    base=st.one_of(snapshots(**LARGE), charging_fleets()),
    other=snapshots(**LARGE),
    data=st.data(),
)
def test_what_changed_is_looked_up_again(
    base: Snapshot, other: Snapshot, data: st.DataObject
) -> None:
    """Some vehicles, Nodes and pods are those of another fleet; they come and go; time passes."""
    cars = {car.name: car for car in (*base.vehicles, *other.vehicles)}
    stay = data.draw(st.sets(st.sampled_from(sorted(cars))))
    vehicles = {car.name: car for car in base.vehicles}
    vehicles.update((name, cars[name]) for name in stay)
    gone = data.draw(st.sets(st.sampled_from(sorted(cars)), max_size=1))
    nodes = {**base.nodes, **data.draw(st.sampled_from([{}, other.nodes]))}
    later = replace(
        base,
        at=base.at + data.draw(st.sampled_from([0, 0, 1, MINUTE, HOUR, 9 * HOUR, -MINUTE])),
        vehicles=tuple(car for name, car in vehicles.items() if name not in gone),
        nodes=nodes,
        running=data.draw(st.sampled_from([base.running, base.running[1:], other.running])),
        other_use=data.draw(st.sampled_from([base.other_use, other.other_use])),
    )
    forget()
    assemble(base)
    again = _known(assemble(later))
    forget()
    assert again == _known(assemble(later))
