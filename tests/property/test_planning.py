"""Whatever the fleet, what goes to the planner's process and comes back is what it was."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.charging_fleets import charging_fleets
from tests.property.strategies import snapshots

from idlewatt_operator.planning.columns import PlanColumns, columns_of, plan_of
from idlewatt_operator.planning.messages import Show, ToWorker
from idlewatt_operator.planning.showing import Seen, Shown
from idlewatt_operator.planning.wire import decoder, encode, fraction, fraction_text
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, plan

GREEDY = Params(exact_literals=0)
FLEETS = st.one_of(snapshots(), charging_fleets())
READ_MESSAGE = decoder(ToWorker)
READ_PLAN = decoder(PlanColumns)


def _told(shown: Shown, seen: Seen, snapshot: Snapshot) -> Snapshot:
    """The snapshot as the other side puts it together, after a way over the wire."""
    *shows, rows = shown.show(snapshot)
    assert isinstance(rows, dict)
    for show in shows:
        seen.take(READ_MESSAGE.decode(encode(show)))
    return seen.snapshot(snapshot.at, rows)


@given(first=FLEETS, second=FLEETS)
def test_a_snapshot_arrives_as_it_is(first: Snapshot, second: Snapshot) -> None:
    """Whatever was shown before it, and in the same order."""
    shown, seen = Shown(), Seen()
    for snapshot in (first, second, first):
        found = _told(shown, seen, snapshot)
        assert found == snapshot
        assert list(found.nodes) == list(snapshot.nodes)
        assert list(found.sites) == list(snapshot.sites)


@given(snapshot=FLEETS, kept=st.data())
def test_only_what_changed_is_shown(snapshot: Snapshot, kept: st.DataObject) -> None:
    """Of a snapshot of which some objects are the same, the others alone go over the wire."""
    shown, seen = Shown(), Seen()
    before = _told(shown, seen, snapshot)
    changed = kept.draw(st.sets(st.sampled_from([each.name for each in snapshot.vehicles])))
    vehicles = tuple(
        replace(each, suspend=not each.suspend) if each.name in changed else each
        for each in snapshot.vehicles
    )
    after = replace(snapshot, vehicles=vehicles, pending=snapshot.pending[1:])
    *shows, rows = shown.show(after)
    assert isinstance(rows, dict)
    assert sum(_count(show) for show in shows if isinstance(show, Show)) == len(changed)
    for show in shows:
        seen.take(READ_MESSAGE.decode(encode(show)))
    found = seen.snapshot(after.at, rows)
    assert found == after
    untouched = [each for each in before.vehicles if each.name not in changed]
    assert _same(untouched, [each for each in found.vehicles if each.name not in changed])
    assert _same(before.pending[1:], found.pending)


def _count(show: Show) -> int:
    return len(show.numbers) // 4


def _same(some: Iterable[object], others: Iterable[object]) -> bool:
    return all(one is other for one, other in zip(some, others, strict=True))


@settings(max_examples=50)
@given(snapshot=FLEETS)
def test_a_plan_arrives_as_it_is(snapshot: Snapshot) -> None:
    """Every placement, reason, cost and profile, to the last fraction."""
    made = plan(snapshot, GREEDY)
    arrived = plan_of(READ_PLAN.decode(encode(columns_of(made, snapshot))), snapshot)
    assert arrived == made
    assert _same([each.pod for each in made.placements], [each.pod for each in arrived.placements])


@given(above=st.integers(), below=st.integers(min_value=1))
def test_fractions_keep_every_digit(above: int, below: int) -> None:
    """However large their parts are."""
    whole = Fraction(above, below)
    assert fraction(fraction_text(whole)) == whole


@given(noise=st.binary(max_size=200))
def test_noise_is_no_message(noise: bytes) -> None:
    """What nobody wrote is refused, or is by chance a message, and never anything else."""
    try:
        READ_MESSAGE.decode(noise)
    except (msgspec.MsgspecError, ValueError):
        return
