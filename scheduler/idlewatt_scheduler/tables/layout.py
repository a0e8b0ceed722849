"""The columns: which there are, of what length, in which unit.

Lengths: V vehicles, T templates, R resources, N pairs of a vehicle and a template it may take,
C rooms, L loads of a vehicle on a room, G gangs, S spread groups, D domains of all groups together.

Instants are milliseconds from `Tables.at`. What there are millions of is kept small: power and ends
of stays in 32 bits, which is exact (vehicles of more than two megawatts are not tabulated, nor are
stays beyond a fortnight possible); money in 32 bits, rounded down, so that what is counted with it
is never more than what is paid.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Indices: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]
SmallFloats: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.bool_]

Count: TypeAlias = tuple[int, int, int]
"""A candidate, a template and how many pods of it are placed there."""

PLENTY = 2**60
"""More than anything there is: the amount of what is not limited."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The pending pods, by template, in the board's order (priority first, then age).

    Attributes:
        count: int64[T], pending pods.
        weight: int64[T], of one pod.
        priority: int64[T].
        request: int64[T, R], thousandths.
        gang: int32[T], -1 for none. A gang may have several templates, a template one at most.
        gang_needs: int64[G], so many pods of the gang have to be placed, or none; 0: any number.
    """

    count: Ints
    weight: Ints
    priority: Ints
    request: Ints
    gang: Indices
    gang_needs: Ints


@dataclass(frozen=True, slots=True)
class Offered:
    """The vehicles that take some pod, with what is left of each besides what runs there.

    All new pods on a vehicle start together at `start`, and nothing that runs there grows; so
    their power is greatest at that start, and what fits then fits throughout. Nodes without a
    vehicle are not here.

    Attributes:
        candidate: int32[V], its index among the fleet's candidates.
        free: int64[V, R], thousandths; `PLENTY` where there is no limit.
        power: int64[V], milliwatts that the new pods may draw together at the most, standby aside:
            of the computer, of the plug, and so that charging towards the departure is not slowed.
        energy: int64[V], milliwatt-milliseconds that new pods may take from the battery up to the
            departure, standby included; `PLENTY` on the grid. A new pod takes power x (until -
            start); standby, once, `lone_power` x (the latest until - `lone_from`), never below 0.
        start: int64[V], the instant at which new pods would start.
        departure: int64[V], when it leaves.
        opening: float64[V], paid once if any new pod is placed: waking.
        fallible: bool[V], limits here are not the whole truth (a controlled car, charged
            meanwhile) but no less than it: whatever is placed there has to be asked of the board.
            For a bound what they draw from rooms is not to be counted.
        base: int64[V], milliwatts that compute at the plan's time without new pods, standby
            included; it does not grow.
        standby: int64[V], milliwatts that the first new pod adds; 0 where pods run already.
        cap, charging: int64[V], milliwatts AC at the plug. Its draw is
            min(cap, charging + ac(computing)), 0 unplugged (cap 0). New pods of power x raise it by
            draw(base + standby + x) - draw(base).
        efficiency_percent: int64[V]; ac(x) = 100 x // efficiency_percent.
        lone_from: int64[V], from then on, `start` at the earliest, no running pod of ours stays.
        lone_power: int64[V], standby as new pods draw it once they are alone there.
    """

    candidate: Indices
    free: Ints
    power: Ints
    energy: Ints
    start: Ints
    departure: Ints
    opening: Floats
    fallible: Flags
    base: Ints
    standby: Ints
    cap: Ints
    charging: Ints
    efficiency_percent: Ints
    lone_from: Ints
    lone_power: Ints


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which vehicle may take which template: no clause fails there were nothing else placed.

    Circuits aside: those are `Rooms`. So are spread and gangs.

    Sorted by vehicle, then template; those of vehicle v are at `first[v]` to `first[v + 1]`.

    Attributes:
        first: int64[V + 1].
        template: int32[N].
        power: int32[N], milliwatts of one pod there.
        until: int32[N], the end of its stay.
        most: int32[N], how many of them fit there at the most were nothing else placed, 1 or more,
            no more than there are.
        cost: float32[N], of one pod there in the plan's currency, what its vehicle pays only once
            left out; preferences included.
        stay_cost: float32[N], what the vehicle pays once if its new pods stay until then
            (availability, standby, connection): it never falls as `until` grows.

    So new pods at a vehicle cost opening + the greatest stay_cost among them + the sum of cost, and
    no less: AC power is rounded down for each of them here, for all together when it is paid.
    """

    first: Ints
    template: Indices
    power: Indices
    until: Indices
    most: Indices
    cost: SmallFloats
    stay_cost: SmallFloats


@dataclass(frozen=True, slots=True)
class Rooms:
    """What is left of circuits and phases, for a time: one row for each stretch that may bind.

    A new pod takes from a room if its stay overlaps [`start`, `end`): to count the raise of draw of
    all such pods of a vehicle against every such row never overloads it, and is sometimes too
    cautious (an asleep car starts a minute later). For a bound only what stays at `instant` may be
    counted: start <= instant < until; an instant of -1 is before everything.

    Attributes:
        key: by row, the site, the circuit and perhaps the phase.
        left: int64[C], milliwatts, or sixths of them on a phase; never negative (0: full).
        start, end, instant: int64[C].
        first: int64[V + 1]; the loads of vehicle v are at `first[v]` to `first[v + 1]`.
        room: int32[L].
        parts: int64[L], how much of the room a milliwatt of the vehicle's draw takes.
    """

    key: tuple[tuple[str, ...], ...]
    left: Ints
    start: Ints
    end: Ints
    instant: Ints
    first: Ints
    room: Indices
    parts: Ints


@dataclass(frozen=True, slots=True)
class Spreads:
    """Spread groups: in each domain at most `skew` more pods than in the emptiest.

    Two templates are in one group if their constraints, namespaces and domains are the same.

    Attributes:
        subject: bool[S, T], the template has the constraint.
        counted: bool[S, T], its pods are counted by it.
        domain: int32[S, V], the domain of each vehicle in this group; -1: it has none.
        first: int64[S + 1]; the domains of group s are numbered `first[s]` to `first[s + 1]`.
        running: int64[D], pods that run there and are counted.
        skew: int64[S].
        floor_is_zero: bool[S], there are fewer domains than asked for: the emptiest counts 0.
    """

    subject: Flags
    counted: Flags
    domain: Indices
    first: Ints
    running: Ints
    skew: Ints
    floor_is_zero: Flags


@dataclass(frozen=True, slots=True)
class Tables:
    """All of it.

    Attributes:
        resources: names the columns of `request` and `free`.
        at: the plan's time, of which all instants are counted.
        site: int32[V], which of `sites` each vehicle stands at; -1: at none.
    """

    resources: tuple[str, ...]
    wanted: Wanted
    offered: Offered
    pairs: Pairs
    rooms: Rooms
    spreads: Spreads
    at: int = 0
    site: Indices = field(default_factory=lambda: np.empty(0, np.int32))
    sites: tuple[str, ...] = ()

    @property
    def vehicles(self) -> int:
        """V."""
        return len(self.offered.candidate)

    @property
    def templates(self) -> int:
        """T."""
        return len(self.wanted.count)
