"""Findings: what takes a second object or a calendar to know ends in a condition."""

from decimal import Decimal

import pytest

from idlewatt_operator.resources.findings import (
    Finding,
    policy_findings,
    site_findings,
    tariff_findings,
    vehicle_findings,
)
from idlewatt_operator.resources.learned import Learned, Named
from idlewatt_scheduler.model.calendars import OnHolidays, PublicHolidays, Recurrence
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.policy import ExchangeRate, FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, Site
from idlewatt_scheduler.model.tariff import DemandCharge, Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import ParkingWindow
from idlewatt_scheduler.testing import AT, a_policy, a_site, a_tariff, a_vehicle

NOW = TariffInterval(AT, HOUR, Decimal("0.08"), "OffPeak", Decimal(300))


def of_type(findings: tuple[Finding, ...], kind: str) -> Finding:
    """The finding of one type."""
    return next(finding for finding in findings if finding.type == kind)


def off_peak(tariff: Tariff, policy: FleetPolicy) -> Finding:
    """Whether a site with this tariff can decide what is off-peak under this policy."""
    return of_type(site_findings(a_site(), {"depot": tariff}, policy, AT), "OffPeakDecidable")


def test_a_healthy_site_is_ready() -> None:
    """A site with a tariff that answers and circuits has nothing but True conditions."""
    findings = site_findings(a_site(), {"depot": a_tariff()}, a_policy(), AT)
    assert findings[0].type == "Ready"
    assert {finding.status for finding in findings} == {"True"}


@pytest.mark.parametrize(
    ("site", "kind", "reason"),
    [
        (a_site(tariff="gone"), "TariffKnown", "TariffMissing"),
        (a_site(tariff=None), "TariffKnown", "NoTariffRef"),
        (a_site(circuits=()), "CircuitsKnown", "NoCircuits"),
        (
            a_site(tariff=None, energy_borne_by=EnergyBearer.FLEET),
            "PriceKnown",
            "PriceMissing",
        ),
    ],
)
def test_a_site_says_what_it_lacks(site: Site, kind: str, reason: str) -> None:
    """What a site lacks is False under its own type, and sums up in Ready."""
    findings = site_findings(site, {"depot": a_tariff()}, a_policy(), AT)
    assert of_type(findings, kind).status == "False"
    assert of_type(findings, kind).reason == reason
    assert of_type(findings, "Ready").status == "False"


@pytest.mark.parametrize(
    ("test", "reason", "says"),
    [
        (OffPeakTest(band="Night"), "NeverOffPeak", "compare its bands and prices"),
        (OffPeakTest(max_grams_per_kwh=Decimal(100)), "EmissionsMissing", "payload GHG"),
        (
            OffPeakTest(max_price_per_kwh=Decimal("0.1"), currency="NOK"),
            "CurrencyUnknown",
            "from EUR to NOK",
        ),
        (
            OffPeakTest(max_price_per_kwh=Decimal("0.1"), currency="EUR"),
            "NeverOffPeak",
            "'depot'",
        ),
    ],
)
def test_a_tariff_that_cannot_answer_is_said(test: OffPeakTest, reason: str, says: str) -> None:
    """A test of the policy that the site's tariff can never answer is a condition of the site."""
    found = off_peak(a_tariff(), a_policy(off_peak=test))
    assert (found.status, found.reason) == ("False", reason)
    assert says in found.message


def test_a_tariff_without_bands_cannot_answer_the_default() -> None:
    """The default policy asks for a band: a tariff of prices alone never answers it."""
    tariff = Tariff("depot", "EUR", a_tariff().time_zone, intervals=(TariffInterval(AT, HOUR),))
    assert off_peak(tariff, a_policy()).reason == "BandMissing"


def test_a_wholesale_tariff_has_no_price_to_test() -> None:
    """A Wholesale tariff without adders answers no question about its price."""
    policy = a_policy(off_peak=OffPeakTest(cheapest_percent_of_next_24_hours=30))
    assert off_peak(a_tariff(wholesale=True), policy).reason == "PriceMissing"
    assert off_peak(a_tariff(wholesale=True, adders=(Decimal(1),)), policy).status == "True"


