"""docs/howto/send-telemetry.md on a real Redis: its user, its gateway, its commands."""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import IO, Any

import pytest
import redis
from tests.cluster.places import CHECKOUT
from tests.pages import HOWTO, commands, run

from idlewatt_operator.gateways.redis.charging import ANSWERS, WANTED
from idlewatt_operator.gateways.redis.contract import (
    STREAM,
    WAKE_STREAM,
    VehicleReport,
    read_report,
)
from idlewatt_operator.gateways.redis.keeping import HASH, POSITION, vehicle_field
from idlewatt_scheduler.model.vehicle import Power, Supply

PAGE = HOWTO / "send-telemetry.md"
GATEWAY = CHECKOUT / "examples" / "telemetry" / "gateway.py"
FULL = {
    "vehicle": "v-3f9c2a",
    "at": 1_768_514_400.0,
    "charge_percent": 71.5,
    "pack_celsius": 18.5,
    "park_lock": True,
    "driver_seat": False,
    "computer_celsius": 31,
    "charge_point": "cp-12",
    "charging_state": "SuspendedEV",
    "meter_watts": 420,
    "offered_watts": 11000,
    "computing_watts": 400,
    "power": "Awake",
    "departure": None,
}


def page_command(start: str) -> str:
    """The first command of the page that starts so."""
    return next(command for command in commands(PAGE) if command.startswith(start))


