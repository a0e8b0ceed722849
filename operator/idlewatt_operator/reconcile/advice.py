"""Advice in words: what would place a pod, as it is to be written where it can be changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.resources.annotations import PREFIX
from idlewatt_operator.resources.times import format_duration, format_instant
from idlewatt_scheduler.model.units import SECOND, Instant
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.why import (
    AnyTariff,
    Brief,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Single,
    Together,
)

POLICY: Final = "FleetPolicy default"


@dataclass(frozen=True, slots=True)
class Setting:
    """A field that would have to say something else.

    Attributes:
        subject: the object, such as `Pod default/llm`.
        field: of it; an annotation by its whole name.
        value: as it is to be written.
    """

    subject: str
    field: str
    value: str


def kind_of(change: Change) -> str:
    """What sort of change it is, in a word or two."""
    match change:
        case LaterStart():
            return "later start"
        case ShorterStay():
            return "shorter stay"
        case LessPower():
            return "less power"
        case HigherPrice():
            return "higher price"
        case AnyTariff():
            return "any tariff"
        case Together():
            return ", ".join(map(kind_of, change.changes))


def settings_of(change: Change, pod: str) -> tuple[Setting, ...]:
    """What has to be written for it, and where; nothing for a start that only has to be awaited."""
    changes = change.changes if isinstance(change, Together) else (change,)
    return tuple(setting for each in changes for setting in _settings(each, f"Pod {pod}"))


def _settings(change: Single, pod: str) -> Iterator[Setting]:
    match change:
        case LaterStart():
            return
        case ShorterStay():
            length = format_duration(change.length_seconds * SECOND)
            if change.of_all_services:
                yield Setting(POLICY, "spec.minimumStaySeconds", str(change.length_seconds))
            else:
                yield Setting(pod, f"{PREFIX}expected-runtime", length)
        case LessPower():
            if change.declared_watts is not None:
                yield Setting(pod, f"{PREFIX}power", str(change.declared_watts))
            for name, amount in change.requests.items():
                yield Setting(pod, f"requests {name}", f"{amount}m")
        case HigherPrice():
            price = f"{change.max_price_per_kwh:f}"
            yield Setting(POLICY, "spec.offPeak.maxPricePerKWh", price)
        case AnyTariff():
            yield Setting(pod, f"{PREFIX}tariff", "any")


def amount_of(change: Change, at: Instant) -> str:
    """How much of it: `expected-runtime: 2h49m59s`, `wait until 22:00 (in 3h)`."""
    if isinstance(change, Together):
        return ", ".join(amount_of(each, at) for each in change.changes)
    if isinstance(change, LaterStart):
        return f"wait until {clock(change.at, at)} (in {rough(change.at - at)})"
    return ", ".join(map(_short, settings_of(change, "")))


def in_short(brief: Brief, pod: Pod, at: Instant) -> str:
    """A sentence for an event, without its full stop; empty where nothing is known to help.

    It tells nobody when a given car leaves, or that one is there: figures come rounded, and only
    where several vehicles stand behind them.
    """
    ways = list(_ways(brief, pod, at))
    if not ways:
        return ""
    *first, last = ways
    either = f"{', '.join(first)} or {last}" if first else last
    return f"Enough would be {either}; `idlewatt why {pod.key}` says more"


def _ways(brief: Brief, pod: Pod, at: Instant) -> Iterator[str]:
    if brief.start_at is not None:
        yield f"to wait until about {clock(brief.start_at, at)} UTC"
    if brief.stay_seconds:
        length = format_duration(brief.stay_seconds * SECOND)
        service = pod.demand.expected_runtime is None
        yield f"a minimumStaySeconds of {brief.stay_seconds}" if service else f"a stay of {length}"
    elif brief.stay_seconds == 0:
        yield "a shorter stay"
    if brief.power_watts:
        yield f"a power of {brief.power_watts} W"
    elif brief.power_watts == 0:
        yield "less power"
    if brief.any_tariff:
        yield "the annotation tariff: any"


def _short(setting: Setting) -> str:
    name = setting.field.removeprefix(PREFIX).removeprefix("spec.")
    owner = "policy " if setting.subject == POLICY else ""
    return f"{owner}{name}: {setting.value}"


def clock(instant: Instant, at: Instant) -> str:
    """An instant in UTC, the day only where it is another one than that of `at`."""
    day, _, time = format_instant(-(-instant // SECOND) * SECOND).removesuffix("Z").partition("T")
    today = format_instant(at).partition("T")[0]
    time = time.removesuffix(":00")
    return time if day == today else f"{day} {time}"


def rough(milliseconds: int) -> str:
    """A duration without seconds, as soon as it is longer than an hour."""
    whole = -(-milliseconds // SECOND) * SECOND
    if whole >= 3_600 * SECOND:
        whole = -(-whole // (60 * SECOND)) * 60 * SECOND
    return format_duration(whole)


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last
