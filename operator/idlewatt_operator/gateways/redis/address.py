"""Where Redis is and who we are there: read at the door, refused in sentences without a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from redis.asyncio import Redis

DEFAULT_URL: Final = "redis://localhost:6379/0"

USERNAME: Final = "IDLEWATT_REDIS_USERNAME"
PASSWORD: Final = "IDLEWATT_REDIS_PASSWORD"  # noqa: S105 - the variable's name
CA_FILE: Final = "IDLEWATT_REDIS_CA_FILE"
CERTIFICATE_FILE: Final = "IDLEWATT_REDIS_CERTIFICATE_FILE"
KEY_FILE: Final = "IDLEWATT_REDIS_KEY_FILE"

_SILENCE_SECONDS: Final = 20
_CONNECT_SECONDS: Final = 5


class AddressError(ValueError):
    """It is no address of a Redis, or contradicts itself; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is, and with which credentials.

    Attributes:
        url: `redis://HOST:PORT/DATABASE`, or `rediss://` for TLS.
        ca_file: who signed the server's certificate; None: whom the system trusts.
        certificate_file, key_file: our own, where the server asks for one.
    """

    url: str = field(repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    @classmethod
    def of(cls, url: str, environment: Mapping[str, str]) -> "RedisAddress":
        """The address with the credentials that the environment holds; empty ones count as none."""

        def path(name: str) -> Path | None:
            return Path(environment[name]) if environment.get(name) else None

        return cls(
            url,
            environment.get(USERNAME) or None,
            environment.get(PASSWORD) or None,
            path(CA_FILE),
            path(CERTIFICATE_FILE),
            path(KEY_FILE),
        )

    @property
    def shown(self) -> str:
        """The address as it may be told to anybody."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def connect(self) -> "Redis":
        """A client that gives up on a line that is silent for longer than a read may take.

        Raises:
            AddressError: it is no address of a Redis, or a file that it names is not there.
        """
        options = self._credentials(_parts(self.url)) | self._tls(_parts(self.url))
        client: Redis = Redis.from_url(
            self.url,
            socket_timeout=_SILENCE_SECONDS,
            socket_connect_timeout=_CONNECT_SECONDS,
            **options,
        )
        return client

    def _credentials(self, parts: SplitResult) -> dict[str, Any]:
        if "@" in parts.netloc and (self.username or self.password):
            sentence = (
                f"Credentials stand in the address and in {USERNAME} or {PASSWORD}; keep the latter"
            )
            raise AddressError(sentence)
        if self.username and not self.password:
            sentence = f"{USERNAME} is set and {PASSWORD} is not; set both"
            raise AddressError(sentence)
        given = {"username": self.username, "password": self.password}
        return {name: value for name, value in given.items() if value}

    def _tls(self, parts: SplitResult) -> dict[str, Any]:
        files = {
            CA_FILE: ("ssl_ca_certs", self.ca_file),
            CERTIFICATE_FILE: ("ssl_certfile", self.certificate_file),
            KEY_FILE: ("ssl_keyfile", self.key_file),
        }
        given = {name: entry for name, entry in files.items() if entry[1] is not None}
        for name, (_, path) in given.items():
            if parts.scheme != "rediss":
                sentence = f"{name} is set, and the address has no TLS; write rediss://"
                raise AddressError(sentence)
            if path is None or not path.is_file():
                sentence = f"{name} is {path}, where there is no file"
                raise AddressError(sentence)
        if (self.certificate_file is None) != (self.key_file is None):
            sentence = f"Of {CERTIFICATE_FILE} and {KEY_FILE} only one is set; set both"
            raise AddressError(sentence)
        return {option: str(path) for option, path in given.values()}


def _parts(url: str) -> SplitResult:
    """The parts of an address; what it says of itself never reaches a message."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        sentence = "It cannot be read; write redis://HOST:6379/0, with credentials elsewhere"
        raise AddressError(sentence) from None
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        sentence = "It is none; write redis://HOST:6379/0, or rediss:// for TLS"
        raise AddressError(sentence)
    database = parts.path.strip("/")
    if database and not (database.isascii() and database.isdigit()):
        sentence = "Its path is no number of a database; write redis://HOST:6379/0"
        raise AddressError(sentence)
    if parts.query or parts.fragment:
        # A password that was not quoted may end up there, and every option of the client.
        sentence = "It has more than only a host, a port and a database; write redis://HOST:6379/0"
        raise AddressError(sentence)
    return parts
