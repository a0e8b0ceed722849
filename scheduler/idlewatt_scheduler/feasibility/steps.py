"""Functions of time that are constant between edges."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from idlewatt_scheduler.model.units import Instant

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Steps(Generic[_Value]):
    """`values[i]` holds from `edges[i]` until the next edge; the last one holds for ever.

    Before the first edge the first value holds.
    """

    edges: tuple[Instant, ...]
    values: tuple[_Value, ...]

    @classmethod
    def sampled(
        cls, edges: Iterable[Instant], value_at: Callable[[Instant], _Value]
    ) -> "Steps[_Value]":
        """The steps of a function that changes at the given edges only."""
        ordered = tuple(sorted(set(edges)))
        return cls(ordered, tuple(value_at(edge) for edge in ordered))

    def at(self, instant: Instant) -> _Value:
        """The value in force at an instant."""
        return self.values[max(bisect_right(self.edges, instant) - 1, 0)]

    def during(self, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant, _Value]]:
        """The pieces `(from, to, value)` that together are `[start, end)`."""
        inner = self.edges[bisect_right(self.edges, start) : bisect_left(self.edges, end)]
        for begin, finish in pairwise([start, *inner, end]):
            if begin < finish:
                yield begin, finish, self.at(begin)


def inner_edges(edges: Iterable[Instant], start: Instant, end: Instant) -> list[Instant]:
    """Those of the edges that lie strictly between two instants, in order, each once."""
    return sorted({edge for edge in edges if start < edge < end})
