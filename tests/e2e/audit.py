"""What the API server wrote down of each request: who asked for what, when, and how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

POD_NAME: Final = "authentication.kubernetes.io/pod-name"
WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
FORBIDDEN: Final = 403

Permission: TypeAlias = tuple[str, str, str]
"""A verb, an API group, and a resource with its subresource."""


@dataclass(frozen=True)
class Request:
    """A request that ended.

    Attributes:
        at: when it arrived, seconds since 1970.
        pod: of the one who asked, where a pod's token says so.
        resource: with its subresource, `pods/binding`; empty: no resource was asked for.
    """

    at: float
    user: str
    pod: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether it would change something."""
        return self.verb in WRITES

    @property
    def permission(self) -> Permission:
        """What had to be allowed for it."""
        return self.verb, self.group, self.resource


def request_of(event: Mapping[str, Any]) -> Request | None:
    """Read one event; None for a stage before the last, or where no resource was asked for."""
    reference = event.get("objectRef")
    # A watch may outlive the run: it counts once it was answered.
    ended = event.get("stage") in {"ResponseComplete", "Panic"} or event.get("verb") == "watch"
    if reference is None or not ended:
        return None
    resource, subresource = reference.get("resource", ""), reference.get("subresource", "")
    extra = event["user"].get("extra") or {}
    return Request(
        at=datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp(),
        user=event["user"].get("username", ""),
        pod=next(iter(extra.get(POD_NAME, [])), ""),
        verb=event["verb"],
        group=reference.get("apiGroup", ""),
        resource=f"{resource}/{subresource}" if subresource else resource,
        namespace=reference.get("namespace", ""),
        name=reference.get("name", ""),
        status=event.get("responseStatus", {}).get("code", 0),
    )


def granted_by(rules: Iterable[Mapping[str, Any]]) -> set[Permission]:
    """All that the rules of a Role or ClusterRole allow; one that allows `*` is not read."""
    return {
        (verb, group, resource)
        for rule in rules
        for verb in rule["verbs"]
        for group in rule.get("apiGroups", ())
        for resource in rule.get("resources", ())
    }
