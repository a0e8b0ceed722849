"""Random snapshots that reach every clause, and shrink towards a healthy fleet.

Whatever is random has a healthy value and, in a table of oddities, the ways in which it is not.
Most vehicles and pods have no oddity or one, so that late clauses are reached as often as
early ones, and figures lie so close to each other that boundaries are hit exactly.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from tests.property.crowd_strategies import crowded
from tests.property.energy_strategies import enriched

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import ExchangeRate, FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, ObservedCircuit, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant
from idlewatt_scheduler.model.vehicle import (
    EnergySource,
    Link,
    ParkingWindow,
    Power,
    Quality,
    Supply,
    Vehicle,
)
from idlewatt_scheduler.model.workload import (
    HostPort,
    Node,
    NodeSelectorTerm,
    Pod,
    Ready,
    Requirement,
    RunningPod,
    Taint,
    Toleration,
)
from idlewatt_scheduler.testing import (
    AT,
    GIBIBYTE,
    a_node,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
    instant,
)

_Value = TypeVar("_Value")
Draw = Callable[[st.SearchStrategy[Any]], Any]

INSTANTS = (
    AT,
    AT + 6 * HOUR,
    AT + 12 * HOUR,
    instant("2026-03-28T23:30:00Z"),
    instant("2026-10-24T23:15:00Z"),
    instant("2026-10-25T00:45:00Z"),
    instant("2026-04-04T12:00:00Z"),
)
"""A winter night, its end, noon; both Berlin nights of daylight saving, and one of Lord Howe."""

ZONES = tuple(
    ZoneInfo(name) for name in ("Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe")
)
YES_OR_NO = (True, False)
NO_OR_YES = (False, True)
SITES = ("depot-7", "depot-8")
TARIFFS = ("depot", "spot")
SEEN_FROM_INSIDE, SEEN_FROM_OUTSIDE = HostPort(80, address="10.0.0.1"), HostPort(80, address="::1")
PORTS: tuple[tuple[HostPort, ...], ...] = (
    (HostPort(80),),
    (HostPort(80),),
    (SEEN_FROM_INSIDE,),
    (SEEN_FROM_OUTSIDE,),
    (SEEN_FROM_INSIDE, SEEN_FROM_OUTSIDE),
    (HostPort(80), SEEN_FROM_INSIDE),
    (HostPort(80, "UDP"), HostPort(81)),
)
"""The same port on every address, on one or on two; and two others."""
PRICES = tuple(map(Decimal, ("0.18", "0.10", "0.32", "-0.05", "0")))


def oddities(*odd: dict[str, Any], share: int = 1) -> st.SearchStrategy[dict[str, Any]]:
    """No oddity `share` times as often as one of them; now and then two at once."""
    one = st.sampled_from(odd)
    two = st.builds(lambda first, second: {**first, **second}, one, one)
    return st.sampled_from([st.just({})] * (3 * share) + [one, one, two]).flatmap(
        lambda chosen: chosen
    )


def usually(healthy: _Value, *odd: _Value, share: int = 4) -> st.SearchStrategy[_Value]:
    """The healthy value `share` times as often as all odd ones together."""
    return st.sampled_from((healthy,) * (share * max(len(odd), 1)) + odd)


def any_of(*values: _Value) -> st.SearchStrategy[_Value]:
    """Each equally often."""
    return st.sampled_from(values)


@st.composite
def recurrences(draw: Draw) -> Recurrence:
    """Nights and days, short and long, around the hours that daylight saving moves."""
    days = draw(usually(EVERY_DAY, frozenset({5, 6}), frozenset({3, 4, 5})))
    start = draw(any_of(22 * 60, 0, 60, 150, 120, 18 * 60, 12 * 60))
    end = draw(any_of(6 * 60, 7 * 60, 150, 180, 23 * 60, 0, 16 * 60))
    return Recurrence(days, start, end)


@st.composite
def windows(draw: Draw, at: Instant) -> tuple[ParkingWindow, ...]:
    """One or more, dated and recurring, at either site."""
    always = Recurrence(EVERY_DAY, 18 * 60, 18 * 60)
    chosen = [ParkingWindow(f"always at {site}", site, always) for site in SITES]
    if draw(usually(*NO_OR_YES, share=3)):
        chosen = []
    for number in range(draw(any_of(0, 1, 2))):
        site = draw(usually(*SITES, share=2))
        if draw(st.booleans()):
            chosen.append(ParkingWindow(f"w{number}", site, draw(recurrences())))
        else:
            start = at - draw(any_of(HOUR, 0, -HOUR))
            end = start + draw(any_of(3, 2, 9, 900)) * HOUR
            chosen.append(ParkingWindow(f"w{number}", site, start=start, end=end))
    return tuple(chosen)


def _vehicle_oddities(at: Instant, old: int) -> tuple[dict[str, Any], ...]:
    """What keeps pods off a vehicle, or just does not."""
    times = (
        at - old * SECOND,
        at - old * SECOND - 1,
        at - (old + 600) * SECOND,
        at - (old + 600) * SECOND - 1,
        at + 5 * SECOND,
        at + 5 * SECOND + 1,
        None,
    )
    blocks = ("battery", "parking", "compute", "connection")
    return (
        {"suspend": True},
        {"draining": True},
        {"agreement": None},
        {"windows": ()},
        {"earned_this_month": Decimal(60)},
        {"compensation__currency": "SEK"},
        {"compensation__currency": "NOK"},
        *({f"observed__{name}": None} for name in blocks),
        *({f"observed__{name}__observed_at": time} for name in blocks for time in times),
        *({f"observed__{name}__quality": Quality.STALE} for name in blocks),
        *({f"observed__{name}__quality": Quality.INVALID} for name in blocks),
        {"observed__battery__state_of_charge_percent": None},
        *({"observed__battery__temperature_celsius": each} for each in (45, 46, 0, -1, None)),
        *({"observed__compute__temperature_celsius": each} for each in (85, 86, None)),
        *({"observed__parking__parked": each} for each in (False, None)),
        *({"observed__parking__occupied": each} for each in (True, None)),
        *(
            {"observed__parking__since": each}
            for each in (at - 15 * MINUTE, at - 15 * MINUTE + 1, None)
        ),
        *({"observed__connection__site": each} for each in ("gone", None)),
        *({"observed__connection__circuit": each} for each in ("row-z", None)),
        *({"observed__connection__supply": each} for each in (Supply.PLUGGED_NOT_SUPPLIED, None)),
        *(
            {"observed__departure_expected_at": each}
            for each in (at + 2 * HOUR, at + 65 * MINUTE, at + 5 * MINUTE, at - HOUR)
        ),
        {"link": Link()},
        {"link": Link(3_000_000)},
        {"link": Link(50_000_000, metered=True, monthly_limit_bytes=10**9)},
    )


@st.composite
def _observed(draw: Draw, at: Instant) -> dict[str, Any]:
    """Good telemetry of any figures."""
    found: dict[str, Any] = {
        "power": draw(usually(Power.AWAKE, Power.ASLEEP, Power.WAKING, share=2)),
        "battery__state_of_charge_percent": draw(any_of(85, 81, 80, 79, 31, 30, 29, 100)),
        "parking__since": at - HOUR,
        "connection__site": draw(usually(*SITES, share=2)),
        "connection__circuit": draw(usually("row-a", "main", "row-b", share=2)),
        "connection__supply": draw(any_of(Supply.SUPPLIED, Supply.SUPPLIED, Supply.UNPLUGGED)),
        "connection__charge_power_watts": draw(any_of(0, 500, 2_000, None)),
        "connection__charge_power_limit_watts": draw(any_of(None, 11_000, 800, 2_500)),
    }
    for block in ("battery", "parking", "compute", "connection"):
        found[f"{block}__observed_at"] = at - 10 * SECOND
    return {f"observed__{name}": value for name, value in found.items()}


@st.composite
def vehicles(draw: Draw, name: str, at: Instant) -> Vehicle:
    """A vehicle in any state."""
    reserve, leave_with = draw(any_of((30, 80), (0, 0), (30, 30), (20, 80)))
    observed = draw(_observed(at))
    unplugged = observed["observed__connection__supply"] is Supply.UNPLUGGED
    sources = [set(EnergySource), {EnergySource.BATTERY}]
    if not unplugged:
        sources += [{EnergySource.GRID}, {EnergySource.GRID}]
    overrides: dict[str, Any] = {
        "name": name,
        "attested": draw(st.booleans()),
        "windows": draw(windows(at)),
        "agreement__energy_sources": frozenset(draw(any_of(*sources))),
        "battery__reserve_percent": reserve,
        "battery__departure_percent": leave_with,
        "battery__net_capacity_watt_hours": draw(any_of(60_000, 3_000, 11_000)),
        "compute__standby_power_watts": draw(any_of(90, 0, 100)),
        "compute__efficiency_percent": draw(any_of(88, 100, 97)),
        "compute__wake_seconds": draw(any_of(60, 0, 1_000)),
        "compute__max_power_watts": draw(any_of(1_000, 500, 801)),
        "max_charge_power_watts": draw(any_of(11_000, 900)),
        "compensation__availability_per_hour": draw(any_of(Decimal("0.10"), Decimal(0))),
        "used_this_month_bytes": draw(any_of(0, 10**9 - 10**6, 2 * 10**9)),
        **observed,
    }
    old = 120 if observed["observed__power"] is Power.AWAKE else 43_200
    odd = draw(oddities(*_vehicle_oddities(at, old), share=2))
    gone = tuple(name for name, value in odd.items() if value is None and name.count("__") <= 1)
    kept = {key: value for key, value in overrides.items() if not key.startswith(gone or ("?",))}
    return a_vehicle(**{**kept, **{k: v for k, v in odd.items() if k in gone or _reaches(k, gone)}})


def _reaches(name: str, gone: tuple[str, ...]) -> bool:
    return not name.startswith(gone or ("?",))


@st.composite
def nodes(draw: Draw, name: str, at: Instant) -> Node:
    """A Node in any state."""
    ours = Taint("idlewatt.dev/vehicle", "NoSchedule")
    allocatable = {
        "cpu": draw(any_of(16_000, 8_000)),
        "memory": 32 * GIBIBYTE,
        "nvidia.com/gpu": draw(any_of(1_000, 0)),
        "ephemeral-storage": GIBIBYTE,
        "pods": draw(any_of(110_000, 110_000, 2_000)),
    }
    healthy: dict[str, Any] = {
        "name": name,
        "allocatable": allocatable,
        "taints": (ours,),
        "labels": draw(any_of({}, {"gen": "4"}, {"gen": "x"})),
        "ready_since": draw(any_of(at - HOUR, at - 600 * SECOND, at - 601 * SECOND, None)),
        "images": draw(any_of(frozenset(), frozenset({"registry.example/model:1"}))),
    }
    odd = oddities(
        {"taints": (Taint("team", "NoSchedule", "red"),)},
        {"taints": (Taint("node.kubernetes.io/not-ready", "NoExecute"),)},
        {"taints": (Taint("team", "PreferNoSchedule"),)},
        {"unschedulable": True},
        {"ready": Ready.FALSE},
        {"ready": Ready.UNKNOWN},
        {"allocatable": {"cpu": 16_000, "memory": 32 * GIBIBYTE}},
        {"allocatable": {**allocatable, "pods": 0}},
        share=3,
    )
    return a_node(**{**healthy, **draw(odd)})


@st.composite
def sites(draw: Draw, name: str, at: Instant) -> Site:
    """A site with nested circuits of small limits, curtailed or measured or neither."""
    circuits = (
        Circuit("main", None, draw(any_of(9_000, 2_000, 4_000)), draw(any_of(None, 500)), 1_500),
        Circuit("row-a", "main", draw(any_of(4_000, 1_000, 700)), None, draw(any_of(None, 600))),
        Circuit("row-b", "main", 300),
    )
    measured = ObservedCircuit(
        draw(any_of("main", "row-a")),
        draw(any_of(None, 0, 400, 1_500)),
        draw(any_of(at, at - 121 * SECOND, at + 6 * SECOND, None)),
        draw(any_of(None, 600, 1_200)),
        draw(any_of(None, at, at + 30 * MINUTE, at + 10 * HOUR)),
    )
    return a_site(
        name=name,
        time_zone=draw(usually(*ZONES, share=1)),
        region=draw(any_of("eu-de", "eu-de", "eu-fr", None)),
        tariff=draw(any_of("depot", "spot", "depot", "spot", "depot", None, "gone")),
        energy_borne_by=draw(any_of(*EnergyBearer)),
        compute_allowed=draw(usually(*YES_OR_NO, share=15)),
        circuits=circuits,
        observed_circuits=draw(any_of((), (measured,))),
    )


@st.composite
def tariffs(draw: Draw, name: str, at: Instant) -> Tariff:
    """Overlapping zones, or overlapping intervals with holes."""
    common = {
        "name": name,
        "currency": draw(usually("EUR", "NOK", "SEK", share=6)),
        "time_zone": draw(usually(*ZONES, share=1)),
        "wholesale": draw(usually(*NO_OR_YES, share=6)),
        "adders": draw(any_of((), (Decimal("0.05"),))),
        "tax_percent": draw(any_of(Decimal(0), Decimal(19))),
    }
    band, price = any_of("OffPeak", "OffPeak", "Peak", None), any_of(*PRICES, None)
    count = draw(any_of(1, 2, 4))
    if draw(st.booleans()):
        zones = [
            TariffZone(f"z{n}", draw(recurrences()), draw(band), draw(price)) for n in range(count)
        ]
        always = TariffZone("else", Recurrence(EVERY_DAY, 0, 0), "OffPeak", Decimal("0.2"))
        zones += draw(any_of([always], [always], []))
        return a_tariff(zones=tuple(zones), **common)
    intervals = [TariffInterval(at - HOUR, 40 * HOUR, Decimal("0.2"), "OffPeak", Decimal(300))]
    intervals += [
        TariffInterval(
            at + draw(any_of(-30, 0, 60, 65)) * MINUTE,
            draw(any_of(30, 60, 300)) * MINUTE,
            draw(price),
            draw(band),
            draw(any_of(None, Decimal(300), Decimal(301))),
        )
        for _ in range(count)
    ]
    return a_tariff(zones=(), intervals=tuple(intervals), **common)


@st.composite
def policies(draw: Draw) -> FleetPolicy:
    """Any mixture of off-peak tests."""
    cheap, clean = OffPeakTest(cheapest_percent_of_next_24_hours=60), {"max_grams_per_kwh": 300}
    tests = usually(
        OffPeakTest(band="OffPeak"),
        OffPeakTest(),
        cheap,
        OffPeakTest(max_price_per_kwh=Decimal("0.25"), currency="EUR"),
        OffPeakTest(band="OffPeak", cheapest_percent_of_next_24_hours=30),
        OffPeakTest(max_grams_per_kwh=Decimal(clean["max_grams_per_kwh"])),
        share=1,
    )
    rates = (ExchangeRate("NOK", "EUR", Decimal("0.086")), ExchangeRate("SEK", "NOK", Decimal(1)))
    return FleetPolicy(
        off_peak=draw(tests),
        plain_nodes_allowed=draw(st.booleans()),
        exchange_rates=draw(any_of(rates, rates, ())),
    )


def _pod_oddities(at: Instant) -> tuple[dict[str, Any], ...]:
    """What keeps a pod off vehicles, or just does not."""
    terms = [
        NodeSelectorTerm((Requirement("gen", "Exists"),)),
        NodeSelectorTerm((Requirement("gen", "Gt", ("3",)),)),
        NodeSelectorTerm((Requirement("gen", "NotIn", ("4", "5")),)),
        NodeSelectorTerm(fields=(Requirement("metadata.name", "In", ("v-0",)),)),
        NodeSelectorTerm(),
    ]
    few = {"cpu": 100, "pods": 1_000}
    return (
        {"node_selector": {"gen": "4"}},
        {"node_affinity": ()},
        *({"node_affinity": (term,)} for term in terms),
        {"tolerations": (Toleration("team", "Exists"),)},
        {"reads_secret": True},
        {"reads_secret": True, "demand__allow_untrusted": True},
        {"controlled": False},
        {"controlled": False, "demand__allow_loss": True},
        {"unsupported_fields": ("hostPort",)},
        {"invalid_annotations": ("bad",)},
        {"termination_grace_seconds": 600},
        {"requests": {**few, "cpu": 17_000}},
        *({"requests": {**few, "nvidia.com/gpu": each}} for each in (0, 500, 1_000)),
        *({"requests": {**few, "x/y": each}} for each in (0, 1)),
        {"requests": {**few, "ephemeral-storage": GIBIBYTE}},
        *({"demand__deadline": at + each} for each in (HOUR, HOUR - 1, 3 * HOUR)),
        *({"demand__drain_grace": each} for each in (MINUTE, 2 * HOUR)),
        *({"demand__residency": frozenset(each)} for each in ((), ("eu-de",))),
        *({"demand__model_load_time": each * MINUTE} for each in (5, 30, 31)),
        *({"demand__image_size_bytes": each} for each in (10**8 + 1, 10**9)),
        {"demand__expected_runtime": 50 * HOUR},
    )


@st.composite
def pods(draw: Draw, name: str, at: Instant) -> Pod:
    """A pod of any wishes."""
    wishes: dict[str, Any] = {
        "name": name,
        "priority": draw(any_of(0, 1, 2, 3, 10, -5, 7, 100)),
        "created_at": at - draw(any_of(1, 2, 3)) * MINUTE,
        "requests": {
            "cpu": draw(any_of(1_000, 4_000, 8_000, 333)),
            "memory": draw(any_of(GIBIBYTE, 20 * GIBIBYTE, 0)),
            "pods": 1_000,
        },
        "demand__expected_runtime": draw(any_of(None, HOUR, 30 * MINUTE, 2 * HOUR)),
        "demand__power_watts": draw(any_of(None, 100, 400, 480, 700, 1_000)),
        "demand__any_tariff": draw(st.booleans()),
        "host_ports": draw(usually((), *PORTS, share=2)),
    }
    return a_pod(**{**wishes, **draw(oddities(*_pod_oddities(at)))})


@st.composite
def running_pods(draw: Draw, name: str, node: str, at: Instant) -> RunningPod:
    """A pod of ours on a node, within its time, past it, or given up."""
    return a_running_pod(
        pod=draw(pods(name, at)),
        node=node,
        bound_power=draw(any_of(100_000, 62_500, 0, 700_001, None)),
        bound_until=draw(any_of(at + HOUR, at, at + 1, at - HOUR, None, at + 30 * SECOND)),
        being_deleted=draw(usually(*NO_OR_YES)),
        counts_until=draw(usually(None, at + 45 * MINUTE, at + 1, share=6)),
    )


@st.composite
def snapshots(
    draw: Draw, most_vehicles: int = 3, most_pending: int = 5, most_running: int = 3
) -> Snapshot:
    """A whole fleet at one instant.

    Every second one has what the energy side adds; as many have gangs, spread and preferences.
    """
    at = draw(any_of(*INSTANTS))
    names = [f"v-{n}" for n in range(draw(st.integers(1, most_vehicles)))]
    node_names = [name for name in names if draw(usually(*YES_OR_NO, share=15))]
    node_names += draw(usually([], ["plain-0"], ["plain-0", "plain-1"], share=1))
    running_on = st.sampled_from([*names, *names, *node_names])
    plain = a_snapshot(
        at=at,
        policy=draw(policies()),
        vehicles=tuple(draw(vehicles(name, at)) for name in names),
        nodes=[draw(nodes(name, at)) for name in node_names],
        sites=[draw(sites(name, at)) for name in SITES],
        tariffs=[draw(tariffs(name, at)) for name in TARIFFS],
        pending=tuple(draw(pods(f"p-{n}", at)) for n in range(draw(st.integers(0, most_pending)))),
        running=tuple(
            draw(running_pods(f"r-{n}", draw(running_on), at))
            for n in range(draw(st.integers(0, most_running)))
        ),
        other_use=draw(any_of({}, {"v-0": {"cpu": 12_000, "pods": 2_000}})),
        other_ports=draw(usually({}, *({"v-0": ports, "plain-0": ports} for ports in PORTS))),
    )
    fleet = draw(enriched(plain)) if draw(st.booleans()) else plain
    return draw(crowded(fleet)) if draw(st.booleans()) else fleet
