"""Everything one cycle looks at, at one instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import Instant, Quantities
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import HostPort, Node, Pod, RunningPod


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The fleet, its sites and its pods at the instant `at`.

    Attributes:
        vehicles: every VehicleNode; the Node of the same name is looked up in `nodes`.
        nodes: every Node by name, those without a vehicle included.
        sites: every ParkingSite by name.
        tariffs: every EnergyTariff by name.
        pending: our pods that are to be placed; gated, ended and deleted ones are not here.
        running: our pods that are bound and still count, bindings just sent included.
        other_use: per Node what the pods that are not ours request there in all, with
            `pods` for their number.
        departures: what was learned of departures; None: those stated stand.
        other_ports: per Node the ports of the Node that pods have which are not ours.
    """

    at: Instant
    policy: FleetPolicy = field(default_factory=FleetPolicy)
    vehicles: tuple[Vehicle, ...] = ()
    nodes: Mapping[str, Node] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)
    pending: tuple[Pod, ...] = ()
    running: tuple[RunningPod, ...] = ()
    other_use: Mapping[str, Quantities] = field(default_factory=dict)
    departures: DepartureModel | None = None
    other_ports: Mapping[str, tuple[HostPort, ...]] = field(default_factory=dict)
