"""Day-ahead prices of a bidding zone, as entsoe-py answers: a series by the start of each price."""

import builtins
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import ModuleType

import pytest

from idlewatt_operator.gateways.tariffs import entsoe
from idlewatt_operator.gateways.tariffs.series import SeriesError

START = datetime(2025, 9, 30, 22, tzinfo=UTC)
END = START + timedelta(days=2)


class Stamp:
    """As pandas' Timestamp: it becomes a datetime."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def to_pydatetime(self) -> datetime:
        """The same as a datetime."""
        return self._moment


def answer(*points: tuple[datetime, float]) -> dict[Stamp, float]:
    """As pandas' Series: its items are starts and prices."""
    return {Stamp(moment): price for moment, price in points}


def test_hours_and_quarters_of_an_hour_each_keep_their_length() -> None:
    """The market went from one to the other on 1 October 2025."""
    hours = [(START - timedelta(hours=n), 80.0) for n in range(1, 4)]
    later = START + timedelta(hours=6)
    quarters = [(later + timedelta(minutes=15 * n), -2.51) for n in range(3)]
    found = entsoe.day_ahead("DE_LU", START, END, lambda *_: answer(*hours, *quarters))
    assert [each.seconds for each in found.intervals] == [3_600] * 3 + [900] * 3
    assert [each.values["PRICE"] for each in found.intervals] == [Decimal("0.08")] * 3 + [
        Decimal("-0.00251")
    ] * 3
    assert (found.currency, found.wholesale) == ("EUR", True)
    assert any("unknown" in note for note in found.notes)


def test_a_price_that_is_no_number_is_no_price() -> None:
    """It is left out, and unknown."""
    points = answer((START, 80.0), (START + timedelta(hours=1), float("nan")))
    assert len(entsoe.day_ahead("DE_LU", START, END, lambda *_: points).intervals) == 1


def test_an_empty_answer_and_a_failure_are_sentences() -> None:
    """With the area, and what the platform said."""

    def refuses(*_: object) -> object:
        message = "401 Unauthorized\nmany more lines"
        raise RuntimeError(message)

    with pytest.raises(SeriesError, match="no day-ahead prices of DE_LU"):
        entsoe.day_ahead("DE_LU", START, END, lambda *_: answer())
    with pytest.raises(SeriesError, match=r"prices of DE_LU: 401 Unauthorized\.$"):
        entsoe.day_ahead("DE_LU", START, END, refuses)


def test_without_a_key_or_the_extra_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key comes from the environment, the package from pip."""
    with pytest.raises(SeriesError, match="IDLEWATT_ENTSOE_KEY"):
        entsoe.asker("")
    real = builtins.__import__

    def without(name: str, *rest: object) -> ModuleType:
        if name.startswith("entsoe"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SeriesError, match=r"pip install 'idlewatt\[entsoe\]'"):
        entsoe.asker("key")


DOCUMENT = """<?xml version="1.0" encoding="utf-8"?>
<Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
  <mRID>1</mRID><type>A44</type>
  <TimeSeries>
    <mRID>1</mRID><currency_Unit.name>EUR</currency_Unit.name>
    <price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>A03</curveType>
    <classificationSequence_AttributeInstanceComponent.position>1</classificationSequence_AttributeInstanceComponent.position>
    <Period>
      <timeInterval><start>2026-01-14T23:00Z</start><end>2026-01-15T23:00Z</end></timeInterval>
      <resolution>PT15M</resolution>
      <Point><position>1</position><price.amount>82.51</price.amount></Point>
      <Point><position>3</position><price.amount>-4.2</price.amount></Point>
      <Point><position>96</position><price.amount>60</price.amount></Point>
    </Period>
  </TimeSeries>
</Publication_MarketDocument>"""
"""A day as the platform answers: a price that repeats the one before is left out (curve A03)."""


class Answer:
    """What the platform answered."""

    text = DOCUMENT
    content = DOCUMENT.encode()
    status_code = 200


def test_what_the_platform_answers_is_read_by_the_real_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the line to the platform is cut; a day of quarters, those left out filled in."""
    client = pytest.importorskip("entsoe").EntsoePandasClient
    monkeypatch.setattr(client, "_base_request", lambda *_, **__: Answer())
    begin = datetime(2026, 1, 14, 23, tzinfo=UTC)
    found = entsoe.day_ahead("DE_LU", begin, begin + timedelta(days=1), entsoe.asker("a-key"))
    assert len(found.intervals) == 96
    assert found.intervals[0].start == begin
    prices = [each.values["PRICE"] for each in found.intervals]
    assert prices[:3] == [Decimal("0.08251"), Decimal("0.08251"), Decimal("-0.0042")]
    assert prices[-2:] == [Decimal("-0.0042"), Decimal("0.06")]
    assert found.notes == ()
