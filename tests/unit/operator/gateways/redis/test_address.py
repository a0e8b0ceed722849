"""Addresses of a Redis: what is refused, and that no sentence repeats a secret."""

from pathlib import Path

import pytest

from idlewatt_operator.gateways.redis.address import AddressError, RedisAddress

SECRET = "s3cr3t"  # noqa: S105 - nobody's


def options(address: RedisAddress) -> dict[str, object]:
    """What the client was told."""
    return dict(address.connect().connection_pool.connection_kwargs)


def test_credentials_come_from_the_environment() -> None:
    """Those of the chart's Secret, and empty ones count as none."""
    environment = {"IDLEWATT_REDIS_USERNAME": "operator", "IDLEWATT_REDIS_PASSWORD": SECRET}
    told = options(RedisAddress.of("redis://redis:6379/0", environment))
    assert (told["username"], told["password"], told["host"]) == ("operator", SECRET, "redis")
    empty = dict.fromkeys(environment, "")
    assert RedisAddress.of("redis://redis:6379/0", empty) == RedisAddress("redis://redis:6379/0")


def test_a_certificate_authority_is_for_tls(tmp_path: Path) -> None:
    """It is handed on as it is; the server's name is checked, too."""
    authority = tmp_path / "ca.crt"
    authority.write_text("")
    told = options(RedisAddress("rediss://redis:6379/0", ca_file=authority))
    assert told["ssl_ca_certs"] == str(authority)
    assert told.get("ssl_cert_reqs", "required") == "required"
    assert told.get("ssl_check_hostname", True) is True


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "It is none"),
        ("redis", "It is none"),
        ("http://redis:6379", "It is none"),
        ("redis://", "It is none"),
        ("redis://redis:port/0", "It cannot be read"),
        (f"redis://operator:{SECRET}/x@redis:6379", "It cannot be read"),
        (f"redis://[{SECRET}", "It cannot be read"),
        ("redis://redis:6379/first", "no number of a database"),
        ("redis://redis:6379/٣", "no number of a database"),
        (f"redis://redis:6379/0?password={SECRET}", "only a host, a port and a database"),
        ("redis://redis:6379/0?socket_timeout=long", "only a host, a port and a database"),
        ("redis://redis:6379/0?colour=red", "only a host, a port and a database"),
        (f"redis://operator:12?{SECRET}@redis:6379/0", "only a host, a port and a database"),
        (f"redis://operator:12#{SECRET}@redis:6379/0", "only a host, a port and a database"),
    ],
)
def test_what_is_no_address_is_refused(url: str, sentence: str) -> None:
    """By a sentence that does not repeat it: a password may stand in it."""
    with pytest.raises(AddressError, match=sentence) as refused:
        RedisAddress(url).connect()
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        (RedisAddress("redis://a:b@redis:6379/0", password=SECRET), "keep the latter"),
        (RedisAddress("redis://redis:6379/0", username="operator"), "set both"),
        (RedisAddress("redis://redis:6379/0", ca_file=Path("ca")), "write rediss://"),
        (RedisAddress("rediss://redis:6379/0", ca_file=Path("/nowhere")), "there is no file"),
        (RedisAddress("rediss://redis:6379/0", key_file=Path(__file__)), "only one is set"),
    ],
)
def test_an_address_that_contradicts_itself_is_refused(
    address: RedisAddress, sentence: str
) -> None:
    """What was set and would not be used is a mistake, never passed over."""
    with pytest.raises(AddressError, match=sentence) as refused:
        address.connect()
    assert SECRET not in str(refused.value)


def test_what_is_shown_has_no_credentials() -> None:
    """In messages and in logs, whoever prints it."""
    address = RedisAddress(f"rediss://operator:{SECRET}@redis:6379/0", "operator", SECRET)
    assert address.shown == "rediss://redis:6379/0"
    assert SECRET not in repr(address)
