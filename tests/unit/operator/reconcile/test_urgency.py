"""Which reports are worth a cycle of their own."""

from idlewatt_operator.gateways.protocols import Telemetry
from idlewatt_operator.reconcile.urgency import Urgency
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.vehicle import Observation, Power, Quality, Supply
from idlewatt_scheduler.testing import AT, an_observation


def after(observation: Observation) -> bool:
    """Whether a report that follows a healthy one is urgent."""
    urgency = Urgency()
    assert urgency.is_urgent(Telemetry({"v-1": an_observation()}))
    return urgency.is_urgent(Telemetry({"v-1": observation}))


def test_that_all_is_as_it_was_can_wait() -> None:
    """A new time, a percent of charge, a degree and a charger's noise ask for nothing."""
    assert not after(an_observation(battery__observed_at=AT, parking__observed_at=AT))
    assert not after(an_observation(battery__state_of_charge_percent=84))
    assert not after(an_observation(connection__charge_power_watts=10_983))


def test_an_owner_a_plug_and_a_waking_car_cannot_wait() -> None:
    """Each of them changes who may be where."""
    assert after(an_observation(parking__occupied=True))
    assert after(an_observation(parking__parked=False))
    assert after(an_observation(parking__quality=Quality.INVALID))
    assert after(an_observation(connection__supply=Supply.UNPLUGGED))
    assert after(an_observation(connection__site="elsewhere"))
    assert after(an_observation(power=Power.ASLEEP))
    assert after(an_observation(departure_expected_at=AT))


def test_a_curtailment_cannot_wait_and_a_measurement_can() -> None:
    """A limit from outside is obeyed at once; a load that moved is seen by the timed cycle."""
    urgency = Urgency()

    def circuit(load: int, limit: int | None) -> Telemetry:
        return Telemetry(circuits={"s": (ObservedCircuit("main", load, AT, limit),)})

    urgency.is_urgent(circuit(5_000, None))
    assert not urgency.is_urgent(circuit(5_200, None))
    assert urgency.is_urgent(circuit(5_200, 30_000))
    assert not urgency.is_urgent(circuit(5_200, 30_000))
