"""Resource lists: names and quantities into thousandths, summed and compared as Kubernetes does.

The API server rounds each quantity of a resource list up to thousandths before anything adds
them, so whole thousandths are exact from here on.
"""

import functools
from collections.abc import Iterator, Mapping

from idlewatt_operator.resources.mistakes import Mistake
from idlewatt_operator.resources.objects import Amounts
from idlewatt_operator.resources.quantities import parse_quantity
from idlewatt_scheduler.model.units import Quantities, thousandths


@functools.lru_cache(maxsize=8_192)
def _thousandths(written: str | float) -> int:
    amount = parse_quantity(written if isinstance(written, str) else str(written))
    if amount < 0:
        sentence = f"'{written}' is negative; a quantity of a resource is zero or more"
        raise ValueError(sentence)
    return thousandths(amount)


def quantities(written: Amounts | None) -> dict[str, int]:
    """Thousandths by resource name; what cannot be read is left out, `unreadable` names it."""
    read = {}
    for name, quantity in (written or {}).items():
        try:
            read[name] = _thousandths(quantity)
        except ValueError:
            continue
    return read


def unreadable(written: Amounts | None, field: str) -> Iterator[Mistake]:
    """A mistake for each quantity under `field` that is none, or is negative."""
    for name, quantity in (written or {}).items():
        try:
            _thousandths(quantity)
        except ValueError as error:
            yield Mistake(f"{field}.{name}", str(error))


def add(total: dict[str, int], more: Quantities) -> None:
    """Add `more` to `total`, in place."""
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def raise_to(total: dict[str, int], least: Quantities) -> None:
    """Make every amount of `total` at least that of `least`, in place."""
    for name, amount in least.items():
        total[name] = max(total.get(name, 0), amount)


def greatest(lists: tuple[Mapping[str, int], ...]) -> dict[str, int]:
    """Per resource the greatest amount that any of the lists has."""
    result: dict[str, int] = {}
    for amounts in lists:
        raise_to(result, amounts)
    return result
