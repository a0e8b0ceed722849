"""200 vehicles at 4 sites with nested circuits and 2 tariffs, 500 pods, and their telemetry.

What each vehicle is is known by its number alone, so that a test can tell by itself where a pod
may be. Two sites are off-peak from the start, the other two only `OFF_PEAK_AFTER` later.
"""

import json
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final, Self

import redis

Manifest = dict[str, Any]

VEHICLES: Final = 200
SITES: Final = 4
DEPLOYMENTS: Final = 10
JOBS: Final = 10
PODS_EACH: Final = 25
OFF_PEAK_AFTER: Final = timedelta(minutes=20)
STAY: Final = timedelta(hours=1)
LEAD: Final = timedelta(seconds=60)
CHARGE_WATTS: Final = 3_000
STANDBY_WATTS: Final = 90
EFFICIENCY: Final = Fraction(88, 100)

CIRCUITS: Final[tuple[dict[str, Any], ...]] = (
    {"name": "main", "importCapacityLimitWatts": 250_000, "uncontrolledLoadWatts": 8_000},
    {"name": "row-a", "parent": "main", "importCapacityLimitWatts": 90_000},
    {"name": "row-b", "parent": "main", "importCapacityLimitWatts": 100_000},
    {"name": "a-1", "parent": "row-a", "importCapacityLimitWatts": 45_000},
    {"name": "a-2", "parent": "row-a", "importCapacityLimitWatts": 60_000},
)
PARENTS: Final[dict[str, str | None]] = {
    circuit["name"]: circuit.get("parent") for circuit in CIRCUITS
}
LEAVES: Final = ("a-1", "a-2", "row-b", "row-b")


