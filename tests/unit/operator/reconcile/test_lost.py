"""Pods on vehicles that nobody hears from: given up in time, and counted until their fence."""

from tests.unit.operator.reconcile.scene import DEPARTURE, Scene

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_operator.twin.kubelet import EndedBy
from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.testing import AT


async def test_a_lost_pod_is_replaced_and_counts_until_its_fence() -> None:
    """Ten minutes after the Node became Unknown another pod starts; the first counts on."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    lost = scene.pod("svc-1")
    fence = (lost.start_time or 0) + (lost.active_deadline_seconds or 0) * SECOND
    scene.cluster.cut_link(lost.node or "")
    await scene.run(50 + 590)
    assert scene.names() == {"svc-1"}
    report = await scene.run(40)
    assert scene.names() == {"svc-2"}
    assert scene.pod("svc-2").node not in {lost.node, None}
    counted = {each.pod.name: each for each in report.situation.snapshot.running}
    assert counted["svc-1"].counts_until == fence
    assert counted["svc-1"].bound_power == 62_500
    (entry,) = scene.cluster.view().vehicles[lost.node or ""].given_up
    assert entry.fence == fence
    assert [run.ended_by for run in scene.cluster.kubelets.runs] == [None, None]


async def test_past_its_fence_nothing_counts_any_more() -> None:
    """The kubelet alone ended it at the deadline; then the entry is dropped."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    node = scene.pod("svc-1").node or ""
    scene.cluster.cut_link(node)
    await scene.run(8 * 3_600 - 60, every=120)
    first = scene.cluster.kubelets.runs[0]
    assert first.ended_by is EndedBy.DEADLINE
    assert (first.ended_at or 0) <= DEPARTURE - 30 * SECOND
    assert scene.cluster.view().vehicles[node].given_up == ()


async def test_the_object_is_removed_only_once_it_is_written_down() -> None:
    """Where the annotation cannot be written, the pod stays until it can."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    scene.cluster.cut_link(scene.pod("svc-1").node or "")
    scene.fail("write_given_up", Result(Outcome.UNKNOWN, "timeout"))
    await scene.run(50 + 605)
    assert scene.writes("remove") == []
    assert scene.names() == {"svc-1"}
    await scene.run(10)
    assert [each.verb for each in scene.writes("write_given_up", "remove")] == [
        "write_given_up",
        "write_given_up",
        "remove",
    ]


async def test_a_pod_that_others_removed_from_a_lost_vehicle_counts_too() -> None:
    """Somebody deleted the object by force: its containers run on, and count."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    scene.cluster.cut_link(record.node or "")
    await scene.run(60)
    await scene.cluster.remove(record)
    report = await scene.run(10)
    (entry,) = scene.cluster.view().vehicles[record.node or ""].given_up
    assert entry.pod.name == "svc-1"
    report = await scene.run(10)
    counted = [each for each in report.situation.snapshot.running if each.counts_until]
    assert [each.pod.name for each in counted] == ["svc-1"]


async def test_a_vanished_pod_that_could_not_be_written_down_is_not_forgotten() -> None:
    """The annotation is tried again in the next cycle, although the watch shows no pod."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    scene.cluster.cut_link(record.node or "")
    await scene.run(60)
    await scene.cluster.remove(record)
    scene.fail("write_given_up", Result(Outcome.UNKNOWN, "timeout"))
    await scene.run(20)
    assert len(scene.cluster.view().vehicles[record.node or ""].given_up) == 1


async def test_a_pod_that_ended_on_a_healthy_node_is_not_counted() -> None:
    """An object that goes while its kubelet is heard was confirmed by that kubelet."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.cluster.delete_pod(scene.pod("svc-1").pod.uid)
    await scene.run(60)
    assert scene.writes("write_given_up") == []


async def test_a_pod_without_a_known_start_counts_until_the_last_safe_time() -> None:
    """Bound, and the link was cut before the kubelet reported: the latest it may run is known."""
    scene = Scene(2)
    scene.service()
    await scene.run()
    node = scene.pod("svc-1").node or ""
    scene.cluster.cut_link(node)
    await scene.run(50 + 640)
    (entry,) = scene.cluster.view().vehicles[node].given_up
    assert entry.fence == DEPARTURE - 30 * SECOND


