"""The types that fields of the custom resources have: numbers with limits, text with a form.

A form is said once, as a regular expression that RE2 and Python read alike and as one
sentence; the API server gets it as a CEL rule, offline reading checks it itself.
"""

import functools
import json
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from idlewatt_operator.resources.currencies import CURRENCIES
from idlewatt_operator.resources.quantities import (
    NOT_A_QUANTITY,
    QUANTITY_MAX_LENGTH,
    parse_quantity,
)
from idlewatt_operator.resources.times import format_instant, parse_instant
from idlewatt_scheduler.model.units import Instant

RULES: Final = "x-kubernetes-validations"

LONGEST_SECONDS: Final = 366 * 86_400
MOST_WATTS: Final = 1_000_000_000
MOST_WATT_HOURS: Final = 1_000_000_000
MOST_BYTES: Final = 10**18

_FIRST_YEAR: Final = 1970
_END_YEAR: Final = 2200
_YEAR_2200: Final[Instant] = 7_258_118_400_000


_KEPT_LENGTH: Final = 64
_KEPT_AT_MOST: Final = 50_000
_READ: Final[dict[tuple[int, str], Any]] = {}
"""What was made of texts by their form: the same ones stand in a great many objects."""


def refusal(sentence: str) -> PydanticCustomError:
    """One mistake, said as a sentence that needs no rewriting."""
    return PydanticCustomError("refused", "{sentence}", {"sentence": sentence})


def cel_message(template: str, value_cel: str) -> dict[str, str]:
    """The message of a CEL rule; `{}` in the template stands for the CEL `value_cel`.

    Without `value_cel` the sentence says "this": the cost of turning anything but a string of
    bounded length into text cannot be estimated by the API server, which then refuses the rule.
    """
    message = {"message": template.replace("'{}'", "this")}
    if "{}" not in template or not value_cel:
        return message
    before, after = template.split("{}")
    return {**message, "messageExpression": f"{_cel(before)} + {value_cel} + {_cel(after)}"}


def _cel(text: str) -> str:
    return json.dumps(text)


@dataclass(frozen=True, slots=True)
class Text:
    """The form of a string field, for `Annotated`.

    Attributes:
        max_length: in characters.
        pattern: what the whole text must match; empty: anything.
        message: the sentence for a text that does not; `{}` stands for the text.
        cel: CEL rules the text must meet beside the pattern.
        read: makes the field's value of the text; a ValueError means that `message` applies.
        write: makes the text of the value again.
        format: the OpenAPI format.
    """

    max_length: int
    pattern: str = ""
    message: str = ""
    cel: tuple[str, ...] = ()
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str
    format: str = ""

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            self._checked,
            core_schema.str_schema(strict=True, max_length=self.max_length),
            serialization=core_schema.plain_serializer_function_ser_schema(self.write),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema: JsonSchemaValue = {"type": "string", "maxLength": self.max_length}
        if self.format:
            schema["format"] = self.format
        anchored = (f"self.matches({json.dumps(f'^(?:{self.pattern})$')})",)
        value = "" if self.format else "self"
        rules = [
            {"rule": rule, **cel_message(self.message, value)}
            for rule in (*(anchored if self.pattern and not self.format else ()), *self.cel)
        ]
        return {**schema, RULES: rules} if rules else schema

    def _checked(self, text: str) -> Any:  # noqa: ANN401  # whatever `read` makes of it
        key = id(self), text
        if key in _READ:
            return _READ[key]
        if self.pattern and re.fullmatch(self.pattern, text) is None:
            raise refusal(self.message.format(text))
        try:
            value = self.read(text)
        except ValueError:
            raise refusal(self.message.format(text)) from None
        if len(text) <= _KEPT_LENGTH and len(_READ) < _KEPT_AT_MOST:
            _READ[key] = value
        return value


def _read_time(text: str) -> Instant:
    instant = parse_instant(text)
    if not 0 <= instant < _YEAR_2200:
        raise ValueError
    return instant


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _read_zone(text: str) -> ZoneInfo:
    if text not in _zones():
        raise ValueError
    return ZoneInfo(text)


def _read_date(text: str) -> date:
    day = date.fromisoformat(text)
    if not _FIRST_YEAR <= day.year < _END_YEAR:
        raise ValueError
    return day


def _read_currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError
    return text


def _read_rate(text: str) -> Decimal:
    rate = Decimal(text)
    if not rate:
        raise ValueError
    return rate


