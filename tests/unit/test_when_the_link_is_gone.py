"""docs/howto/when-the-link-is-gone.md: what it says of clocks, units and commands."""

import re
from pathlib import Path

import pytest
import yaml
from tests.pages import HOWTO, blocks, commands, run
from tests.unit.operator.reconcile.scene import Scene

from idlewatt_scheduler.model.units import HOUR, SECOND
from idlewatt_scheduler.testing import changed

PAGE = HOWTO / "when-the-link-is-gone.md"
GUARD = HOWTO.parents[1] / "examples" / "vehicle-agent" / "idlewatt-guard"
PAGES = sorted(HOWTO.glob("*.md"))


async def test_a_clock_that_is_ahead_ends_pods_too_early() -> None:
    """The start that its kubelet reports is later than it was, so the fence is lowered by that."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    before = record.active_deadline_seconds or 0
    scene.cluster.add_pod(changed(record, start_time=(record.start_time or 0) + HOUR))
    await scene.run(10)
    after = scene.pod("svc-1").active_deadline_seconds or 0
    assert 3_600 <= before - after <= 3_610


async def test_a_clock_that_is_behind_has_a_service_replaced_too_early() -> None:
    """The fence seems to come earlier than it does, and the car to stay longer than that."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    record = scene.pod("svc-1")
    ago = (record.active_deadline_seconds or 0) * SECOND
    scene.cluster.add_pod(changed(record, start_time=(record.start_time or 0) - ago))
    await scene.run(30)
    assert "longer than this pod's deadline" in scene.events("Draining")[0]


def test_the_state_of_the_page_is_the_one_of_the_script() -> None:
    """Each line that the car writes, and each setting, is read by the guard."""
    script = GUARD.read_text(encoding="utf-8")
    state = next(block.text for block in blocks(PAGE, "text") if "park_lock" in block.text)
    for name in re.findall(r"^(\w+)=", state, re.MULTILINE):
        assert f"value {name}" in script
    settings = next(block.text for block in blocks(PAGE, "text") if "GRACE_SECONDS" in block.text)
    for name, value in re.findall(r"^(\w+)=(.+)$", settings, re.MULTILINE):
        assert f"{name}=${{{name}:-{value}}}" in script


def test_the_limits_in_the_prose_are_the_defaults() -> None:
    """Eight seconds of grace and thirty of silence are what the script does when nothing is set."""
    text, script = PAGE.read_text("utf-8"), GUARD.read_text("utf-8")
    assert "older than 30 s" in text
    assert "STATE_MAX_AGE_SECONDS:-30}" in script
    assert "When 8 s are over" in text
    assert "crictl stop --timeout 8" in text
    assert "RETURN_AFTER_SECONDS:-60}" in script


def test_what_is_installed_is_there() -> None:
    """Every file that the page installs stands among the examples."""
    named = re.findall(r"examples/vehicle-agent/[\w.-]+", " ".join(commands(PAGE)))
    assert {Path(name).name for name in named} >= {"idlewatt-guard", "k3s-agent.conf"}
    assert [name for name in named if not (HOWTO.parents[1] / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_kubelet_configuration_has_its_kind(page: Path) -> None:
    """A drop-in without kind and version is refused by the kubelet."""
    for block in blocks(page, "yaml"):
        for document in yaml.safe_load_all(block.text):
            if "shutdownGracePeriod" in document or "maxPods" in document:
                assert document["kind"] == "KubeletConfiguration"
                assert document["apiVersion"] == "kubelet.config.k8s.io/v1beta1"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_our_commands_have_the_options_that_pages_give_them(page: Path) -> None:
    """Each `idlewatt` command on a how-to page exists, with every option it is shown with."""
    typed = [command for command in commands(page) if re.match(r"(\w+=\S+ )*idlewatt ", command)]
    for command in typed:
        ours = re.split(r" (?:&&|\||<) ", command)[0]
        words = re.findall(r"\bidlewatt ((?:[a-z]+ ?)+)", ours)[0].split()
        known = {"plan", "validate", "run", "demo", "version", "why"} | {
            *("telemetry", "publish", "tariff", "import", "departures", "fit", "check")
        }
        name = " ".join(word for word in words if word in known)
        told = run(f"idlewatt {name} --help")
        assert told.returncode == 0, command
        missing = [
            option for option in re.findall(r" (--[a-z-]+)", ours) if option not in told.stdout
        ]
        assert missing == [], command
