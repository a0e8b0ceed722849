"""Manifests of a small fleet, for tests that write them to a real API server."""

from typing import Any

Manifest = dict[str, Any]


def a_vehicle(name: str = "v-1", **spec: object) -> Manifest:
    """A VehicleNode that stands at the site `depot` every night."""
    return {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "VehicleNode",
        "metadata": {"name": name},
        "spec": {
            "agreement": {
                "id": "agr-1",
                "version": 1,
                "acceptedAt": "2026-01-02T10:00:00Z",
                "ownerId": "own-1",
                "energySources": ["Grid"],
            },
            "compensation": {"currency": "EUR", "availabilityPerHour": "0.10"},
            "battery": {
                "chemistry": "LFP",
                "netCapacityWattHours": 60000,
                "reservePercent": 30,
                "departurePercent": 80,
            },
            "compute": {"maxPowerWatts": 1000, "capacity": {"cpu": "16", "memory": "32Gi"}},
            "connection": {"maxChargePowerWatts": 11000},
            "parkingWindows": [
                {"name": "nights", "siteRef": {"name": "depot"}, "start": "18:00", "end": "07:00"}
            ],
            **spec,
        },
    }


def a_site(name: str = "depot", **spec: object) -> Manifest:
    """A ParkingSite with one circuit."""
    return {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "ParkingSite",
        "metadata": {"name": name},
        "spec": {
            "timeZone": "Europe/Berlin",
            "region": "eu-de",
            "tariffRef": {"name": "depot"},
            "energyBorneBy": "SiteHost",
            "computeAllowed": True,
            "circuits": [{"name": "main", "importCapacityLimitWatts": 60000}],
            **spec,
        },
    }


def a_tariff(name: str = "depot", price: str = "0.18") -> Manifest:
    """An EnergyTariff that is off-peak all day."""
    zone = {
        "name": "all",
        "start": "00:00",
        "end": "00:00",
        "band": "OffPeak",
        "pricePerKWh": price,
    }
    return {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "EnergyTariff",
        "metadata": {"name": name},
        "spec": {
            "currency": "EUR",
            "timeZone": "Europe/Berlin",
            "zones": [zone],
            "basis": "AllIn",
        },
    }


def a_policy(minimum_stay_seconds: int = 1800) -> Manifest:
    """The FleetPolicy `default` with a minimum stay of its own."""
    return {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "FleetPolicy",
        "metadata": {"name": "default"},
        "spec": {"offPeak": {"band": "OffPeak"}, "minimumStaySeconds": minimum_stay_seconds},
    }


def a_pod(name: str = "p", *, scheduler: str = "idlewatt", **spec: object) -> Manifest:
    """A pod of one container that asks for half a processor."""
    container = {"name": "c", "image": "i", "resources": {"requests": {"cpu": "500m"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "a"}},
        "spec": {"schedulerName": scheduler, "containers": [container], **spec},
    }
