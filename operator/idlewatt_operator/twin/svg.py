"""SVG as text: tags, scales and the few shapes the report's charts are made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.twin.places import local_time
from idlewatt_scheduler.model.units import HOUR, Instant

_TICKS_WANTED: Final = 4
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_SAME: Final = 1e-6
_HOUR_STEPS: Final = (1, 2, 3, 6, 12, 24, 48)
_PIXELS_PER_HOUR_TICK: Final = 70


def tag(name: str, *children: str, **attributes: object) -> str:
    """One element; `class_` is `class`, `data_tip` is `data-tip`; None leaves one out.

    Children are markup already; attributes and `text` are escaped.
    """
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(children)
    return f"<{name}{shown}>{inner}</{name}>" if inner else f"<{name}{shown}/>"


def text(words: str, x: float, y: float, **attributes: object) -> str:
    """A label."""
    return tag("text", escape(words), x=x, y=y, **attributes)


def _number(value: object) -> str:
    """Two places are a hundredth of a pixel: more would only make the file large."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from `low..high` to `begin..end` pixels."""

    low: float
    high: float
    begin: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.0
        return self.begin + share * (self.end - self.begin)

    def clipped(self, value: float) -> float:
        """The pixel of a value, held inside the scale."""
        return self(min(max(value, self.low), self.high))

    def ticks(self) -> list[float]:
        """A few round values."""
        step = round_step((self.high - self.low) / _TICKS_WANTED)
        first = int(self.low / step)
        values = [step * n for n in range(first, int(self.high / step) + 1)]
        return [value for value in values if self.low <= value <= self.high]


def shown(values: Sequence[float]) -> list[str]:
    """Values with as many places as tell them all apart, and no more."""
    for places in range(4):
        texts = [f"{value:,.{places}f}" for value in values]
        if all(
            abs(float(t.replace(",", "")) - v) < _SAME for t, v in zip(texts, values, strict=True)
        ):
            return texts
    return [f"{value:g}" for value in values]


def round_step(rough: float) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten, at least `rough`."""
    if rough <= 0:
        return 1.0
    power = 1.0
    while power > rough:
        power /= 10
    while power * 10 <= rough:
        power *= 10
    return next(power * step for step in _STEPS if power * step >= rough * 0.999)


def nice_high(value: float) -> float:
    """The end of a scale that holds `value`."""
    step = round_step(value / _TICKS_WANTED)
    return step * -(-value // step) if value > 0 else 1.0


def path(points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    """A path's `d` through points."""
    parts = [f"{'L' if n else 'M'}{_number(x)} {_number(y)}" for n, (x, y) in enumerate(points)]
    return "".join(parts) + ("Z" if closed else "")


def band(
    xs: Sequence[float], low: Sequence[float], high: Sequence[float], **attributes: object
) -> str:
    """The area between two lines."""
    there = list(zip(xs, high, strict=True))
    back = list(zip(reversed(xs), reversed(low), strict=True))
    return tag("path", d=path([*there, *back], closed=True), **attributes)


def stepped(starts: Sequence[float], end: float, ys: Sequence[float]) -> list[tuple[float, float]]:
    """Points of a line that is level from each start to the next."""
    ends = [*starts[1:], end]
    return [
        point
        for begin, until, y in zip(starts, ends, ys, strict=True)
        for point in ((begin, y), (until, y))
    ]


def hours(x: Scale, zone: ZoneInfo) -> Iterable[tuple[Instant, str, bool]]:
    """Instants to label: when, what the clock shows, and whether a day begins there."""
    pixels_per_hour = (x.end - x.begin) / max(1.0, (x.high - x.low) / HOUR)
    fitting = [step for step in _HOUR_STEPS if step * pixels_per_hour >= _PIXELS_PER_HOUR_TICK]
    every = fitting[0] if fitting else _HOUR_STEPS[-1]
    at = int(x.low)
    while at <= x.high:
        clock = local_time(at, zone)
        if clock.hour % every == 0 and clock.minute == 0:
            midnight = clock.hour == 0
            yield at, f"{clock:%a %-d %b}" if midnight else f"{clock:%H:%M}", midnight
        at += HOUR // 4 if clock.minute else HOUR


def span_text(start: Instant, end: Instant, zone: ZoneInfo) -> str:
    """`22:15 to 03:40 (5 h 25 min)`."""
    length = timedelta(milliseconds=end - start)
    whole, minutes = divmod(int(length.total_seconds()) // 60, 60)
    took = f"{whole} h {minutes} min" if whole else f"{minutes} min"
    return f"{local_time(start, zone):%H:%M} to {local_time(end, zone):%H:%M} ({took})"
