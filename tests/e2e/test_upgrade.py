"""The release is upgraded with changed values while a car is behind a cut link."""

import time

from tests.e2e import release, workloads
from tests.e2e.stage import Stage


def test_an_upgrade_with_changed_values(cars: Stage) -> None:
    """`helm upgrade` replaces the operators; pods run on, and passwords stay."""
    app = "unmoved"
    cars.allow(app, cars.other)
    cars.place(workloads.a_deployment(app, 2, held=True), cars.other)
    before = {span.container.pod_uid for span in cars.witness.running(workloads.NAMESPACE, app)}
    secret = cars.api.get("Secret", "idlewatt-redis", release.NAMESPACE)["data"]
    old = {pod["metadata"]["uid"] for pod in cars.operators()}
    began = time.time()
    cars.release.upgrade(podLabels__changed="yes", resources__requests__cpu="60m")
    cars.figures.note("helm upgrade, until ready (s)", time.time() - began)
    fresh = cars.operators()
    assert {pod["metadata"]["labels"].get("changed") for pod in fresh} == {"yes"}
    assert not {pod["metadata"]["uid"] for pod in fresh} & old
    assert cars.api.get("Secret", "idlewatt-redis", release.NAMESPACE)["data"] == secret
    cars.allow("newcomer", cars.other)
    cars.place(workloads.a_deployment("newcomer", held=True), cars.other)
    after = {span.container.pod_uid for span in cars.witness.running(workloads.NAMESPACE, app)}
    assert after == before
    assert cars.told("Draining", app) == []
