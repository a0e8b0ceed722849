"""Spread groups and gangs as a plan leaves them: where one more pod of a template may still go."""

from collections.abc import Iterable

import numpy as np

from idlewatt_scheduler.tables.layout import Flags, Indices, Ints, Spreads
from idlewatt_scheduler.tables.together import NOWHERE

_NONE = -(2**40)


class Standing:
    """How many pods stand in each domain of each spread group.

    `spreads` has a column for each place that pods may be put on; `counts` are places, templates
    and numbers of pods.
    """

    def __init__(self, spreads: Spreads, counts: Iterable[tuple[int, int, int]]) -> None:
        self._spreads = spreads
        self._counted = spreads.running.copy()
        self._subject = np.zeros(len(spreads.running), np.int64)
        place, template, number = np.array(list(counts), np.int64).reshape(-1, 3).T
        for group in range(len(spreads.skew)):
            domain = spreads.domain[group, place]
            there = domain != NOWHERE
            for total, which in (
                (self._counted, spreads.counted),
                (self._subject, spreads.subject),
            ):
                concerned = there & which[group, template]
                np.add.at(total, domain[concerned], number[concerned])

    def keeps_away(self, template: int) -> Flags:
        """Bool by place: one more pod of the template there breaks a constraint."""
        spreads = self._spreads
        away = np.zeros(spreads.domain.shape[1], np.bool_)
        for group in range(len(spreads.skew)):
            subject = bool(spreads.subject[group, template])
            counted = bool(spreads.counted[group, template])
            if not subject and not counted:
                continue
            full = self._full(group, subject=subject, counted=counted)
            domain = spreads.domain[group] - spreads.first[group]
            nowhere = spreads.domain[group] == NOWHERE
            away |= np.append(full, subject)[np.where(nowhere, len(full), domain)]
        return away

    def _full(self, group: int, *, subject: bool, counted: bool) -> Flags:
        """Bool by domain of a group: one more pod there breaks it, for itself or for another."""
        first, last = (int(edge) for edge in self._spreads.first[group : group + 2])
        if first == last:
            return np.zeros(0, np.bool_)
        counts, stands = self._counted[first:last], self._subject[first:last] > 0
        after = counts + counted
        least = self._least_after(group, counts, after)
        skew = int(self._spreads.skew[group])
        own: Flags = (after - least > skew) & (stands | subject)
        others: Flags = _greatest_of_the_others(counts, stands) - least > skew
        return own | others

    def _least_after(self, group: int, counts: Ints, after: Ints) -> Ints:
        """By domain, the least of all counts once one more stands there."""
        if self._spreads.floor_is_zero[group]:
            return np.zeros(len(counts), np.int64)
        lowest = int(np.argmin(counts))
        rest = np.delete(counts, lowest)
        least = np.full(len(counts), counts[lowest], np.int64)
        least[lowest] = min(int(after[lowest]), int(rest.min(initial=2**62)))
        return least


def _greatest_of_the_others(counts: Ints, stands: Flags) -> Ints:
    """By domain, the greatest count of another one that some pod with the constraint stands in."""
    standing = np.where(stands, counts, _NONE)
    highest = int(np.argmax(standing))
    greatest = np.full(len(counts), standing[highest], np.int64)
    greatest[highest] = np.delete(standing, highest).max(initial=_NONE)
    return greatest


def incomplete(gang: Indices, needs: Ints, placed: Ints) -> Flags:
    """Bool by template: it is in a gang of which too few pods are placed."""
    together = np.bincount(gang[gang >= 0], weights=placed[gang >= 0], minlength=len(needs))
    lacks = np.append(together < needs, False)
    return np.asarray(lacks[gang], np.bool_)
