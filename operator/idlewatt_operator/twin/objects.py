"""The objects of the simulated cluster that do nothing by themselves."""

from dataclasses import replace
from typing import Final

from idlewatt_operator.gateways.protocols import ClusterView, Outcome, Result
from idlewatt_operator.resources.learned import Learned
from idlewatt_operator.resources.records import Refused, VehicleRecord
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Node

DONE: Final = Result(Outcome.DONE)


class Objects:
    """Vehicles, nodes, sites, tariffs, the policy, and what it names."""

    def __init__(self) -> None:
        self.policy = FleetPolicy()
        self.learned = Learned()
        self.refused: tuple[Refused, ...] = ()
        self._vehicles: dict[str, VehicleRecord] = {}
        self._nodes: dict[str, Node] = {}
        self._sites: dict[str, Site] = {}
        self._tariffs: dict[str, Tariff] = {}
        self._shown: ClusterView | None = None

    def add_vehicle(self, vehicle: Vehicle, node: Node | None, generation: int = 1) -> None:
        """Enrol a vehicle, with its Node if it has one."""
        self._vehicles[vehicle.name] = VehicleRecord(vehicle, generation=generation)
        if node is not None:
            self._nodes[node.name] = node
        self._changed()

    def drop_vehicle(self, name: str) -> None:
        """Withdraw a vehicle; its Node stays."""
        self._vehicles.pop(name, None)
        self._changed()

    def add_node(self, node: Node) -> None:
        """Add or replace a Node."""
        self._nodes[node.name] = node
        self._changed()

    def drop_node(self, name: str) -> None:
        """Remove a Node's object."""
        self._nodes.pop(name, None)
        self._changed()

    def add_site(self, site: Site) -> None:
        """Add or replace a site."""
        self._sites[site.name] = site
        self._changed()

    def drop_site(self, name: str) -> None:
        """Remove a site."""
        self._sites.pop(name, None)
        self._changed()

    def add_tariff(self, tariff: Tariff) -> None:
        """Add or replace a tariff."""
        self._tariffs[tariff.name] = tariff
        self._changed()

    def set_policy(self, policy: FleetPolicy) -> None:
        """Replace the fleet's policy."""
        self.policy = policy
        self._changed()

    def change_vehicle(self, vehicle: Vehicle) -> None:
        """Replace a vehicle's spec and what its status says was observed."""
        old = self._vehicles[vehicle.name]
        self._vehicles[vehicle.name] = replace(old, vehicle=vehicle, generation=old.generation + 1)
        self._changed()

    def learn(self, learned: Learned) -> None:
        """Replace what was learned of departures."""
        self.learned = learned
        self._changed()

    def _changed(self) -> Result:
        self._shown = None
        return DONE
