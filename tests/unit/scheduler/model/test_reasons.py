"""The named reasons: one word each, and the sets that the rules single out."""

from idlewatt_scheduler.model.reasons import (
    KEEPS_NEW_PODS_AWAY_ONLY,
    NO_TIME_OR_CHARGE_WOULD_HELP,
    MoveReason,
    PodReason,
    VehicleReason,
)


def test_no_word_means_two_things() -> None:
    """A reason names one clause, or one way to make room."""
    words = [str(reason) for reason in (*VehicleReason, *PodReason, *MoveReason)]
    assert len(words) == len(set(words)) == 39


def test_what_never_drains_and_what_no_time_would_help() -> None:
    """As the rules list them."""
    assert {str(reason) for reason in KEEPS_NEW_PODS_AWAY_ONLY} == {
        "CurrencyUnknown",
        "MonthlyCapReached",
        "NotIdleLongEnough",
        "TooCold",
    }
    assert {str(reason) for reason in NO_TIME_OR_CHARGE_WOULD_HELP} == {
        "InvalidAnnotation",
        "UnsupportedField",
        "NodeAffinity",
        "TaintNotTolerated",
        "Untrusted",
        "ExceedsCapacity",
    }