@pytest.fixture
def admin(redis_url: str) -> Iterator[redis.Redis]:
    """A client that may do everything."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def access(admin: redis.Redis, redis_url: str) -> Iterator[dict[str, str]]:
    """The variables with which the user that the page makes finds Redis."""
    words = shlex.split(page_command("redis-cli ACL SETUSER"))[1:]
    words = [word.replace("$GATEWAY_PASSWORD", "secret") for word in words]
    admin.execute_command(*words)  # type: ignore[no-untyped-call]
    yield {
        "IDLEWATT_REDIS_URL": redis_url,
        "IDLEWATT_REDIS_USERNAME": "gateway",
        "IDLEWATT_REDIS_PASSWORD": "secret",
    }
    admin.acl_deluser("gateway")


@pytest.fixture
def gateway(access: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The page's gateway, running."""
    process = subprocess.Popen(
        [sys.executable, str(GATEWAY)],
        env={**os.environ, **access},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    yield process
    process.kill()
    process.communicate()


def pipe(stream: IO[str] | None) -> IO[str]:
    """A pipe that is there."""
    assert stream is not None
    return stream


def feed(gateway: subprocess.Popen[str], *lines: object) -> None:
    """Let the fleet's feed say something."""
    for line in lines:
        text = line if isinstance(line, str) else json.dumps(line)
        pipe(gateway.stdin).write(f"{text}\n")
    pipe(gateway.stdin).flush()


def entries(admin: redis.Redis, count: int) -> list[dict[str, str]]:
    """The entries of the stream, once there are so many."""
    give_up_at = time.monotonic() + 20
    while admin.xlen(STREAM) < count:
        assert time.monotonic() < give_up_at, f"{admin.xlen(STREAM)} of {count} entries came"
        time.sleep(0.05)
    found: Any = admin.xrange(STREAM)
    return [fields for _, fields in found]


def test_what_the_gateway_sends_is_taken_whole(
    admin: redis.Redis, gateway: subprocess.Popen[str]
) -> None:
    """A line of the feed becomes a report of all six blocks, without a word of complaint."""
    feed(gateway, FULL)
    (fields,) = entries(admin, 1)
    report = read_report(fields)
    assert isinstance(report, VehicleReport)
    assert (report.vehicle, report.problems, report.passed_over) == ("v-3f9c2a", (), ())
    assert report.observed_at == FULL["at"] * 1_000  # type: ignore[operator]
    blocks = {name: block.values for name, block in report.blocks.items()}
    assert blocks.keys() == {"battery", "parking", "compute", "connection", "power", "departure"}
    assert blocks["power"]["power"] is Power.AWAKE
    assert blocks["connection"]["supply"] is Supply.SUPPLIED
    assert blocks["connection"]["circuit"] == "row-a"
    # Computing is no charging.
    assert blocks["connection"]["charge_power_watts"] == 20


def test_a_full_report_is_as_large_as_the_page_says(
    admin: redis.Redis, gateway: subprocess.Popen[str]
) -> None:
    """The length of its JSON is exact; what it takes in Redis differs a little by version."""
    feed(gateway, *[FULL | {"at": 1_768_514_400.0 + number} for number in range(100)])
    prose = " ".join(PAGE.read_text("utf-8").split())
    told = re.search(r"full one is (\d+) bytes of JSON, and takes about (\d+) bytes", prose)
    assert told is not None
    found = entries(admin, 100)
    assert len(found[0]["data"]) == int(told[1])
    taken = admin.memory_usage(STREAM, samples=0) or 0
    assert taken / len(found) == pytest.approx(int(told[2]), rel=0.1)


def test_a_line_that_is_none_stops_no_other(
    admin: redis.Redis, gateway: subprocess.Popen[str]
) -> None:
    """Garbage in the feed is told on standard error, and the next line is sent."""
    feed(gateway, "garbage", '{"at": 1}', "[1]", FULL)
    assert len(entries(admin, 1)) == 1
    told = [pipe(gateway.stderr).readline() for _ in range(3)]
    assert all("was passed over" in line for line in told)


def test_an_unknown_charge_point_is_no_site(
    admin: redis.Redis, gateway: subprocess.Popen[str]
) -> None:
    """Where it stands is not known then, and not where it stood before."""
    feed(gateway, FULL | {"charge_point": "cp-99"})
    (fields,) = entries(admin, 1)
    assert json.loads(fields["data"])["Idlewatt.Connection.Site"] is None


def test_a_wish_to_wake_is_told(admin: redis.Redis, gateway: subprocess.Popen[str]) -> None:
    """Each wish from now on is a line; what was wished before the start is obsolete."""
    feed(gateway, FULL)
    entries(admin, 1)
    for number in range(3):
        admin.xadd(WAKE_STREAM, {"vehicle": f"v-{number}", "requestedAt": "now"})
    told = [pipe(gateway.stdout).readline() for _ in range(3)]
    assert told == ["wake v-0\n", "wake v-1\n", "wake v-2\n"]


@pytest.mark.usefixtures("access")
def test_the_gateway_may_do_no_more_than_it_needs(redis_url: str) -> None:
    """It cannot read what the operator keeps, cannot write there, and cannot look at keys."""
    url = redis_url.replace("redis://", "redis://gateway:secret@")
    with redis.Redis.from_url(url) as client:
        client.xadd(STREAM, {"a": "b"})
        client.xread({WAKE_STREAM: "0"})
        for command in (
            ("HGETALL", HASH),
            ("HSET", HASH, "a", "b"),
            ("SET", POSITION, "0-0"),
            ("DEL", STREAM),
            ("KEYS", "*"),
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


def test_the_commands_of_the_page_send(admin: redis.Redis, access: dict[str, str]) -> None:
    """The one line through the gateway, and the recorded night, arrive as the page says."""
    done = run(page_command("echo "), **access)
    assert done.returncode == 0, done.stderr
    (fields,) = entries(admin, 1)
    assert read_report(fields).problems == ()
    sent = run(page_command("idlewatt telemetry publish"), **access)
    assert sent.returncode == 0, sent.stderr
    assert sent.stdout.strip() in PAGE.read_text("utf-8")


def test_a_refusal_is_a_sentence(access: dict[str, str]) -> None:
    """A wrong password, or a CA for a line without TLS, ends the gateway without a trace."""
    for wrong in ({"IDLEWATT_REDIS_PASSWORD": "x"}, {"IDLEWATT_REDIS_CA_FILE": "/x"}):
        done = run(f"python3 {GATEWAY} < /dev/null", **{**access, **wrong})
        assert done.returncode == 1
        assert done.stderr.startswith("Redis does not take it: ")
        assert "Traceback" not in done.stderr


def test_the_keys_that_the_page_looks_at_are_ours() -> None:
    """The streams and keys in the page's commands are called so in the code."""
    told = " ".join(commands(PAGE))
    ours = {STREAM, WAKE_STREAM, WANTED, ANSWERS, HASH, POSITION}
    assert set(re.findall(r"idlewatt:[\w:]+", told)) == ours
    assert vehicle_field("v-3f9c2a") in told
