"""Whatever stands in a manifest, reading it ends in an object of the core or in sentences."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.integration.corpus.cases import good_manifests

from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.kinds import KINDS, read_resource
from idlewatt_operator.resources.to_model import to_policy, to_site, to_tariff, to_vehicle

TO_MODEL: dict[str, Any] = {
    "VehicleNode": to_vehicle,
    "ParkingSite": to_site,
    "EnergyTariff": to_tariff,
    "FleetPolicy": to_policy,
}

Place = tuple[str | int, ...]


def places_in(node: object, above: Place = ()) -> Iterator[Place]:
    """Every place in a manifest where something stands, but for its kind."""
    steps = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for step, inner in steps:
        if (*above, step) != ("kind",):
            yield (*above, step)
            yield from places_in(inner, (*above, step))


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["0", "-0", "1e3", "{}", "{0}", "24:00", "2026-01-01T00:00:00Z", "UTC"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
SPOILT = st.sampled_from(
    [(manifest, place) for manifest in good_manifests() for place in places_in(manifest)]
)


@given(spoilt=SPOILT, junk=JUNK, removed=st.booleans())
@settings(max_examples=300, deadline=None)
def test_junk_is_read_or_refused_in_sentences(
    spoilt: tuple[dict[str, Any], Place], junk: object, *, removed: bool
) -> None:
    """Anything at any place is taken whole, or refused with a path and a sentence for each."""
    good, (*way, last) = spoilt
    manifest = copy.deepcopy(good)
    container: Any = manifest
    for step in way:
        container = container[step]
    if removed:
        del container[last]
    else:
        container[last] = junk
    try:
        resource = read_resource(manifest)
    except ValidationError as error:
        told = mistakes(error, KINDS[manifest["kind"]])
        assert told
        assert all(mistake.field and mistake.sentence for mistake in told)
    else:
        assert TO_MODEL[manifest["kind"]](resource) is not None
