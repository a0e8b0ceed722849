"""Write the fields of Pods and Nodes: `python -m idlewatt_operator.gateways.manifests.generate`.

They come from the Kubernetes client, whose models are themselves generated from Kubernetes'
own description of its API. Run it after the client was upgraded; a test says when.
"""

import json
import re
from pathlib import Path
from typing import Final

from kubernetes.client import models

from idlewatt_operator.gateways.manifests.kubernetes_fields import FILE

_MODEL: Final = re.compile(r"\w*V\d+\w+")
_QUANTITIES: Final = frozenset(
    {"allocatable", "allocatedResources", "capacity", "limits", "overhead", "requests"}
)
_ONE_QUANTITY: Final = frozenset({"divisor", "sizeLimit"})


def fields() -> dict[str, dict[str, str]]:
    """By model the type of each field, as the client names them."""
    found: dict[str, dict[str, str]] = {}
    ahead = ["V1Pod", "V1Node"]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        model = getattr(models, name)
        types = {
            model.attribute_map[attribute]: of for attribute, of in model.openapi_types.items()
        }
        found[name] = {field: _type(field, types[field]) for field in sorted(types)}
        ahead.extend(model for of in types.values() for model in _MODEL.findall(of))
    return dict(sorted(found.items()))


def _type(field: str, of: str) -> str:
    if field in _QUANTITIES and of.startswith("Dict"):
        return "Dict[str, quantity]"
    return "quantity" if field in _ONE_QUANTITY else of


def main() -> None:
    """Write the file beside this module."""
    Path(str(FILE)).write_text(json.dumps(fields(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
