"""The CRDs on a real API server: installed, kind to good manifests, and clear about bad ones."""

import copy
import functools
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.api import MERGE_PATCH, Api, RefusedError, manifests_of
from tests.cluster.control_plane import ControlPlane
from tests.integration.corpus.cases import Case, bad_manifests, good_manifest, good_manifests

from idlewatt_operator.resources.base import API_VERSION

ROOT = Path(__file__).parents[2]
SCENARIOS = (
    *("depot", "embedding", "energy", "gang", "home-hourly-prices", "kind", "offline-plan"),
    "why",
)
STRICT = {"fieldValidation": "Strict"}
DRY_RUN = {**STRICT, "dryRun": "All"}

Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane) -> Api:
    """Install the CRDs and wait until all of them are served."""
    names = [crd["metadata"]["name"] for crd in control_plane.api.apply(ROOT / "crds")]
    control_plane.wait_until(
        lambda: all(conditions(control_plane.api, name)["Established"] == "True" for name in names),
        "the four CRDs are Established",
    )
    return control_plane.api


@pytest.fixture(scope="module")
def good(installed: Api) -> Api:
    """Let the good manifest of each kind stand there while the cases are tried."""
    installed.apply(*good_manifests())
    return installed


@pytest.fixture
def api(cluster: ControlPlane, installed: Api) -> Api:
    """Give an API server that holds the CRDs and nothing else of ours."""
    assert cluster.api is installed
    return installed


def conditions(api: Api, name: str) -> dict[str, str]:
    """The conditions of a CRD, by type."""
    crd = api.get("CustomResourceDefinition", name)
    listed = crd.get("status", {}).get("conditions") or []  # null, in its first moment
    return {"Established": "Unknown"} | {each["type"]: each["status"] for each in listed}


def refusal_of(api: Api, case: Case) -> str:
    """What the API server says of a bad manifest; fails where it takes it."""
    collection = api.path(case.kind, "", API_VERSION)
    if case.in_status:
        path = f"{collection}/{case.manifest['metadata']['name']}/status"
        body = {"status": case.manifest["status"]}
        request = functools.partial(api.request, "PATCH", path, body, content_type=MERGE_PATCH)
    else:
        request = functools.partial(api.request, "POST", collection, case.manifest)
    with pytest.raises(RefusedError) as refused:
        request(query=DRY_RUN)
    return refused.value.message


def without_status(manifest: Manifest) -> Manifest:
    """A manifest as it is sent to be created."""
    return {key: value for key, value in manifest.items() if key != "status"}


@pytest.mark.parametrize("kind", sorted({good["kind"] for good in good_manifests()}))
def test_a_crd_is_installed_without_complaint(installed: Api, kind: str) -> None:
    """Each CRD is Established, its names are taken, and its schema is structural."""
    (name,) = [
        crd["metadata"]["name"]
        for crd in installed.list("CustomResourceDefinition")
        if crd["spec"]["names"]["kind"] == kind
    ]
    found = conditions(installed, name)
    assert (found["Established"], found["NamesAccepted"]) == ("True", "True")
    assert "NonStructuralSchema" not in found


@pytest.mark.parametrize("case", bad_manifests(), ids=str)
def test_a_bad_manifest_is_refused_with_a_sentence_that_helps(good: Api, case: Case) -> None:
    """The API server refuses every mistake of the corpus, and says what it is and where."""
    assert case.server in refusal_of(good, case)


