"""Tables of small scenes."""

from tests.unit.scheduler.scenes import a_fleet

from idlewatt_scheduler.tables import Tables, Workings, tables_of, workings_of
from idlewatt_scheduler.templates import templates_of


def a_working(**overrides: object) -> Workings:
    """What the tables of a snapshot are made of."""
    fleet = a_fleet(**overrides)
    return workings_of(fleet, templates_of(fleet.snapshot.pending))


def a_table(**overrides: object) -> Tables:
    """The tables of a snapshot."""
    return tables_of(a_working(**overrides))