RESOURCE_NAME: Final = r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
NOT_A_RESOURCE: Final = (
    "'{}' is not the name of a resource: write one such as cpu, memory or nvidia.com/gpu"
)

Watts: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MOST_WATTS)]
PositiveWatts: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MOST_WATTS)]
WattHours: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MOST_WATT_HOURS)]
PositiveWattHours: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MOST_WATT_HOURS)]
Volts: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Milliamps: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
Seconds: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=LONGEST_SECONDS)]
PositiveSeconds: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=LONGEST_SECONDS)]
RefreshSeconds: TypeAlias = Annotated[int, Field(strict=True, ge=60, le=LONGEST_SECONDS)]
Percent: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=100)]
PositivePercent: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=100)]
PhaseCount: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=3)]
Kelvin: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=100)]
Celsius: TypeAlias = Annotated[int, Field(strict=True, ge=-100, le=200)]
Bytes: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MOST_BYTES)]
BitsPerSecond: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=10**15)]
Grams: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Version: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=2_147_483_647)]
Generation: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=10**15)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]

_UNSIGNED = r"(0|[1-9][0-9]{0,8})([.][0-9]{1,9})?"

Amount: TypeAlias = Annotated[
    Decimal,
    Text(
        max_length=20,
        pattern=_UNSIGNED,
        message="'{}' is not an amount of money: write a decimal number in quotes, not negative, "
        'such as "0.30"',
        read=Decimal,
    ),
]
"""Money that is paid out, in a currency the resource names."""

Price: TypeAlias = Annotated[
    Decimal,
    Text(
        max_length=20,
        pattern=f"-?{_UNSIGNED}",
        message="'{}' is not a price: write a decimal number in quotes, such as \"0.18\" or "
        '"-0.02"',
        read=Decimal,
    ),
]
"""Money per kWh; a price may be negative."""

TaxPercent: TypeAlias = Annotated[
    Decimal,
    Text(
        max_length=20,
        pattern=r"(0|[1-9][0-9]{0,2})([.][0-9]{1,9})?",
        message="'{}' is not a tax in percent: write a decimal number in quotes, not negative, "
        'such as "19" or "7.7"',
        read=Decimal,
    ),
]

Rate: TypeAlias = Annotated[
    Decimal,
    Text(
        max_length=20,
        pattern=_UNSIGNED,
        message="'{}' is not an exchange rate: write a decimal number above zero in quotes, such "
        'as "0.086"',
        cel=("self.matches('[1-9]')",),
        read=_read_rate,
    ),
]

Currency: TypeAlias = Annotated[
    str,
    Text(
        max_length=8,
        message="'{}' is not a currency in use: write its ISO 4217 code, such as EUR, NOK or USD",
        cel=(f"self in {json.dumps(CURRENCIES)}",),
        read=_read_currency,
    ),
]

Time: TypeAlias = Annotated[
    Instant,
    Text(
        max_length=64,
        pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?"
        r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
        message="'{}' is not a time between the years 1970 and 2200: write RFC 3339 with a zone, "
        "such as 2026-01-02T10:00:00Z",
        cel=("self.getFullYear() >= 1970 && self.getFullYear() < 2200",),
        read=_read_time,
        write=format_instant,
        format="date-time",
    ),
]
"""An instant: RFC 3339 in manifests, milliseconds since 1970 once it is read."""

Date: TypeAlias = Annotated[
    date,
    Text(
        max_length=10,
        pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        message="'{}' is not a day between the years 1970 and 2200: write year, month and day in "
        'quotes, such as "2026-12-24"',
        cel=("self.getFullYear() >= 1970 && self.getFullYear() < 2200",),
        read=_read_date,
        write=date.isoformat,
        format="date",
    ),
]
"""A local day, in the time zone of the site or the tariff."""

Country: TypeAlias = Annotated[
    str,
    Text(
        max_length=2,
        pattern=r"[A-Z]{2}",
        message="'{}' is not a country: write its ISO 3166-1 code of two letters, such as DE",
    ),
]

Subdivision: TypeAlias = Annotated[
    str,
    Text(
        max_length=32,
        pattern=r"[A-Za-z0-9]([^/:,;]*[A-Za-z0-9])?",
        message="'{}' is not a part of a country: write its ISO 3166-2 code without the country, "
        "such as BY",
    ),
]

Url: TypeAlias = Annotated[
    str,
    Text(
        max_length=1_024,
        pattern=r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?",
        message="'{}' is not an address: write one that starts with https://, without a user or a "
        "password in it",
    ),
]