def test_an_exchange_rate_makes_a_price_comparable() -> None:
    """With the rate from the tariff's currency the test of a price is decidable."""
    policy = a_policy(
        off_peak=OffPeakTest(max_price_per_kwh=Decimal(3), currency="NOK"),
        exchange_rates=(ExchangeRate("EUR", "NOK", Decimal("11.6")),),
    )
    assert off_peak(a_tariff(), policy).status == "True"


def test_intervals_that_are_not_cheap_yet_are_no_mistake() -> None:
    """A dated tariff may become off-peak with what is published later, so nothing is said."""
    tariff = Tariff("depot", "EUR", a_tariff().time_zone, intervals=(NOW,))
    policy = a_policy(off_peak=OffPeakTest(max_price_per_kwh=Decimal("0.01"), currency="EUR"))
    assert off_peak(tariff, policy).status == "True"


@pytest.mark.parametrize(
    ("tariff", "kind", "reason"),
    [
        (a_tariff(wholesale=True), "Priced", "AddersMissing"),
        (a_tariff(zones=()), "Published", "Empty"),
        (
            a_tariff(zones=(), intervals=(TariffInterval(AT - HOUR, HOUR),)),
            "Published",
            "IntervalsOver",
        ),
        (a_tariff(zones=(), intervals=(TariffInterval(AT, HOUR),)), "Priced", "NoPrices"),
    ],
)
def test_a_tariff_says_what_it_lacks(tariff: Tariff, kind: str, reason: str) -> None:
    """A tariff without prices, or whose last interval is over, is not Ready."""
    findings = tariff_findings(tariff, {}, AT)
    assert of_type(findings, kind).reason == reason
    assert of_type(findings, "Ready").status == "False"


def test_a_published_tariff_is_ready() -> None:
    """Zones with prices, or an interval that is not over, are all a tariff needs."""
    assert tariff_findings(a_tariff(), {}, AT)[0].status == "True"
    assert tariff_findings(a_tariff(zones=(), intervals=(NOW,)), {}, AT)[0].status == "True"


def test_a_policy_without_a_test_is_said() -> None:
    """An offPeak that tests nothing makes every instant off-peak, which nobody means."""
    assert policy_findings(a_policy())[0].status == "True"
    assert policy_findings(a_policy(off_peak=OffPeakTest()))[0].reason == "NoTest"


def test_windows_that_never_open_are_said() -> None:
    """No window, a site that does not exist, and only windows that are over are each told."""
    sites = {"depot-7": a_site()}
    over = ParkingWindow("once", "depot-7", start=AT - HOUR, end=AT)
    usable = vehicle_findings(a_vehicle(), sites, a_policy(), AT)[0]
    assert usable.status == "True"
    assert vehicle_findings(a_vehicle(windows=()), sites, a_policy(), AT)[0].reason == "NoWindows"
    assert vehicle_findings(a_vehicle(), {}, a_policy(), AT)[0].reason == "SiteMissing"
    assert (
        vehicle_findings(a_vehicle(windows=(over,)), sites, a_policy(), AT)[0].reason
        == "WindowsOver"
    )


NEVER_ON_HOLIDAYS = Recurrence(frozenset(range(7)), 0, 0, on_holidays=OnHolidays.NEVER)
BAVARIA = PublicHolidays(country="DE", subdivision="BY")


def test_windows_that_ask_about_holidays_need_a_site_that_has_some() -> None:
    """Without them no day is one, which nobody who wrote `Only` or `Never` has meant."""
    windows = (ParkingWindow("workdays", "depot-7", NEVER_ON_HOLIDAYS),)
    vehicle, site = a_vehicle(windows=windows), a_site()
    told = vehicle_findings(vehicle, {site.name: site}, a_policy(), AT)[0]
    assert (told.status, told.reason) == ("False", "NoHolidays")
    assert "'workdays'" in told.message
    knowing = a_site(public_holidays=BAVARIA)
    assert vehicle_findings(vehicle, {knowing.name: knowing}, a_policy(), AT)[0].status == "True"


def test_zones_and_charges_that_ask_about_holidays_need_some() -> None:
    """The tariff's own, whatever its sites have."""
    zones = (TariffZone("day", NEVER_ON_HOLIDAYS, "Peak", Decimal("0.3")),)
    charges = (DemandCharge("evening", NEVER_ON_HOLIDAYS, Decimal(12)),)
    for tariff in (a_tariff(zones=zones), a_tariff(demand_charges=charges)):
        assert of_type(tariff_findings(tariff, {}, AT), "HolidaysKnown").reason == "NoHolidays"
    knowing = a_tariff(zones=zones, public_holidays=BAVARIA)
    assert of_type(tariff_findings(knowing, {}, AT), "HolidaysKnown").status == "True"


