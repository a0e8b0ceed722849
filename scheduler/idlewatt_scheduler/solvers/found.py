"""What a solver of large fleets found: counts on tables, and how good they are known to be."""

from dataclasses import dataclass

from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.tables.layout import Indices


@dataclass(frozen=True, slots=True)
class Found:
    """So many pods of a template on a vehicle, for each of them that has any.

    Attributes:
        vehicle, template, number: int32[M] each, rows of the tables, sorted by vehicle, template.
        bound: no plan places more weight; None: it is not known.
        cost_bound: no plan of this weight costs less; None: it is not known.
        weights, moneys: prices, as far as they were looked for.
        halted: why it did not finish, as a sentence; None: it did.
        memory: what the next plan may begin from.
    """

    vehicle: Indices
    template: Indices
    number: Indices
    bound: int | None = None
    cost_bound: float | None = None
    solver: Solver = Solver.GREEDY
    halted: str | None = None
    memory: object | None = None
    weights: Duals | None = None
    moneys: Duals | None = None