async def test_a_vehicle_that_is_back_in_time_keeps_its_pods() -> None:
    """A link that is cut for five minutes moves nobody."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    node = scene.pod("svc-1").node or ""
    scene.cluster.cut_link(node)
    await scene.run(300)
    scene.cluster.restore_link(node)
    await scene.run(600)
    assert scene.names() == {"svc-1"}
    assert scene.writes("evict", "remove", "delete") == []


async def test_a_node_that_is_deleted_does_not_make_its_pods_uncounted() -> None:
    """The Node's object goes and its pods with it: nobody saw the containers end."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    scene.cluster.drop_node(record.node or "")
    await scene.cluster.remove(record)
    await scene.run(10)
    assert len(scene.cluster.view().vehicles[record.node or ""].given_up) == 1


async def test_what_is_given_up_takes_room() -> None:
    """A vehicle that is back is not given to another pod beyond its capacity before the fence."""
    scene = Scene(1, compute__capacity={"cpu": 1_000, "memory": 2**40})
    scene.service()
    await scene.run(30)
    scene.cluster.cut_link("v-0")
    await scene.run(50 + 640)
    assert scene.names() == {"svc-2"}
    scene.cluster.restore_link("v-0")
    report = await scene.run(60)
    (waiting,) = report.plan.waiting
    assert waiting.reasons == {"NotEnoughResources": 1}
    assert AT < report.situation.at < DEPARTURE


async def test_a_pod_that_kubernetes_evicts_behind_a_cut_link_counts_until_its_fence() -> None:
    """It is being deleted, and replaced, long before it is given up: counted once all the while."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    scene.cluster.cut_link(record.node or "")
    await scene.run(350)
    scene.cluster.delete_pod(record.pod.uid)  # what the taint `unreachable` does after 300 s
    report = await scene.run(30)
    assert scene.pod("svc-2").node not in {record.node, None}
    assert sorted(each.pod.name for each in report.situation.snapshot.running) == ["svc-1", "svc-2"]
    report = await scene.run(320)
    report = await scene.run(10)
    assert scene.names() == {"svc-2"}
    assert sorted(each.pod.name for each in report.situation.snapshot.running) == ["svc-1", "svc-2"]
    assert scene.writes("evict", "delete") == []


async def test_a_pod_that_kubernetes_evicted_ends_when_the_link_is_back() -> None:
    """Back before it was given up: the kubelet hears of it and ends it; nothing runs twice."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    scene.cluster.cut_link(record.node or "")
    await scene.run(350)
    scene.cluster.delete_pod(record.pod.uid)
    await scene.run(60)
    scene.cluster.restore_link(record.node or "")
    report = await scene.run(60)
    assert scene.names() == {"svc-2"}
    assert [run.ended_by for run in scene.cluster.kubelets.runs] == [EndedBy.DRAIN, None]
    assert [each.pod.name for each in report.situation.snapshot.running] == ["svc-2"]
    assert scene.writes("write_given_up", "remove") == []


async def test_a_pod_that_was_given_up_does_not_run_again_when_the_link_is_back() -> None:
    """Its object is gone, so the kubelet ends its containers; it counts until its fence."""
    scene = Scene(2)
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    scene.cluster.cut_link(record.node or "")
    await scene.run(50 + 640)
    assert scene.names() == {"svc-2"}
    scene.cluster.restore_link(record.node or "")
    report = await scene.run(600)
    first, second = scene.cluster.kubelets.runs
    assert (first.ended_by, second.ended_by) == (EndedBy.DRAIN, None)
    assert scene.names() == {"svc-2"}
    counted = {each.pod.name: each.counts_until for each in report.situation.snapshot.running}
    assert counted["svc-1"] is not None
    scene.assert_nothing_bound_twice()


async def test_a_released_pod_behind_a_cut_link_is_given_up_like_any_other() -> None:
    """Nobody owns it; its replacement is there already, and it counts until its fence."""
    scene = Scene(2)
    scene.observe("v-1", parking__occupied=True)
    scene.service()
    await scene.run(30)
    scene.observe("v-0", departure_expected_at=AT + 20 * 60 * SECOND)
    await scene.run(15 * 60 + 10)
    assert scene.pod("svc-1").released is not None
    scene.cluster.cut_link("v-0")
    scene.observe("v-1", parking__occupied=False)
    await scene.run(4 * 60)
    await scene.run(600)
    assert scene.names() == {"svc-2"}
    assert scene.cluster.kubelets.runs[0].ended_by is EndedBy.DEADLINE
    assert (scene.cluster.kubelets.runs[0].ended_at or 0) <= AT + 20 * 60 * SECOND - 30 * SECOND
