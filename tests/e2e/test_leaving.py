"""Who has to leave a car leaves it in time and for the right reason, and is replaced elsewhere."""

import time
from collections.abc import Callable
from typing import Any

from tests.e2e import workloads
from tests.e2e.stage import Stage

LEAD_SECONDS = 60
AT_ONCE_SECONDS = 20
OWNERS_BUSINESS = "no longer available"


def moves(cars: Stage, app: str, cause: Callable[[], float], says: str, within: float) -> float:
    """Let a car do what makes its pod leave; give the time at which its containers had ended.

    The pod ran on the near car and may run on the other; its eviction is told in these words.
    """
    caused = cause()
    ended = cars.vacated(app, cars.near, within)
    cars.wait(lambda: cars.ready_on(app) == {cars.other: 1}, f"{app} runs on the other car")
    assert any(says in note for note in cars.told("Draining", app)), cars.told("Draining", app)
    cars.figures.note(f"{app}: from the report until its containers ended (s)", ended - caused)
    decided = cars.decided_at(app, caused - 1)
    if decided is not None:
        cars.figures.note(f"{app}: from the decision until they ended (s)", ended - decided)
    assert ended - caused <= within
    return ended


def placed_on_near(cars: Stage, app: str, **options: Any) -> None:  # noqa: ANN401
    """Place one pod on the near car, which then may move to the other."""
    cars.allow(app, cars.near)
    cars.place(workloads.a_deployment(app, held=True, **options), cars.near)
    cars.allow(app, cars.other)


def test_a_car_that_loses_charge(cars: Stage) -> None:
    """On its battery, below its reserve: it is vacated at once."""
    cars.cars.set(cars.near, supply="unplugged", departure="+2h")
    placed_on_near(cars, "charge")
    moves(
        cars,
        "charge",
        lambda: cars.cars.set(cars.near, charge=29),
        OWNERS_BUSINESS,
        AT_ONCE_SECONDS,
    )


def test_a_car_that_leaves_early(cars: Stage) -> None:
    """Its owner announces an earlier departure: the fence is lowered, and it is vacated before."""
    placed_on_near(cars, "early")
    (pod,) = cars.pods("early")
    before = pod["spec"]["activeDeadlineSeconds"]
    leaves_at = time.time() + LEAD_SECONDS + 20
    cars.cars.set(cars.near, departure=f"+{LEAD_SECONDS + 20}s")

    def fence() -> int:
        found = cars.api.list("Pod", workloads.NAMESPACE, labelSelector="app=early")
        return min(int(each["spec"]["activeDeadlineSeconds"]) for each in found)

    cars.wait(lambda: fence() < before, "the fence is lowered")
    assert fence() <= LEAD_SECONDS + 20
    ended = moves(cars, "early", time.time, OWNERS_BUSINESS, leaves_at - time.time())
    cars.figures.note("early: vacated before the car leaves by (s)", leaves_at - ended)
    assert ended <= leaves_at - workloads.GRACE_SECONDS


def test_a_car_whose_park_lock_opens(cars: Stage) -> None:
    """Without a word before: it is vacated at once."""
    placed_on_near(cars, "park-lock")
    moves(
        cars,
        "park-lock",
        lambda: cars.cars.set(cars.near, parked=False),
        OWNERS_BUSINESS,
        AT_ONCE_SECONDS,
    )
    assert not any("parked" in note for note in cars.told("Draining", "park-lock"))
    cars.screen("draining", "get", "events", "-n", "e2e", "--field-selector", "reason=Draining")


def test_a_tariff_that_goes_on_peak(cars: Stage) -> None:
    """The tariff is changed so that a peak begins: services leave, `tariff: any` stays."""
    placed_on_near(cars, "anytime", annotations={"idlewatt.dev/tariff": "any"})
    cars.place(workloads.a_deployment("off-peak"), cars.near, cars.other)
    (vehicle,) = cars.ready_on("off-peak")
    tariff = cars.api.get("EnergyTariff", "depot")
    zones = [{**tariff["spec"]["zones"][0], "band": "Peak", "pricePerKWh": "0.42"}]
    caused = time.time()
    cars.api.patch("EnergyTariff", "depot", {"spec": {"zones": zones}})
    try:
        ended = cars.vacated("off-peak", vehicle, AT_ONCE_SECONDS + LEAD_SECONDS)
        cars.figures.note("on-peak: from the tariff until its containers ended (s)", ended - caused)
        assert any("off-peak time ends" in note for note in cars.told("Draining", "off-peak"))
        cars.wait(
            lambda: any("on-peak" in note for note in cars.told("FailedScheduling", "off-peak")),
            "its replacement says that it waits for the peak to end",
        )
        assert cars.ready_on("anytime") == {cars.near: 1}
        assert cars.told("Draining", "anytime") == []
    finally:
        cars.api.patch("EnergyTariff", "depot", {"spec": {"zones": tariff["spec"]["zones"]}})
    cars.wait(lambda: sum(cars.ready_on("off-peak").values()) == 1, "it is placed again", 90)