def test_a_good_manifest_is_stored_as_it_was_written(api: Api) -> None:
    """Nothing of a good manifest is pruned, spec and status."""
    for manifest, stored in zip(good_manifests(), api.apply(*good_manifests()), strict=True):
        assert stored["spec"] == manifest["spec"]
        assert stored.get("status") == manifest.get("status")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_examples_are_applied(api: Api, scenario: str) -> None:
    """Every manifest of a scenario is taken under Strict, workloads included."""
    written = list(manifests_of(ROOT / "examples" / scenario))
    elsewhere = {each["metadata"].get("namespace", "default") for each in written} - {"default"}
    api.apply(
        *(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            for name in elsewhere
        )
    )
    applied = api.apply(ROOT / "examples" / scenario)
    assert [each["metadata"]["name"] for each in applied] == [
        each["metadata"]["name"] for each in written
    ]
    for stored, manifest in zip(applied, written, strict=True):
        if manifest["apiVersion"] == API_VERSION:
            assert stored.get("status") == manifest.get("status")


def test_every_scenario_is_tried() -> None:
    """No folder of manifests is left out of the test above."""
    folders = {path.parent.name for path in (ROOT / "examples").glob("*/*.yaml")}
    assert sorted(SCENARIOS) == sorted(folders)


def test_a_policy_that_says_nothing_has_every_default(api: Api) -> None:
    """A FleetPolicy without a spec gets the documented defaults, no exchange rates among them."""
    manifest = {
        "apiVersion": API_VERSION,
        "kind": "FleetPolicy",
        "metadata": {"name": "default"},
        "spec": {},
    }
    (stored,) = api.apply(manifest)
    assert stored["spec"] == {
        "offPeak": {"band": "OffPeak"},
        "telemetryMaxAgeSeconds": 120,
        "sleepMaxAgeSeconds": 43_200,
        "staleDrainSeconds": 600,
        "drainLeadSeconds": 300,
        "minimumStaySeconds": 3_600,
        "maxStartDelaySeconds": 1_800,
        "idleBeforeStartSeconds": 900,
        "missProbabilityPercent": 1,
        "forecastMaxAgeSeconds": 21_600,
        "surplusSeconds": 900,
        "wearFloor": "Agreement",
        "preferenceCostPerPoint": "0.001",
        "preemption": "Never",
        "migrationsAtOnce": 10,
        "plainNodes": "Deny",
    }


def test_an_off_peak_test_that_is_given_gets_no_band(api: Api) -> None:
    """The default band stands for a missing offPeak only, never beside other tests."""
    manifest = good_manifest("FleetPolicy")
    manifest["spec"] = {"offPeak": {"maxGramsPerKWh": 100}}
    (stored,) = api.apply(manifest)
    assert stored["spec"]["offPeak"] == {"maxGramsPerKWh": 100}


def test_the_least_vehicle_gets_its_defaults(api: Api) -> None:
    """What a VehicleNode may leave out is filled in, and what stays unknown stays absent."""
    (stored,) = api.apply(
        {
            "apiVersion": API_VERSION,
            "kind": "VehicleNode",
            "metadata": {"name": "v-1"},
            "spec": {
                "agreement": {"id": "agr-1", "version": 1},
                "compensation": {"currency": "EUR"},
                "battery": {
                    "netCapacityWattHours": 1,
                    "reservePercent": 0,
                    "departurePercent": 0,
                },
                "compute": {"maxPowerWatts": 1, "capacity": {"cpu": 1}},
                "connection": {"maxChargePowerWatts": 0},
                "link": {},
            },
        }
    )
    spec = stored["spec"]
    assert spec["suspend"] is False
    assert spec["agreement"] == {"id": "agr-1", "version": 1, "energySources": ["Grid"]}
    assert spec["compensation"] == {
        "currency": "EUR",
        "availabilityPerHour": "0",
        "energyPerKWh": "0",
        "wearPerKWh": "0",
    }
    assert spec["compute"] == {
        "maxPowerWatts": 1,
        "capacity": {"cpu": 1},
        "standbyPowerWatts": 0,
        "efficiencyPercent": 100,
        "wakeSeconds": 0,
        "wakeEnergyWattHours": 0,
    }
    assert spec["link"] == {"metered": False}
    assert "parkingWindows" not in spec