RelativePath: TypeAlias = Annotated[
    str,
    Text(
        max_length=253,
        pattern=r"[A-Za-z0-9_][-A-Za-z0-9_.]*(/[A-Za-z0-9_][-A-Za-z0-9_.]*)*",
        message="'{}' is not the name of a file: write its path below the operator's folder of "
        "tariffs, without a leading slash and without '..'",
    ),
]

BiddingZone: TypeAlias = Annotated[
    str,
    Text(
        max_length=32,
        pattern=r"[A-Z0-9][A-Z0-9_-]*",
        message="'{}' is not a bidding zone: write its name or EIC code as ENTSO-E has it, such "
        "as DE_LU",
    ),
]

TimeZone: TypeAlias = Annotated[
    ZoneInfo,
    Text(
        max_length=64,
        pattern=r"[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*",
        message="'{}' is not a time zone: write its IANA name, such as Europe/Berlin or UTC",
        cel=(
            "self != 'Local'",
            "timestamp('2026-01-01T00:00:00Z').getFullYear(self) > 0",
        ),
        read=_read_zone,
        write=str,
    ),
]

ClockTime: TypeAlias = Annotated[
    str,
    Text(
        max_length=5,
        pattern=r"([01][0-9]|2[0-3]):[0-5][0-9]",
        message="'{}' is not a time of day: write hours and minutes in quotes, from \"00:00\" to "
        '"23:59"',
    ),
]

Name: TypeAlias = Annotated[
    str,
    Text(
        max_length=63,
        pattern=r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?",
        message="'{}' is not a name: use letters, digits, '-', '_' and '.', with a letter or "
        "digit at both ends",
    ),
]
"""A name within a resource: of a circuit, a zone, a window, a region."""

ObjectName: TypeAlias = Annotated[
    str,
    Text(
        max_length=253,
        pattern=r"[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
        message="'{}' is not the name of an object: use lower-case letters, digits, '-' and '.', "
        "with a letter or digit at both ends",
    ),
]

Identifier: TypeAlias = Annotated[
    str,
    Text(
        max_length=128,
        pattern=r"[A-Za-z0-9]([-A-Za-z0-9_.:]*[A-Za-z0-9])?",
        message="'{}' is not an identifier: use letters, digits, '-', '_', '.' and ':'; it is a "
        "pseudonym, never a person's name or address",
    ),
]

ResourceName: TypeAlias = Annotated[
    str,
    Text(
        max_length=253,
        pattern=RESOURCE_NAME,
        message=NOT_A_RESOURCE,
    ),
]
"""The name of a resource of Kubernetes."""

Band: TypeAlias = Annotated[
    str,
    Text(
        max_length=63,
        pattern=r"[A-Za-z][A-Za-z0-9_-]*",
        message="'{}' is not a tariff band: write one word that starts with a letter, such as "
        "OffPeak, MidPeak or Peak",
    ),
]

ShortText: TypeAlias = Annotated[str, Text(max_length=1_024)]
LongText: TypeAlias = Annotated[str, Text(max_length=32_768)]


_NEGATIVE_CAPACITY: Final = "'{}' is negative: a capacity is zero or more"


@dataclass(frozen=True, slots=True)
class _Quantity:
    """A Kubernetes quantity, as text or as a whole number; never negative."""

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._checked, serialization=core_schema.to_string_ser_schema()
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "maxLength": QUANTITY_MAX_LENGTH,
            RULES: [
                {
                    "rule": "type(self) == int || isQuantity(self)",
                    **cel_message(NOT_A_QUANTITY, "string(self)"),
                },
                {
                    "rule": "type(self) == int ? self >= 0 : "
                    "!isQuantity(self) || sign(quantity(self)) >= 0",
                    **cel_message(_NEGATIVE_CAPACITY, "string(self)"),
                },
            ],
        }

    @staticmethod
    def _checked(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            sentence = (
                f"{json.dumps(value, default=str)} is not a quantity: write a whole number, or "
                'text in quotes such as "500m" or "32Gi"'
            )
            raise refusal(sentence)
        try:
            amount = parse_quantity(value)
        except ValueError as error:
            raise refusal(str(error)) from None
        if amount < 0:
            raise refusal(_NEGATIVE_CAPACITY.format(value))
        return str(value)


Quantity: TypeAlias = Annotated[str, _Quantity()]