@dataclass(frozen=True)
class Car:
    """Vehicle number `number`: four in ten have something the matter with them, or are special."""

    number: int

    @property
    def name(self) -> str:
        """Of the vehicle and of its Node."""
        return f"v-{self.number:03d}"

    @property
    def site(self) -> str:
        """Where it stands."""
        return f"s-{self.number % SITES}"

    @property
    def circuit(self) -> str:
        """The circuit it is on."""
        return LEAVES[self.number // SITES % len(LEAVES)]

    @property
    def kind(self) -> int:
        """0 to 9: 7 is driven, 8 leaves early, 9 is unplugged and lends its battery."""
        return self.number // SITES % 10

    @property
    def off_peak_now(self) -> bool:
        """Its site's tariff is off-peak from the start."""
        return self.number % SITES < 2

    @property
    def plugged(self) -> bool:
        """It hangs on a circuit."""
        return self.kind != 9

    def leaves_at(self, began: datetime) -> datetime:
        """When its parking window ends."""
        return began + (timedelta(minutes=45) if self.kind == 8 else timedelta(hours=10))

    @property
    def takes_pods(self) -> bool:
        """Once it is off-peak there."""
        return self.kind not in {7, 8}


CARS: Final = tuple(Car(number) for number in range(VEHICLES))


def written(moment: datetime) -> str:
    """RFC 3339, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fleet(began: datetime) -> list[Manifest]:
    """Policy, tariffs, sites and vehicles."""
    policy = {
        # The test's clock leaps by 21 minutes; a lost link is then given up in less than one.
        "staleDrainSeconds": 1_300,
        "drainLeadSeconds": 60,
        "idleBeforeStartSeconds": 0,
        "minimumStaySeconds": int(STAY.total_seconds()),
    }
    return [
        _ours("FleetPolicy", "default", policy),
        _ours("EnergyTariff", "zoned", _zoned()),
        _ours("EnergyTariff", "hourly", _hourly(began)),
        *(_ours("ParkingSite", f"s-{number}", _site(number)) for number in range(SITES)),
        *(_ours("VehicleNode", car.name, _vehicle(car, began)) for car in CARS),
    ]


def _ours(kind: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def _zoned() -> Manifest:
    zone = {"name": "all", "start": "00:00", "end": "00:00", "band": "OffPeak"}
    return {
        "currency": "EUR",
        "timeZone": "UTC",
        "basis": "AllIn",
        "zones": [{**zone, "pricePerKWh": "0.18"}],
    }


def _hourly(began: datetime) -> Manifest:
    changes = began + OFF_PEAK_AFTER
    stretches = (
        (changes - timedelta(hours=2), timedelta(hours=2), "Peak", "0.31"),
        (changes, timedelta(hours=20), "OffPeak", "0.12"),
    )
    return {
        "currency": "EUR",
        "timeZone": "UTC",
        "basis": "AllIn",
        "intervals": [
            {
                "start": written(start),
                "durationSeconds": int(length.total_seconds()),
                "payloads": [{"type": "BAND", "value": band}, {"type": "PRICE", "value": price}],
            }
            for start, length, band, price in stretches
        ],
    }


def _site(number: int) -> Manifest:
    return {
        "timeZone": "UTC",
        "region": "eu-de",
        "tariffRef": {"name": "zoned" if number < 2 else "hourly"},
        "energyBorneBy": "SiteHost",
        "computeAllowed": True,
        "circuits": list(CIRCUITS),
    }


def _vehicle(car: Car, began: datetime) -> Manifest:
    return {
        "agreement": {
            "id": f"agr-{car.number}",
            "version": 2,
            "acceptedAt": "2026-01-02T10:00:00Z",
            "ownerId": f"own-{car.number}",
            "energySources": ["Grid"] if car.plugged else ["Battery"],
        },
        "compensation": {
            "currency": "EUR",
            "availabilityPerHour": f"0.{10 + car.number % 7}",
            "energyPerKWh": "0.30",
        },
        "battery": {
            "chemistry": "LFP",
            "netCapacityWattHours": 60_000,
            "reservePercent": 30,
            "departurePercent": 40,
        },
        "compute": {
            "maxPowerWatts": 1_000,
            "standbyPowerWatts": STANDBY_WATTS,
            "efficiencyPercent": 88,
            "capacity": {"cpu": "16", "memory": "32Gi"},
        },
        "connection": {"maxChargePowerWatts": 11_000},
        "parkingWindows": [
            {
                "name": "now",
                "siteRef": {"name": car.site},
                "startTime": written(began - timedelta(hours=10)),
                "endTime": written(car.leaves_at(began)),
            }
        ],
    }


def workloads() -> list[Manifest]:
    """250 pods of Deployments and 250 of Jobs that need an hour."""
    deployments = [_deployment(f"svc-{number}", PODS_EACH) for number in range(DEPLOYMENTS)]
    jobs = [_job(f"job-{number}", PODS_EACH) for number in range(JOBS)]
    return [*deployments, *jobs]


def spoilt() -> list[Manifest]:
    """Three Deployments of one pod each that can never be placed, each for a reason of its own."""
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    return [
        _deployment("bad-annotation", 1, annotations={"idlewatt.dev/power": "much"}),
        _deployment("bad-volume", 1, volumes=[claim]),
        _deployment("bad-size", 1, cpu="99"),
    ]


def _deployment(name: str, replicas: int, **pod: Any) -> Manifest:  # noqa: ANN401
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": _pod(name, **pod),
        },
    }


def _job(name: str, pods: int) -> Manifest:
    annotations = {
        "idlewatt.dev/expected-runtime": "1h",
        "simulated-kubelet/complete-after-seconds": "3500",
    }
    template = _pod(name, annotations=annotations)
    template["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "parallelism": pods,
            "completions": pods,
            "backoffLimit": 100,
            "template": template,
        },
    }


def _pod(
    app: str,
    *,
    cpu: str = "3",
    annotations: dict[str, str] | None = None,
    volumes: Sequence[Manifest] = (),
) -> Manifest:
    return {
        "metadata": {"labels": {"app": app}, "annotations": annotations or {}},
        "spec": {
            "schedulerName": "idlewatt",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 30,
            "containers": [
                {
                    "name": "model",
                    "image": "model:1",
                    "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}},
                }
            ],
            "volumes": list(volumes),
        },
    }


@dataclass
class Reporter:
    """Reports for every car to Redis each few seconds, until it is ended.

    Attributes:
        now: the time as the operator sees it.
        charge: percent, of the cars that have another than 85.
    """

    url: str
    now: Callable[[], datetime]
    every_seconds: float = 5.0
    charge: dict[str, int] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Report once, then go on in a thread."""
        self.report()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._over.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._over.wait(self.every_seconds):
            self.report()

    def report(self) -> None:
        """A report of every car, with a charger's noise."""
        moment = written(self.now())
        noise = random.Random(moment)  # noqa: S311 - noise
        with redis.Redis.from_url(self.url) as client, client.pipeline() as pipeline:
            for car in CARS:
                data = self._signals(car, noise.randint(-20, 20))
                entry = {"vehicle": car.name, "observedAt": moment, "data": json.dumps(data)}
                pipeline.xadd("idlewatt:telemetry", entry, maxlen=10_000)
            pipeline.execute()

    def _signals(self, car: Car, noise_watts: int) -> Manifest:
        battery = "Vehicle.Powertrain.TractionBattery."
        plugged = {
            "OCPP.TransactionEvent.transactionInfo.chargingState": "Charging",
            "OCPP.MeterValues.Power.Active.Import": CHARGE_WATTS + noise_watts,
        }
        unplugged = {"OCPP.TransactionEvent.transactionInfo.chargingState": "Idle"}
        return {
            f"{battery}StateOfCharge.Current": self.charge.get(car.name, 85),
            f"{battery}Temperature.Average": 20,
            "Vehicle.Powertrain.Transmission.IsParkLockEngaged": car.kind != 7,
            "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied": False,
            "Idlewatt.Parking.Since": "2026-01-01T00:00:00Z",
            "Idlewatt.Connection.Site": car.site,
            "Idlewatt.Connection.Circuit": car.circuit,
            "Idlewatt.Power": "Awake",
            **(plugged if car.plugged else unplugged),
        }

    def spoil(self) -> None:
        """Send what no reporter should: it is refused, and the others are heard."""
        with redis.Redis.from_url(self.url) as client:
            client.xadd("idlewatt:telemetry", {"nonsense": "1"})
            client.xadd("idlewatt:telemetry", {"vehicle": "v-001", "data": "{"})
            future = written(self.now() + timedelta(days=1))
            entry = {"vehicle": "v-001", "observedAt": future, "data": "{}"}
            client.xadd("idlewatt:telemetry", entry)
