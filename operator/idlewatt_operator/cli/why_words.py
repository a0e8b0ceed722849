"""The figures behind a reason, in words: `needs until 06:10, leaves 05:30`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from idlewatt_operator.reconcile.advice import clock, listed, rough
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.why import Failing

Figures = Mapping[str, Any]


def sentence(failing: Failing, at: Instant) -> str:
    """What was compared; empty where the reason says it all."""
    words = _WORDS.get(failing.reason)
    return "" if words is None else words(failing.figures, at)


def _at(instant: Instant | None, at: Instant, otherwise: str = "unknown") -> str:
    return otherwise if instant is None else clock(instant, at)


def watts(milliwatts: int) -> str:
    """Watts, with decimals only where there are any."""
    whole, rest = divmod(milliwatts, 1_000)
    return f"{whole}.{rest:03d}".rstrip("0") + " W" if rest else f"{whole} W"


def amount(resource: str, thousandths: int) -> str:
    """A quantity as people write it: `12 cpu`, `500m cpu`, `8Gi memory`."""
    if resource in {"memory", "ephemeral-storage"}:
        return f"{_binary(thousandths // 1_000)} {resource}"
    whole, rest = divmod(thousandths, 1_000)
    return f"{thousandths}m {resource}" if rest else f"{whole} {resource}"


def _binary(size: int) -> str:
    for power, suffix in ((40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")):
        if size >= 2**power:
            return f"{size / 2**power:.1f}".removesuffix(".0") + suffix
    return str(size)


def _earned(figures: Figures, _: Instant) -> str:
    return f"earned {figures['earned']} of {figures['cap']} {figures['currency']} this month"


def _currency(figures: Figures, _: Instant) -> str:
    return f"paid in {figures['currency']}"


def _node(figures: Figures, _: Instant) -> str:
    return "its Node is missing" if figures["ready"] is None else "its Node says it is not ready"


def _unreachable(figures: Figures, at: Instant) -> str:
    since = figures["since_at"]
    return "" if since is None else f"since {clock(since, at)}"


def _invalid(figures: Figures, _: Instant) -> str:
    return f"of {listed(figures['blocks'])}"


def _stale(figures: Figures, at: Instant) -> str:
    allowed, observed = figures["allowed_milliseconds"], figures["observed_at"]
    if observed is None:
        return f"{listed(figures['blocks'])} not reported"
    age = rough(max(at - observed, 0))
    return f"{listed(figures['blocks'])} reported {age} ago, {rough(allowed)} is allowed"


def _next_window(figures: Figures, at: Instant) -> str:
    opening = figures["next_window_at"]
    return "no window ahead there" if opening is None else f"next window opens {clock(opening, at)}"


def _idle(figures: Figures, at: Instant) -> str:
    if figures["from_at"] is None:
        return "nobody knows since when it stands"
    return f"parked since {clock(figures['parked_since_at'], at)}, idle enough from " + clock(
        figures["from_at"], at
    )


def _hot(figures: Figures, _: Instant) -> str:
    parts = (
        f"{name} at {figures[f'{name}_celsius']} C, at most {figures[f'{name}_at_most_celsius']} C"
        for name in ("battery", "computer")
        if figures[f"{name}_celsius"] is not None
        and figures[f"{name}_at_most_celsius"] is not None
        and figures[f"{name}_celsius"] > figures[f"{name}_at_most_celsius"]
    )
    return ", ".join(parts)


def _cold(figures: Figures, _: Instant) -> str:
    least = figures["battery_at_least_celsius"]
    return f"battery at {figures['battery_celsius']} C, at least {least} C"


def _where(figures: Figures, _: Instant) -> str:
    site, circuit = figures["site"], figures["circuit"]
    if site is None:
        return "no site reported"
    return f"at {site}, {'no circuit reported' if circuit is None else f'circuit {circuit}'}"


def _site(figures: Figures, _: Instant) -> str:
    return "" if figures["site"] is None else f"at {figures['site']}"


def _supply(figures: Figures, _: Instant) -> str:
    consented = listed(figures["consented"]) if figures["consented"] else "nothing"
    return f"{figures['supply'] or 'supply not reported'}; consented to: {consented}"


def _faults(figures: Figures, _: Instant) -> str:
    return "; ".join(figures["faults"]) or "no controller, and no allow-loss"


def _fields(figures: Figures, _: Instant) -> str:
    return listed(figures["fields"])


def _taints(figures: Figures, _: Instant) -> str:
    found = [*figures["taints"], *(["a cordon"] if figures["cordoned"] == "true" else [])]
    return f"its Node has {listed(found)}" if found else ""


def _region(figures: Figures, _: Instant) -> str:
    return f"in {figures['region'] or 'no known region'}, wanted: {listed(figures['wanted'])}"


def _capacity(figures: Figures, _: Instant) -> str:
    parts = []
    if "resource" in figures:
        name = figures["resource"]
        asked, whole = figures["asked_thousandths"], figures["capacity_thousandths"]
        parts.append(f"asks for {amount(name, asked)}, it has {amount(name, whole)}")
    if "power_milliwatts" in figures:
        most = watts(figures["most_milliwatts"])
        parts.append(f"draws {watts(figures['power_milliwatts'])}, at most {most}")
    return "; ".join(parts)


def _link(figures: Figures, _: Instant) -> str:
    after, allowed = figures["ready_after_milliseconds"], figures["allowed_milliseconds"]
    if after > allowed:
        return f"ready after {rough(after)}, {rough(allowed)} is allowed"
    return f"{_binary(figures['image_bytes'])} to fetch, less is left of the month's data"


def _leaves(figures: Figures, at: Instant) -> str:
    return f"needs until {_at(figures['needs_until_at'], at)}, leaves " + _at(
        figures["leaves_at"], at
    )


def _deadline(figures: Figures, at: Instant) -> str:
    return f"done {_at(figures['done_at'], at)}, deadline {_at(figures['deadline_at'], at)}"


def _peak(figures: Figures, at: Instant) -> str:
    if "peak_at" not in figures:
        return "there is no tariff"
    again = figures["off_peak_at"]
    then = "no off-peak hour known after that" if again is None else f"off-peak {clock(again, at)}"
    if figures["peak_at"] <= at:
        return f"not off-peak now, {then}"
    return f"needs until {clock(figures['needs_until_at'], at)}, off-peak ends " + clock(
        figures["peak_at"], at
    )


def _charge(figures: Figures, name: str) -> str:
    charge = figures["charge_percent"]
    percent = "unknown" if charge is None else f"{int(charge)} %"
    draws = watts(figures["computing_milliwatts"])
    return (
        f"charge {percent}, {name}; computing {draws} for "
        f"{rough(figures['stay_milliseconds'])} from the {figures['source']}"
    )


def _reserve(figures: Figures, _: Instant) -> str:
    return _charge(figures, f"reserve {figures['reserve_percent']} %")


def _departure(figures: Figures, _: Instant) -> str:
    return _charge(figures, f"to leave with {figures['departure_percent']} %")


def _room(figures: Figures, _: Instant) -> str:
    if "resource" in figures:
        name = figures["resource"]
        asked, left = figures["asked_thousandths"], figures["left_thousandths"]
        return f"asks for {amount(name, asked)}, {amount(name, left)} left"
    if not figures:
        return ""
    power, most = figures["power_milliwatts"], figures["most_milliwatts"]
    if power > most:
        return f"pods would draw {watts(power)} together, at most {watts(most)}"
    return f"would draw {watts(figures['ac_milliwatts'])} AC, its connection carries " + watts(
        figures["cap_milliwatts"]
    )


def _ports(figures: Figures, _: Instant) -> str:
    return f"{listed(figures['ports'])} in use"


def _circuit(figures: Figures, _: Instant) -> str:
    if not figures:
        return ""
    more, left = watts(figures["more_milliwatts"]), watts(figures["left_milliwatts"])
    return f"{figures['circuit']}: {more} more, {left} left"


_WORDS: Final[Mapping[Reason, Callable[[Figures, Instant], str]]] = {
    VehicleReason.CURRENCY_UNKNOWN: _currency,
    VehicleReason.MONTHLY_CAP_REACHED: _earned,
    VehicleReason.NODE_NOT_READY: _node,
    VehicleReason.UNREACHABLE: _unreachable,
    VehicleReason.TELEMETRY_INVALID: _invalid,
    VehicleReason.TELEMETRY_STALE: _stale,
    VehicleReason.NOT_PARKED: _next_window,
    VehicleReason.NOT_IDLE_LONG_ENOUGH: _idle,
    VehicleReason.TOO_HOT: _hot,
    VehicleReason.TOO_COLD: _cold,
    VehicleReason.SITE_UNKNOWN: _where,
    VehicleReason.COMPUTE_NOT_ALLOWED: _site,
    VehicleReason.NOT_SUPPLIED: _supply,
    PodReason.INVALID_ANNOTATION: _faults,
    PodReason.UNSUPPORTED_FIELD: _fields,
    PodReason.TAINT_NOT_TOLERATED: _taints,
    PodReason.RESIDENCY: _region,
    PodReason.EXCEEDS_CAPACITY: _capacity,
    PodReason.LINK_TOO_SLOW: _link,
    PodReason.OUTSIDE_PARKING_WINDOW: _next_window,
    PodReason.LEAVES_TOO_EARLY: _leaves,
    PodReason.DEADLINE_MISSED: _deadline,
    PodReason.ON_PEAK: _peak,
    PodReason.PRICE_UNKNOWN: _peak,
    PodReason.BELOW_RESERVE: _reserve,
    PodReason.DEPARTURE_CHARGE_AT_RISK: _departure,
    PodReason.NOT_ENOUGH_RESOURCES: _room,
    PodReason.HOST_PORT_TAKEN: _ports,
    PodReason.CIRCUIT_FULL: _circuit,
}
