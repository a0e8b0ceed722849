"""One cluster for all the end-to-end tests, and their order: they tell one story.

A link is cut for ten minutes near the beginning, and looked at near the end; what is between runs
on the other two cars meanwhile. Each test leaves the cars parked and its pods deleted. To run one
alone against a cluster that stays:

    E2E_KEEP=1 make e2e PYTEST="-k test_a_car_that_loses_charge"
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.cluster import kind
from tests.cluster.places import SetupError
from tests.e2e import failure, objects, release, screens, stage, workloads
from tests.e2e.cut import Cut
from tests.e2e.stage import Stage

ORDER: Final = (
    "test_install",
    "test_link_is_cut",
    "test_refusals",
    "test_screens",
    "test_placing",
    "test_leaving",
    "test_circuit",
    "test_short_cut",  # from here on one car is left
    "test_upgrade",
    "test_redis",
    "test_short_cut_is_mended",
    "test_silence",  # from here on both are asleep or silent
    "test_image",
    "test_embedding_image",
    "test_redis_image",
    "test_silence_ends",
    "test_operators",
    "test_service",
    "test_link_is_mended",
    "test_whole_run",
    "test_uninstall",
)
STAGE: Final = pytest.StashKey[Stage]()
BEGAN: Final = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    """Note when the suite began."""
    config.stash[BEGAN] = time.monotonic()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the story in its order, whatever the files are called."""
    places = {name: place for place, name in enumerate(ORDER)}
    items.sort(key=lambda item: places.get(Path(item.path).stem, len(ORDER)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:  # noqa: ANN401 - a wrapper yields
    """Keep what the cluster looked like when a test failed, and say where."""
    report: pytest.TestReport = yield
    held = item.config.stash.get(STAGE, None)
    if report.failed and report.when != "teardown" and held is not None:
        folder = failure.keep(held, item.nodeid)
        report.sections.append(("The cluster at that moment", f"is kept in {folder}"))
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what was measured."""
    held = config.stash.get(STAGE, None)
    if held is None:
        return
    if os.environ.get("SCREENS"):
        for page in held.screens.write_into(screens.pages()):
            terminalreporter.write_line(f"Screens of this run were put into {page}")
    held.figures.note("suite (s)", time.monotonic() - config.stash[BEGAN])
    terminalreporter.section("measured")
    for line in held.figures.table():
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"Kept in {held.figures.path}; screens in {held.screens.folder}")


@contextlib.contextmanager
def _speaking(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let what takes minutes be seen; where it fails, say so and end: everything rests on it."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            yield
    except SetupError as error:
        held = request.config.stash.get(STAGE, None)
        kept = "" if held is None else f"\nThe cluster is kept in {failure.keep(held, 'setup')}"
        pytest.exit(f"{error}{kept}", returncode=1)


@pytest.fixture(scope="session")
def bare(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Give the cluster before anything of ours is on it; ask for `fleet` instead."""
    shutil.rmtree(failure.FOLDER, ignore_errors=True)
    with _speaking(request):
        began = time.monotonic()
        cluster = stage.raise_cluster()
        made = stage.on_stage(cluster)
    made.figures.note("cluster and images up (s)", time.monotonic() - began)
    request.config.stash[STAGE] = made
    yield made
    made.witness.stop()
    made.book.stop()
    if not stage.is_kept():
        with _speaking(request):
            kind.down(cluster.name)


@pytest.fixture(scope="session")
def before(bare: Stage) -> objects.Inventory:
    """Give a list of every object there was before anything was installed."""
    node = next(name for name in bare.cluster_nodes() if name not in bare.nodes)
    bare.on_control_plane("install", "-d", "-m", "0777", release.VOLUME_FOLDER)
    bare.api.apply(*release.a_volume(node))
    return objects.inventory(bare.api)


@pytest.fixture(scope="session")
def fleet(bare: Stage, before: objects.Inventory, request: pytest.FixtureRequest) -> Stage:
    """Give the cluster with the chart installed, examples/kind applied, and three parked cars."""
    assert before
    if stage.is_kept() and bare.release.revision():
        bare.park()
        return bare
    with _speaking(request):
        stage.announce("installing the chart")
        bare.timeline["install"] = time.time()
        bare.release.install()
        bare.timeline["installed"] = time.time()
        bare.api.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": workloads.NAMESPACE}}
        )
        bare.kubectl("apply", "-f", str(stage.EXAMPLE))
    return bare


@pytest.fixture
def cars(fleet: Stage) -> Iterator[Stage]:
    """Give the fleet with its cars parked; afterwards they are parked again and run nothing."""
    fleet.park()
    yield fleet
    fleet.clear()


@pytest.fixture(scope="session")
def long_cut(fleet: Stage) -> Cut:
    """Give the link that is cut for ten minutes; it is not cut yet."""
    return Cut(fleet, fleet.far, seconds=600)


@pytest.fixture(scope="session")
def short_cut(fleet: Stage) -> Cut:
    """Give the link that is cut for two minutes; it is not cut yet."""
    return Cut(fleet, fleet.near, seconds=120)
