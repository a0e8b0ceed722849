"""The two charts of the energy side show what happened, and say it to those who cannot see."""

import asyncio
import re
from datetime import date

import pytest

from idlewatt_operator.twin.charts import Chart
from idlewatt_operator.twin.energy_charts import energy_charts
from idlewatt_operator.twin.homes import CURTAILED_WATTS, a_night
from idlewatt_operator.twin.loads import INTERVAL
from idlewatt_operator.twin.night import Play
from idlewatt_scheduler.model.units import SECOND


@pytest.fixture(name="play", scope="module")
def a_play() -> Play:
    """Play a night of two garages, in the second of which charging is planned."""
    play = Play(a_night(date(2022, 7, 12), 40, 30, 3))
    asyncio.run(play.run())
    return play


@pytest.fixture(name="charts", scope="module")
def the_charts(play: Play) -> dict[str, Chart]:
    """Draw both."""
    return {chart.identity: chart for chart in energy_charts(play)}


def test_both_charts_say_what_they_show(charts: dict[str, Chart]) -> None:
    """Each has a description, a title, and a legend for what is drawn."""
    assert set(charts) == {"vehicle-night", "curtailment"}
    for chart in charts.values():
        assert f'id="{chart.identity}-desc"' in chart.markup
        for kind, _ in chart.legend:
            assert re.search(rf'class="(area )?{kind}"', chart.markup), kind


def test_the_vehicle_shares_one_axis_of_time(charts: dict[str, Chart]) -> None:
    """Charge, price and wear are three lanes over the same hours."""
    markup = charts["vehicle-night"].markup
    units = re.findall(r'class="unit end">([^<]*)<', markup)
    assert units == ["% charge", "USD a kWh", "ct of wear"]
    begins = {
        kind: float(re.search(rf'd="M([0-9.]+) [^"]*" class="{kind}"', markup)[1])  # type: ignore[index]
        for kind in ("price-line", "charge-line", "alone-line")
    }
    assert begins["charge-line"] == begins["alone-line"]
    assert begins["charge-line"] - begins["price-line"] < 30


def test_the_limit_steps_down_and_up_again(play: Play, charts: dict[str, Chart]) -> None:
    """The line follows the curtailment, and no minute of ours is above it."""
    (curtailment,) = play.scenario.curtailments
    load = play.loads.circuits[curtailment.site, curtailment.circuit]
    first = (curtailment.at - play.scenario.start) // INTERVAL + 1
    last = (curtailment.until - play.scenario.start) // INTERVAL
    assert set(load.limit[first:last]) == {CURTAILED_WATTS}
    assert not any(load.is_over(i) and load.could_be_shed(i) for i in range(first, last))
    said = re.search(r"<desc[^>]*>([^<]*)<", charts["curtailment"].markup)
    assert said is not None
    assert f"curtailed to {CURTAILED_WATTS // 1_000} kW" in said[1]


def test_a_curtailment_is_acted_on_within_five_seconds(play: Play) -> None:
    """Its beginning and its end, each measured from its arrival."""
    assert len(play.journal.reactions) == 2
    assert max(play.journal.reactions) <= 5 * SECOND


def test_a_play_without_planned_garages_has_neither() -> None:
    """One garage charges at once; its curtailment is drawn all the same."""
    play = Play(a_night(date(2022, 7, 12), 6, 4, 1))
    asyncio.run(play.run())
    assert [chart.identity for chart in energy_charts(play)] == ["curtailment"]
