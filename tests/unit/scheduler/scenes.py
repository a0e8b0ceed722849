"""Scenes for tests of the core: a healthy snapshot with a part changed, and what comes of it.

The first functions give overrides of `a_snapshot` that can be joined with `|`; the last ones
look a snapshot up as the planner does.
"""

from typing import Any

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate, Fleet, assemble
from idlewatt_scheduler.clauses.pod import PodCase, pod_case
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.reasons import Reason
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import EnergySource, Supply, Vehicle
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import (
    a_node,
    a_pod,
    a_policy,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
    changed,
)

Overrides = dict[str, Any]


def vehicle(**overrides: object) -> Overrides:
    """The only vehicle changed."""
    return {"vehicles": (a_vehicle(**overrides),)}


def observed(**overrides: object) -> Overrides:
    """What was observed of the only vehicle changed."""
    return vehicle(**{f"observed__{name}": value for name, value in overrides.items()})


def node(**overrides: object) -> Overrides:
    """The only Node changed."""
    return {"nodes": (a_node(**overrides),)}


def site(**overrides: object) -> Overrides:
    """The only site changed."""
    return {"sites": (a_site(**overrides),)}


def pod(**overrides: object) -> Overrides:
    """One pending pod."""
    return {"pending": (a_pod(**overrides),)}


def running(**overrides: object) -> Overrides:
    """One running pod."""
    return {"running": (a_running_pod(**overrides),)}


def policy(**overrides: object) -> Overrides:
    """The policy changed."""
    return {"policy": a_policy(**overrides)}


def off_peak(**tests: Any) -> Overrides:  # noqa: ANN401 - each test has a type of its own
    """The policy with these off-peak tests alone."""
    return policy(off_peak=OffPeakTest(**tests))


def a_battery_car(charge: int, **overrides: object) -> Vehicle:
    """A vehicle that is not plugged in and computes from its battery."""
    return a_vehicle(
        **{
            "agreement__energy_sources": frozenset(EnergySource),
            "observed__connection__supply": Supply.UNPLUGGED,
            "observed__battery__state_of_charge_percent": charge,
            **overrides,
        }
    )


def on_battery(charge: int, **overrides: object) -> Overrides:
    """The only vehicle is such a one."""
    return {"vehicles": (a_battery_car(charge, **overrides),)}


def row_a(limit: int, failsafe: int | None = None, **seen: object) -> Overrides:
    """The site has one circuit, of a limit in watts, with what was observed of it."""
    seen_there = (changed(ObservedCircuit("row-a"), **seen),) if seen else ()
    circuits = (Circuit("row-a", None, limit, failsafe_limit_watts=failsafe),)
    return site(circuits=circuits, observed_circuits=seen_there)


def short_and_long(count: int, long_cpu: int) -> tuple[Pod, ...]:
    """So many pods that stay an hour, and as many that stay two and ask for so many millicores."""
    return (
        *(a_pod(name=f"short-{n}", demand__expected_runtime=HOUR) for n in range(count)),
        *(
            a_pod(
                name=f"long-{n}",
                demand__expected_runtime=2 * HOUR,
                requests={"cpu": long_cpu, "pods": 1_000},
            )
            for n in range(count)
        ),
    )


def a_fleet(**overrides: object) -> Fleet:
    """A snapshot looked up."""
    return assemble(a_snapshot(**overrides))


def a_candidate(**overrides: object) -> Candidate:
    """The first candidate of a snapshot."""
    return a_fleet(**overrides).candidates[0]


def a_case(**overrides: object) -> PodCase:
    """The first pending pod on the first candidate."""
    fleet = a_fleet(**overrides)
    found = fleet.snapshot
    return pod_case(found.pending[0], fleet.candidates[0], found.policy, found.at)


def a_board(**overrides: object) -> Board:
    """A board without a new pod on it."""
    fleet = a_fleet(**overrides)
    return Board(fleet, templates_of(fleet.snapshot.pending))


def reason_against(**overrides: object) -> Reason | None:
    """The first clause that keeps the first pending pod off the first candidate."""
    return a_board(**overrides).reason(0, 0)
