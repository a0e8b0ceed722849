"""A series of carbon: what was measured, and what was expected of the next steps."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from idlewatt_operator.gateways.tariffs.carbon import carbon
from idlewatt_operator.gateways.tariffs.series import SeriesError

TEXT = """time,moer,f1,f2
2019-07-01 00:00:00+00:00,0.66375,0.5859690120966188,0.5
2019-07-01 00:05:00+00:00,0.5,0.4,0.3
"""


def test_kilograms_are_grams_and_keep_every_digit() -> None:
    """What was measured is known from its own time on."""
    found = carbon(TEXT, forecasts=False)
    assert [each.manifest() for each in found.intervals] == [
        {
            "start": "2019-07-01T00:00:00Z",
            "durationSeconds": 300,
            "createdAt": "2019-07-01T00:00:00Z",
            "payloads": [{"type": "GHG", "value": "663.75"}],
        },
        {
            "start": "2019-07-01T00:05:00Z",
            "durationSeconds": 300,
            "createdAt": "2019-07-01T00:05:00Z",
            "payloads": [{"type": "GHG", "value": "500"}],
        },
    ]
    assert found.notes == ("4 forecasts were left out: --forecasts keeps them.",)


def test_each_forecast_is_an_interval_with_its_age() -> None:
    """The second forecast made at midnight is about ten past."""
    found = carbon(TEXT, forecasts=True)
    expected = [
        (each.start.minute, (each.created_at or each.start).minute, each.values["GHG"])
        for each in found.intervals
        if each.forecast
    ]
    assert expected == [
        (5, 0, Decimal("585.9690120966188")),
        (10, 0, Decimal(500)),
        (10, 5, Decimal(400)),
        (15, 5, Decimal(300)),
    ]
    assert found.notes == ()


def test_what_was_measured_counts_before_what_was_expected() -> None:
    """At five past, the measured value was made last."""
    found = carbon(TEXT, forecasts=True)
    at = datetime(2019, 7, 1, 0, 5, tzinfo=UTC)
    about = [each for each in found.intervals if each.start == at]
    assert not max(about, key=lambda each: each.created_at or at).forecast


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("time,moer\n2019-07-01 00:00:00,1\n", "line 2: .* in no time zone"),
        ("time,moer\nnow,1\n", "line 2: 'now' is no time"),
        ("time,moer\n2019-07-01 00:00:00+00:00\n", "line 2: it has not as many cells"),
        ("time,moer\n", "give at least two"),
        (
            "time,moer\n2019-07-01 00:00:00+00:00,x\n2019-07-01 00:05:00+00:00,1\n",
            "line 2: 'x' in the column moer is no number",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, sentence: str) -> None:
    """With its number."""
    with pytest.raises(SeriesError, match=sentence):
        carbon(text, forecasts=False)
