"""By what a running pod is known: it may have the name of one that was there before."""

from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.moves.asked import may_be_asked, name_of, names_of
from idlewatt_scheduler.testing import AT, a_pod, a_running_pod


def test_a_pod_is_known_by_its_name_its_uid_and_its_node() -> None:
    """A pod of a StatefulSet keeps its name, and one that was given up counts where it was."""
    pod = a_pod(uid="1")
    leaving = [Leaving(pod, "v-1", VehicleReason.OCCUPIED)]
    assert name_of(pod, "v-1") in names_of(leaving)
    assert name_of(pod, "v-2") not in names_of(leaving)
    assert name_of(a_pod(uid="2"), "v-1") not in names_of(leaving)


def test_who_may_be_asked() -> None:
    """Whoever has a controller, stands alone and is not on its way."""
    assert may_be_asked(a_running_pod())
    assert not may_be_asked(a_running_pod(counts_until=AT))