@pytest.mark.parametrize(
    "change",
    [
        {"energySources": ["Grid", "Battery"]},
        {"ownerId": "own-other"},
        {"id": "agr-other"},
        {"acceptedAt": "2026-01-03T10:00:00Z"},
        {"version": 2},
    ],
)
def test_an_agreement_changes_with_its_version_only(api: Api, change: Manifest) -> None:
    """Whatever changes in an agreement, its version must grow; then the change is taken."""
    api.apply(good_manifest("VehicleNode"))
    with pytest.raises(RefusedError, match="the agreement has changed without a new version"):
        api.patch("VehicleNode", "v-3f9c2a", {"spec": {"agreement": change}})
    changed = api.patch(
        "VehicleNode", "v-3f9c2a", {"spec": {"agreement": {**change, "version": 4}}}
    )
    assert changed["spec"]["agreement"]["version"] == 4


def test_an_agreement_can_be_withdrawn_and_the_rest_changed(api: Api) -> None:
    """Withdrawing consent needs no version, nor does what is no part of the agreement."""
    api.apply(good_manifest("VehicleNode"))
    suspended = api.patch("VehicleNode", "v-3f9c2a", {"spec": {"suspend": True}})
    assert suspended["spec"]["agreement"]["version"] == 3
    withdrawn = api.patch("VehicleNode", "v-3f9c2a", {"spec": {"agreement": None}})
    assert "agreement" not in withdrawn["spec"]


def test_status_is_written_apart_from_spec(api: Api) -> None:
    """A status sent with the object is ignored, as the status subresource has it."""
    path = api.path("VehicleNode", "", API_VERSION)
    made = api.request("POST", path, good_manifest("VehicleNode"), query=STRICT)
    assert "status" not in made
    assert made["metadata"]["generation"] == 1


def test_kubectl_get_tells_the_story(api: Api) -> None:
    """The table shows site, charge, parked, until, pods, watts, rate and reason."""
    api.apply(good_manifest("VehicleNode"))
    pool = api._pool  # noqa: SLF001 - the test's client asks for objects, kubectl for a table
    answer = pool.request(
        "GET",
        api.url + api.path("VehicleNode", "", API_VERSION),
        headers=api.headers | {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"},
    ).json()
    columns = [column["name"] for column in answer["columnDefinitions"]]
    shown = dict(zip(columns, answer["rows"][0]["cells"], strict=True))
    del shown["Age"]
    assert shown == {
        "Name": "v-3f9c2a",
        "Site": "depot-7",
        "Charge": 71,
        "Parked": True,
        "Until": "2026-01-16T05:30:00Z",
        "Pods": 2,
        "Watts": 460,
        "Rate": "0.10",
        "Currency": "EUR",
        "Earned": "12.30",
        "Power": "Awake",
        "Reason": "Available",
    }


def test_the_short_names_are_served(installed: Api) -> None:
    """`kubectl get vn,site,tariff,policy` and `kubectl get idlewatt` find the four kinds."""
    listed = installed.request("GET", f"/apis/{API_VERSION}")["resources"]
    names = {each["name"]: each for each in listed if "/" not in each["name"]}
    assert {each["shortNames"][0] for each in names.values()} == {"vn", "site", "tariff", "policy"}
    assert all(each["categories"] == ["idlewatt"] for each in names.values())
    assert not any(each["namespaced"] for each in names.values())


def test_a_condition_alone_is_a_status(api: Api) -> None:
    """The operator can write what it found of a site of which nothing was observed."""
    manifest = without_status(copy.deepcopy(good_manifest("ParkingSite")))
    api.apply(manifest)
    found = {
        "type": "Ready",
        "status": "False",
        "reason": "TariffMissing",
        "message": "There is no EnergyTariff 'depot'.",
        "lastTransitionTime": "2026-01-15T22:00:00Z",
        "observedGeneration": 1,
    }
    patched = api.patch(
        "ParkingSite", "depot-7", {"status": {"conditions": [found]}}, subresource="status"
    )
    assert patched["status"]["conditions"] == [found]
