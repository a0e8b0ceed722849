"""The kinds of which there are few: sites, tariffs, the policy.

Two roads bring them here, kopf's events and a list of our own now and then, and either may be
late. Each object therefore carries its version, the older of two never replaces the newer, and
a deletion is remembered by the version at which it was seen.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from idlewatt_operator.resources.base import Resource
from idlewatt_operator.resources.energytariff import EnergyTariff, Source
from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.learned import Named, named_departures
from idlewatt_operator.resources.parkingsite import ParkingSite
from idlewatt_operator.resources.records import Refused
from idlewatt_operator.resources.to_model import to_policy, to_site, to_tariff
from idlewatt_scheduler.model import policy, site, tariff

Manifest: TypeAlias = Mapping[str, Any]
Value: TypeAlias = site.Site | tariff.Tariff | policy.FleetPolicy

CATALOGUED: Final = (ParkingSite, EnergyTariff, FleetPolicy)
POLICY_NAME: Final = "default"

_TO_MODEL: Final[Mapping[type[Resource], Callable[[Any], Value]]] = {
    ParkingSite: to_site,
    EnergyTariff: to_tariff,
    FleetPolicy: to_policy,
}


@dataclass(frozen=True, slots=True)
class _Names:
    """What an object points to outside the kinds that are watched.

    Attributes:
        departures: of a policy, the ConfigMap of learned departures.
        source: of a tariff, where its intervals come from.
    """

    departures: Named | None = None
    source: Source | None = None


_NOTHING: Final = _Names()


@dataclass(frozen=True, slots=True)
class _Entry:
    """An object at one version; `value` is None where it was deleted.

    Attributes:
        names: what else it points to.
    """

    version: int
    value: Value | Refused | None
    conditions: Sequence[Mapping[str, Any]] = ()
    generation: int = 0
    names: _Names = _NOTHING


class Catalogue:
    """What is known of the kinds of which there are few.

    Args:
        on_change: called when something changed that is worth a cycle.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._entries: dict[str, dict[str, _Entry]] = {kind.naming.kind: {} for kind in CATALOGUED}
        self._listed: set[str] = set()
        self._synced = asyncio.Event()
        self._policy = policy.FleetPolicy()
        self._departures: Named | None = None

    @property
    def synced(self) -> bool:
        """Every kind was listed whole at least once."""
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once `synced`."""
        await self._synced.wait()

    @property
    def sites(self) -> Mapping[str, site.Site]:
        """The usable ParkingSites by name."""
        return self._of(ParkingSite, site.Site)

    @property
    def tariffs(self) -> Mapping[str, tariff.Tariff]:
        """The usable EnergyTariffs by name."""
        return self._of(EnergyTariff, tariff.Tariff)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Where the intervals of usable tariffs come from, by the tariff's name."""
        return {
            name: entry.names.source
            for name, entry in self._entries[EnergyTariff.naming.kind].items()
            if entry.names.source is not None and isinstance(entry.value, tariff.Tariff)
        }

    @property
    def policy(self) -> policy.FleetPolicy:
        """The FleetPolicy named `default`, or the last one that could be used, or the defaults."""
        return self._policy

    @property
    def departures(self) -> Named | None:
        """The ConfigMap of learned departures that the policy in force names."""
        return self._departures

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The objects that cannot be used."""
        return tuple(
            entry.value
            for entries in self._entries.values()
            for entry in entries.values()
            if isinstance(entry.value, Refused)
        )

    @property
    def generations(self) -> Mapping[tuple[str, str], int]:
        """The generation of every object that is there, by kind and name."""
        return {
            (kind, name): entry.generation
            for kind, entries in self._entries.items()
            for name, entry in entries.items()
            if entry.value is not None
        }

    def conditions(self, kind: str, name: str) -> Sequence[Mapping[str, Any]] | None:
        """The conditions of an object as they last stood; None: it is not known."""
        entry = self._entries.get(kind, {}).get(name)
        return None if entry is None or entry.value is None else entry.conditions

    def put(self, kind: type[Resource], manifest: Manifest) -> None:
        """Take an object as it stands in the cluster."""
        if self._put(kind, manifest):
            self._on_change()

    def drop(self, kind: type[Resource], manifest: Manifest) -> None:
        """Take note that an object is gone, as of the version it had last."""
        name, version = _name(manifest), _version(manifest)
        entries = self._entries[kind.naming.kind]
        old = entries.get(name)
        if old is not None and old.version > version > 0:
            return
        entries[name] = _Entry(version, None)
        if old is not None and old.value is not None:
            self._settle(kind, name)
            self._on_change()

    def replace(
        self, kind: type[Resource], manifests: Iterable[Manifest], list_version: str
    ) -> None:
        """Take a whole listing: what it lacks, and what was not seen since, is gone."""
        listed = list(manifests)
        changed = [self._put(kind, manifest) for manifest in listed]
        names = {_name(manifest) for manifest in listed}
        entries, limit = self._entries[kind.naming.kind], _number(list_version)
        for name in [name for name in entries if name not in names]:
            if entries[name].version <= limit:
                changed.append(entries.pop(name).value is not None)
                self._settle(kind, name)
        first = kind.naming.kind not in self._listed
        self._listed.add(kind.naming.kind)
        if len(self._listed) == len(CATALOGUED):
            self._synced.set()
        if first or any(changed):
            self._on_change()

    def _put(self, kind: type[Resource], manifest: Manifest) -> bool:
        name, version = _name(manifest), _version(manifest)
        entries = self._entries[kind.naming.kind]
        old = entries.get(name)
        if old is not None and old.version >= version > 0:
            return False
        conditions = (manifest.get("status") or {}).get("conditions") or ()
        value, names = _read(kind, manifest)
        entries[name] = _Entry(version, value, conditions, _generation(manifest), names)
        self._settle(kind, name)
        return old is None or (old.value, old.names) != (value, names)

    def _settle(self, kind: type[Resource], name: str) -> None:
        """A policy that cannot be used leaves the last one in force; one that is gone does not."""
        if kind is not FleetPolicy or name != POLICY_NAME:
            return
        entry = self._entries[kind.naming.kind].get(name)
        if entry is None or entry.value is None:
            self._policy, self._departures = policy.FleetPolicy(), None
        elif isinstance(entry.value, policy.FleetPolicy):
            self._policy, self._departures = entry.value, entry.names.departures

    def _of(self, kind: type[Resource], model: type[Any]) -> dict[str, Any]:
        entries = self._entries[kind.naming.kind]
        return {
            name: entry.value for name, entry in entries.items() if isinstance(entry.value, model)
        }


def _read(kind: type[Resource], manifest: Manifest) -> tuple[Value | Refused, _Names]:
    """The object, and what it points to."""
    try:
        resource = kind.model_validate(dict(manifest))
    except ValidationError as error:
        sentence = "; ".join(str(mistake) for mistake in mistakes(error, kind))
        return Refused(kind.naming.kind, _name(manifest), sentence, _generation(manifest)), _NOTHING
    names = _NOTHING
    if isinstance(resource, FleetPolicy):
        names = _Names(departures=named_departures(resource.spec))
    elif isinstance(resource, EnergyTariff):
        names = _Names(source=resource.spec.source)
    return _TO_MODEL[kind](resource), names


def _name(manifest: Manifest) -> str:
    return str((manifest.get("metadata") or {}).get("name", ""))


def _generation(manifest: Manifest) -> int:
    return int((manifest.get("metadata") or {}).get("generation", 0))


def _version(manifest: Manifest) -> int:
    return _number(str((manifest.get("metadata") or {}).get("resourceVersion", "")))


def _number(version: str) -> int:
    """A version as a number, that grows with every write; 0: it cannot be compared."""
    return int(version) if version.isdigit() else 0
