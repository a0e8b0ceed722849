"""How the simulated API server merges what is written into what stands."""

from collections.abc import Iterable, Mapping

from idlewatt_scheduler.model.site import ObservedCircuit


def merged(status: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """A JSON merge patch applied: mappings are merged, None removes, all else replaces."""
    result = dict(status)
    for key, value in patch.items():
        old = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            result[key] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def with_circuits(
    old: Iterable[ObservedCircuit], new: Iterable[ObservedCircuit]
) -> tuple[ObservedCircuit, ...]:
    """The circuits of a site's status, by name: the new ones for those of the same name."""
    by_name = {circuit.name: circuit for circuit in (*old, *new)}
    return tuple(by_name.values())
