"""A Redis that asks who we are: the users of the pages, TLS, and sentences without secrets."""

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.cluster.places import CHECKOUT
from tests.cluster.redis_server import RedisServer
from tests.integration.test_telemetry import CHARGE, battery, report, until
from tests.integration.tls_line import tls_line, write_keys

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.preflight import StartError, connected
from idlewatt_operator.gateways.protocols import Outcome
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.keeping import HASH
from idlewatt_operator.gateways.redis.telemetry import RedisTelemetry, reading

PAGE = CHECKOUT / "docs" / "howto" / "run-the-operator.md"
PASSWORD = "s3cret-of-the-operator"  # noqa: S105 - a test's own


def send(client: Any, *words: str) -> None:  # noqa: ANN401 - its commands are untyped
    """Send a command as it is written."""
    client.execute_command(*words)


def acl(client: redis.Redis, *words: str) -> None:
    """Change who may do what."""
    send(client, "ACL", *words)


@pytest.fixture
def admin(redis_url: str) -> Iterator[redis.Redis]:
    """Whoever may do everything in the empty Redis, in which the page's user is made."""
    (words,) = re.findall(r"redis-cli ACL SETUSER (operator .*)$", PAGE.read_text(), re.MULTILINE)
    wish = words.replace('">$OPERATOR_PASSWORD"', f">{PASSWORD}").split()
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        acl(client, "SETUSER", *wish)
        yield client
        acl(client, "DELUSER", "operator")


def reports(telemetry: RedisTelemetry, percent: int) -> bool:
    """Whether the vehicle is known to have this charge."""
    return battery(telemetry, "v-1").state_of_charge_percent == percent


async def test_the_operators_user_may_do_all_that_it_has_to(
    admin: redis.Redis, redis_url: str
) -> None:
    """It reads, keeps, finds again what it kept, and wakes."""
    address = RedisAddress(redis_url, "operator", PASSWORD)
    client, trouble = await connected(address)
    await client.aclose()
    assert trouble == ""
    report(admin, "v-1", {CHARGE: 71})
    for charge in (71, 60):
        async with reading(
            address, WallClock(), known=lambda: None, on_change=lambda: None, jitter=lambda: 0.0
        ) as telemetry:
            await asyncio.wait_for(telemetry.wait_synced(), 10)
            assert battery(telemetry, "v-1").state_of_charge_percent == charge
            report(admin, "v-1", {CHARGE: 60}, ago_seconds=0)
            await until(lambda: admin.hlen(HASH) == 1)
            await until(partial(reports, telemetry, 60))
            assert telemetry.trouble == ""
            assert (await telemetry.wake("v-1")).outcome is Outcome.DONE


@pytest.mark.parametrize(
    "command",
    [
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("DEL", "idlewatt:telemetry"),
        ("GET", "other"),
        ("XADD", "other", "*", "a", "b"),
        ("PUBLISH", "channel", "word"),
        ("EVAL", "return 1", "0"),
    ],
)
def test_the_operators_user_may_do_nothing_else(
    admin: redis.Redis, redis_url: str, command: tuple[str, ...]
) -> None:
    """Whoever has its password cannot take the rest of that Redis."""
    del admin
    with (
        redis.Redis.from_url(redis_url, username="operator", password=PASSWORD) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        send(client, *command)


async def test_who_is_refused_is_told_so_without_the_password(
    admin: redis.Redis, redis_url: str
) -> None:
    """A wrong password, and a user that may not read what it has to."""
    wish = ("poor", "on", f">{PASSWORD}", "resetkeys", "+ping")
    acl(admin, "SETUSER", *wish)
    try:
        for user, password in (("operator", f"not-{PASSWORD}"), ("poor", PASSWORD)):
            with pytest.raises(StartError, match="did not let us in") as refused:
                await connected(RedisAddress(redis_url, user, password))
            assert PASSWORD not in str(refused.value)
            assert PASSWORD not in repr(refused.value.__cause__)
    finally:
        acl(admin, "DELUSER", "poor")


async def test_tls_is_spoken_and_the_server_is_asked_who_it_is(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """By an authority of one's own; a stranger's certificate ends the start with a sentence."""
    own, stranger = write_keys(tmp_path, "own"), write_keys(tmp_path, "stranger")
    with tls_line(redis_server.port, own) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        client, trouble = await connected(RedisAddress(url, ca_file=own.certificate))
        assert trouble == ""
        assert await client.ping()
        await client.aclose()
        with pytest.raises(StartError, match="certificate verify failed"):
            await connected(RedisAddress(url, ca_file=stranger.certificate))
        with pytest.raises(StartError, match="certificate verify failed"):
            await connected(RedisAddress(url))


async def test_our_own_certificate_is_shown_where_it_is_asked_for(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    """Without it nothing is answered."""
    own, ours = write_keys(tmp_path, "own"), write_keys(tmp_path, "ours")
    with tls_line(redis_server.port, own, client=ours) as port:
        url = f"rediss://127.0.0.1:{port}/0"
        address = RedisAddress(
            url,
            ca_file=own.certificate,
            certificate_file=ours.certificate,
            key_file=ours.key,
        )
        client, trouble = await connected(address)
        assert trouble == ""
        await client.aclose()
        client, trouble = await connected(RedisAddress(url, ca_file=own.certificate))
        await client.aclose()
        assert "cannot be reached" in trouble


async def test_a_redis_that_is_away_is_no_reason_not_to_start() -> None:
    """It comes back; until then the sentence says which one is away."""
    client, trouble = await connected(RedisAddress("redis://127.0.0.1:1/0"))
    await client.aclose()
    assert trouble.startswith("The Redis at redis://127.0.0.1:1/0 cannot be reached: ")
