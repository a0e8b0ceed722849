"""The exact plan of up to some dozens of vehicles, by what each of them may hold as a whole.

A pattern is what one vehicle holds: so many pods of each kind. There are too many of them to write
down, but few that could be in a plan as good as the best one: prices tell which.
"""

from idlewatt_scheduler.solvers.patterns.solve import shadow_prices, solve
from idlewatt_scheduler.solvers.patterns.within import warm

__all__ = ["shadow_prices", "solve", "warm"]
