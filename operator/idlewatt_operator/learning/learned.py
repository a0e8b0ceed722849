"""What was fitted, as the entries of a ConfigMap: the careful whole numbers, within a size.

`kubectl apply` keeps a copy of what it applies in an annotation of at most 256 KiB, so a fit is
cut to less: of the entries that others can stand in for, those that gain the least go first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import yaml

from idlewatt_operator.learning.fit import LEVELS, Chosen, Fit
from idlewatt_operator.learning.past import PastStay
from idlewatt_operator.resources.departures import (
    DATA_KEY,
    Entry,
    FittedSite,
    Level,
    Provenance,
    departures_text,
    entry_text,
    weekday_name,
)

BYTES_MOST: Final = 240_000
"""Of all entries together, unless more is asked for."""

BYTES_EVER: Final = 1_000_000
"""A ConfigMap holds 1 MiB."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A fit, ready to be written.

    Attributes:
        entries: those that are told, the most general first.
        left_out: how many others there was no room for.
    """

    provenance: Provenance
    entries: tuple[Entry, ...]
    left_out: int


def learned(
    fits: Sequence[Fit], stays: Sequence[PastStay], source: str, zone: str, bytes_most: int
) -> Learned:
    """Put fits of both kinds together.

    Args:
        fits: of stated departures and of stays, any of them empty.
        stays: what they were learned from, at least one.
        source: the name of the file.
        zone: in which its days and hours are told.
        bytes_most: how long the entries may be together.
    """
    kept, left_out = _fitting(fits, bytes_most)
    days = sorted(stay.arrived.date() for stay in stays)
    sites = sorted({stay.site for stay in stays})
    shown = ", ".join(sites) if len(sites) <= _SITES_SHOWN else f"{len(sites)} sites"
    provenance = Provenance.model_validate(
        {
            "source": source,
            "place": f"{shown} ({zone})",
            "firstDay": days[0].isoformat(),
            "lastDay": days[-1].isoformat(),
            "sites": tuple(_fitted_site(site, fits, stays, kept) for site in sites),
        }
    )
    return Learned(provenance, tuple(kept), left_out)


_SITES_SHOWN: Final = 8


def manifest(found: Learned, name: str, namespace: str) -> str:
    """The ConfigMap, as `kubectl apply -f` takes it."""
    text = departures_text(found.provenance, found.entries)
    head = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/part-of": "idlewatt"},
        },
    }
    written = yaml.safe_dump(head, sort_keys=False)
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    return f"{written}data:\n  {DATA_KEY}: |\n{indented}"


def entry(fit: Fit, chosen: Chosen) -> Entry:
    """A distribution in whole numbers, rounded so that nobody is expected to stay longer."""
    keys, stays = chosen.keys, fit.stays
    rounded = np.ceil(chosen.points) if stays.stated else np.floor(chosen.points)
    return Entry.model_validate(
        {
            "stated": stays.stated,
            "vehicle": None if keys.vehicle is None else stays.vehicles[keys.vehicle],
            "site": None if keys.site is None else stays.sites[keys.site],
            "weekday": None if keys.weekday is None else weekday_name(keys.weekday),
            "hour": keys.hour,
            "sessions": chosen.stays,
            "points": tuple(int(point) for point in rounded),
        }
    )


def _fitting(fits: Sequence[Fit], bytes_most: int) -> tuple[list[Entry], int]:
    all_of_them = [(chosen.gain, entry(fit, chosen)) for fit in fits for chosen in fit.chosen]
    worth = [(gain, each) for gain, each in all_of_them if gain > 0]
    room, kept = bytes_most, set()
    for _, number in sorted(((gain, -n) for n, (gain, _) in enumerate(worth)), reverse=True):
        size = len(entry_text(worth[-number][1]).encode()) + _AROUND
        if size <= room:
            room -= size
            kept.add(-number)
    return [each for n, (_, each) in enumerate(worth) if n in kept], len(worth) - len(kept)


_AROUND: Final = 12
"""Bytes of the comma, the line and its indentation."""


def _fitted_site(
    site: str, fits: Sequence[Fit], stays: Sequence[PastStay], kept: Sequence[Entry]
) -> FittedSite:
    here = [stay for stay in stays if stay.site == site]
    vehicles = {each.vehicle for each in kept if each.site == site and each.vehicle is not None}
    levels = {fit.stays.stated: level for fit in fits for level in _levels(fit, site)}
    return FittedSite.model_validate(
        {
            "site": site,
            "sessions": len(here),
            "stated": sum(stay.stated_seconds is not None for stay in here),
            "vehicles": len(vehicles),
            "statedLevel": levels.get(True, LEVELS[0]),
            "stayLevel": levels.get(False, LEVELS[0]),
        }
    )


def _levels(fit: Fit, site: str) -> Iterator[Level]:
    return (choice.level for choice in fit.sites if fit.stays.sites[choice.site] == site)
