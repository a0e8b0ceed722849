"""Write an instance as manifests, for `idlewatt plan -f`: `python -m tests.benchmarks.manifests`.

    python -m tests.benchmarks.manifests 10000x10000 build/instance --format json
    idlewatt plan -f build/instance --at 2026-01-15T22:00:00Z

One file of each kind; a JSON file is one List, as `kubectl get -o json` prints it. The pods of
daemons, of which an instance knows only what they request of each Node, are left out.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml
from tests.benchmarks.fleets import Size
from tests.benchmarks.instance_pods import CLAIMS
from tests.benchmarks.instances import Plenty, an_instance

from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Circuit, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import Instant, Quantities
from idlewatt_scheduler.model.vehicle import Quality, Vehicle
from idlewatt_scheduler.model.workload import Demand, Node, Pod, Ready, Requirement, RunningPod

Manifest: TypeAlias = dict[str, Any]

OURS: Final = "idlewatt.dev/v1alpha1"
PREFIX: Final = "idlewatt.dev/"
FORMATS: Final = ("yaml", "json")


def manifests(snapshot: Snapshot) -> dict[str, list[Manifest]]:
    """By the name of a file, all objects of one kind."""
    return {
        "policy": [_policy(snapshot.policy)],
        "tariffs": [_tariff(tariff) for tariff in snapshot.tariffs.values()],
        "sites": [_site(site) for site in snapshot.sites.values()],
        "nodes": [_node(node) for node in snapshot.nodes.values()],
        "vehicles": [_vehicle(vehicle) for vehicle in snapshot.vehicles],
        "pods": [_pod(pod) for pod in snapshot.pending],
        "running": [_running(running) for running in snapshot.running],
    }


def write(snapshot: Snapshot, folder: Path, form: str) -> Iterator[Path]:
    """Write them into a folder, which is made; each file once it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, objects in manifests(snapshot).items():
        path = folder / f"{name}.{form}"
        if form == "json":
            whole = {"apiVersion": "v1", "kind": "List", "items": objects}
            path.write_text(json.dumps(whole), encoding="utf-8")
        else:
            text = yaml.dump_all(
                objects, Dumper=yaml.CSafeDumper, sort_keys=False, explicit_start=True
            )
            path.write_text(text, encoding="utf-8")
        yield path


def time_of(instant: Instant) -> str:
    """As RFC 3339 has it."""
    return datetime.fromtimestamp(instant / 1_000, UTC).isoformat().replace("+00:00", "Z")


