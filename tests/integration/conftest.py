"""Fixtures for tests against a real API server and a real Redis.

``cluster`` (a ``ControlPlane``) and ``redis_url`` are empty at the start of each test; the
processes behind them are started once a session, on the first test that asks. To have one of
its own, a test calls ``ControlPlane.start`` itself.
"""

import contextlib
from collections.abc import Iterator

import pytest
import redis
from tests.cluster.cleaning import clean
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import SetupError
from tests.cluster.redis_server import RedisServer


@contextlib.contextmanager
def speaking(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let set-up that may take minutes be seen, and end in a sentence where it fails."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            yield
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """Start the session's control plane, and delete it at the end. Ask for ``cluster`` instead."""
    with speaking(request):
        plane = ControlPlane.start("pytest")
    with plane:
        yield plane


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """Give the control plane, and take away afterwards what the test made on it."""
    yield control_plane
    clean(control_plane.api)


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Start the session's Redis, and end it at the end. Ask for ``redis_url`` instead."""
    with speaking(request):
        server = RedisServer.start()
    with server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Give the address of an empty Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url
