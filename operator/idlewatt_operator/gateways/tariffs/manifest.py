"""What was imported, as an EnergyTariff, or as what the source of one reads."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import ValidationError

from idlewatt_operator.gateways.tariffs.series import Found, SeriesError
from idlewatt_operator.resources.energytariff import MOST_INTERVALS, EnergyTariff
from idlewatt_operator.resources.errors import mistakes

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


@dataclass(frozen=True, slots=True)
class Made:
    """What the one who imports says besides.

    Attributes:
        currency: ISO 4217; None: the file says.
        time_zone: IANA name; None: the file says.
        adders: `name` and `perKWh` of each.
        tax_percent: None: none.
    """

    name: str
    currency: str | None = None
    time_zone: str | None = None
    adders: Sequence[dict[str, str]] = ()
    tax_percent: str | None = None


class _Quoting(yaml.SafeDumper):
    """Quotes what is more than a word: `08:00` is a number to some readers of YAML."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if _WORD.fullmatch(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Quoting.add_representer(str, _text)


def source(found: Found) -> str:
    """The intervals as JSON, in the shape that a tariff's `source` is read in.

    Raises:
        SeriesError: there are none.
    """
    if not found.intervals:
        message = "A source has intervals, and this has none: leave --form out for a manifest."
        raise SeriesError(message)
    lines = ",\n".join(json.dumps(each.manifest()) for each in found.intervals)
    return f'{{"intervals": [\n{lines}\n]}}\n'


def manifest(found: Found, made: Made) -> str:
    """The EnergyTariff as YAML, checked as the API server would check it.

    Raises:
        SeriesError: currency or time zone are missing, it is too long, or it would be refused.
    """
    document = {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "EnergyTariff",
        "metadata": _metadata(found, made),
        "spec": _spec(found, made),
    }
    try:
        EnergyTariff.model_validate(document)
    except ValidationError as error:
        raise SeriesError(str(mistakes(error, EnergyTariff)[0])) from error
    return yaml.dump(document, Dumper=_Quoting, sort_keys=False, allow_unicode=True, width=120)


def _metadata(found: Found, made: Made) -> dict[str, Any]:
    annotations = {f"idlewatt.dev/{key}": value for key, value in found.provenance.items()}
    return {"name": made.name, **({"annotations": annotations} if annotations else {})}


def _spec(found: Found, made: Made) -> dict[str, Any]:
    currency, zone = made.currency or found.currency, found.time_zone or made.time_zone
    if currency is None:
        message = "The file does not say in which currency its prices are: say so with --currency."
        raise SeriesError(message)
    if found.zones and zone is None:
        message = (
            "The file does not say in which time zone its hours are: say so with --time-zone, such "
            "as America/Los_Angeles."
        )
        raise SeriesError(message)
    given: dict[str, Any] = {
        "currency": currency,
        "timeZone": zone,
        **_times(found),
        "basis": "Wholesale" if found.wholesale else None,
        "adders": list(made.adders),
        "taxPercent": made.tax_percent,
        "demandCharges": [dict(charge) for charge in found.demand_charges],
    }
    return {key: value for key, value in given.items() if value}


def _times(found: Found) -> dict[str, Any]:
    if found.zones:
        return {"zones": [dict(zone) for zone in found.zones]}
    count = len(found.intervals)
    if count == 0:
        message = "Nothing is left between --from and --to."
        raise SeriesError(message)
    if count > MOST_INTERVALS:
        message = (
            f"There are {count} intervals, and an object holds {MOST_INTERVALS}: take a part of "
            "them with --from and --to, or all of them with --form source, for a tariff whose "
            "source is that file."
        )
        raise SeriesError(message)
    return {"intervals": [each.manifest() for each in found.intervals]}
