"""What a Binding leaves on a simulated pod."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from idlewatt_operator.gateways.protocols import BindOrder
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.resources.times import parse_instant
from idlewatt_scheduler.model.units import Instant, Milliwatts, milliwatts


def bound(record: PodRecord, order: BindOrder) -> PodRecord:
    """The pod as it stands after a Binding; a malformed annotation counts as absent."""
    notes = order.annotations
    return replace(
        record,
        node=order.node,
        waiting_reason=None,
        waiting_message="",
        bound_power=_power(notes.get("idlewatt.dev/bound-watts")),
        bound_until=_instant(notes.get("idlewatt.dev/bound-until")),
        bound_agreement_version=_whole(notes.get("idlewatt.dev/bound-agreement-version")),
    )


def _power(text: str | None) -> Milliwatts | None:
    try:
        return None if text is None else milliwatts(Decimal(text))
    except InvalidOperation:
        return None


def _instant(text: str | None) -> Instant | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
