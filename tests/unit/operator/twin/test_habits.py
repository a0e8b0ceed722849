"""What earlier stays tell: quantiles of word less deed, as shares of the stated stay."""

from dataclasses import replace
from datetime import date

from idlewatt_operator.twin.habits import learned
from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.night import Play
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.model.units import HOUR, MINUTE

EVENING = date(2022, 7, 12)


def a_stay(early_minutes: int | None) -> Stay:
    """Make a stay that was to last ten hours; None: nobody said so."""
    (drawn,) = a_night(EVENING, 1, 1, 1).stays
    stated = drawn.arrives_at + 10 * HOUR
    if early_minutes is None:
        return replace(drawn, stated_leave_at=None)
    return replace(drawn, stated_leave_at=stated, leaves_at=stated - early_minutes * MINUTE)


def test_quantiles_are_shares_of_the_stated_stay() -> None:
    """Of eleven stays each tenth percent is one of them; 60 of 600 minutes are a tenth."""
    stays = [a_stay(6 * n) for n in reversed(range(11))]
    model = learned([*stays, a_stay(None)]).model
    assert model is not None
    (entry,) = model.quantiles
    assert entry.stated
    assert len(entry.points) == 101
    assert [entry.points[percent] for percent in (0, 50, 100)] == [0, 50_000, 100_000]
    assert list(entry.points) == sorted(entry.points)


def test_a_night_reckons_with_it_only_where_it_is_asked_to() -> None:
    """What earlier stays told is of other evenings there; the stays of the night are the same."""
    plain, reckoned = (a_night(EVENING, 4, 2, 1, learned=each) for each in (False, True))
    assert plain.learned.model is None
    assert reckoned.stays == plain.stays
    assert Play(reckoned).cluster.view().learned.model == reckoned.learned.model
    assert reckoned.learned.model is not None
    (entry,) = reckoned.learned.model.quantiles
    assert entry.points[99] > 100_000
    assert a_night(EVENING, 4, 2, 1, learned=True).learned == reckoned.learned
