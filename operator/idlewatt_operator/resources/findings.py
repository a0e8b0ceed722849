"""What only the operator can know of a resource: it takes a second object, or a calendar.

Each function returns findings that become the conditions of the object, the summary `Ready`
first: True when none of the others is False. Nothing is refused here; what cannot be used as it
is meant is said.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from idlewatt_operator.resources.finding import Finding
from idlewatt_operator.resources.learned import Learned
from idlewatt_operator.resources.times import format_instant
from idlewatt_operator.resources.wear_covered import wear_covered
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.calendars import OnHolidays, PublicHolidays, Recurrence
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import Instant, seconds
from idlewatt_scheduler.model.vehicle import ParkingWindow, Vehicle
from idlewatt_scheduler.prices import Verdict, price_line

__all__ = [
    "Finding",
    "policy_findings",
    "site_findings",
    "tariff_findings",
    "vehicle_findings",
]


def site_findings(
    site: Site, tariffs: Mapping[str, Tariff], policy: FleetPolicy, at: Instant
) -> tuple[Finding, ...]:
    """`TariffKnown`, `CircuitsKnown`, `CurrentsJudged`, `OffPeakDecidable`, and `PriceKnown`.

    The last is there where the fleet pays, and the one before it where there is a tariff.
    """
    tariff = tariffs.get(site.tariff) if site.tariff is not None else None
    found = [_tariff_known(site, tariff), _circuits_known(site), _currents_judged(site)]
    if tariff is not None:
        carbon = tariffs.get(tariff.carbon) if tariff.carbon is not None else None
        found.append(_off_peak_decidable(tariff, carbon, policy, at))
    if site.energy_borne_by is EnergyBearer.FLEET:
        found.append(_price_known(tariff))
    return _summed_up(found)


def _tariff_known(site: Site, tariff: Tariff | None) -> Finding:
    if tariff is not None:
        return Finding("TariffKnown", "True", "TariffFound", f"Its tariff is '{tariff.name}'.")
    if site.tariff is None:
        return Finding(
            "TariffKnown",
            "False",
            "NoTariffRef",
            "It names no tariff, so its prices are unknown and only pods that take any tariff "
            "come here: set spec.tariffRef.",
        )
    return Finding(
        "TariffKnown",
        "False",
        "TariffMissing",
        f"There is no EnergyTariff '{site.tariff}', so its prices are unknown and only pods that "
        "take any tariff come here: make it, or name another in spec.tariffRef.",
    )


def _circuits_known(site: Site) -> Finding:
    if site.circuits:
        return Finding(
            "CircuitsKnown", "True", "CircuitsFound", "Its grid connection is described."
        )
    return Finding(
        "CircuitsKnown",
        "False",
        "NoCircuits",
        "It lists no circuit, so no plugged car here can be used or charged by idlewatt: list its "
        "grid connection in spec.circuits.",
    )


def _currents_judged(site: Site) -> Finding:
    limited = [each.name for each in site.circuits if each.max_current_milliamps_per_phase]
    if limited and site.nominal_voltage_volts is None:
        return Finding(
            "CurrentsJudged",
            "False",
            "VoltageMissing",
            f"The circuit {_listed(limited)} limits the current of a phase, and without a voltage "
            "nobody can tell it: set spec.nominalVoltageVolts, between a phase and neutral.",
        )
    return Finding("CurrentsJudged", "True", "Judged", "Every limit of a current is judged.")


def _price_known(tariff: Tariff | None) -> Finding:
    if tariff is not None and _is_awaited(tariff):
        return Finding("PriceKnown", "Unknown", "SourceAwaited", _AWAITED)
    if tariff is not None and _has_price(tariff):
        return Finding("PriceKnown", "True", "PriceFound", "The fleet's electricity has a price.")
    return Finding(
        "PriceKnown",
        "False",
        "PriceMissing",
        "The fleet buys the electricity here and no price of it is known, so no pod comes: name a "
        "tariff with prices, with adders where its basis is Wholesale.",
    )


_AWAITED: Final = "Its tariff has a source that has not answered yet."


def _off_peak_decidable(
    tariff: Tariff, carbon: Tariff | None, policy: FleetPolicy, at: Instant
) -> Finding:
    test, exchange = policy.off_peak, Exchange(policy, ())
    if _is_awaited(tariff):
        return Finding("OffPeakDecidable", "Unknown", "SourceAwaited", _AWAITED)
    for finding in _unanswered(tariff, carbon, test, exchange):
        return finding
    if tariff.zones and _never_off_peak(tariff, carbon, policy, at):
        return _undecidable(
            "NeverOffPeak",
            f"At no time in the next two weeks does the tariff '{tariff.name}' pass the "
            "FleetPolicy's test of off-peak: compare its bands and prices with spec.offPeak.",
        )
    return Finding(
        "OffPeakDecidable", "True", "Decidable", "Its tariff can answer the FleetPolicy's test."
    )


def _is_awaited(tariff: Tariff) -> bool:
    return tariff.max_age is not None and tariff.refreshed_at is None


def _never_off_peak(
    tariff: Tariff, carbon: Tariff | None, policy: FleetPolicy, at: Instant
) -> bool:
    line = price_line(
        tariff,
        policy.off_peak,
        at,
        Exchange(policy, ()).rate,
        carbon=carbon,
        forecast_max_age=seconds(policy.forecast_max_age_seconds),
    )
    return Verdict.OFF_PEAK not in line.verdicts


def _undecidable(reason: str, message: str) -> Finding:
    return Finding("OffPeakDecidable", "False", reason, message)


def _unanswered(
    tariff: Tariff, carbon: Tariff | None, test: OffPeakTest, exchange: Exchange
) -> Iterator[Finding]:
    """What the test asks for and the tariff never says."""
    told = f"the tariff '{tariff.name}'"
    if test.band is not None and not _has_band(tariff):
        yield _undecidable(
            "BandMissing",
            f"The FleetPolicy asks for the band '{test.band}' and {told} names no band: add bands "
            "to it, or test the price instead.",
        )
    asks_price = test.max_price_per_kwh is not None or test.cheapest_percent_of_next_24_hours
    if asks_price and not _has_price(tariff):
        yield _undecidable(
            "PriceMissing",
            f"The FleetPolicy asks for a price and {told} has none: add prices to it, and adders "
            "where its basis is Wholesale.",
        )
    target = test.currency
    if target is not None and exchange.rate(tariff.currency, target) is None:
        yield _undecidable(
            "CurrencyUnknown",
            f"The FleetPolicy asks for a price in {target} and {told} has {tariff.currency}: add "
            f"the exchange rate from {tariff.currency} to {target}.",
        )
    asks_grams = test.max_grams_per_kwh is not None or test.cleanest_percent_of_next_24_hours
    if asks_grams and not (_has_grams(tariff) or (carbon is not None and _has_grams(carbon))):
        yield _undecidable(
            "EmissionsMissing",
            f"The FleetPolicy asks for grams of CO2 per kWh and {told} names none: publish "
            "intervals with a payload GHG, or name the tariff that has them in spec.carbonRef.",
        )


def _has_grams(tariff: Tariff) -> bool:
    grams = any(interval.grams_per_kwh is not None for interval in tariff.intervals)
    return grams or _is_awaited(tariff)


def _has_band(tariff: Tariff) -> bool:
    bands = [zone.band for zone in tariff.zones]
    return any([*bands, *(interval.band for interval in tariff.intervals)])


def _has_price(tariff: Tariff) -> bool:
    prices = [zone.price_per_kwh for zone in tariff.zones]
    prices += [interval.price_per_kwh for interval in tariff.intervals]
    complete = bool(tariff.adders) or not tariff.wholesale
    return complete and any(price is not None for price in prices)


def tariff_findings(
    tariff: Tariff, tariffs: Mapping[str, Tariff], at: Instant
) -> tuple[Finding, ...]:
    """`Priced`, `Published`, `HolidaysKnown` and `CarbonKnown`."""
    return _summed_up(
        [
            _priced(tariff, tariffs),
            _published(tariff, at),
            _holidays_known(tariff),
            _carbon_known(tariff, tariffs),
        ]
    )


def _priced(tariff: Tariff, tariffs: Mapping[str, Tariff]) -> Finding:
    if tariff.wholesale and not tariff.adders:
        return Finding(
            "Priced",
            "False",
            "AddersMissing",
            "Its basis is Wholesale and it has no adders, so it has no price that anybody pays: "
            "add grid fees to spec.adders.",
        )
    if _is_awaited(tariff):
        return Finding("Priced", "Unknown", "SourceAwaited", "Its source has not answered yet.")
    if not _has_price(tariff):
        if any(each.carbon == tariff.name for each in tariffs.values()):
            sentence = "It tells grams of CO2 to a tariff that names it, and needs no price."
            return Finding("Priced", "True", "CarbonOnly", sentence)
        return Finding(
            "Priced",
            "False",
            "NoPrices",
            "No zone and no interval has a price: costs are known only where the fleet does not "
            "buy the electricity.",
        )
    return Finding("Priced", "True", "Priced", "It has prices.")


def _published(tariff: Tariff, at: Instant) -> Finding:
    if tariff.zones:
        return Finding("Published", "True", "Recurring", "Its zones come back every week.")
    if tariff.max_age is not None and _is_stale(tariff, at):
        return Finding("Published", "False", "PricesStale", _stale_sentence(tariff))
    if not tariff.intervals:
        return Finding(
            "Published", "False", "Empty", "It has no zone and no interval: publish some."
        )
    if max(interval.start + interval.duration for interval in tariff.intervals) <= at:
        return Finding(
            "Published",
            "False",
            "IntervalsOver",
            "Its last interval is over, so nothing is known of it now: publish the next ones.",
        )
    return Finding("Published", "True", "Current", "Some of its intervals are not over yet.")


def _is_stale(tariff: Tariff, at: Instant) -> bool:
    refreshed, limit = tariff.refreshed_at, tariff.max_age
    return limit is not None and (refreshed is None or at - refreshed > limit)


def _stale_sentence(tariff: Tariff) -> str:
    unknown = "so its prices are unknown, and not the last ones known"
    if tariff.refreshed_at is None:
        return f"Its source has not answered yet, {unknown}: look whether it can be reached."
    last = format_instant(tariff.refreshed_at)
    return (
        f"Its source last gave prices at {last}, longer ago than spec.source.maxAgeSeconds, "
        f"{unknown}: look whether it can be reached."
    )


def _holidays_known(tariff: Tariff) -> Finding:
    recurring = {zone.name: zone.recurrence for zone in tariff.zones}
    recurring |= {charge.name: charge.recurrence for charge in tariff.demand_charges}
    asking = sorted(name for name, each in recurring.items() if _asks_of_holidays(each))
    if asking and tariff.public_holidays == PublicHolidays():
        return Finding(
            "HolidaysKnown",
            "False",
            "NoHolidays",
            f"{_listed(asking)} asks about public holidays and the tariff names none, so no day "
            "is one: set spec.publicHolidays.",
        )
    return Finding("HolidaysKnown", "True", "Known", "It knows the holidays that it asks about.")


def _asks_of_holidays(recurrence: Recurrence) -> bool:
    return recurrence.on_holidays is not OnHolidays.AS_USUAL


def _carbon_known(tariff: Tariff, tariffs: Mapping[str, Tariff]) -> Finding:
    if tariff.carbon is None:
        return Finding("CarbonKnown", "True", "NoCarbonRef", "It names no other tariff for GHG.")
    other = tariffs.get(tariff.carbon)
    if other is None:
        return Finding(
            "CarbonKnown",
            "False",
            "TariffMissing",
            f"There is no EnergyTariff '{tariff.carbon}', so its grams of CO2 are unknown: make "
            "it, or name another in spec.carbonRef.",
        )
    if not _has_grams(other):
        return Finding(
            "CarbonKnown",
            "False",
            "EmissionsMissing",
            f"The EnergyTariff '{other.name}' has no payload GHG, so grams of CO2 are unknown: "
            "add them to it, or name another in spec.carbonRef.",
        )
    return Finding("CarbonKnown", "True", "TariffFound", f"'{other.name}' tells grams of CO2.")


def policy_findings(policy: FleetPolicy, learned: Learned | None = None) -> tuple[Finding, ...]:
    """`OffPeakTested` and `DeparturesReadable`."""
    return _summed_up([_off_peak_tested(policy), _departures_readable(learned or Learned())])


def _off_peak_tested(policy: FleetPolicy) -> Finding:
    if policy.off_peak.asks_anything:
        return Finding("OffPeakTested", "True", "Tested", "Off-peak is tested.")
    return Finding(
        "OffPeakTested",
        "False",
        "NoTest",
        "spec.offPeak holds no test, so every instant counts as off-peak: give one, or leave "
        "offPeak out for the default band OffPeak.",
    )


def _departures_readable(learned: Learned) -> Finding:
    kind = "DeparturesReadable"
    if learned.fault:
        sentence = f"{learned.fault} Until then the stated departures stand."
        return Finding(kind, "False", "DeparturesUnreadable", sentence)
    if learned.named is None:
        return Finding(
            kind, "True", "NoneNamed", "It names no learned departures; the stated ones stand."
        )
    if learned.model is None:
        return Finding(kind, "Unknown", "Awaited", f"The {learned.named} was not read yet.")
    entries = len(learned.model.quantiles)
    return Finding(kind, "True", "Read", f"The {learned.named} has {entries} distributions.")


def vehicle_findings(
    vehicle: Vehicle, sites: Mapping[str, Site], policy: FleetPolicy, at: Instant
) -> tuple[Finding, ...]:
    """`ParkingWindowsUsable` and `WearCovered`; others are about what was observed."""
    return (_windows_usable(vehicle.windows, sites, at), wear_covered(vehicle, policy, at))


_WINDOWS: Final = "ParkingWindowsUsable"


def _windows_usable(
    windows: tuple[ParkingWindow, ...], sites: Mapping[str, Site], at: Instant
) -> Finding:
    if not windows:
        return Finding(
            _WINDOWS,
            "False",
            "NoWindows",
            "It has no parking window, so no pod ever comes: list when and where it stands in "
            "spec.parkingWindows.",
        )
    lost = sorted({window.site for window in windows if window.site not in sites})
    if lost:
        return Finding(
            _WINDOWS,
            "False",
            "SiteMissing",
            f"There is no ParkingSite {_listed(lost)}, so its windows there never open: make it, "
            "or name another in siteRef.",
        )
    if all(window.end is not None and window.end <= at for window in windows):
        return Finding(
            _WINDOWS,
            "False",
            "WindowsOver",
            "Its last parking window is over: add the next one.",
        )
    asking = [
        window
        for window in windows
        if window.recurrence is not None
        and _asks_of_holidays(window.recurrence)
        and sites[window.site].public_holidays == PublicHolidays()
    ]
    if asking:
        return Finding(
            _WINDOWS,
            "False",
            "NoHolidays",
            f"The window {_listed(each.name for each in asking)} asks about public holidays, and "
            f"its ParkingSite {_listed(sorted({each.site for each in asking}))} names none, so no "
            "day is one there: set publicHolidays of the site.",
        )
    return Finding(_WINDOWS, "True", "Usable", "Its parking windows can open.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _summed_up(findings: list[Finding]) -> tuple[Finding, ...]:
    failed = next((finding for finding in findings if finding.status == "False"), None)
    if failed is None:
        summary = Finding("Ready", "True", "Ready", "It can be used as it is.")
    else:
        summary = Finding("Ready", "False", failed.reason, failed.message)
    return (summary, *findings)
