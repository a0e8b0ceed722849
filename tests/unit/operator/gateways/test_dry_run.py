"""A dry run looks and writes nothing at all."""

import inspect

from idlewatt_operator.gateways.dry_run import DryRunCluster, DryRunTelemetry
from idlewatt_operator.gateways.protocols import (
    BindOrder,
    ClusterGateway,
    ClusterView,
    Condition,
    EventNote,
    Outcome,
    Telemetry,
)
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_scheduler.model.workload import Pod

RECORD = PodRecord(Pod("default", "p", "uid"), "idlewatt")


class Looked:
    """A cluster of which only what reads is there: a write would be an AttributeError."""

    def view(self) -> ClusterView:
        """Show a view."""
        return ClusterView(synced=True)

    async def pod(self, namespace: str, name: str) -> PodRecord | None:
        """Give the one pod."""
        return RECORD if (namespace, name) == ("default", "p") else None


class Deaf:
    """A telemetry source that can only be read."""

    def latest(self) -> Telemetry:
        """Give nothing."""
        return Telemetry()


async def test_every_write_is_counted_and_none_is_sent() -> None:
    """Whatever is written is said to be done, counted by its kind, and withheld."""
    dry = DryRunCluster(Looked())  # type: ignore[arg-type] # that it lacks the writes is the test
    assert dry.view().synced
    assert await dry.pod("default", "p") is RECORD
    note = EventNote("default", "p", "uid", "Scheduled", "m", "Binding")
    await dry.say(note)
    results = [
        await dry.bind(BindOrder("default", "p", "uid", "v-1", {})),
        await dry.set_active_deadline(RECORD, 60),
        await dry.evict(RECORD),
        await dry.release(RECORD, Released(0, "rs", 1)),
        await dry.delete(RECORD, 1),
        await dry.remove(RECORD),
        await dry.set_waiting(RECORD, "Unschedulable", ""),
        await dry.keep_taint("v-1"),
        await dry.write_vehicle_status("v-1", {}),
        await dry.write_given_up("v-1", ()),
        await dry.write_circuits("depot", ()),
        await dry.write_conditions("VehicleNode", "v-1", [Condition("A", "True", "B", "")]),
    ]
    assert {result.outcome for result in results} == {Outcome.DONE}
    assert len(dry.withheld) == len(results) + 1
    assert set(dry.withheld.values()) == {1}


def test_no_write_of_the_port_is_forgotten() -> None:
    """A write that is added to the port is one that the dry run has to withhold."""
    port = {name for name, _ in inspect.getmembers(ClusterGateway, inspect.isfunction)}
    ours = {name for name, _ in inspect.getmembers(DryRunCluster, inspect.isfunction)}
    assert {name for name in port if not name.startswith("_")} <= ours


async def test_nobody_is_woken() -> None:
    """A wish to wake goes nowhere."""
    dry = DryRunTelemetry(Deaf())  # type: ignore[arg-type] # that it lacks `wake` is the test
    assert dry.latest() == Telemetry()
    assert (await dry.wake("v-1")).outcome is Outcome.DONE