def test_a_source_that_is_silent_makes_prices_stale() -> None:
    """Before the first answer, and once the last one is older than the source allows."""
    fresh = a_tariff(zones=(), intervals=(NOW,), max_age=HOUR, refreshed_at=AT - HOUR)
    assert of_type(tariff_findings(fresh, {}, AT), "Published").reason == "Current"
    stale = of_type(tariff_findings(fresh, {}, AT + 1), "Published")
    assert (stale.status, stale.reason) == ("False", "PricesStale")
    assert "maxAgeSeconds" in stale.message
    never = a_tariff(zones=(), max_age=HOUR)
    told = tariff_findings(never, {}, AT)
    assert of_type(told, "Published").reason == "PricesStale"
    assert of_type(told, "Priced").status == "Unknown"


def test_a_site_waits_for_its_tariffs_source() -> None:
    """What is not known yet is Unknown, and keeps no site from being ready."""
    tariffs = {"depot": a_tariff(zones=(), max_age=HOUR)}
    site = a_site(energy_borne_by=EnergyBearer.FLEET)
    findings = site_findings(site, tariffs, a_policy(), AT)
    assert of_type(findings, "OffPeakDecidable").status == "Unknown"
    assert of_type(findings, "PriceKnown").status == "Unknown"
    assert of_type(findings, "Ready").status == "True"


def test_grams_may_be_another_tariffs() -> None:
    """The one that carbonRef names, which has to be there and to have some."""
    asking = a_policy(off_peak=OffPeakTest(cleanest_percent_of_next_24_hours=30))
    clean = a_tariff(name="grid", zones=(), intervals=(NOW,))
    tariff = a_tariff(carbon="grid")
    known, without = {"depot": tariff, "grid": clean}, {"depot": tariff}
    decidable = site_findings(a_site(), known, asking, AT)
    assert of_type(decidable, "OffPeakDecidable").status == "True"
    undecidable = site_findings(a_site(), without, asking, AT)
    assert of_type(undecidable, "OffPeakDecidable").reason == "EmissionsMissing"
    assert of_type(tariff_findings(tariff, known, AT), "CarbonKnown").reason == "TariffFound"
    only_grams = a_tariff(name="grid", zones=())
    assert of_type(tariff_findings(only_grams, known, AT), "Priced").reason == "CarbonOnly"
    assert of_type(tariff_findings(only_grams, {}, AT), "Priced").reason == "NoPrices"
    assert of_type(tariff_findings(tariff, without, AT), "CarbonKnown").reason == "TariffMissing"
    dirty = {"grid": a_tariff(name="grid")}
    assert of_type(tariff_findings(tariff, dirty, AT), "CarbonKnown").reason == "EmissionsMissing"


def test_a_limit_of_a_current_needs_a_voltage() -> None:
    """Without one nobody can tell how many watts it is, and it would be passed over in silence."""
    circuits = (Circuit("main", None, 60_000, max_current_milliamps_per_phase=63_000),)
    tariffs = {"depot": a_tariff()}
    told = site_findings(a_site(circuits=circuits), tariffs, a_policy(), AT)
    assert of_type(told, "CurrentsJudged").reason == "VoltageMissing"
    site = a_site(circuits=circuits, nominal_voltage_volts=230)
    assert of_type(site_findings(site, tariffs, a_policy(), AT), "CurrentsJudged").status == "True"


@pytest.mark.parametrize(
    ("learned", "status", "reason"),
    [
        (Learned(), "True", "NoneNamed"),
        (Learned(Named("a", "b"), DepartureModel()), "True", "Read"),
        (Learned(Named("a", "b")), "Unknown", "Awaited"),
        (Learned.missing(Named("a", "b")), "False", "DeparturesUnreadable"),
    ],
)
def test_a_policy_says_whether_its_departures_can_be_read(
    learned: Learned, status: str, reason: str
) -> None:
    """And that the stated ones stand until they can."""
    told = of_type(policy_findings(a_policy(), learned), "DeparturesReadable")
    assert (told.status, told.reason) == (status, reason)
    assert (status == "False") == ("Until then the stated departures stand." in told.message)
