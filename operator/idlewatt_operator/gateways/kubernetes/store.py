"""What a watch knows: objects by key, changed in place, shown as values that never change."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from idlewatt_operator.resources.records import Refused

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """An object at one version: what it says, or why it cannot be used."""

    key: str
    version: str
    value: T | Refused


class Store(Generic[T]):
    """The objects of one kind.

    `shown` copies once for each batch of changes, and only when somebody looks.

    Args:
        matters: whether the change from one value to the other is worth a cycle.
    """

    def __init__(self, matters: Callable[[T, T], bool]) -> None:
        self._matters = matters
        self._seen: dict[str, Seen[T]] = {}
        self._shown: Mapping[str, T] | None = None
        self._refused: tuple[Refused, ...] = ()

    def get(self, key: str) -> Seen[T] | None:
        """The object under this key, usable or not."""
        return self._seen.get(key)

    def keys(self) -> frozenset[str]:
        """The keys of all objects, usable or not."""
        return frozenset(self._seen)

    def put(self, seen: Seen[T]) -> bool:
        """Add or replace an object; whether that is worth a cycle."""
        old = self._seen.get(seen.key)
        self._seen[seen.key] = seen
        self._shown = None
        return old is None or self._differs(old.value, seen.value)

    def drop(self, key: str) -> bool:
        """Forget an object; whether it was there."""
        if self._seen.pop(key, None) is None:
            return False
        self._shown = None
        return True

    def replace(self, everything: Iterable[Seen[T]]) -> bool:
        """Take a whole new listing for the old one; whether anything worth a cycle changed."""
        old, self._seen = self._seen, {seen.key: seen for seen in everything}
        self._shown = None
        if old.keys() != self._seen.keys():
            return True
        return any(
            seen is not old[key] and self._differs(old[key].value, seen.value)
            for key, seen in self._seen.items()
        )

    def shown(self) -> Mapping[str, T]:
        """The usable objects by key, as they are now; never changed afterwards."""
        if self._shown is None:
            self._shown = self._show()
        return self._shown

    def refused(self) -> tuple[Refused, ...]:
        """The objects that cannot be used."""
        self.shown()
        return self._refused

    def _show(self) -> Mapping[str, T]:
        self._refused = tuple(
            seen.value for seen in self._seen.values() if isinstance(seen.value, Refused)
        )
        return MappingProxyType(
            {
                key: seen.value
                for key, seen in self._seen.items()
                if not isinstance(seen.value, Refused)
            }
        )

    def _differs(self, old: T | Refused, new: T | Refused) -> bool:
        if isinstance(old, Refused) or isinstance(new, Refused):
            return old != new
        return self._matters(old, new)
