"""Every object of every kind in a cluster, to see what an installation leaves behind."""

from collections.abc import Iterable
from typing import Final, TypeAlias

from tests.cluster.api import Api, Manifest, RefusedError

Object: TypeAlias = tuple[str, str, str]
"""The kind, the namespace (empty: none) and the name."""
Inventory: TypeAlias = set[Object]

# What a cluster makes by itself, all the time.
PASSING: Final = frozenset({"Event", "Lease", "PodMetrics", "NodeMetrics", "ComponentStatus"})


def inventory(api: Api) -> Inventory:
    """Name every object that can be listed, but for what passes by itself."""
    found: Inventory = set()
    for version, resource in _listable(api):
        if resource["kind"] in PASSING:
            continue
        prefix = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        try:
            listed = api.request("GET", f"{prefix}/{resource['name']}")
        except RefusedError:
            continue
        found |= {
            (
                resource["kind"],
                each["metadata"].get("namespace", ""),
                each["metadata"]["name"],
            )
            for each in listed["items"]
        }
    return found


def _listable(api: Api) -> Iterable[tuple[str, Manifest]]:
    versions = list(api.request("GET", "/api")["versions"])
    groups = api.request("GET", "/apis")["groups"]
    versions += [group["preferredVersion"]["groupVersion"] for group in groups]
    for version in versions:
        prefix = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        for resource in api.request("GET", prefix)["resources"]:
            if "/" not in resource["name"] and "list" in resource["verbs"]:
                yield version, resource
