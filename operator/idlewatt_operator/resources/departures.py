"""What `idlewatt departures fit` learned, as the JSON text of a ConfigMap, and back.

The text is versioned and says where its figures come from; whoever reads it needs no other file.
One entry stands on a line, so that two fits can be compared with `diff`.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, Strict, ValidationError

from idlewatt_operator.resources.base import Part, Rule
from idlewatt_operator.resources.documents import DocumentError, read_documents
from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.fields import ObjectName, ShortText
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles

DATA_KEY: Final = "departures.json"
"""Where in the ConfigMap's `data` the text stands."""

FORMAT: Final = 1

_WHOLE: Final = 1_000_000
_QUANTILES: Final = 101
_LONGEST_STAY_SECONDS: Final = 10 * 366 * 86_400
_LOWEST: Final = -_WHOLE * _LONGEST_STAY_SECONDS
_MOST_ENTRIES: Final = 10_000
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Weekday: TypeAlias = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Level: TypeAlias = Literal["all", "hour", "hour and weekday"]
_Count: TypeAlias = Annotated[int, Strict(), Field(ge=0)]


class DeparturesError(ValueError):
    """The text tells no distributions; the message says what is wrong and where."""


class FittedSite(Part):
    """What was learned at one site."""

    site: ObjectName
    """The ParkingSite's name."""
    sessions: _Count
    """How many stays."""
    stated: _Count
    """How many of them with a stated departure."""
    vehicles: _Count
    """How many vehicles have entries of their own."""
    stated_level: Level
    """How far the stated departures are told apart."""
    stay_level: Level
    """How far the lengths of stays are told apart."""


class Provenance(Part):
    """Where the figures come from."""

    source: ShortText
    """The file they were learned from."""
    place: ShortText
    """The sites and their time zone, for a reader."""
    first_day: ShortText
    """The first local day of an arrival."""
    last_day: ShortText
    """The last local day of an arrival."""
    sites: tuple[FittedSite, ...] = Field(max_length=_MOST_ENTRIES)
    """What was learned at each site."""


class Entry(Part):
    """A distribution, for the departures that its keys tell; a key that is missing tells any."""

    rules = (
        Rule(
            cel="",
            message="the quantiles fall somewhere: each must be at least the one before it",
            holds=lambda entry: all(low <= high for low, high in pairwise(entry.points)),
            field="points",
        ),
        Rule(
            cel="",
            message="a length of a stay is negative",
            holds=lambda entry: entry.stated or entry.points[0] >= 0,
            field="points",
        ),
        Rule(
            cel="",
            message="a driver left before arriving: at most 1000000 millionths of a stay are lost",
            holds=lambda entry: not entry.stated or entry.points[-1] <= _WHOLE,
            field="points",
        ),
    )

    stated: Annotated[bool, Strict()]
    """Of stated less actual departure, in millionths of the stated stay; else of stays, seconds."""
    vehicle: ObjectName | None = None
    """Of this vehicle alone."""
    site: ObjectName | None = None
    """At this site alone."""
    weekday: Weekday | None = None
    """Of arrivals on this weekday alone, local to the site."""
    hour: Annotated[int, Strict(), Field(ge=0, le=23)] | None = None
    """Of arrivals in this hour alone, local to the site."""
    sessions: _Count
    """How many stays have these keys; others were leant on where these are few."""
    points: tuple[Annotated[int, Strict(), Field(ge=_LOWEST, le=_LONGEST_STAY_SECONDS)], ...] = (
        Field(min_length=_QUANTILES, max_length=_QUANTILES)
    )
    """The quantiles at 0, 1, ... 100 %, whole numbers that never fall."""


class LearnedFile(Part):
    """The whole text."""

    format: Literal[1]
    """Of this text; another one is for another release."""
    provenance: Provenance
    """Where the figures come from."""
    entries: tuple[Entry, ...] = Field(max_length=_MOST_ENTRIES)
    """The distributions."""


def departure_model(text: str) -> DepartureModel:
    """What the text tells, for the core.

    Raises:
        DeparturesError: it is no such text; the first mistake is told with its place.
    """
    return to_model(read(text).entries)


def read(text: str) -> LearnedFile:
    """The text as it stands, with where its figures come from.

    Raises:
        DeparturesError: it is no such text; the first mistake is told with its place.
    """
    try:
        written = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{DATA_KEY} is no JSON: {error}; fit it again with idlewatt departures fit"
        raise DeparturesError(message) from error
    if not isinstance(written, dict):
        message = f"{DATA_KEY} is no JSON object; fit it again with idlewatt departures fit"
        raise DeparturesError(message)
    if written.get("format", FORMAT) != FORMAT:
        shown = json.dumps(written["format"])[:20]
        message = f"{DATA_KEY} has format {shown}; this release reads {FORMAT}: fit it again"
        raise DeparturesError(message)
    try:
        return LearnedFile.model_validate(written)
    except ValidationError as error:
        first = mistakes(error, LearnedFile)[0]
        message = f"{DATA_KEY}: {first.field}: {first.sentence}"
        raise DeparturesError(message) from error


def text_in(written: str) -> str:
    """The text inside a ConfigMap's manifest; a text that is no manifest is taken as it stands.

    Raises:
        DeparturesError: it is a manifest without such a text.
    """
    if written.lstrip().startswith("{"):
        return written
    try:
        (document,) = read_documents(written)
    except (DocumentError, ValueError) as error:
        message = f"it is neither one ConfigMap nor its JSON: {error}"
        raise DeparturesError(message) from error
    value = document.value
    data = value.get("data") if isinstance(value, dict) else None
    text = data.get(DATA_KEY) if isinstance(data, dict) else None
    if not isinstance(text, str):
        message = f"it is no ConfigMap with {DATA_KEY} among its data"
        raise DeparturesError(message)
    return text


def to_model(entries: Iterable[Entry]) -> DepartureModel:
    """Entries for the core."""
    return DepartureModel(tuple(_quantiles(entry) for entry in entries))


def _quantiles(entry: Entry) -> DepartureQuantiles:
    return DepartureQuantiles(
        stated=entry.stated,
        points=entry.points,
        site=entry.site,
        vehicle=entry.vehicle,
        weekday=None if entry.weekday is None else _WEEKDAYS.index(entry.weekday),
        hour=entry.hour,
    )


def departures_text(provenance: Provenance, entries: Sequence[Entry]) -> str:
    """The text that `read` reads, an entry on each line."""
    lines = ",\n    ".join(entry_text(entry) for entry in entries)
    told = _json(provenance.model_dump(by_alias=True, exclude_none=True))
    head = f'{{\n  "format": {FORMAT},\n  "provenance": {told},\n'
    return f'{head}  "entries": [\n    {lines}\n  ]\n}}\n'


def entry_text(entry: Entry) -> str:
    """The line of an entry."""
    return _json(entry.model_dump(by_alias=True, exclude_none=True))


def weekday_name(weekday: int) -> Weekday:
    """The name of a weekday, Monday being 0."""
    names: tuple[Weekday, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return names[weekday]


def _json(value: Any) -> str:  # noqa: ANN401 - plain JSON values
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
