"""The Redis for tests is a real one, with what the product asks of it."""

import subprocess
import sys

import redis
from tests.cluster import sessions
from tests.cluster.places import CHECKOUT
from tests.cluster.redis_server import RedisServer, answers


def test_streams_and_claims(redis_url: str) -> None:
    """Consumer groups work, XAUTOCLAIM (6.2) among it."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.xgroup_create("telemetry", "planner", mkstream=True)
        sent = client.xadd("telemetry", {"vehicle": "v-1"})
        client.xreadgroup("planner", "first", {"telemetry": ">"})
        claimed = client.xautoclaim("telemetry", "planner", "second", min_idle_time=0)
        assert claimed[1] == [(sent, {"vehicle": "v-1"})]


def test_scripts_run(redis_url: str) -> None:
    """Lua scripts run on every Redis that is accepted."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.eval("return ARGV[1] + 1", 0, "41") == 42


def test_each_test_finds_it_empty(redis_url: str) -> None:
    """What earlier tests wrote is gone."""
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_restart_forgets_and_stop_ends() -> None:
    """A restarted server listens on the same port, empty; a stopped one does not listen."""
    with RedisServer.start() as server:
        with redis.Redis.from_url(server.url) as client:
            client.set("key", "value")
            server.restart()
            assert client.get("key") is None
        port = server.port
    assert not answers(port)


def test_leftovers_of_a_killed_run_are_cleaned_up() -> None:
    """A run that was killed leaves no Redis, and the next start deletes its folder."""
    code = (
        "import os, signal\n"
        "from tests.cluster.redis_server import RedisServer\n"
        "print(RedisServer.start().port, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    port = int(ended.stdout)
    folders = list(sessions.sessions_home().glob("redis-*"))
    assert folders
    sessions.sweep()
    assert not answers(port)
