"""Bindings under way: each counts until it is known how it ended."""

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.reconcile.assumed import SentBindings
from idlewatt_operator.reconcile.snapshot import Assumed
from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.testing import AT, changed

BINDING = Assumed("v-0", 62_500, AT)


async def sent(scene: Scene) -> SentBindings:
    """A binding of `svc-1` that was sent and of which nothing is known."""
    scene.service()
    bindings = SentBindings(5 * SECOND)
    bindings.sending(scene.pod("svc-1"), BINDING, AT)
    return bindings


async def test_what_was_sent_counts() -> None:
    """Neither a done nor an unknown binding is forgotten while the watch shows nothing."""
    scene = Scene()
    bindings = await sent(scene)
    bindings.settle_by_watch(scene.cluster.view())
    assert bindings.counted() == {"uid-default-svc-1": BINDING}
    bindings.done("uid-default-svc-1", AT)
    bindings.settle_by_watch(scene.cluster.view())
    assert bindings.counted() == {"uid-default-svc-1": BINDING}


async def test_the_watch_settles_it_wherever_the_pod_went() -> None:
    """Bound here, bound elsewhere, ended, being deleted or gone: the view says what counts."""
    for change in ({"node": "v-9"}, {"phase": "Failed"}, {"being_deleted": True}):
        scene = Scene()
        bindings = await sent(scene)
        scene.cluster.add_pod(changed(scene.pod("svc-1"), **change))
        bindings.settle_by_watch(scene.cluster.view())
        assert bindings.counted() == {}


async def test_a_done_binding_is_asked_about_only_when_the_watch_is_late() -> None:
    """Five seconds are the watch's; a GET that shows the pod bound keeps it counted."""
    scene = Scene()
    bindings = await sent(scene)
    scene.cluster.hold_watch()
    bindings.done("uid-default-svc-1", AT)
    await bindings.settle_by_asking(scene.cluster, AT + 4 * SECOND, 2)
    assert bindings.counted() != {}
    await bindings.settle_by_asking(scene.cluster, AT + 5 * SECOND, 2)
    assert bindings.counted() == {}


async def test_asking_finds_where_it_really_is() -> None:
    """Somebody else was faster: the pod counts on the other vehicle, with what it carries."""
    scene = Scene()
    bindings = await sent(scene)
    record = changed(scene.pod("svc-1"), node="v-7", bound_power=1_000, bound_until=AT + 1)
    scene.cluster.add_pod(record)
    await bindings.settle_by_asking(scene.cluster, AT, 2)
    assert bindings.counted() == {"uid-default-svc-1": Assumed("v-7", 1_000, AT + 1)}


async def test_a_namesake_settles_it_too() -> None:
    """A pod of the same name with another UID is another pod: the one that was meant is gone."""
    scene = Scene()
    bindings = await sent(scene)
    record = scene.pod("svc-1")
    scene.cluster.delete_pod(record.pod.uid)
    scene.cluster.add_pod(changed(record, pod=changed(record.pod, uid="another"), node="v-0"))
    await bindings.settle_by_asking(scene.cluster, AT, 2)
    assert bindings.counted() == {}
