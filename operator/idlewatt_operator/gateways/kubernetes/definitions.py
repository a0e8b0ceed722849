"""The CustomResourceDefinitions in the cluster, against those this operator was made with.

Fields that a definition lacks are dropped by the API server without a word: an operator that
runs on older ones would plan without them. Newer ones are fine.
"""

import re
from typing import Final

import msgspec

from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, Call
from idlewatt_operator.resources.base import (
    API_VERSION,
    GROUP,
    SCHEMA_VERSION,
    SCHEMA_VERSION_ANNOTATION,
    VERSION,
    Resource,
)
from idlewatt_operator.resources.kinds import KINDS

DEFINITIONS_PATH: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_APPLY: Final = (
    "Apply those that came with this operator: `kubectl apply -f crds/`, or `helm upgrade` where "
    "Helm installed it."
)


class _Metadata(msgspec.Struct):
    annotations: dict[str, str] | None = None


class _Version(msgspec.Struct):
    name: str
    served: bool = False


class _Spec(msgspec.Struct):
    versions: list[_Version]


class _Definition(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec


_DEFINITION: Final = msgspec.json.Decoder(_Definition)


async def lacking(session: ApiSession) -> str:
    """What the cluster's definitions lack, in sentences; empty where nothing is amiss.

    Raises:
        ApiUnreachable: no answer came.
    """
    absent: list[str] = []
    amiss: list[str] = []
    for kind in KINDS.values():
        name = f"{kind.naming.plural}.{GROUP}"
        answer = await session.send(Call("GET", f"{DEFINITIONS_PATH}/{name}"))
        if answer.status == _NOT_FOUND:
            absent.append(kind.naming.kind)
        elif answer.status == _FORBIDDEN:
            return (
                f"{answer.message}. Allow it `get` on customresourcedefinitions, as the "
                "ClusterRole of docs/howto/run-the-operator.md does: it has to see their version."
            )
        elif not answer.ok:
            return f"The definition {name} cannot be read: {answer.message}."
        else:
            amiss.append(_amiss(name, kind, answer))
    if absent:
        return f"The cluster does not know {', '.join(sorted(absent))}. {_APPLY}"
    return " ".join([*filter(None, amiss), _APPLY]) if any(amiss) else ""


def _amiss(name: str, kind: type[Resource], answer: Answer) -> str:
    """What is amiss with a definition, in a sentence; else nothing."""
    try:
        found = _DEFINITION.decode(answer.body)
    except msgspec.DecodeError as error:
        return f"The definition {name} cannot be read: {error}."
    if not any(each.name == VERSION and each.served for each in found.spec.versions):
        return f"The cluster does not serve {API_VERSION} of {kind.naming.kind}."
    written = (found.metadata.annotations or {}).get(SCHEMA_VERSION_ANNOTATION)
    if written is None:
        return f"The definition {name} is too old: it has no {SCHEMA_VERSION_ANNOTATION}."
    if _WHOLE.fullmatch(written) is None:
        return (
            f"The {SCHEMA_VERSION_ANNOTATION} of the definition {name} cannot be used: "
            f"'{written[:64]}' is not a whole number."
        )
    if int(written) < SCHEMA_VERSION:
        return (
            f"The definition {name} is too old: its {SCHEMA_VERSION_ANNOTATION} is {written}, "
            f"and this operator needs {SCHEMA_VERSION}."
        )
    return ""
