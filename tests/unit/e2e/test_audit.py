"""Events of an API server's audit log are read into requests, and rules into permissions."""

from typing import Any

from tests.e2e.audit import granted_by, request_of


def an_event(**changed: object) -> dict[str, Any]:
    """A Binding by an operator's pod, as the API server writes it down."""
    return {
        "stage": "ResponseComplete",
        "verb": "create",
        "user": {
            "username": "system:serviceaccount:idlewatt:idlewatt",
            "extra": {"authentication.kubernetes.io/pod-name": ["idlewatt-1"]},
        },
        "objectRef": {
            "resource": "pods",
            "subresource": "binding",
            "namespace": "e2e",
            "name": "a-1",
            "apiVersion": "v1",
        },
        "responseStatus": {"code": 201},
        "requestReceivedTimestamp": "2026-01-15T22:00:00.500000Z",
        **changed,
    }


def test_a_request_says_who_asked_for_what() -> None:
    """The pod is told by its token, the time by the API server's own clock."""
    request = request_of(an_event())
    assert request is not None
    assert (request.pod, request.permission) == ("idlewatt-1", ("create", "", "pods/binding"))
    assert (request.namespace, request.name, request.status) == ("e2e", "a-1", 201)
    assert request.at == 1768514400.5
    assert request.writes


def test_to_read_is_no_write() -> None:
    """Whatever the verb asks for that changes nothing."""
    for verb in ("get", "list", "watch"):
        request = request_of(an_event(verb=verb))
        assert request is not None
        assert not request.writes


def test_what_is_no_request_for_an_object_is_left_out() -> None:
    """A path of another kind, and the stages before the last; but a watch counts at once."""
    assert request_of(an_event(objectRef=None)) is None
    assert request_of(an_event(stage="ResponseStarted")) is None
    assert request_of(an_event(stage="ResponseStarted", verb="watch")) is not None


def test_rules_are_every_verb_of_every_resource() -> None:
    """As many permissions as a rule has combinations; paths are none."""
    rules = [
        {"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
    ]
    assert granted_by(rules) == {
        ("get", "", "pods"),
        ("list", "", "pods"),
        ("get", "apps", "pods"),
        ("list", "apps", "pods"),
    }
