"""Requirements on labels, as Kubernetes reads them: of Nodes and of pods."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from idlewatt_scheduler.model.workload import Requirement

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


def is_selected(requirements: Iterable[Requirement], values: Mapping[str, str]) -> bool:
    """Whether every requirement holds of these labels; of none, it does."""
    return all(_holds(requirement, values.get(requirement.key)) for requirement in requirements)


def _holds(requirement: Requirement, value: str | None) -> bool:
    match requirement.operator:
        case "In":
            return value is not None and value in requirement.values
        case "NotIn":
            return value is None or value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(operator, value, requirement.values)
        case _:
            return False


def _compares(operator: str, value: str | None, bounds: tuple[str, ...]) -> bool:
    figures = (value or "", *bounds)
    if len(figures) != 2 or not all(map(_INTEGER.fullmatch, figures)):  # noqa: PLR2004
        return False
    have, bound = map(int, figures)
    return have > bound if operator == "Gt" else have < bound
