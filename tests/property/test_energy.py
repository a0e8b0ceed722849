"""Energy and headroom hold their laws, whatever is drawn and when."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from idlewatt_scheduler.calendar import merged
from idlewatt_scheduler.circuits import Headroom
from idlewatt_scheduler.energy import Electrics, Source, Stretch, computing_at, consumed, steps
from idlewatt_scheduler.model.calendars import Interval

Draw = Callable[[st.SearchStrategy[Any]], Any]
PATIENT = settings(deadline=None, max_examples=200)

END = 60
"""Later than any stretch drawn here."""

watts = st.one_of(st.integers(0, 10**6), st.sampled_from([0, 1, 87, 88, 89]))
all_stretches = st.lists(
    st.builds(
        lambda start, length, power: Stretch(start, start + length, power),
        st.integers(0, 40),
        st.integers(0, 15),
        watts,
    ),
    max_size=8,
)


@st.composite
def electrics(draw: Draw) -> Electrics:
    """The figures of any car."""
    charging = draw(watts)
    return Electrics(
        source=draw(st.sampled_from(Source)),
        plugged=draw(st.booleans()),
        cap=draw(watts),
        charging=charging,
        charging_reported=charging > 0,
        standby=draw(watts),
        efficiency_percent=draw(st.integers(1, 100)),
    )


@PATIENT
@given(stretches=all_stretches, standby=watts)
def test_all_energy_is_that_of_the_pods_and_standby_over_their_union(
    stretches: list[Stretch], standby: int
) -> None:
    """Each pod's power for its own time, and standby once while anyone stays."""
    pods = sum(s.power * (s.end - s.start) for s in stretches)
    union = merged(Interval(s.start, s.end) for s in stretches if s.start < s.end)
    there = sum(s.end - s.start for s in union)
    assert consumed(steps(stretches, standby), END) == pods + standby * there


@PATIENT
@given(stretches=all_stretches, standby=watts)
def test_steps_are_in_order_and_never_overlap(stretches: list[Stretch], standby: int) -> None:
    """Each has length, and ends before or as the next one starts."""
    line = steps(stretches, standby)
    assert all(step.start < step.end for step in line)
    assert all(a.end <= b.start for a, b in pairwise(line))
    assert all(step.computing == step.pods + standby for step in line)


@PATIENT
@given(stretches=all_stretches, standby=watts, instant=st.integers(-1, END))
def test_power_at_an_instant_is_that_of_who_stays_then(
    stretches: list[Stretch], standby: int, instant: int
) -> None:
    """Summed afresh, pod by pod."""
    there = [s.power for s in stretches if s.start <= instant < s.end]
    expected = sum(there) + standby if there else 0
    assert computing_at(steps(stretches, standby), instant) == expected


@PATIENT
@given(
    stretches=all_stretches,
    standby=watts,
    cuts=st.tuples(st.integers(0, END), st.integers(0, END)),
)
def test_energy_grows_with_time_and_adds_up(
    stretches: list[Stretch], standby: int, cuts: tuple[int, int]
) -> None:
    """What is used by a later instant is what was used before and what was used between."""
    line = steps(stretches, standby)
    first, second = sorted(cuts)
    between = sum(computing_at(line, instant) for instant in range(first, second))
    assert consumed(line, second) == consumed(line, first) + between


@PATIENT
@given(stretches=all_stretches, more=all_stretches, standby=watts)
def test_more_pods_never_use_less(
    stretches: list[Stretch], more: list[Stretch], standby: int
) -> None:
    """At no instant; but less than by themselves, since standby is shared."""
    alone, together = steps(stretches, standby), steps([*stretches, *more], standby)
    assert consumed(together, END) >= consumed(alone, END)
    assert consumed(together, END) <= consumed(alone, END) + consumed(steps(more, standby), END)
    for instant in range(END):
        assert computing_at(together, instant) >= computing_at(alone, instant)


@PATIENT
@given(figures=electrics(), computing=watts, more=watts)
def test_a_draw_never_falls_as_computing_grows_and_is_capped(
    figures: Electrics, computing: int, more: int
) -> None:
    """It is nothing unplugged, at least charging or the cap plugged, and never above the cap."""
    low, high = figures.draw(computing), figures.draw(computing + more)
    assert 0 <= low <= high <= figures.cap
    if figures.plugged:
        assert low >= min(figures.cap, figures.charging)
    else:
        assert high == 0


@PATIENT
@given(figures=electrics(), first=watts, second=watts)
def test_losses_are_rounded_for_the_car_not_for_the_pods(
    figures: Electrics, first: int, second: int
) -> None:
    """Together they are a milliwatt more than apart at the most, and never less."""
    apart = figures.ac(first) + figures.ac(second)
    assert apart <= figures.ac(first + second) <= apart + 1


changes = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 15), st.integers(-50, 50)), max_size=8
)


def room_after(taken: list[tuple[int, int, int]]) -> Headroom:
    """A circuit of 100 from instant 0 on, of which something was taken."""
    room = Headroom([0], [100])
    for start, length, power in taken:
        room.take(start, start + length, power)
    return room


def by_instant(room: Headroom) -> list[int]:
    """What is left at every instant."""
    return [room.least(instant, instant + 1) for instant in range(END)]


@PATIENT
@given(taken=changes)
def test_what_is_left_is_what_nobody_took(taken: list[tuple[int, int, int]]) -> None:
    """Summed afresh at every instant."""
    expected = [
        100 - sum(power for start, length, power in taken if start <= instant < start + length)
        for instant in range(END)
    ]
    assert by_instant(room_after(taken)) == expected


@PATIENT
@given(before=changes, taken=changes)
def test_giving_back_what_was_taken_changes_nothing(
    before: list[tuple[int, int, int]], taken: list[tuple[int, int, int]]
) -> None:
    """In whatever order."""
    room = room_after(before)
    for start, length, power in taken:
        room.take(start, start + length, power)
    for start, length, power in reversed(taken):
        room.take(start, start + length, -power)
    assert by_instant(room) == by_instant(room_after(before))


@PATIENT
@given(taken=changes, start=st.integers(0, END - 1), length=st.integers(1, 20))
def test_the_least_is_the_least_of_all_instants(
    taken: list[tuple[int, int, int]], start: int, length: int
) -> None:
    """Counted instant by instant, from what was taken alone."""
    left = [
        100 - sum(power for begin, long, power in taken if begin <= instant < begin + long)
        for instant in range(start, start + length)
    ]
    assert room_after(taken).least(start, start + length) == min(left)
