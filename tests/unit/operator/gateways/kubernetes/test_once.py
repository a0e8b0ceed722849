"""A cluster is read once, by lists alone, and shows what its watches would show."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from aiohttp import web
from tests.cluster.places import CHECKOUT
from tests.unit.operator.gateways.kubernetes.scripted_server import (
    FixedSource,
    Script,
    a_page,
    a_status,
    serving,
)

from idlewatt_operator.gateways.kubernetes.once import Reading, read_once
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.gateways.preflight import StartError

FLEET = CHECKOUT / "examples" / "why"

Manifest = dict[str, Any]


def the_example() -> Mapping[str, list[Manifest]]:
    """The objects of the example by kind, as an API server keeps them."""
    found: dict[str, list[Manifest]] = {}
    for file in sorted(FLEET.glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            name = manifest["metadata"]["name"]
            manifest["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "7"}
            found.setdefault(manifest["kind"], []).append(manifest)
    return found


def lists(**changed: Any) -> list[Any]:  # noqa: ANN401 - what a script answers
    """The answers to all lists, in the order in which they are asked for."""
    example = the_example()
    answers = {
        "sites": a_page(*example["ParkingSite"]),
        "tariffs": a_page(*example["EnergyTariff"]),
        "policies": a_page(),
        "ours": a_page(*example["Pod"]),
        "others": a_page(),
        "nodes": a_page(*example["Node"]),
        "vehicles": a_page(*example["VehicleNode"]),
    }
    return list((answers | changed).values())


async def read(script: Script) -> Reading:
    """What a scripted API server shows."""
    async with serving(script) as (session, _):
        return await read_once(session, "idlewatt")


async def test_all_that_a_cycle_looks_at_is_there() -> None:
    """Every kind, and nothing but lists, our pods apart from those of others."""
    script = Script(lists=lists())
    view = (await read(script)).view
    assert view.synced
    assert (
        set(view.vehicles)
        == set(view.nodes)
        == {
            "v-2d41e9",
            "v-5b70c3",
            "v-93f01b",
            "v-c84a16",
        }
    )
    assert (set(view.sites), set(view.tariffs)) == ({"depot-7"}, {"depot"})
    assert {record.pod.key for record in view.pods.values()} == {
        "default/retrain",
        "default/all-night",
    }
    assert script.watched_from == []
    selectors = [query["fieldSelector"] for query in script.asked if "fieldSelector" in query]
    assert selectors[0] == "spec.schedulerName=idlewatt"
    assert "status.phase!=Succeeded" in selectors[1]


async def test_long_lists_come_in_pages() -> None:
    """Each page is asked for with the token of the one before."""
    first, *rest = the_example()["Node"]
    answers = lists(nodes=a_page(first, more="on"))
    answers.insert(-1, a_page(*rest))
    script = Script(lists=answers)
    assert len((await read(script)).view.nodes) == 4
    assert [query.get("continue") for query in script.asked].count("on") == 1


async def test_a_vehicle_that_cannot_be_used_is_still_there() -> None:
    """With what can be read of it, as the operator sees it; it takes no pods."""
    example = the_example()["VehicleNode"]
    example[0]["spec"]["battery"]["netCapacityWattHours"] = "much"
    view = (await read(Script(lists=lists(vehicles=a_page(*example))))).view
    assert "v-2d41e9" in view.vehicles
    assert [refused.name for refused in view.refused] == ["v-2d41e9"]


@pytest.mark.parametrize("kind", ["sites", "ours", "vehicles"])
async def test_what_may_not_be_listed_is_said(kind: str) -> None:
    """Which kind, and why; an answer about half a fleet would be wrong."""
    script = Script(lists=lists(**{kind: a_status(403, "forbidden: no list for you")}))
    with pytest.raises(StartError, match="no list for you"):
        await read(script)


async def test_an_api_server_that_is_gone_is_said() -> None:
    """In a sentence, for whoever asked."""
    source = FixedSource("http://127.0.0.1:9")
    async with ApiSession(source, timeout_seconds=1) as session:
        with pytest.raises(StartError, match="could not be listed"):
            await read_once(session, "idlewatt")


async def test_what_is_no_answer_is_said() -> None:
    """A proxy's page instead of a list."""

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>hello</html>")

    with pytest.raises(StartError, match="could not be listed"):
        await read(Script(lists=lists(nodes=page)))
