"""Gangs and spread: who is in them, who is counted, and what they leave a pod."""

from tests.unit.scheduler.scenes import Overrides, a_board, policy

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.workload import Pod, Requirement, RunningPod, Spread
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_running_pod, a_vehicle

ZONE = "zone"
WEB = (Requirement("app", "In", ("web",)),)


def zones(*names: str | None) -> Overrides:
    """A vehicle in each of these zones; None: its Node has no such label."""
    cars = [f"v-{n}" for n in range(len(names))]
    return {
        "vehicles": tuple(a_vehicle(name=car) for car in cars),
        "nodes": tuple(
            a_node(name=car, labels={ZONE: zone} if zone is not None else {})
            for car, zone in zip(cars, names, strict=True)
        ),
    }


def web(name: str, skew: int = 1, **overrides: object) -> Pod:
    """A pod that is spread over the zones with all others like it."""
    spread = Spread(ZONE, skew, WEB)
    return a_pod(**{"name": name, "labels": {"app": "web"}, "spread": (spread,), **overrides})


def a_runner(node: str, **overrides: object) -> RunningPod:
    """A pod of the same app that runs somewhere."""
    return a_running_pod(
        node=node, **{"pod__name": f"runs-{node}", "pod__labels": {"app": "web"}, **overrides}
    )


def members(count: int, size: int, **overrides: object) -> tuple[Pod, ...]:
    """So many pods of one gang."""
    return tuple(
        a_pod(name=f"g-{n}", demand__gang="g", demand__gang_size=size, **overrides)
        for n in range(count)
    )


def test_what_runs_already_need_not_be_placed() -> None:
    """One that is being deleted, was given up, or has to leave does not run on."""
    gang = {"pod__demand__gang": "g", "pod__demand__gang_size": 3}
    runs = a_running_pod(node="v-0", pod__name="stays", **gang)
    going = a_running_pod(node="v-0", pod__name="going", being_deleted=True, **gang)
    lost = a_running_pod(node="v-0", pod__name="lost", counts_until=AT + 1, **gang)
    leaves = a_running_pod(node="v-0", pod__name="leaves", **gang)
    found = a_board(pending=members(2, 3), running=(runs, going, lost, leaves), **zones("a"))
    assert found.together.gangs[0].needs == 1
    leaver = Leaving(leaves.pod, "v-0", PodReason.LEAVES_TOO_EARLY)
    asked = Board(found.fleet, found.templates, (leaver,))
    assert asked.together.gangs[0].needs == 2


def test_a_gang_is_its_namespaces_and_as_great_as_any_of_its_pods_says() -> None:
    """The same name elsewhere is another gang; templates of one gang are together."""
    here = (*members(1, 2), a_pod(name="more", priority=1, demand__gang="g", demand__gang_size=4))
    there = members(1, 2, namespace="other")
    board = a_board(pending=(*here, *there), **zones("a"))
    needs = sorted((len(gang.members), gang.needs) for gang in board.together.gangs)
    assert needs == [(1, 2), (2, 4)]


def test_a_pod_of_an_incomplete_gang_says_so_last() -> None:
    """Only where nothing else keeps it away; and once enough are placed it is like any other."""
    board = a_board(pending=members(3, 2), **zones("a"))
    assert board.reason(0, 0) is PodReason.GANG_INCOMPLETE
    assert board.live_reason(board.case(0, 0)[0], 0) is None
    board.put(0, 0, 2)
    assert board.reason(0, 0) is None
    board.hold(0, board.placed[0].cases[:0])
    assert board.reason(0, 0) is PodReason.GANG_INCOMPLETE


def test_no_domain_is_more_than_the_skew_above_the_emptiest() -> None:
    """The first may go anywhere, the second must go elsewhere, the third anywhere again."""
    board = a_board(pending=tuple(web(f"w-{n}") for n in range(3)), **zones("a", "b"))
    board.put(0, 0)
    reasons = [board.reason(0, candidate) for candidate in (0, 1)]
    assert reasons == [PodReason.TOPOLOGY_SPREAD, None]
    board.put(0, 1)
    assert [board.reason(0, candidate) for candidate in (0, 1)] == [None, None]


def test_a_node_without_the_key_takes_none_of_them() -> None:
    """It is in no domain; who does not ask for the spread may go there."""
    board = a_board(pending=(web("w"), a_pod(name="any")), **zones(None, "b"))
    assert [template.sample.name for template in board.templates] == ["any", "w"]
    assert board.reason(1, 0) is PodReason.TOPOLOGY_SPREAD
    assert board.reason(0, 0) is None


def test_whoever_runs_in_a_zone_is_counted_there() -> None:
    """On any Node of the zone, one that takes no pods and one without a vehicle as well."""
    cars = zones("a", "b")
    cars["nodes"] = (*cars["nodes"], a_node(name="plain", labels={ZONE: "a"}))
    board = a_board(pending=(web("w"),), running=(a_runner("plain"),), **cars)
    assert board.together.counts == [[1, 0]]
    assert board.reason(0, 0) is PodReason.TOPOLOGY_SPREAD
    other = a_runner("plain", pod__labels={"app": "db"})
    assert a_board(pending=(web("w"),), running=(other,), **cars).reason(0, 0) is None


def test_only_zones_that_take_pods_are_domains() -> None:
    """A suspended vehicle's zone is none, nor one that the pod's node selector leaves out."""
    cars = zones("a", "b", "c")
    suspended = (*cars["vehicles"][:2], a_vehicle(name="v-2", suspend=True))
    board = a_board(pending=(web("w"),), **{**cars, "vehicles": suspended})
    assert board.together.spreads[0].domain == (0, 1, -1)
    chosen = a_board(pending=(web("w", node_selector={ZONE: "b"}),), **cars)
    assert chosen.together.spreads[0].domain == (-1, 0, -1)


def test_fewer_domains_than_asked_for_count_as_one_that_is_empty() -> None:
    """With two of three zones nobody may be more than the skew above none."""
    pods = tuple(web(f"w-{n}", spread=(Spread(ZONE, 1, WEB, min_domains=3),)) for n in range(3))
    board = a_board(pending=pods, **zones("a", "b"))
    board.put(0, 0)
    board.put(0, 1)
    assert {board.reason(0, candidate) for candidate in (0, 1)} == {PodReason.TOPOLOGY_SPREAD}


def test_who_is_counted_but_does_not_ask_may_not_break_what_others_ask() -> None:
    """It may go where nobody stands who asks, however many are there."""
    quiet = [a_pod(name=f"q-{n}", labels={"app": "web"}, priority=1) for n in range(3)]
    board = a_board(pending=(*quiet, web("w")), **zones("a", "b"))
    silent, asks = 0, 1
    board.put(silent, 0, 2)
    assert board.reason(silent, 0) is None
    assert board.reason(asks, 0) is PodReason.TOPOLOGY_SPREAD
    board.put(asks, 1)
    assert board.reason(silent, 1) is None
    board.put(silent, 1)
    assert board.together.holds()


def test_plain_nodes_are_domains_and_are_asked() -> None:
    """They are candidates where the policy allows them."""
    nodes = (a_node(labels={ZONE: "a"}), a_node(name="plain", labels={ZONE: "b"}))
    board = a_board(pending=(web("w"), web("x")), nodes=nodes, **policy(plain_nodes_allowed=True))
    board.put(0, 1)
    assert [board.reason(0, candidate) for candidate in (0, 1)] == [
        None,
        PodReason.TOPOLOGY_SPREAD,
    ]
