"""When a process is better started anew, and when it can do its work: on either side."""

import pytest

from idlewatt_operator.gateways.leadership import Tenure, Terms
from idlewatt_operator.gateways.listening import Verdict
from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.metrics import Metrics
from idlewatt_operator.reconcile.vitals import ProcessVitals
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.units import MINUTE
from idlewatt_scheduler.testing import AT


async def nothing() -> None:
    """A cycle with nothing to decide on."""


class Standby:
    """Somebody who reaches for the lease."""

    identity = "we_1"

    def __init__(self, attempt_age_seconds: float = 0, holder: str = "another_2") -> None:
        self.tenure = Tenure(Terms(), lambda: 0.0)
        self.attempt_age_seconds = attempt_age_seconds
        self.holder = holder


def vitals(
    *, synced: bool = True, telemetry: bool = True, candidate: Standby | None = None
) -> ProcessVitals:
    """A process in this state."""
    verdict = Verdict(telemetry, ("telemetry: as it is",))
    return ProcessVitals(
        Settings(),
        Metrics(),
        candidate=candidate,
        synced=lambda: synced,
        telemetry=lambda: verdict,
    )


def test_a_process_that_starts_is_left_alone() -> None:
    """Whatever it waits for, starting it anew would not help; it is not ready meanwhile."""
    starting = ProcessVitals(Settings(), Metrics())
    assert starting.alive().good
    assert not starting.ready().good


@pytest.mark.parametrize(("age", "good"), [(5 * MINUTE, True), (5 * MINUTE + 1, False)])
def test_a_leader_is_alive_while_its_cycles_end(age: int, *, good: bool) -> None:
    """Up to five minutes after the last one; the body says how long ago."""
    clock = ManualClock(AT)
    process = vitals()
    process.loop = Loop(nothing, clock, Settings())
    clock.advance_to(AT + age)
    verdict = process.alive()
    assert verdict.good is good
    assert verdict.lines == ("cycles: one last ended well 300 s ago; 300 s are the most",)


@pytest.mark.parametrize(("age", "good"), [(300.0, True), (300.1, False)])
def test_a_standby_is_alive_while_it_looks_at_the_lease(age: float, *, good: bool) -> None:
    """Whether the API server answers is not its fault."""
    assert vitals(candidate=Standby(age)).alive().good is good


@pytest.mark.parametrize(
    ("synced", "telemetry", "good"),
    [(True, True, True), (False, True, False), (True, False, False)],
)
def test_ready_is_who_knows_what_there_is(*, synced: bool, telemetry: bool, good: bool) -> None:
    """Both the watches and telemetry have to be so far."""
    assert vitals(synced=synced, telemetry=telemetry).ready().good is good


def test_a_standby_is_ready_and_says_who_leads() -> None:
    """It can take over, and a rollout may go on."""
    verdict = vitals(candidate=Standby()).ready()
    assert verdict.good
    assert verdict.lines[-1] == "lease: another_2 leads; we_1, this one, stands by"


def test_a_leader_says_that_it_leads() -> None:
    """As whoever looks for it wants to know."""
    candidate = Standby()
    candidate.tenure.renewed(0.0)
    assert vitals(candidate=candidate).ready().lines[-1] == "lease: we_1 leads, which is this one"


def test_without_an_election_no_lease_is_asked_for() -> None:
    """`idlewatt run` outside a cluster."""
    assert vitals().ready().lines[-1] == "lease: none is asked for"
