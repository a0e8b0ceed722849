"""What is told of a reason to leave, and to whom."""

import pytest

from idlewatt_operator.reconcile.reasons import CANNOT_WAIT, public_name, public_sentence
from idlewatt_scheduler.model.reasons import MoveReason, VehicleReason


@pytest.mark.parametrize("reason", list(MoveReason))
def test_a_move_is_nobodys_secret(reason: MoveReason) -> None:
    """It is about pods and money, not about an owner; a disruption budget stands above it."""
    assert public_name(reason) == str(reason)
    assert public_sentence(reason) != public_sentence(VehicleReason.OCCUPIED)
    assert reason not in CANNOT_WAIT


def test_an_owner_who_is_back_is_nobodys_business() -> None:
    """The event says that the vehicle is no longer available, and nothing else."""
    assert public_name(VehicleReason.OCCUPIED) == "NoLongerAvailable"
    assert public_sentence(VehicleReason.OCCUPIED) == "it is no longer available"
