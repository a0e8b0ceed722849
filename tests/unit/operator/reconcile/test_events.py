"""What a waiting pod is told: enough to act on, rarely enough to be read."""

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_scheduler.model.workload import Ready
from idlewatt_scheduler.testing import changed

BIG = {"cpu": 99_000, "pods": 1_000}


async def test_a_waiting_pod_is_told_why_in_an_event_and_a_condition() -> None:
    """`FailedScheduling` with a histogram, and `PodScheduled=False` with reason and sentence."""
    scene = Scene(3)
    scene.cluster.set_ready("v-0", Ready.FALSE)
    scene.service("big", requests=BIG)
    await scene.run()
    sentence = "0/3 vehicles: 2 too small, 1 with its Node not ready"
    assert scene.events("FailedScheduling") == [sentence]
    record = scene.pod("big-1")
    assert (record.waiting_reason, record.waiting_message) == ("Unschedulable", sentence)


async def test_counts_that_change_are_not_told() -> None:
    """A vehicle more or less under the same leading reason writes nothing for five minutes."""
    scene = Scene(5)
    scene.service("big", requests=BIG)
    await scene.run()
    scene.cluster.set_ready("v-0", Ready.FALSE)
    await scene.run(280)
    assert len(scene.events("FailedScheduling")) == 1
    assert len(scene.writes("set_waiting")) == 1
    await scene.run(30)
    assert len(scene.events("FailedScheduling")) == 2
    assert scene.pod("big-1").waiting_message.endswith("1 with its Node not ready")


async def test_a_new_leading_reason_is_told_at_once() -> None:
    """When most vehicles fail on something else, the pod is told in the same cycle."""
    scene = Scene(3)
    scene.service("big", requests=BIG)
    await scene.run()
    for name in ("v-0", "v-1"):
        scene.cluster.set_ready(name, Ready.FALSE)
    await scene.run(10)
    assert [each[:34] for each in scene.events("FailedScheduling")] == [
        "0/3 vehicles: 3 too small",
        "0/3 vehicles: 2 with their Nodes n",
    ]


async def test_a_restart_does_not_tell_everybody_again() -> None:
    """What the condition says already was said before the restart."""
    scene = Scene(3)
    scene.service("big", requests=BIG, count=20)
    await scene.run()
    before = len(scene.writes())
    scene.restart()
    await scene.run(10)
    assert [each for each in scene.writes()[before:] if each.verb in {"say", "set_waiting"}] == []


async def test_an_unsupported_field_is_named() -> None:
    """The event names what idlewatt does not honour; the pod is never placed without it."""
    scene = Scene()
    scene.service("port", unsupported_fields=("spec.containers[0].ports[0].hostPort",))
    await scene.run()
    assert "hostPort" in scene.events("FailedScheduling")[0]
    assert scene.pod("port-1").waiting_reason == "Unschedulable"


async def test_an_invalid_annotation_is_named() -> None:
    """The event says which annotation, and what is wrong with it."""
    scene = Scene()
    sentence = "annotation idlewatt.dev/power: 'much' is not a whole number"
    scene.service("bad", invalid_annotations=(sentence,))
    await scene.run()
    assert sentence in scene.events("FailedScheduling")[0]


async def test_no_event_tells_of_the_owner() -> None:
    """Whatever happens to a vehicle, no event has its owner, rate, departure or presence."""
    scene = Scene(2)
    scene.service(count=4)
    await scene.run(30)
    scene.observe("v-0", parking__occupied=True)
    scene.observe("v-1", parking__parked=False)
    await scene.run(60)
    told = " ".join(message for message in scene.events("Draining"))
    assert told
    for word in ("ccupied", "arked", "wner", "eaves too", "eparture", "EUR"):
        assert word not in told


async def test_a_pod_that_lands_is_told_nothing_more() -> None:
    """Once bound, a pod that waited gets no further word of waiting."""
    scene = Scene()
    scene.cluster.set_ready("v-0", Ready.FALSE)
    scene.service()
    await scene.run()
    scene.cluster.set_ready("v-0", Ready.TRUE)
    await scene.run(600)
    assert len(scene.events("FailedScheduling")) == 1
    assert len(scene.events("Scheduled")) == 1
    assert changed(scene.pod("svc-1"), node=None).waiting_reason is None
