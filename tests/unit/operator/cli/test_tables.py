"""The table says who goes where, who waits and why, and what it comes to."""

from dataclasses import replace
from fractions import Fraction

from rich.console import Console

from idlewatt_operator.cli.tables import tables
from idlewatt_scheduler.model.plan import Leaving, Placement, Plan, Waiting
from idlewatt_scheduler.model.reasons import PodReason, WaitingCondition
from idlewatt_scheduler.model.workload import Pod

NOON = 1_768_478_400_000
"""2026-01-15T12:00:00Z."""


def shown(plan: Plan, noun: str = "vehicles", width: int = 160) -> str:
    """The tables as text."""
    console = Console(width=width)
    with console.capture() as captured:
        console.print(tables(plan, 0.5, noun))
    return captured.get()


def waiting(name: str, reason: PodReason) -> Waiting:
    """A pod that waits for one reason on three vehicles."""
    return Waiting(Pod("team-a", name), WaitingCondition.WAITING_FOR_ENERGY, {reason: 3})


def test_an_empty_plan_is_a_line() -> None:
    """No empty tables, and no cost in a currency that nobody named."""
    assert shown(Plan(at=NOON, proven=True)).strip() == (
        "At 2026-01-15T12:00:00Z: 0 placed, 0 waiting, 0 leaving. "
        "Planned in 0.50 s; no plan is better."
    )


def test_a_placement_has_its_times_energy_and_cost() -> None:
    """In a row that can be read across."""
    placement = Placement(
        Pod("team-a", "llm"), "v-1", NOON, NOON, NOON + 3_600_000, 1, Fraction(1, 4), Fraction(500)
    )
    text = shown(Plan(at=NOON, placements=(placement,), currency="EUR", cost=Fraction(1, 4)))
    (row,) = [line for line in text.splitlines() if "team-a/llm" in line]
    assert row.split() == [
        *("team-a/llm", "v-1", "2026-01-15", "12:00:00Z", "2026-01-15", "12:00:00Z"),
        *("2026-01-15", "13:00:00Z", "500", "Wh", "0.25", "EUR"),
    ]
    assert "1 placed for 0.25 EUR" in text


def test_pods_that_wait_alike_share_a_row() -> None:
    """Five hundred pods of one Deployment are one line, not five hundred."""
    alike = tuple(waiting(f"a-{number}", PodReason.ON_PEAK) for number in range(3))
    text = shown(Plan(at=NOON, waiting=(*alike, waiting("b", PodReason.BELOW_RESERVE))))
    assert "team-a/a-0 and 2 more" in text
    assert "0/3 vehicles: 3 on-peak" in text
    assert "team-a/b " in text
    assert "a-1" not in text


def test_plain_nodes_are_called_nodes() -> None:
    """Where Nodes without a vehicle are candidates too."""
    text = shown(Plan(at=NOON, waiting=(waiting("a", PodReason.ON_PEAK),)), noun="nodes")
    assert "0/3 nodes: 3 on-peak" in text


def test_who_leaves_is_told_with_the_reason() -> None:
    """By its name, which the documentation explains."""
    text = shown(Plan(at=NOON, leaving=(Leaving(Pod("a", "b"), "v-2", PodReason.ON_PEAK),)))
    (row,) = [line for line in text.splitlines() if "a/b" in line]
    assert row.split() == ["a/b", "v-2", "OnPeak"]


def test_how_good_the_plan_is() -> None:
    """Proven, as heavy as can be, or what may be missing."""
    plan = Plan(at=NOON, weight=3, bound=4)
    assert "at most 25.00% of the weight is missing" in shown(plan)
    assert "no plan has more weight" in shown(replace(plan, weight=4))
    assert "no plan is better" in shown(replace(plan, weight=4, proven=True))


def test_brackets_in_a_reason_are_not_markup() -> None:
    """A field such as `spec.volumes[0]` is shown as it is."""
    pod = Pod("a", "b", unsupported_fields=("spec.volumes[0].ephemeral",))
    one = Waiting(pod, WaitingCondition.UNSCHEDULABLE, {PodReason.UNSUPPORTED_FIELD: 1})
    assert "spec.volumes[0].ephemeral" in shown(Plan(at=NOON, waiting=(one,)))


def test_ten_thousand_placements_are_lined_up_and_not_laid_out() -> None:
    """The same columns, in a moment."""
    placed = tuple(
        Placement(Pod("team-a", f"llm-{n}"), f"v-{n}", NOON, NOON, NOON + 3_600_000, 1, Fraction(n))
        for n in range(300)
    )
    text = shown(Plan(at=NOON, placements=placed, currency="EUR"))
    lines = text.splitlines()
    rows = [line for line in lines if "team-a/llm-" in line]
    assert len(rows) == 300
    assert {row.index("2026-01-15") for row in rows} == {lines[2].index("Start")}
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[7].split()[-2:] == ["7.00", "EUR"]
    assert len(lines[3].strip()) >= len(rows[0].strip())


def test_gaps_are_told_apart_and_so_is_why_the_solver_stopped() -> None:
    """The weight first, then the cost at that weight."""
    plan = Plan(
        at=NOON,
        weight=999,
        bound=1_000,
        cost=Fraction(100),
        cost_bound=Fraction(99),
        currency="EUR",
    )
    text = shown(plan, width=240)
    assert "at most 0.10% of the weight is missing, and at most 1.00% of the cost" in text
    best = shown(replace(plan, bound=999, cost_bound=Fraction(100)), width=240)
    assert "no plan has more weight, and none of that weight costs less." in best
    assert (
        shown(replace(plan, halted="The deadline passed.")).strip().endswith("The deadline passed.")
    )


def test_steps_are_told_where_planning_took_long() -> None:
    """In their order; a plan of a moment needs no such line."""
    quick = Plan(at=NOON, step_seconds={"look up": 0.2, "place": 0.3})
    assert "The steps" not in shown(quick)
    slow = replace(quick, step_seconds={"look up": 0.8, "place": 1.25})
    assert "The steps: look up 0.80 s, place 1.25 s." in shown(slow)
