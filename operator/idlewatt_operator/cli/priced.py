"""Shadow prices for people: the dearest first, and as many as can be read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Plan, Solver
from idlewatt_scheduler.model.shadow import Prices, Worth
from idlewatt_scheduler.model.units import Instant

_Priced = TypeVar("_Priced")

ROWS_AT_MOST: Final = 24

_LEAST_WEIGHT: Final = 0.005
_LEAST_MONEY: Final = 0.00005


@dataclass(frozen=True, slots=True)
class PriceTable:
    """One table.

    Attributes:
        titles: of the table, and of its columns.
        right: so many columns at its end are figures.
    """

    titles: tuple[str, tuple[str, ...]]
    rows: tuple[tuple[str, ...], ...]
    right: int


def priced(plan: Plan) -> Iterator[PriceTable]:
    """A table for each sort of thing that has a price."""
    prices, currency = plan.prices, plan.currency or "money"
    figures = ("Weight", currency)
    if slots := _dearest(prices.slots, [each.slot for each in prices.slots]):
        stands = tuple(
            (each.site, *_hours(each.start, each.end), str(each.vehicles), *worth(each.slot))
            for each in slots
        )
        titles = _titled("One more vehicle", prices.slots, slots)
        yield PriceTable((titles, ("Site", "From", "Until", "Vehicles", *figures)), stands, 3)
    if circuits := _dearest(prices.circuits, [each.kilowatt for each in prices.circuits]):
        loads = tuple(
            (
                each.site,
                " ".join(filter(None, (each.circuit, each.phase))),
                *_hours(each.start, each.end),
                *worth(each.kilowatt),
            )
            for each in circuits
        )
        titles = _titled("One more kilowatt", prices.circuits, circuits)
        yield PriceTable((titles, ("Site", "Circuit", "From", "Until", *figures)), loads, 2)
    if pods := _dearest(prices.pods, [each.place for each in prices.pods]):
        places = tuple(
            (each.sample, str(each.pods), str(each.waiting), *worth(each.place)) for each in pods
        )
        titles = _titled("One more place", prices.pods, pods)
        heads = ("Pod, and those like it", "Pods", "Waiting", *figures)
        yield PriceTable((titles, heads), places, 4)


def explained(plan: Plan) -> str:
    """How to read them; or why there are none."""
    if any(_is_something(each) for each in _all(plan.prices)):
        return (
            "Weight: as many pods of the lowest priority. Money: what a plan of this weight would "
            "cost less. Both are estimates."
        )
    if plan.solver is not Solver.PRICES and plan.waiting:
        return "There are no prices: this plan was found without them."
    return "Nothing is short: one more vehicle, kilowatt or place would make no plan better."


def worth(worth: Worth) -> tuple[str, str]:
    """In weight, to hundredths, and in money, to ten-thousandths."""
    return f"{worth.weight:,.2f}", f"{worth.money:,.4f}"


def _is_something(worth: Worth) -> bool:
    return abs(worth.weight) >= _LEAST_WEIGHT or abs(worth.money) >= _LEAST_MONEY


def _dearest(priced: Sequence[_Priced], worths: Iterable[Worth]) -> list[_Priced]:
    """Those that have a price at all, the greatest weight first, then the most money."""
    found = [pair for pair in zip(priced, worths, strict=True) if _is_something(pair[1])]
    found.sort(key=lambda pair: (-pair[1].weight, -pair[1].money))
    return [each for each, _ in found[:ROWS_AT_MOST]]


def _titled(title: str, known: Sequence[object], shown: Sequence[object]) -> str:
    """The table's title, which says where rows are left out."""
    more = "" if len(shown) < ROWS_AT_MOST else f" (the dearest; {len(known)} in all: -o json)"
    return f"{title} would be worth{more}"


def _hours(start: Instant, end: Instant) -> tuple[str, str]:
    return format_instant(start).replace("T", " "), format_instant(end).replace("T", " ")


def _all(prices: Prices) -> Iterator[Worth]:
    yield from (each.slot for each in prices.slots)
    yield from (each.kilowatt for each in prices.circuits)
    yield from (each.place for each in prices.pods)
