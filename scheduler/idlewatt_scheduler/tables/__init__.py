"""The fleet and the pods as columns of numbers: what planning at scale looks at.

Everything is looked up once a plan and then indexed: a vehicle, a template, a room, a spread
group, a domain and a gang are numbers. Integers are exact; only money is floating point here, and
what a plan costs in the end is added up exactly elsewhere.
"""

from idlewatt_scheduler.tables.build import tables_of, tabulate
from idlewatt_scheduler.tables.layout import Tables
from idlewatt_scheduler.tables.workings import Workings, workings_of

__all__ = ["Tables", "Workings", "tables_of", "tabulate", "workings_of"]
