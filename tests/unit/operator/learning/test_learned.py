"""A fit as a ConfigMap: careful whole numbers, within a size, and read as it was meant."""

import numpy as np
import yaml
from tests.unit.operator.learning.stays import nights, words

from idlewatt_operator.learning.fit import Chosen, Fit, fit
from idlewatt_operator.learning.learned import entry, learned, manifest
from idlewatt_operator.learning.past import PastStay, stated_columns, stay_columns
from idlewatt_operator.learning.pooling import Keys
from idlewatt_operator.resources.departures import DATA_KEY, departure_model, entry_text, read

STAYS = [*nights(400, 11, habits={"v-1": 3.0, "v-2": 0.0}), *words(200, 12)]


def fits_of(stays: list[PastStay]) -> list[Fit]:
    """Of both kinds."""
    return [fit(stated_columns(stays)), fit(stay_columns(stays))]


def test_the_config_map_tells_what_was_learned_and_where() -> None:
    """Its text is what the operator reads, with the place, the days and the counts."""
    found = learned(fits_of(STAYS), STAYS, "mine.csv", "Europe/Berlin", 240_000)
    written = yaml.safe_load(manifest(found, "learned", "idlewatt"))
    assert written["metadata"]["name"] == "learned"
    assert written["metadata"]["namespace"] == "idlewatt"
    text = written["data"][DATA_KEY]
    told = read(text).provenance
    assert (told.source, told.place) == ("mine.csv", "depot-7 (Europe/Berlin)")
    assert (told.first_day, told.last_day) == ("2026-01-05", "2026-04-14")
    assert (told.sites[0].sessions, told.sites[0].stated) == (600, 200)
    assert told.sites[0].stay_level != "all"
    assert len(departure_model(text).quantiles) == len(found.entries)


def test_whole_numbers_promise_no_longer_stay() -> None:
    """Lengths are rounded down, losses up."""
    points = np.linspace(0.5, 100.5, 101)
    lengths, losses = fits_of(STAYS)[::-1]
    assert entry(lengths, Chosen(Keys(), points, 1, 1.0)).points[:2] == (0, 1)
    assert entry(losses, Chosen(Keys(), points, 1, 1.0)).points[:2] == (1, 2)


def test_what_gains_the_least_goes_first() -> None:
    """In a small ConfigMap the general entries stay, and what is left out is counted."""
    fits = fits_of(STAYS)
    whole = learned(fits, STAYS, "", "", 240_000)
    small = learned(fits, STAYS, "", "", 4_000)
    assert whole.left_out == 0
    assert small.left_out == len(whole.entries) - len(small.entries)
    assert sum(len(entry_text(each)) for each in small.entries) <= 4_000
    general = [each for each in whole.entries if each.hour is None and each.vehicle is None]
    assert [each for each in small.entries if each.hour is None] == general


def test_many_sites_are_counted_rather_than_named() -> None:
    """The place is for a reader."""
    stays = [stay for n in range(9) for stay in nights(8, n, site=f"depot-{n}")]
    assert learned(fits_of(stays), stays, "", "UTC", 240_000).provenance.place == "9 sites (UTC)"
