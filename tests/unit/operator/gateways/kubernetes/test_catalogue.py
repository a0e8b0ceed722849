"""The catalogue: two roads, either of them late, and always the newer of two versions."""

import pytest
from tests.integration.fleet_manifests import Manifest, a_policy, a_site, a_tariff

from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.resources.energytariff import EnergyTariff
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.parkingsite import ParkingSite


class Requests:
    """Counts the requests for a cycle."""

    count = 0

    def __call__(self) -> None:
        """Count one."""
        self.count += 1


@pytest.fixture
def requests() -> Requests:
    """What the catalogue calls on a change."""
    return Requests()


@pytest.fixture
def catalogue(requests: Requests) -> Catalogue:
    """An empty catalogue."""
    return Catalogue(requests)


def at_version(manifest: Manifest, version: int) -> Manifest:
    """The manifest as the API server keeps it."""
    metadata = {**manifest["metadata"], "resourceVersion": str(version), "generation": version}
    return {**manifest, "metadata": metadata}


def site(version: int, *, region: str = "eu-de") -> Manifest:
    """The site `depot` at a version."""
    return at_version(a_site(region=region), version)


def region(catalogue: Catalogue) -> str | None:
    """The region of `depot`; None where it is not there."""
    found = catalogue.sites.get("depot")
    return found.region if found else None


def test_the_newer_of_two_counts(catalogue: Catalogue, requests: Requests) -> None:
    """An event that arrives late does not bring back what was, and asks for nothing."""
    catalogue.put(ParkingSite, site(7, region="new"))
    catalogue.put(ParkingSite, site(5, region="old"))
    assert region(catalogue) == "new"
    assert requests.count == 1


def test_a_late_event_does_not_raise_the_dead(catalogue: Catalogue) -> None:
    """What was deleted stays so until it is made again."""
    catalogue.put(ParkingSite, site(5))
    catalogue.drop(ParkingSite, site(8))
    catalogue.put(ParkingSite, site(6))
    assert region(catalogue) is None
    catalogue.put(ParkingSite, site(9, region="again"))
    catalogue.drop(ParkingSite, site(8))
    assert region(catalogue) == "again"


def test_a_listing_removes_what_it_lacks(catalogue: Catalogue) -> None:
    """What is not in a listing and is no newer than it is gone."""
    catalogue.put(ParkingSite, site(5))
    catalogue.replace(ParkingSite, [], "6")
    assert region(catalogue) is None


def test_a_listing_overtaken_by_events_takes_nothing_back(catalogue: Catalogue) -> None:
    """What an event brought after the listing was taken stays, made, changed or deleted."""
    catalogue.put(ParkingSite, site(9, region="made"))
    catalogue.replace(ParkingSite, [], "6")
    assert region(catalogue) == "made"
    catalogue.replace(ParkingSite, [site(5, region="old")], "6")
    assert region(catalogue) == "made"
    catalogue.drop(ParkingSite, site(12))
    catalogue.replace(ParkingSite, [site(9, region="made")], "11")
    assert region(catalogue) is None


def test_it_is_synced_once_every_kind_was_listed(catalogue: Catalogue, requests: Requests) -> None:
    """Each kind has to be listed, an empty one too; the last one asks for a cycle."""
    for kind in (ParkingSite, EnergyTariff):
        catalogue.replace(kind, [], "1")
        assert not catalogue.synced
    before = requests.count
    catalogue.replace(FleetPolicy, [], "1")
    assert catalogue.synced
    assert requests.count == before + 1
    catalogue.replace(FleetPolicy, [], "2")
    assert requests.count == before + 1


def test_what_we_wrote_ourselves_asks_for_no_cycle(
    catalogue: Catalogue, requests: Requests
) -> None:
    """A new condition changes nothing that is planned with, but is remembered."""
    catalogue.put(ParkingSite, site(5))
    condition = {"type": "Ready", "status": "False"}
    catalogue.put(ParkingSite, {**site(6), "status": {"conditions": [condition]}})
    assert requests.count == 1
    assert catalogue.conditions("ParkingSite", "depot") == [condition]
    assert catalogue.conditions("ParkingSite", "other") is None


def test_an_unusable_object_is_refused_with_a_sentence(catalogue: Catalogue) -> None:
    """An object that cannot be used is named, and nothing is planned with it."""
    catalogue.put(ParkingSite, at_version(a_site(timeZone="Mars/Olympus"), 5))
    assert region(catalogue) is None
    (refused,) = catalogue.refused
    assert (refused.kind, refused.name, refused.generation) == ("ParkingSite", "depot", 5)
    assert "spec.timeZone" in refused.message
    catalogue.put(ParkingSite, site(6))
    assert catalogue.refused == ()


def test_an_unusable_policy_leaves_the_last_in_force(catalogue: Catalogue) -> None:
    """A policy that cannot be used changes nothing; one that is deleted leaves the defaults."""
    catalogue.put(FleetPolicy, at_version(a_policy(1_234), 5))
    bad = at_version(a_policy(), 6)
    bad["spec"]["minimumStaySeconds"] = -1
    catalogue.put(FleetPolicy, bad)
    assert catalogue.policy.minimum_stay_seconds == 1_234
    assert len(catalogue.refused) == 1
    catalogue.drop(FleetPolicy, at_version(bad, 7))
    assert catalogue.policy.minimum_stay_seconds == 3_600
    other = at_version(a_policy(99), 8)
    other["metadata"]["name"] = "other"
    catalogue.put(FleetPolicy, other)
    assert catalogue.policy.minimum_stay_seconds == 3_600


def test_tariffs_are_kept_by_name(catalogue: Catalogue) -> None:
    """Tariffs of both names are there, apart from the sites of the same name."""
    catalogue.put(EnergyTariff, at_version(a_tariff("a"), 1))
    catalogue.put(EnergyTariff, at_version(a_tariff("depot"), 2))
    assert set(catalogue.tariffs) == {"a", "depot"}
    assert catalogue.sites == {}


def test_the_generation_of_what_is_there_is_known(catalogue: Catalogue) -> None:
    """A condition names the generation it is about; what was deleted has none."""
    catalogue.put(ParkingSite, site(7))
    catalogue.put(EnergyTariff, at_version(a_tariff(), 8))
    catalogue.drop(EnergyTariff, at_version(a_tariff(), 9))
    assert catalogue.generations == {("ParkingSite", "depot"): 7}


def test_the_departures_of_a_policy_come_and_go_with_it(
    catalogue: Catalogue, requests: Requests
) -> None:
    """A policy that cannot be used leaves those of the last one, and one that is gone has none."""
    named = a_policy()
    named["spec"]["departuresRef"] = {"namespace": "idlewatt", "name": "learned"}
    catalogue.put(FleetPolicy, at_version(a_policy(), 5))
    assert catalogue.departures is None
    before = requests.count
    catalogue.put(FleetPolicy, at_version(named, 6))
    assert str(catalogue.departures) == "ConfigMap idlewatt/learned"
    assert requests.count == before + 1
    bad = at_version(named, 7)
    bad["spec"] = {"minimumStaySeconds": -1}
    catalogue.put(FleetPolicy, bad)
    assert str(catalogue.departures) == "ConfigMap idlewatt/learned"
    catalogue.drop(FleetPolicy, at_version(bad, 8))
    assert catalogue.departures is None
