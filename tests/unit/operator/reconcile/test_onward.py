"""A pod is not bound where the next cycle would send it away."""

from tests.unit.operator.reconcile.scene import Scene

from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import Agreement, EnergySource, Supply
from idlewatt_scheduler.model.workload import Demand
from idlewatt_scheduler.testing import changed

HALF = {"cpu": 8_000, "pods": 1_000}
"""Half a machine: 590 W with standby, 4.7 kWh until departure, of 3 kWh to spare."""


def on_battery(scene: Scene, *names: str) -> None:
    """These vehicles are unplugged and lend their batteries."""
    for name in names:
        vehicle = scene.cluster.view().vehicles[name].vehicle
        agreement = Agreement("agr", 1, frozenset({EnergySource.BATTERY}))
        scene.cluster.change_vehicle(changed(vehicle, agreement=agreement))
        scene.observe(name, connection__supply=Supply.UNPLUGGED)


async def test_a_service_that_the_battery_cannot_keep_is_not_bound_again_and_again() -> None:
    """Its stay would fit and the time until departure would not: it waits, and is told why."""
    scene = Scene()
    on_battery(scene, "v-0")
    scene.service(requests=HALF)
    await scene.run(600)
    assert scene.writes("bind", "evict") == []
    assert scene.names() == {"svc-1"}
    assert "could not keep the pod for longer" in scene.events("FailedScheduling")[0]
    assert "without an energy source" in scene.pod("svc-1").waiting_message


async def test_another_vehicle_is_chosen_in_its_place() -> None:
    """The battery is spared, so the dearer vehicle on the grid gets the pod, and keeps it."""
    scene = Scene(2)
    on_battery(scene, "v-0")
    dear = scene.cluster.view().vehicles["v-1"].vehicle
    scene.cluster.change_vehicle(changed(dear, compensation__availability_per_hour=9))
    scene.service(requests=HALF)
    await scene.run(60)
    assert scene.pod("svc-1").node == "v-1"
    assert scene.writes("evict") == []


async def test_a_job_that_fits_its_time_is_bound_there() -> None:
    """Its end is known, and the battery lasts until then."""
    scene = Scene()
    on_battery(scene, "v-0")
    scene.job(requests=HALF, demand=Demand(expected_runtime=HOUR))
    await scene.run(60)
    assert scene.pod("job-1").node == "v-0"
    assert scene.writes("evict") == []


async def test_a_pod_that_runs_there_is_not_sent_away_for_a_new_one() -> None:
    """One service fits until departure, two do not: the second is not bound, the first stays."""
    scene = Scene(battery__departure_percent=77)
    on_battery(scene, "v-0")
    scene.service("first", requests=HALF)
    await scene.run(30)
    assert scene.pod("first-1").phase == "Running"
    scene.service("second", requests={"cpu": 4_000, "pods": 1_000})
    await scene.run(600)
    assert scene.pod("first-1").phase == "Running"
    assert scene.pod("second-1").node is None
    assert scene.writes("evict") == []
