"""Day-ahead prices of a European bidding zone, from ENTSO-E's transparency platform.

The client is `entsoe-py`, an extra: `pip install idlewatt[entsoe]`. Its key is the operator's own,
from the environment; the platform gives one to whoever asks for it.
"""

import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any, Final

from idlewatt_operator.gateways.tariffs.series import Found, Interval, SeriesError, tidy

KEY_VARIABLE: Final = "IDLEWATT_ENTSOE_KEY"
_KWH_PER_MWH: Final = Decimal(1_000)
_PLACES: Final = 6
_HOUR: Final = 3_600
_OTHER_CURRENCIES: Final = {"UA_IPS": "UAH"}

Ask = Callable[[str, datetime, datetime], Any]
"""Area, from, until; a series of prices per MWh by the start of each, as entsoe-py answers."""


def asker(key: str) -> Ask:
    """The platform's day-ahead prices, asked with this key.

    Raises:
        SeriesError: the extra is not installed, or there is no key.
    """
    if not key:
        message = f"ENTSO-E needs a key: put yours into the environment variable {KEY_VARIABLE}."
        raise SeriesError(message)
    try:
        import pandas as pd  # noqa: PLC0415 - comes with the extra
        from entsoe.entsoe import EntsoePandasClient  # noqa: PLC0415 - an extra
    except ImportError as error:
        message = "ENTSO-E needs the package entsoe-py: pip install 'idlewatt[entsoe]'."
        raise SeriesError(message) from error
    client = EntsoePandasClient(api_key=key, timeout=30)

    def ask(area: str, start: datetime, end: datetime) -> object:
        with warnings.catch_warnings():
            # How the client uses its own libraries is its own affair.
            warnings.simplefilter("ignore")
            return client.query_day_ahead_prices(
                area, start=pd.Timestamp(start), end=pd.Timestamp(end)
            )

    return ask


def day_ahead(area: str, start: datetime, end: datetime, ask: Ask) -> Found:
    """The day-ahead prices of a bidding zone, in euros per kWh, each as long as the market's.

    The length is taken from the step to the next price of the same day, so that a series which
    goes from hours to quarters of an hour keeps both.

    Raises:
        SeriesError: the platform did not answer, or with nothing.
    """
    try:
        series = ask(area, start, end)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        message = f"ENTSO-E did not answer with prices of {area}: {reason.rstrip('.')}."
        raise SeriesError(message) from error
    points = [
        (moment.to_pydatetime(), Decimal(str(round(float(price), _PLACES))))
        for moment, price in series.items()
        if price == price  # noqa: PLR0124 # not a number: no price
    ]
    if not points:
        message = f"ENTSO-E has no day-ahead prices of {area} in that time."
        raise SeriesError(message)
    intervals, notes = tidy(_intervals(points))
    return Found(
        intervals=intervals,
        currency=_OTHER_CURRENCIES.get(area, "EUR"),
        time_zone="UTC",
        wholesale=True,
        provenance={"place": f"bidding zone {area}", "publisher": "ENTSO-E transparency platform"},
        notes=notes,
    )


def _intervals(points: list[tuple[datetime, Decimal]]) -> Iterator[Interval]:
    ordered = sorted(points)
    for _, held in groupby(ordered, key=lambda point: point[0].date()):
        day = list(held)
        steps = [int((b[0] - a[0]).total_seconds()) for a, b in pairwise(day)]
        common = max(set(steps), key=steps.count) if steps else _HOUR
        for moment, price in day:
            yield Interval(moment, common, {"PRICE": price / _KWH_PER_MWH})
