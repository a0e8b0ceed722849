"""The corpus of bad manifests: good ones of each kind, and mistakes made in them one at a time.

A case is written as a change to the good manifest, so that the mistake is all there is to see.
`set` gives fields other values, `remove` takes them away, `repeat` fills a list or mapping with
copies of an item in which `{n}` counts. What must be said of it stands under `says`, or under
`server` and `offline` where the API server has words of its own.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idlewatt_operator.resources.documents import read_documents

FOLDER = Path(__file__).parent

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A bad manifest.

    Attributes:
        why: what is wrong with it.
        server: a part of what the API server must say.
        offline: a part of what offline reading must say, path and sentence.
    """

    kind: str
    why: str
    manifest: Manifest
    server: str
    offline: str
    in_status: bool

    def __str__(self) -> str:
        """Name it in a test report."""
        return f"{self.kind}: {self.why}"


def good_manifests() -> tuple[Manifest, ...]:
    """The good manifests, status included; the plain one of a kind before its others."""
    return tuple(file["good"] for file in _files())


def bad_manifests() -> tuple[Case, ...]:
    """Every case, in the order in which the files have them."""
    return tuple(case for file in _files() for case in _cases(file))


def good_manifest(kind: str) -> Manifest:
    """The plain good manifest of one kind."""
    return next(good for good in good_manifests() if good["kind"] == kind)


def _files() -> Iterator[Mapping[str, Any]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for document in read_documents(path.read_text(encoding="utf-8")):
            assert isinstance(document.value, dict)
            yield document.value


def _cases(file: Mapping[str, Any]) -> Iterator[Case]:
    for case in file["bad"]:
        yield Case(
            kind=file["good"]["kind"],
            why=case["why"],
            manifest=_spoilt(file["good"], case),
            server=case.get("server") or case["says"],
            offline=case.get("offline") or case["says"],
            in_status=any(path.startswith("status") for path in case.get("set", {})),
        )


def _spoilt(good: Manifest, case: Mapping[str, Any]) -> Manifest:
    manifest = copy.deepcopy(good)
    for path in case.get("remove", ()):
        parent, step = _place(manifest, path)
        del parent[step]
    for path, value in case.get("set", {}).items():
        parent, step = _place(manifest, path)
        parent[step] = value
    if "repeat" in case:
        parent, step = _place(manifest, case["repeat"]["at"])
        parent[step] = _repeated(case["repeat"]["item"], case["repeat"]["count"])
    return manifest


def _place(manifest: Manifest, path: str) -> tuple[Any, Any]:
    """The container of a field and its key or index in it: `spec.circuits.0.name`."""
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    container: Any = manifest
    for step in steps:
        container = container[step]
    return container, last


def _repeated(item: Mapping[str, Any], count: int) -> object:
    copies = [json.loads(json.dumps(item).replace("{n}", str(n))) for n in range(count)]
    if any("{n}" in key for key in item):
        return {key: value for single in copies for key, value in single.items()}
    return copies
