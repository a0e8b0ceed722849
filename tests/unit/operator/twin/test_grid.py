"""The grid behind the sites: meters, and curtailments that begin and end."""

from dataclasses import replace
from datetime import date

from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.grid import Grid, limit_watts
from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.journal import Journal, Kind
from idlewatt_operator.twin.scenario import Curtailment
from idlewatt_scheduler.model.units import MINUTE, SECOND


def test_a_curtailment_is_reported_while_it_lasts() -> None:
    """On its circuit and no other, with its end; the change is what asks for a cycle."""
    scenario = a_night(date(2022, 7, 12), 6, 4, 1)
    cut = Curtailment("garage-1", "row-b", 4_000, scenario.start + MINUTE, 10 * MINUTE)
    scenario = replace(scenario, curtailments=(cut,))
    clock, journal = ManualClock(scenario.start), Journal()
    grid = Grid(scenario, clock, journal)
    assert grid.limits_changed_at is None
    clock.advance_to(cut.at)
    grid.change(cut)
    assert grid.limits_changed_at == cut.at
    main, row = grid.observed("garage-1", clock.now())
    assert (main.name, main.curtailed_to_watts) == ("main", None)
    assert main.uncontrolled_load_watts == scenario.house_watts["garage-1"][15]
    assert (row.name, row.curtailed_to_watts, row.curtailed_until) == ("row-b", 4_000, cut.until)
    clock.advance_to(cut.until)
    grid.change(cut)
    assert grid.limits_changed_at == cut.until
    assert len(grid.observed("garage-1", clock.now())) == 1
    assert [fact.kind for fact in journal.facts] == [Kind.CURTAILED, Kind.RELIEVED]


def test_a_limit_counts_from_five_seconds_on() -> None:
    """So long it may take to act on it; it ends to the millisecond."""
    scenario = a_night(date(2022, 7, 12), 6, 4, 1)
    cut = Curtailment("garage-1", "main", 4_000, scenario.start, MINUTE)
    scenario = replace(scenario, curtailments=(cut,))
    moments = (cut.at, cut.at + 5 * SECOND - 1, cut.at + 5 * SECOND, cut.until - 1, cut.until)
    limits = [limit_watts(scenario, "garage-1", "main", at) for at in moments]
    assert limits == [69_000, 69_000, 4_000, 4_000, 69_000]
    assert limit_watts(scenario, "garage-1", "row-a", cut.until - 1) == 34_600
