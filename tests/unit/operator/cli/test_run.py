"""`idlewatt run` called wrongly: each mistake a sentence, before anything is reached."""

import pytest
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app

SECRET = "s3cr3t"  # noqa: S105 - nobody's


def refused(*arguments: str, **environment: str) -> str:
    """What is said of a call that is wrong, its lines joined."""
    result = CliRunner().invoke(app, ["run", *arguments], env={"COLUMNS": "200", **environment})
    assert result.exit_code == 2, result.output
    return " ".join(result.stderr.replace("│", " ").split())


def test_outside_a_pod_the_leases_namespace_has_to_be_named() -> None:
    """Nothing says where it is."""
    said = refused("--leader-election")
    assert "outside a pod nobody knows where the Lease is; name its namespace" in said


@pytest.mark.parametrize("text", ["8080", "::1:8080", "x:99999"])
def test_an_address_to_listen_on_has_a_form(text: str) -> None:
    """By the option, and by the environment."""
    assert "is not HOST:PORT" in refused("--listen", text)
    assert "is not HOST:PORT" in refused(IDLEWATT_LISTEN=text)


def test_credentials_on_the_command_line_are_refused() -> None:
    """They are not repeated, and the sentence says where they belong."""
    said = refused("--redis-url", f"rediss://operator:{SECRET}@redis:6379/0")
    assert "set IDLEWATT_REDIS_USERNAME and IDLEWATT_REDIS_PASSWORD instead" in said
    assert SECRET not in said


def test_the_scheduler_of_kubernetes_has_its_own_name() -> None:
    """Under that name every pod of the cluster would be ours, and kube-scheduler's too."""
    said = refused("--scheduler-name", "default-scheduler")
    assert "default-scheduler is Kubernetes' own; two schedulers would place the same pods" in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("soon", "is not a duration"),
        ("0s", "is not between 1s and 2m"),
        ("10m", "is not between 1s and 2m"),
    ],
)
def test_a_plan_has_some_time_and_not_for_ever(text: str, sentence: str) -> None:
    """By the option, and by the environment."""
    assert sentence in refused("--plan-deadline", text)
    assert sentence in refused(IDLEWATT_PLAN_DEADLINE=text)


@pytest.mark.parametrize(
    ("text", "sentence"), [("much", "is not a Kubernetes quantity"), ("1Mi", "is too little")]
)
def test_the_planner_needs_some_memory(text: str, sentence: str) -> None:
    """With less it could not even start."""
    assert sentence in refused("--planner-memory", text)
