"""The pods of an instance: kinds of skewed sizes and counts, spread, gangs, places they ask for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any, Final

from tests.benchmarks.instance_fleet import (
    DEDICATED,
    GPU,
    HARDWARE_KEY,
    IMAGES,
    NPU,
    REGION_KEY,
    REGIONS,
    SITE_KEY,
    YEAR_KEY,
    ZONE_KEY,
    ZONES_A_REGION,
)

from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.workload import (
    Demand,
    NodeSelectorTerm,
    Pod,
    Preference,
    Requirement,
    Spread,
    Toleration,
)
from idlewatt_scheduler.testing import AT, GIBIBYTE

KINDS_AT_LEAST: Final = 150
PRIORITIES: Final = (0, 10, 100, 1_000, 5_000, 100_000)
MIXES_OF_PRIORITIES: Final = (
    (40, 25, 15, 10, 6, 4),
    (8, 12, 20, 25, 20, 15),
    (3, 5, 7, 10, 15, 60),
)
"""How many of the kinds have each priority: an instance has one of these mixes."""

CORES: Final = (0.25, 0.5, 1, 1, 2, 2, 3, 4, 6, 8, 12)
GANG: Final = (2, 32)
PODS_A_GANG: Final = 300
"""Of the pending pods, so many to each gang."""

CLAIMS: Final = "spec.resourceClaims"
"""A field that is not honoured yet: one in a hundred kinds has it."""

_TOLERATED: Final = Toleration(DEDICATED.key, "Equal", DEDICATED.value, DEDICATED.effect)


@dataclass(frozen=True, slots=True)
class Supplied:
    """What the vehicles that take pods offer together.

    Attributes:
        share: of it the pods ask for so much.
    """

    millicores: int
    gpus: int
    npus: int
    share: float


@dataclass(slots=True)
class _Kind:
    """A kind of pods: what they have in common, and how many there are."""

    name: str
    count: int
    cores: float
    fields: dict[str, Any]
    requests: dict[str, int]


def some_pods(chance: Random, count: int, supplied: Supplied) -> tuple[Pod, ...]:
    """So many pending pods, in order of age."""
    kinds = _kinds(chance, count)
    _scale(kinds, supplied)
    pods = [pod for kind in kinds for pod in _pods_of(chance, kind)]
    pods.sort(key=lambda pod: (pod.created_at, pod.name))
    return tuple(pods)


def come_later(chance: Random, name: str) -> dict[str, Any]:
    """What a pod that comes later and is of the same kind differs in."""
    return {"name": name, "uid": f"uid-{name}", "created_at": AT - chance.randrange(MINUTE)}


def _kinds(chance: Random, count: int) -> list[_Kind]:
    gangs = list(_gangs(chance, count)) if count >= 2 * GANG[0] else []
    left = count - sum(kind.count for kind in gangs)
    ordinary = KINDS_AT_LEAST + chance.randrange(50) if count >= 2 * KINDS_AT_LEAST else left // 2
    counts = _skewed(chance, left, max(ordinary, 1))
    mix = chance.choice(MIXES_OF_PRIORITIES)
    plain = [_kind(chance, f"kind-{n:03}", each, mix) for n, each in enumerate(counts) if each]
    for number, kind in enumerate(plain):
        if number % 10 == 3:
            kind.fields |= _spread(chance, kind, number)
        if number % 100 == 47:
            kind.fields["unsupported_fields"] = (CLAIMS,)
    return plain + gangs


def _skewed(chance: Random, total: int, parts: int) -> list[int]:
    """A total in parts, few of them large; every part at least 1 while there is enough."""
    shares = [(rank + 1.0) ** -0.8 for rank in range(parts)]
    chance.shuffle(shares)
    rest, whole = max(total - parts, 0), sum(shares)
    marks = [round(rest * mark / whole) for mark in accumulate(shares)]
    first = [1 if part < total else 0 for part in range(parts)]
    return [
        one + mark - before for one, mark, before in zip(first, marks, [0, *marks], strict=False)
    ]


def _kind(
    chance: Random, name: str, count: int, mix: Sequence[int] = MIXES_OF_PRIORITIES[0]
) -> _Kind:
    cores = chance.choice(CORES) * chance.uniform(0.7, 1.4)
    requests = {"pods": 1_000}
    drawn = chance.random()
    if drawn < 0.18:
        requests[GPU] = 1_000 * chance.choice((1, 1, 1, 2, 2, 4))
    elif drawn < 0.24:
        requests[NPU] = 1_000 * chance.choice((1, 1, 2))
    if chance.random() < 0.1:
        requests["ephemeral-storage"] = chance.randrange(1, 40) * GIBIBYTE
    fields: dict[str, Any] = {
        "namespace": f"team-{chance.randrange(8)}",
        "priority": chance.choices(PRIORITIES, mix)[0],
        "images": (chance.choice(IMAGES),),
        "reads_secret": chance.random() < 0.1,
        "tolerations": (_TOLERATED,) if chance.random() < 0.15 else (),
        "termination_grace_seconds": chance.choice((5, 30, 30, 120, 600)),
        "labels": {"app": name},
        "demand": _demand(chance, cores),
    }
    where = chance.random()
    if where < 0.1:
        fields |= _affinity(chance)
    if chance.random() < 0.1:
        fields["preferred_affinity"] = _preferences(chance)
    return _Kind(name, count, cores, fields, requests)


def _demand(chance: Random, cores: float, **more: Any) -> Demand:  # noqa: ANN401 - fields of a Demand
    runtime = int(min(chance.lognormvariate(0.3, 0.8), 9.0) * HOUR) // MINUTE * MINUTE
    open_ended = chance.random() < 0.3
    needs = max(runtime, 5 * MINUTE)
    regions = frozenset(chance.sample(list(REGIONS), chance.randrange(1, 5)))
    return Demand(
        expected_runtime=None if open_ended else needs,
        power_watts=int(15 + cores * chance.randrange(12, 45)) if chance.random() < 0.6 else None,
        deadline=AT + 2 * needs + HOUR if chance.random() < 0.1 and not open_ended else None,
        any_tariff=chance.random() < 0.25,
        residency=regions if chance.random() < 0.11 else None,
        model_load_time=chance.randrange(0, 180) * 1_000,
        image_size_bytes=int(10 ** chance.uniform(8.0, 9.7)) if chance.random() < 0.6 else None,
        **more,
    )


def _affinity(chance: Random) -> dict[str, Any]:
    """A node selector or a required node affinity."""
    drawn = chance.random()
    if drawn < 0.3:
        return {"node_selector": {REGION_KEY: chance.choice(list(REGIONS))}}
    if drawn < 0.6:
        zones = tuple(chance.sample(_zones(), chance.randrange(3, 10)))
        return {"node_affinity": (_term(ZONE_KEY, "In", *zones),)}
    if drawn < 0.8:
        return {"node_affinity": (_term(YEAR_KEY, "Gt", str(chance.randrange(2_016, 2_023))),)}
    some = tuple(f"hw-{number:02}" for number in chance.sample(range(20), 6))
    return {
        "node_affinity": (
            _term(HARDWARE_KEY, "NotIn", *some),
            _term(REGION_KEY, "In", chance.choice(list(REGIONS))),
        )
    }


def _preferences(chance: Random) -> tuple[Preference, ...]:
    """Newer machines, and a region rather than others."""
    newer = _term(YEAR_KEY, "Gt", str(chance.randrange(2_018, 2_024)))
    near = _term(REGION_KEY, "In", *chance.sample(list(REGIONS), 2))
    both = (Preference(chance.randrange(1, 101), newer), Preference(chance.randrange(1, 51), near))
    return both[: chance.randrange(1, 3)]


def _term(key: str, operator: str, *values: str) -> NodeSelectorTerm:
    return NodeSelectorTerm((Requirement(key, operator, values),))


def _zones() -> list[str]:
    return [f"{region}-{number}" for region in REGIONS for number in range(ZONES_A_REGION)]


def _spread(chance: Random, kind: _Kind, number: int) -> dict[str, Any]:
    """Over regions, zones or sites; now and then counted together with a whole team's pods."""
    key = chance.choice((REGION_KEY, ZONE_KEY, ZONE_KEY, SITE_KEY))
    skew = chance.randrange(1, 4) + (kind.count // 50 if key == REGION_KEY else 0)
    selector = Requirement("app", "In", (kind.name,))
    labels = {"app": kind.name}
    if number % 40 == 3:
        labels["tier"] = "front"
        selector = Requirement("tier", "In", ("front",))
    constraint = Spread(key, skew, (selector,), chance.choice((1, 1, 1, 3)))
    return {"spread": (constraint,), "labels": labels}


def _gangs(chance: Random, count: int) -> Iterator[_Kind]:
    """Gangs of 2 to 32 pods; in some, one of the pods leads and is larger."""
    least, most = GANG
    for number in range(max(count // PODS_A_GANG, 1)):
        size = min(least + int(chance.paretovariate(0.7)) - 1, most, count // 2)
        lacking = 1 if size > least and chance.random() < 0.2 else 0
        name = f"gang-{number:03}"
        kind = _kind(chance, name, size)
        cores = min(kind.cores, 3.0)
        kind.cores = cores
        chance_of_demand = Random(f"{name} {chance.random()}")  # noqa: S311 - repeatable on purpose
        demand = _demand(chance_of_demand, cores, gang=name, gang_size=size - lacking)
        kind.fields |= {"demand": demand}
        if size > least and chance.random() < 0.25:
            kind.count -= 1
            fields = {**kind.fields, "labels": {"app": f"{name}-leader"}}
            fields["demand"] = _demand(chance, 2 * cores, gang=name, gang_size=size - lacking)
            yield _Kind(f"{name}-leader", 1, 2 * cores, fields, dict(kind.requests))
        yield kind


def _scale(kinds: Sequence[_Kind], supplied: Supplied) -> None:
    """Sizes that ask together for the wanted share of what there is; a few pods fit nowhere."""
    wanted = supplied.share * supplied.millicores
    factor = wanted / max(sum(1_000 * kind.cores * kind.count for kind in kinds), 1.0)
    for kind in kinds:
        millicores = min(max(int(factor * 1_000 * kind.cores), 50), 34_000)
        kind.requests["cpu"] = millicores // 10 * 10
        ratio = 1.0 + (hash_of(kind.name) % 40) / 10
        kind.requests["memory"] = int(millicores / 1_000 * ratio * 64) * (GIBIBYTE // 64)
    for resource, there in ((GPU, supplied.gpus), (NPU, supplied.npus)):
        _trim(kinds, resource, int(supplied.share * there))


def _trim(kinds: Sequence[_Kind], resource: str, most: int) -> None:
    """Take accelerators off the largest kinds until they ask for no more than that."""
    users = [kind for kind in kinds if resource in kind.requests]
    asked = sum(kind.count * kind.requests[resource] for kind in users)
    for kind in sorted(users, key=lambda kind: -kind.count):
        if asked <= most:
            return
        asked -= kind.count * kind.requests.pop(resource)


def hash_of(text: str) -> int:
    """The same number for the same text, in every process."""
    return sum(ord(letter) * (index + 7) for index, letter in enumerate(text))


def _pods_of(chance: Random, kind: _Kind) -> Iterator[Pod]:
    random = chance.random
    for number in range(kind.count):
        name = f"{kind.name}-{number}"
        yield Pod(
            name=name,
            uid=f"uid-{name}",
            created_at=AT - int(random() * 3_600) * 1_000,
            requests=kind.requests,
            **kind.fields,
        )


COST_A_POINT: Final = Decimal("0.0005")
"""What a point of an unmet preference weighs in these instances."""
