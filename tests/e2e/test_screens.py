"""What the cluster shows of itself soon after installing: the chart's own test, and screens."""

from tests.e2e.stage import Stage

HELLO = "hello"


def test_the_chart_says_that_it_works(fleet: Stage) -> None:
    """`helm test` succeeds."""
    assert "Phase:          Succeeded" in fleet.release.test()


def test_the_screens_tell_the_story(fleet: Stage) -> None:
    """`kubectl get vn,site,tariff`, the pods and their events show who runs where."""
    wanted = {fleet.near: "True", fleet.other: "True", fleet.far: "False"}
    fleet.wait(
        lambda: {name: fleet.condition(name, "Available")[0] for name in wanted} == wanted,
        "the status says that all vehicles are available but the one whose link is cut",
        150,
    )
    shown = fleet.screen("vehicles", "get", "vn,site,tariff,policy")
    for name in (*fleet.nodes, "depot", "default"):
        assert name in shown
    pods = fleet.screen("pods", "get", "pods", "-o", "wide")
    assert pods.count("Running") == 2
    events = fleet.screen("events", "get", "events", "--field-selector", "reason=Scheduled")
    assert f"Successfully assigned default/{HELLO}" in events


def test_the_first_workload_is_deleted(fleet: Stage) -> None:
    """A Deployment that is deleted leaves the cars that can be reached, and nothing runs on."""
    fleet.api.delete("Deployment", HELLO, "default")
    fleet.wait(
        lambda: {span.vehicle for span in fleet.witness.running("default", HELLO)} <= {fleet.far},
        "no container of it runs",
    )
