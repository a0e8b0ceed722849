"""What the chart is told on the cluster of the end-to-end tests."""

import yaml
from tests.e2e.release import VALUES, a_volume, settings_for


def test_images_are_those_that_were_built() -> None:
    """A registry's port is no tag."""
    assert settings_for("idlewatt/operator:0.1.0", "localhost:5000/redis:7.0") == {
        "image.repository": "idlewatt/operator",
        "image.tag": "0.1.0",
        "redis.image.repository": "localhost:5000/redis",
        "redis.image.tag": "7.0",
    }


def test_the_claim_finds_the_volume() -> None:
    """The values ask for the class and no more room than the volume has."""
    storage_class, volume = a_volume("node")
    (asked,) = [
        values["redis"]["persistence"]
        for file in VALUES
        if "storageClass" in (values := yaml.safe_load(file.read_text()))["redis"]["persistence"]
    ]
    assert asked["storageClass"] == storage_class["metadata"]["name"]
    assert volume["spec"]["storageClassName"] == asked["storageClass"]
    assert asked["size"].endswith("Mi")
    assert volume["spec"]["capacity"]["storage"] == "1Gi"
