"""The twin's pods: exactly as many as are asked for, each kind among them."""

import pytest

from idlewatt_operator.twin.catalogue import GIANT, MODELS, submissions
from idlewatt_operator.twin.controllers import WorkloadKind


@pytest.mark.parametrize("pods", [1, 5, 9, 10, 47, 120, 2_000])
def test_so_many_pods_as_are_asked_for(pods: int) -> None:
    """The counts add up, whatever the number."""
    assert sum(each.workload.count for each in submissions(pods, 0)) == pods


def test_every_kind_is_there_once_there_are_enough() -> None:
    """Nine pods are one of each, the one that fits nowhere included."""
    names = {each.workload.template.name for each in submissions(9, 0)}
    assert names == {model.name for model in (*MODELS, GIANT)}


def test_there_is_one_giant_among_many() -> None:
    """The pod that no car can carry is there to show the reason, not to fill the queue."""
    giants = [each for each in submissions(2_000, 0) if each.model is GIANT]
    assert [each.workload.count for each in giants] == [1]


def test_jobs_say_how_long_they_need_and_services_do_not() -> None:
    """A job has an expected run time and really ends; a service has neither."""
    for each in submissions(120, 0):
        job = each.workload.kind is WorkloadKind.JOB
        assert (each.workload.template.demand.expected_runtime is not None) is job
        assert (each.workload.run_seconds is not None) is job
