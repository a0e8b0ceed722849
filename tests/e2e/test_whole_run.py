"""What has to hold at every moment, and is looked at once all scenarios are over."""

from collections import Counter

from tests.e2e import loads
from tests.e2e.audit import FORBIDDEN, Permission, granted_by
from tests.e2e.stage import Stage

ACCOUNT = "system:serviceaccount:idlewatt:idlewatt"
SHED_WITHIN_SECONDS = 25

# Granted, and yet not used in this run.
UNUSED: dict[Permission, str] = {
    ("get", "", "pods"): "a pod is asked whether it was bound only where the answer got lost",
    ("patch", "events.k8s.io", "events"): "an event that is told again becomes a series",
    ("create", "admission.idlewatt.dev", "vehiclelists"): "an apply is a patch that may create",
    ("get", "", "configmaps"): "one is read only where the policy's departuresRef names it",
}


def test_no_circuit_was_over_its_limit(fleet: Stage) -> None:
    """At every second of the run, by the containers that ran, whoever led and whatever was cut."""
    watts = {uid: each.watts for uid, each in fleet.book.entries.items() if each.watts}
    instants = sorted({at for one in fleet.witness.sightings.values() for at in one.looks})
    found = loads.looks(instants, fleet.witness.spans(), watts, fleet.electrics())
    limit = next(
        int(each["importCapacityLimitWatts"])
        for each in fleet.api.get("ParkingSite", "depot")["spec"]["circuits"]
        if each["name"] == "row-a"
    )
    greatest = max(found, key=lambda look: look.load_watts)
    fleet.figures.note("circuit: greatest load of the run (W)", float(greatest.load_watts))
    fleet.figures.note("circuit: looks at it", len(found))
    assert greatest.containers > 0
    assert greatest.load_watts <= limit


def test_no_pod_was_bound_twice(fleet: Stage) -> None:
    """The API server took one Binding of each pod of ours, from whichever operator."""
    bindings = Counter(
        (request.namespace, request.name)
        for request in fleet.requests()
        if request.resource == "pods/binding" and request.status < 300
    )
    assert bindings
    assert max(bindings.values()) == 1


def test_nothing_was_forbidden(fleet: Stage) -> None:
    """The chart grants the operator all that it asked for."""
    refused = {
        request.permission
        for request in fleet.requests()
        if request.user == ACCOUNT and request.status == FORBIDDEN
    }
    assert refused == set()


def test_nothing_is_granted_that_is_not_used(fleet: Stage) -> None:
    """Every rule of the chart was needed in this run, but for those listed with a reason."""
    used = {request.permission for request in fleet.requests() if request.user == ACCOUNT}
    granted = granted_by(fleet.api.get("ClusterRole", "idlewatt")["rules"])
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/idlewatt/roles/idlewatt"
    granted |= granted_by(fleet.api.request("GET", path)["rules"])
    assert granted - used - set(UNUSED) == set()


def test_no_event_names_the_owners_business(fleet: Stage) -> None:
    """Events are read by tenants: none says who came back, what is charged or what is paid."""
    words = ("own-", "agr-", "departure", "occupied by", "EUR")
    events = fleet.api.list("Event", api_version="events.k8s.io/v1")
    ours = [each["note"] for each in events if "idlewatt" in each.get("reportingController", "")]
    assert ours
    assert [note for note in ours if any(word in note for word in words)] == []