def _quantities(amounts: Quantities) -> dict[str, str]:
    return {
        name: str(amount // 1_000) if amount % 1_000 == 0 else f"{amount}m"
        for name, amount in amounts.items()
    }


def _given(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    """What is there; what is None is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def _ours(kind: str, name: str, spec: Manifest, status: Manifest | None = None) -> Manifest:
    parts = {"apiVersion": OURS, "kind": kind, "metadata": {"name": name}, "spec": spec}
    return parts | {"status": status} if status else parts


def _policy(policy: FleetPolicy) -> Manifest:
    rates = [
        {"from": rate.from_currency, "to": rate.to_currency, "rate": str(rate.rate)}
        for rate in policy.exchange_rates
    ]
    per_point = str(policy.preference_cost_per_point)
    return _ours(
        "FleetPolicy", "default", {"exchangeRates": rates, "preferenceCostPerPoint": per_point}
    )


def _tariff(tariff: Tariff) -> Manifest:
    intervals = [
        {
            "start": time_of(interval.start),
            "durationSeconds": interval.duration // 1_000,
            "payloads": [
                {"type": "PRICE", "value": str(interval.price_per_kwh)},
                {"type": "BAND", "value": interval.band},
            ],
        }
        for interval in tariff.intervals
    ]
    spec = {"currency": tariff.currency, "timeZone": str(tariff.time_zone), "intervals": intervals}
    return _ours("EnergyTariff", tariff.name, spec)


def _site(site: Site) -> Manifest:
    spec = _given(
        timeZone=str(site.time_zone),
        region=site.region,
        tariffRef={"name": site.tariff},
        energyBorneBy=site.energy_borne_by.value,
        computeAllowed=site.compute_allowed,
        nominalVoltageVolts=site.nominal_voltage_volts,
        circuits=[_circuit(circuit) for circuit in site.circuits],
    )
    return _ours("ParkingSite", site.name, spec)


def _circuit(circuit: Circuit) -> Manifest:
    return _given(
        name=circuit.name,
        parent=circuit.parent,
        importCapacityLimitWatts=circuit.import_capacity_limit_watts,
        uncontrolledLoadWatts=circuit.uncontrolled_load_watts,
        maxCurrentMilliampsPerPhase=circuit.max_current_milliamps_per_phase,
    )


def _node(node: Node) -> Manifest:
    taints = [_given(key=t.key, value=t.value or None, effect=t.effect) for t in node.taints]
    ready = {"type": "Ready", "status": node.ready.value}
    if node.ready_since is not None:
        ready["lastTransitionTime"] = time_of(node.ready_since)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": dict(node.labels)},
        "spec": _given(taints=taints, unschedulable=node.unschedulable or None),
        "status": {
            "allocatable": _quantities(node.allocatable),
            "conditions": [] if node.ready is Ready.UNKNOWN and not node.ready_since else [ready],
            "images": [{"names": [image]} for image in sorted(node.images)],
        },
    }


def _vehicle(vehicle: Vehicle) -> Manifest:
    agreement, pay = vehicle.agreement, vehicle.compensation
    battery, compute, link = vehicle.battery, vehicle.compute, vehicle.link
    spec = _given(
        suspend=vehicle.suspend,
        agreement=agreement
        and {
            "id": agreement.id,
            "version": agreement.version,
            "energySources": sorted(source.value for source in agreement.energy_sources),
        },
        compensation=_given(
            currency=pay.currency,
            availabilityPerHour=str(pay.availability_per_hour),
            energyPerKWh=str(pay.energy_per_kwh),
            wearPerKWh=str(pay.wear_per_kwh),
            monthlyCap=None if pay.monthly_cap is None else str(pay.monthly_cap),
        ),
        battery=_given(
            netCapacityWattHours=battery.net_capacity_watt_hours,
            reservePercent=battery.reserve_percent,
            departurePercent=battery.departure_percent,
            minTemperatureCelsius=battery.min_temperature_celsius,
            maxTemperatureCelsius=battery.max_temperature_celsius,
            roundTripEfficiencyPercent=battery.round_trip_efficiency_percent,
        ),
        compute=_given(
            maxPowerWatts=compute.max_power_watts,
            standbyPowerWatts=compute.standby_power_watts,
            efficiencyPercent=compute.efficiency_percent,
            wakeSeconds=compute.wake_seconds,
            wakeEnergyWattHours=compute.wake_energy_watt_hours,
            maxTemperatureCelsius=compute.max_temperature_celsius,
            capacity=_quantities(compute.capacity),
        ),
        connection={
            "maxChargePowerWatts": vehicle.max_charge_power_watts,
            "phases": vehicle.phases,
        },
        link=_given(
            downlinkBitsPerSecond=link.downlink_bits_per_second,
            metered=link.metered,
            monthlyLimitBytes=link.monthly_limit_bytes,
        ),
        parkingWindows=[_window(window) for window in vehicle.windows],
    )
    return _ours("VehicleNode", vehicle.name, spec, _status(vehicle))


def _window(window: Any) -> Manifest:  # noqa: ANN401 - a recurring ParkingWindow
    minutes = (window.recurrence.start_minutes, window.recurrence.end_minutes)
    start, end = (f"{each // 60:02}:{each % 60:02}" for each in minutes)
    return {"name": window.name, "siteRef": {"name": window.site}, "start": start, "end": end}


def _status(vehicle: Vehicle) -> Manifest:
    observed = vehicle.observed
    battery, parking, compute = observed.battery, observed.parking, observed.compute
    conditions = [
        _condition(kind)
        for kind, holds in (("Attested", vehicle.attested), ("Draining", vehicle.draining))
        if holds
    ]
    return _given(
        power=observed.power.value,
        battery=battery
        and _given(
            stateOfChargePercent=battery.state_of_charge_percent,
            temperatureCelsius=battery.temperature_celsius,
            **_seen(battery.observed_at, battery.quality),
        ),
        parking=parking
        and _given(
            parked=parking.parked,
            occupied=parking.occupied,
            since=None if parking.since is None else time_of(parking.since),
            **_seen(parking.observed_at, parking.quality),
        ),
        compute=compute
        and _given(
            temperatureCelsius=compute.temperature_celsius,
            **_seen(compute.observed_at, compute.quality),
        ),
        connection=_connection(vehicle),
        departure=None
        if observed.departure_expected_at is None
        else {"expectedAt": time_of(observed.departure_expected_at)},
        compensation={"earnedThisMonth": str(vehicle.earned_this_month)},
        link={"usedThisMonthBytes": vehicle.used_this_month_bytes},
        conditions=conditions,
    )


def _connection(vehicle: Vehicle) -> Manifest | None:
    connection = vehicle.observed.connection
    if connection is None:
        return None
    return _given(
        siteRef=None if connection.site is None else {"name": connection.site},
        circuit=connection.circuit,
        supply=connection.supply and connection.supply.value,
        chargePowerWatts=connection.charge_power_watts,
        chargePowerLimitWatts=connection.charge_power_limit_watts,
        phases=connection.phases and sorted(phase.value for phase in connection.phases),
        **_seen(connection.observed_at, connection.quality),
    )


def _seen(at: Instant | None, quality: Quality) -> dict[str, str]:
    seen = {"quality": quality.value}
    return seen if at is None else {"observedAt": time_of(at), **seen}


def _condition(kind: str) -> Manifest:
    return {
        "type": kind,
        "status": "True",
        "reason": "Reported",
        "message": "",
        "lastTransitionTime": "2026-01-15T12:00:00Z",
    }


def _pod(pod: Pod) -> Manifest:
    container: Manifest = {
        "name": "main",
        "image": pod.images[0] if pod.images else "registry.example/none:1",
        "resources": {
            "requests": _quantities({k: v for k, v in pod.requests.items() if k != "pods"})
        },
    }
    metadata: Manifest = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "creationTimestamp": time_of(pod.created_at),
        "labels": dict(pod.labels),
        "annotations": _annotations(pod.demand),
    }
    if pod.controlled:
        metadata["ownerReferences"] = [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "job", "uid": "j", "controller": True}
        ]
    secret = [{"name": "key", "secret": {"secretName": "key"}}] if pod.reads_secret else None
    spec = _given(
        schedulerName="idlewatt",
        priority=pod.priority,
        nodeSelector=dict(pod.node_selector) or None,
        affinity=_affinity(pod),
        tolerations=[
            _given(key=t.key, operator=t.operator, value=t.value, effect=t.effect)
            for t in pod.tolerations
        ],
        topologySpreadConstraints=_spread(pod),
        terminationGracePeriodSeconds=pod.termination_grace_seconds,
        volumes=secret,
        containers=[container],
        resourceClaims=[{"name": "device"}] if CLAIMS in pod.unsupported_fields else None,
    )
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _annotations(demand: Demand) -> dict[str, str]:
    milliseconds = {
        "expected-runtime": demand.expected_runtime,
        "drain-grace": demand.drain_grace,
        "model-load-time": demand.model_load_time or None,
    }
    written = {name: f"{each}ms" for name, each in milliseconds.items() if each is not None}
    texts = _given(
        power=demand.power_watts and str(demand.power_watts),
        deadline=demand.deadline and time_of(demand.deadline),
        tariff="any" if demand.any_tariff else None,
        residency=demand.residency and ",".join(sorted(demand.residency)),
        gang=demand.gang,
    )
    if demand.image_size_bytes is not None:
        texts["image-size"] = str(demand.image_size_bytes)
    if demand.gang is not None:
        texts["gang-size"] = str(demand.gang_size)
    return {f"{PREFIX}{name}": text for name, text in {**written, **texts}.items()}


def _affinity(pod: Pod) -> Manifest | None:
    node: Manifest = {}
    if pod.node_affinity is not None:
        terms = [_expressions(term.labels) for term in pod.node_affinity]
        node["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}
    if pod.preferred_affinity:
        node["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": each.points, "preference": _expressions(each.term.labels)}
            for each in pod.preferred_affinity
        ]
    return {"nodeAffinity": node} if node else None


def _expressions(labels: Sequence[Requirement]) -> Manifest:
    return {
        "matchExpressions": [
            {"key": each.key, "operator": each.operator, "values": list(each.values)}
            for each in labels
        ]
    }


def _spread(pod: Pod) -> list[Manifest] | None:
    constraints: list[Manifest] = [
        {
            "topologyKey": spread.topology_key,
            "maxSkew": spread.max_skew,
            "whenUnsatisfiable": "DoNotSchedule",
            "minDomains": spread.min_domains,
            "labelSelector": _expressions(spread.selector),
        }
        for spread in pod.spread
    ]
    return constraints or None


def _running(running: RunningPod) -> Manifest:
    made = _pod(running.pod)
    made["spec"]["nodeName"] = running.node
    made["status"] = {"phase": "Running"}
    annotations = made["metadata"]["annotations"]
    if running.bound_power is not None:
        annotations[f"{PREFIX}bound-watts"] = str(Decimal(running.bound_power) / 1_000)
    if running.bound_until is not None:
        annotations[f"{PREFIX}bound-until"] = time_of(running.bound_until)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Make an instance and write it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.manifests")
    parser.add_argument("size", type=Size.read, metavar="VEHICLESxPODS")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plenty", type=Plenty, choices=list(Plenty), default=Plenty.AMPLE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, default="yaml")
    given = parser.parse_args(arguments)
    for path in write(
        an_instance(given.size, given.plenty, given.seed), given.folder, given.format
    ):
        sys.stderr.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
