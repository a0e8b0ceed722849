"""The ConfigMap of learned departures that a FleetPolicy names, or why it cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from idlewatt_operator.resources.departures import DATA_KEY, DeparturesError, departure_model
from idlewatt_operator.resources.fleetpolicy import FleetPolicySpec
from idlewatt_scheduler.model.departures import DepartureModel


@dataclass(frozen=True, slots=True)
class Named:
    """A ConfigMap by its name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As sentences name it."""
        return f"ConfigMap {self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of departures beside those that are stated.

    Attributes:
        named: what the policy names; None: nothing.
        model: None: nothing was learned, or it cannot be read.
        fault: a sentence that says why it cannot be read; empty: it can, or none is named.
    """

    named: Named | None = None
    model: DepartureModel | None = None
    fault: str = ""

    @classmethod
    def missing(cls, named: Named) -> Self:
        """The policy names what is not there."""
        fault = (
            f"There is no {named}: make it with idlewatt departures fit, or name another in "
            "spec.departuresRef."
        )
        return cls(named, fault=fault)

    @classmethod
    def forbidden(cls, named: Named) -> Self:
        """The API server does not let us read it."""
        fault = (
            f"The operator may not read the {named}: allow it the verb get on that name, as the "
            "chart's value departures.configMapName does in the release's namespace."
        )
        return cls(named, fault=fault)


def named_departures(spec: FleetPolicySpec) -> Named | None:
    """The ConfigMap that a policy names."""
    ref = spec.departures_ref
    return None if ref is None else Named(ref.namespace, ref.name)


def learned_departures(named: Named, data: Mapping[str, str] | None) -> Learned:
    """What the data of the ConfigMap tell."""
    text = (data or {}).get(DATA_KEY)
    if text is None:
        fault = f"The {named} has no {DATA_KEY} in its data: make it with idlewatt departures fit."
        return Learned(named, fault=fault)
    try:
        return Learned(named, departure_model(text))
    except DeparturesError as error:
        return Learned(named, fault=f"The {named} cannot be read: {error}.")
