"""docs/tutorial/quickstart.md: what it tells its reader to type is there.

That the commands do what the page says is played by the end-to-end tests, with the same cluster,
chart and cars.
"""

import importlib.util
import json
import re
import shlex
from types import ModuleType

import pytest
import yaml
from tests.cluster.kind_config import VEHICLES
from tests.cluster.places import CHECKOUT
from tests.pages import commands

PAGE = CHECKOUT / "docs" / "tutorial" / "quickstart.md"
KIND = CHECKOUT / "examples" / "kind"
TYPED = list(commands(PAGE))


@pytest.fixture(scope="module")
def cars() -> ModuleType:
    """The program that plays the cars."""
    spec = importlib.util.spec_from_file_location("cars", KIND / "cars.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_target_is_in_the_makefile() -> None:
    """`make` knows what the page makes."""
    targets = set(
        re.findall(r"^([a-z0-9-]+):", (CHECKOUT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    made = {shlex.split(command)[1] for command in TYPED if command.startswith("make ")}
    assert made
    assert made <= targets


def test_every_file_is_there() -> None:
    """Charts, values and manifests stand where the page takes them from."""
    named = re.findall(r"(?<![\w/.])(?:charts|examples)/[\w./-]+", " ".join(TYPED))
    assert named
    assert [name for name in named if not (CHECKOUT / name).exists()] == []


def test_the_images_are_those_of_the_values() -> None:
    """What is loaded into the nodes is what the chart asks for there."""
    values = yaml.safe_load((CHECKOUT / "charts/idlewatt/values-kind.yaml").read_text("utf-8"))
    chart = yaml.safe_load((CHECKOUT / "charts/idlewatt/values.yaml").read_text("utf-8"))
    redis = values["redis"]["image"]
    asked = {
        f"{chart['image']['repository']}:{values['image']['tag']}",
        f"{redis['repository']}:{redis['tag']}",
    }
    container = yaml.safe_load((CHECKOUT / "examples/embedding/deployment.yaml").read_text("utf-8"))
    (model,) = container["spec"]["template"]["spec"]["containers"]
    loads = [command.split()[5:] for command in TYPED if " kind load " in command]
    assert [set(images) for images in loads] == [asked, {model["image"]}]


def test_the_vehicles_are_those_of_the_cluster() -> None:
    """The workers, the VehicleNodes and the simulated cars bear the names on the page."""
    text = PAGE.read_text("utf-8")
    documents = yaml.safe_load_all((KIND / "vehicles.yaml").read_text("utf-8"))
    names = {document["metadata"]["name"] for document in documents}
    assert names == set(VEHICLES)
    assert all(name in text for name in names)


def test_the_cars_understand_what_is_said_to_them(cars: ModuleType) -> None:
    """Each `cars set` names a car or circuit that there is, and a value that it takes."""
    manifest = next(yaml.safe_load_all((KIND / "cars.yaml").read_text("utf-8")))
    fleet = json.loads(manifest["data"]["fleet.json"])
    said = [shlex.split(command)[2:] for command in TYPED if command.startswith("cars set ")]
    assert said
    for name, *assignments in said:
        known = (cars.UNCURTAILED if "/" in name else cars.PARKED) | fleet[name]
        assert cars.changed(known, assignments) != known or assignments == ["limit=none"]


def test_the_watts_add_up() -> None:
    """The 160 W of the page are two pods and a computer that is on."""
    pods = yaml.safe_load((KIND / "workload.yaml").read_text("utf-8"))["spec"]
    watts = int(pods["template"]["metadata"]["annotations"]["idlewatt.dev/power"])
    vehicle = next(yaml.safe_load_all((KIND / "vehicles.yaml").read_text("utf-8")))
    total = pods["replicas"] * watts + vehicle["spec"]["compute"]["standbyPowerWatts"]
    assert f"{total} W: two pods of {watts}" in PAGE.read_text("utf-8")
