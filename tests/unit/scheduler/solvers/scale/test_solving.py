"""Planning at scale: every plan keeps the rules, is stable, and is no worse than the greedy one."""

from dataclasses import replace

import numpy as np
import pytest
from tests.benchmarks.random_tables import Size, Supply, random_tables
from tests.unit.scheduler.solvers.scale.plain import Counts, envies, faults, score_of

from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.solvers.found import Found
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.scale import solving
from idlewatt_scheduler.solvers.scale.solving import solve_at_scale
from idlewatt_scheduler.tables.layout import Tables

GREEDILY = Params(compiled=False)
BY_PRICES = Params(price_rounds=8, improve_rounds=4)


def counts_in(found: Found) -> Counts:
    """What was found, by vehicle and template."""
    columns = (found.vehicle.tolist(), found.template.tolist(), found.number.tolist())
    return {(vehicle, template): number for vehicle, template, number in zip(*columns, strict=True)}


def small(seed: int, supply: Supply = "scarce") -> Tables:
    """A fleet small enough to ask everything in plain Python."""
    pods = 60 if supply == "ample" else 110
    return random_tables(seed, Size(30, pods, 16, 10, gangs=0.2, spread=0.2, supply=supply))


@pytest.mark.parametrize("supply", ["ample", "scarce"])
@pytest.mark.parametrize("seed", range(6))
def test_a_plan_by_prices_keeps_the_rules_and_beats_greedy(seed: int, supply: Supply) -> None:
    """No rule is broken, nobody envies, and neither weight nor cost is worse than the greedy's."""
    tables = small(seed, supply)
    found = solve_at_scale(tables, BY_PRICES, Stop(), seed)
    counts = counts_in(found)
    assert found.halted is None
    assert faults(tables, counts) == []
    assert envies(tables, counts) == []
    weight, cost = score_of(tables, counts)
    greedy_weight, greedy_cost = score_of(
        tables, counts_in(solve_at_scale(tables, GREEDILY, Stop(), seed))
    )
    assert (weight, -cost) >= (greedy_weight, -greedy_cost - 1e-6)
    assert found.bound is not None
    assert found.bound >= weight
    assert found.cost_bound is not None
    assert found.cost_bound <= cost + 1e-6


def test_the_same_arguments_give_the_same_plan() -> None:
    """Nothing is left to chance but what the seed says."""
    tables = small(3)
    one, other = (counts_in(solve_at_scale(tables, BY_PRICES, Stop(), 7)) for _ in range(2))
    assert one == other


def test_rows_are_sorted_by_vehicle_then_template() -> None:
    """Whoever reads the counts may rely on their order."""
    found = solve_at_scale(small(1), BY_PRICES, Stop(), 0)
    keys = list(zip(found.vehicle.tolist(), found.template.tolist(), strict=True))
    assert keys == sorted(keys)
    assert (found.number > 0).all()


def test_when_time_is_over_the_incumbent_is_returned() -> None:
    """A deadline that struck already leaves the greedy plan, and says so in a sentence."""
    tables = small(2)
    found = solve_at_scale(tables, BY_PRICES, Stop(expired=lambda: True), 0)
    greedy = solve_at_scale(tables, GREEDILY, Stop(), 0)
    assert counts_in(found) == counts_in(greedy)
    assert found.solver is Solver.GREEDY
    assert found.halted is not None
    assert found.halted.endswith(".")


def test_a_failing_solver_leaves_the_incumbent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where prices cannot be found the greedy plan is, and the sentence says what failed."""

    def fail(*_: object, **__: object) -> None:
        message = "no basis"
        raise RuntimeError(message)

    tables = small(2)
    monkeypatch.setattr(solving, "price", fail)
    found = solve_at_scale(tables, BY_PRICES, Stop(), 0)
    assert counts_in(found) == counts_in(solve_at_scale(tables, GREEDILY, Stop(), 0))
    assert found.halted is not None
    assert "no basis" in found.halted


def test_a_fleet_that_takes_nothing_has_an_empty_plan() -> None:
    """No pair, no placement, no fault."""
    tables = small(1)
    none = np.zeros(0, np.int32)
    empty_pairs = replace(
        tables.pairs,
        first=np.zeros(tables.vehicles + 1, np.int64),
        template=none,
        power=none,
        until=none,
        most=none,
        cost=none.astype(np.float32),
        stay_cost=none.astype(np.float32),
    )
    found = solve_at_scale(replace(tables, pairs=empty_pairs), BY_PRICES, Stop(), 0)
    assert counts_in(found) == {}
    assert found.halted is None
