"""A charging profile as OCPP 2.1 writes one, and read back.

The limits are what goes into the battery, in watts AC, as in the core. OCPP counts whole seconds
from `startSchedule`; in every second the least counts that was planned in it, so that nothing is
taken beyond the profile.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from idlewatt_operator.resources.times import format_instant, parse_instant
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import SECOND, Instant

PURPOSE: Final = "TxProfile"
"""For the transaction that goes on and for no other."""

UNIT: Final = "W"
_ONLY: Final = 1
_MILLIWATTS_PER_WATT: Final = 1_000


def charging_profile(profile: ChargingProfile) -> dict[str, Any]:
    """`ChargingProfileType`, but for the id of the transaction, which the charge point knows."""
    start = profile.periods[0].start // SECOND * SECOND
    return {
        "id": _ONLY,
        "stackLevel": 0,
        "chargingProfilePurpose": PURPOSE,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": _ONLY,
                "startSchedule": format_instant(start),
                "chargingRateUnit": UNIT,
                "chargingSchedulePeriod": _periods(profile, start),
            }
        ],
    }


def _periods(profile: ChargingProfile, start: Instant) -> list[dict[str, Any]]:
    """Of every second the least that was planned in it; what follows as it was is left out."""
    changes = [(each.start - start) // SECOND for each in profile.periods[1:]]
    offsets = sorted({0, *changes, *(offset + 1 for offset in changes)})
    periods: list[dict[str, Any]] = []
    for offset, until in pairwise([*offsets, offsets[-1] + 1]):
        stretch = profile.pieces(start + offset * SECOND, start + until * SECOND)
        limit = min(power for _, _, power in stretch) / _MILLIWATTS_PER_WATT
        if not periods or periods[-1]["limit"] != limit:
            periods.append({"startPeriod": offset, "limit": limit})
    return periods


def read_charging_profile(written: Mapping[str, Any]) -> ChargingProfile:
    """What a charge point makes of it.

    Raises:
        ValueError: it is none that can be followed; the message is a sentence.
    """
    if written["chargingProfilePurpose"] != PURPOSE:
        sentence = f"Its purpose is {written['chargingProfilePurpose']}, not {PURPOSE}."
        raise ValueError(sentence)
    (schedule,) = written["chargingSchedule"]
    if schedule["chargingRateUnit"] != UNIT:
        sentence = f"Its unit is {schedule['chargingRateUnit']}, not {UNIT}."
        raise ValueError(sentence)
    start = parse_instant(schedule["startSchedule"])
    found = schedule["chargingSchedulePeriod"]
    offsets = [each["startPeriod"] for each in found]
    if not offsets or offsets[0] != 0 or any(b <= a for a, b in pairwise(offsets)):
        sentence = "Its periods do not begin at 0 and follow each other."
        raise ValueError(sentence)
    return ChargingProfile(
        tuple(
            ChargingPeriod(
                start + each["startPeriod"] * SECOND, round(each["limit"] * _MILLIWATTS_PER_WATT)
            )
            for each in found
        )
    )
