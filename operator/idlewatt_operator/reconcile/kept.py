"""What did not change since the last cycle stays the very same object.

A snapshot is put together anew in every cycle, of values that are mostly what they were. Whoever
keeps what was looked up of a vehicle, or was shown it, knows it again by its identity, which takes
no time; here equal values become identical ones.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from idlewatt_scheduler.model.snapshot import Snapshot

_Value = TypeVar("_Value")


@dataclass
class Kept:
    """The values of the last snapshot, by what they are known by."""

    _values: dict[str, dict[str, object]] = field(default_factory=dict)

    def unchanged(self, snapshot: Snapshot) -> Snapshot:
        """An equal snapshot, made of the objects of the last one wherever they are equal."""
        return replace(
            snapshot,
            policy=self._all("policy", (snapshot.policy,), lambda _: "")[0],
            vehicles=self._all("vehicles", snapshot.vehicles, lambda each: each.name),
            nodes=self._named("nodes", snapshot.nodes),
            sites=self._named("sites", snapshot.sites),
            tariffs=self._named("tariffs", snapshot.tariffs),
            pending=self._all("pending", snapshot.pending, lambda each: each.uid or each.key),
            running=self._all(
                "running", snapshot.running, lambda each: each.pod.uid or each.pod.key
            ),
            other_use=self._named("other use", snapshot.other_use),
            other_ports=self._named("other ports", snapshot.other_ports),
        )

    def _all(
        self, kind: str, values: Iterable[_Value], key_of: Callable[[_Value], str]
    ) -> tuple[_Value, ...]:
        return tuple(self._kept(kind, [(key_of(value), value) for value in values]))

    def _named(self, kind: str, values: Mapping[str, _Value]) -> dict[str, _Value]:
        return dict(zip(values, self._kept(kind, list(values.items())), strict=True))

    def _kept(self, kind: str, entries: list[tuple[str, _Value]]) -> list[_Value]:
        before = cast("dict[str, _Value]", self._values.get(kind, {}))
        kept = []
        for key, value in entries:
            old = before.get(key)
            kept.append(old if old is not None and (old is value or old == value) else value)
        self._values[kind] = {key: value for (key, _), value in zip(entries, kept, strict=True)}
        return kept
