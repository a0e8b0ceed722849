"""What a planner is given beside a snapshot is refused where it makes no sense."""

import pytest

from idlewatt_scheduler.solvers.limits import Params, Proof, Stop


def test_the_defaults_hold() -> None:
    """Small fleets are solved exactly, with some patience; nothing is known before."""
    assert Params().exact_literals > 0
    assert Stop().work > 0
    assert Proof() == Proof(bound=None, proven=False)


def test_never_to_solve_exactly_is_a_choice() -> None:
    """Nought is no mistake."""
    assert Params(exact_literals=0).exact_literals == 0


def test_a_negative_count_is_refused() -> None:
    """In a sentence."""
    with pytest.raises(ValueError, match="none of them can be negative"):
        Params(exact_literals=-1)


@pytest.mark.parametrize("work", [0, -1.0, float("nan")])
def test_a_planner_without_work_is_refused(work: float) -> None:
    """In a sentence that names the field."""
    with pytest.raises(ValueError, match="`work` must be above 0"):
        Stop(work=work)
