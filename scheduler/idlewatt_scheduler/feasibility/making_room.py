"""Who leaves for a waiting pod of higher priority, and who moves to be cheaper."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from idlewatt_scheduler.feasibility.bill import bill
from idlewatt_scheduler.feasibility.imagined import Imagined
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, Reading, Stay, identity
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.policy import Preemption
from idlewatt_scheduler.model.reasons import MoveReason
from idlewatt_scheduler.model.units import seconds
from idlewatt_scheduler.model.workload import Pod, RunningPod


def asked_to_make_room(scene: Scene) -> Mapping[Identity, MoveReason]:
    """Exactly the running pods that leave though nothing about themselves asks them to."""
    policy, asked = scene.reading.policy, dict[Identity, MoveReason]()
    if policy.preemption is Preemption.LOWER_PRIORITY:
        asked |= dict.fromkeys(_preempted(scene), MoveReason.PREEMPTED)
    if policy.migration_cost is not None:
        moving = list(_cheaper_elsewhere(scene, asked, Fraction(policy.migration_cost)))
        asked |= dict.fromkeys(moving, MoveReason.CHEAPER_ELSEWHERE)
    return asked


def _may_be_asked(scene: Scene) -> Iterator[RunningPod]:
    """Those on vehicles that nothing else asks to leave, and that would be started again."""
    for running in scene.reading.snapshot.running:
        pod = running.pod
        if running.node not in scene.reading.vehicles or identity(pod) in scene.must_leave:
            continue
        stays = running.counts_until is None and not running.being_deleted
        if stays and pod.controlled and pod.demand.gang is None:
            yield running


def _preempted(scene: Scene) -> Iterator[Identity]:
    gone = scene.must_leave.keys() | {
        identity(running.pod)
        for running in scene.reading.snapshot.running
        if running.being_deleted and running.counts_until is None
    }
    imagined = Imagined(scene, gone)
    vehicles = [scene.reading.vehicles[name] for name in sorted(scene.reading.vehicles)]
    there: dict[str, list[Pod]] = {}
    by_name = sorted(_may_be_asked(scene), key=lambda running: running.pod.key, reverse=True)
    for running in sorted(by_name, key=_goes_first):
        there.setdefault(running.node, []).append(running.pod)
    for pod in _waiting_in_turn(scene):
        if scene.gangs.is_incomplete(pod):
            continue
        free = next((each for each in vehicles if imagined.could_take(pod, each)), None)
        if free is not None:
            imagined.put(pod, free)
            continue
        choices = [
            (max(each.priority for each in asked), len(asked), vehicle.name, asked)
            for vehicle in vehicles
            if (asked := _enough(imagined, pod, vehicle, there.get(vehicle.name, ())))
        ]
        if choices:
            _, _, name, asked = min(choices, key=lambda choice: choice[:3])
            yield from map(identity, asked)
            imagined.let_go(asked, scene.reading.vehicles[name])
            imagined.put(pod, scene.reading.vehicles[name])
            there[name] = [each for each in there[name] if each not in asked]


def _waiting_in_turn(scene: Scene) -> list[Pod]:
    waiting = [pod for who, pod in scene.reading.pending.items() if who not in scene.placed_on]
    return sorted(waiting, key=lambda pod: (-pod.priority, pod.created_at, pod.key, pod.uid))


def _goes_first(running: RunningPod) -> tuple[int, int]:
    """Least for the pod of the lowest priority, of these for the youngest."""
    return running.pod.priority, -running.pod.created_at


def _enough(
    imagined: Imagined, pod: Pod, vehicle: Candidate, there: Sequence[Pod]
) -> Sequence[Pod]:
    """The first running pods of lower priority without which the vehicle could take the pod."""
    lower = [each for each in there if each.priority < pod.priority]
    for number in range(1, len(lower) + 1):
        if imagined.could_take(pod, vehicle, lower[:number]):
            return lower[:number]
    return ()


def _cheaper_elsewhere(
    scene: Scene, preempted: Mapping[Identity, MoveReason], least: Fraction
) -> Iterator[Identity]:
    at, imagined, moved = scene.reading.at, Imagined(scene), 0
    open_ended = [
        running
        for running in _may_be_asked(scene)
        if running.replaceable and running.pod.demand.expected_runtime is None
        if running.bound_until is None or running.bound_until <= at
        if identity(running.pod) not in preempted
    ]
    alone = [(_saved(imagined, each), each) for each in open_ended]
    turn = sorted(
        ((saved[0], running) for saved, running in alone if saved is not None),
        key=lambda pair: (-pair[0], pair[1].pod.key, pair[1].pod.uid),
    )
    for _, running in turn:
        if moved == scene.reading.policy.migrations_at_once:
            return
        saved = _saved(imagined, running)
        if saved is not None and saved[0] > least:
            imagined.count_no_more(running.pod, running.node)
            imagined.put(running.pod, saved[1])
            moved += 1
            yield identity(running.pod)


def _saved(imagined: Imagined, running: RunningPod) -> tuple[Fraction, Candidate] | None:
    """What moving the pod saves, and where it would go; None: it could go nowhere."""
    reading, pod = imagined.reading, running.pod
    home = reading.vehicles[running.node]
    stay = next(each for each in reading.running_on(home.name) if each.pod is pod)
    until = reading.at + seconds(reading.policy.minimum_stay_seconds)
    as_new = Stay(pod, reading.at, reading.at, until, stay.power)
    without = reading.without({identity(pod)})
    here = _adds(without, home, imagined.new_on(home.name), as_new, waking=False)
    if here is None:
        return None
    best: tuple[Fraction, str] | None = None
    with imagined.not_counting(pod, home.name):
        for vehicle in reading.vehicles.values():
            if vehicle is home or not imagined.could_take(pod, vehicle):
                continue
            there = _adds(
                reading, vehicle, imagined.new_on(vehicle.name), reading.new_stay(pod, vehicle)
            )
            if there is not None and (best is None or (there, vehicle.name) < best):
                best = there, vehicle.name
    return None if best is None else (here - best[0], reading.vehicles[best[1]])


def _adds(
    reading: Reading,
    vehicle: Candidate,
    new: Sequence[Stay],
    stay: Stay,
    *,
    waking: bool = True,
) -> Fraction | None:
    """What one more new stay adds to what its vehicle costs; None: that is not known."""
    with_it = bill(reading, vehicle, [*new, stay], waking=waking).cost
    without = bill(reading, vehicle, new, waking=waking).cost
    return None if with_it is None or without is None else with_it - without
