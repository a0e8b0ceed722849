"""How the API server is reached and as whom: a kubeconfig, or the pod's service account.

The `kubernetes` package reads either, exec plugins and token files included; what it found is
handed on as `Credentials`, of which every HTTP session here is made.
"""

import hashlib
import os
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from kubernetes.aio import config as loaders
from kubernetes.aio.client import Configuration
from kubernetes.aio.config import incluster_config

DELIVERY_SECONDS: Final = 2.0
"""What a request may take to arrive, before the line counts as cut."""

_IN_CLUSTER: Final = incluster_config.SERVICE_HOST_ENV_NAME
_DEFAULT_KUBECONFIG: Final = Path("~/.kube/config")


class CredentialsError(Exception):
    """The credentials cannot be read; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the API server is and how to be admitted.

    Attributes:
        server: base URL without a trailing slash.
        authorization: value of the HTTP header, None where a client certificate is enough.
        server_name: the name to expect in the server's certificate instead of its host.
        fingerprint: of the contents of the certificate files, to notice their rotation.
    """

    server: str
    ca_path: str | None = None
    certificate_path: str | None = None
    key_path: str | None = None
    verify: bool = True
    server_name: str | None = None
    proxy: str | None = None
    authorization: str | None = field(default=None, repr=False)
    fingerprint: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers that carry the credentials."""
        return {"Authorization": self.authorization} if self.authorization else {}

    def ssl_context(self) -> ssl.SSLContext:
        """A TLS context with the certificates loaded.

        Raises:
            CredentialsError: a certificate or key cannot be read.
        """
        context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.server_name = self.server_name
        try:
            if self.ca_path:
                context.load_verify_locations(self.ca_path)
            else:
                context.load_default_certs()
            if self.certificate_path:
                context.load_cert_chain(self.certificate_path, self.key_path)
        except (OSError, ssl.SSLError) as error:
            sentence = f"A certificate or key of {self.server} cannot be read: {error}."
            raise CredentialsError(sentence) from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def connector(self, limit: int) -> aiohttp.TCPConnector:
        """A connector of at most `limit` connections."""
        if not self.server.startswith("https"):
            return aiohttp.TCPConnector(limit=limit, socket_factory=_impatient_socket)
        return aiohttp.TCPConnector(
            limit=limit, ssl=self.ssl_context(), socket_factory=_impatient_socket
        )

    def http_session(self, limit: int) -> aiohttp.ClientSession:
        """A session of its own with these credentials in every request; the caller closes it."""
        return aiohttp.ClientSession(
            connector=self.connector(limit),
            headers=self.headers,
            proxy=self.proxy,
            auto_decompress=True,
        )


def _impatient_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket on which nothing is delivered late: what is not taken in time is not sent again.

    Without this a write that was given up long ago would still arrive once a cut line is mended.
    """
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(DELIVERY_SECONDS * 1_000)
        )
    return made


class _NamedContext(ssl.SSLContext):
    """A context that expects `server_name`, as kubeconfig's `tls-server-name` wants it."""

    server_name: str | None = None

    def wrap_bio(self, *args: Any, **named: Any) -> ssl.SSLObject:  # noqa: ANN401 # passed on
        if self.server_name:
            named["server_hostname"] = self.server_name
        return super().wrap_bio(*args, **named)


class CredentialSource:
    """Reads the credentials, again whenever they are asked for: tokens and plugins rotate.

    Attributes:
        kubeconfig: the file to read; None: `$KUBECONFIG`, else the pod's service account,
            else `~/.kube/config`.
    """

    def __init__(self, kubeconfig: Path | None = None) -> None:
        self.kubeconfig = kubeconfig

    async def load(self) -> Credentials:
        """Read the credentials as they are now.

        Raises:
            CredentialsError: there are none, or they cannot be used.
        """
        configuration = Configuration()
        path = self._path()
        try:
            if path is None:
                loaders.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
            else:
                await _load_file(path, configuration)
        except loaders.ConfigException as error:
            where = path or "the pod's service account"
            sentence = f"The cluster's address and credentials in {where} cannot be used: {error}."
            raise CredentialsError(sentence) from error
        return _credentials(configuration)

    def _path(self) -> str | None:
        if self.kubeconfig is not None:
            return str(self.kubeconfig)
        if os.environ.get("KUBECONFIG"):
            return os.environ["KUBECONFIG"]
        if os.environ.get(_IN_CLUSTER):
            return None
        return str(_DEFAULT_KUBECONFIG.expanduser())


def _is_there(path: str) -> bool:
    return any(Path(one).expanduser().is_file() for one in path.split(os.pathsep) if one)


async def _load_file(path: str, configuration: Configuration) -> None:
    if not _is_there(path):
        sentence = (
            f"There is no kubeconfig at {path}; name one with --kubeconfig or in the "
            "environment variable KUBECONFIG."
        )
        raise CredentialsError(sentence)
    try:
        await loaders.load_kube_config(  # type: ignore[no-untyped-call]
            path, client_configuration=configuration, persist_config=False
        )
    except loaders.ConfigException:
        raise
    except Exception as error:  # whatever a malformed file makes the loader trip over
        sentence = f"The kubeconfig {path} is malformed: {type(error).__name__}: {error}."
        raise CredentialsError(sentence) from error


def _credentials(configuration: Configuration) -> Credentials:
    paths = (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file)
    return Credentials(
        server=str(configuration.host).rstrip("/"),
        ca_path=configuration.ssl_ca_cert or None,
        certificate_path=configuration.cert_file or None,
        key_path=configuration.key_file or None,
        verify=bool(configuration.verify_ssl),
        server_name=configuration.tls_server_name or None,
        proxy=configuration.proxy or None,
        authorization=_authorization(configuration),
        fingerprint=_fingerprint(paths),
    )


def _authorization(configuration: Configuration) -> str | None:
    token = (configuration.api_key or {}).get("BearerToken")
    if not token:
        return None
    scheme, _, value = str(token).strip().partition(" ")
    return f"{scheme.capitalize()} {value.strip()}" if value else f"Bearer {scheme}"


def _fingerprint(paths: tuple[str | None, ...]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(Path(path).read_bytes() if path and Path(path).is_file() else b"-")
    return digest.hexdigest()
