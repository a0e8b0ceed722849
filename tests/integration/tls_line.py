"""A line with TLS before a server that speaks none, with keys made for the test."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Keys:
    """A certificate that signs itself, for the loopback address; it is its own authority."""

    certificate: Path
    key: Path


def write_keys(folder: Path, name: str) -> Keys:
    """Make a key and its certificate, valid for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    keys = Keys(folder / f"{name}.crt", folder / f"{name}.key")
    keys.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    keys.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return keys


@contextmanager
def tls_line(port: int, own: Keys, client: Keys | None = None) -> Iterator[int]:
    """Pass on what arrives with TLS to the port behind; gives the port to connect to.

    Where `client` is given, whoever connects has to show that certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    if client is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client.certificate)
    ready, over, outer = threading.Event(), asyncio.Event(), 0
    loop: asyncio.AbstractEventLoop | None = None

    async def serve() -> None:
        nonlocal loop, outer
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(partial(_join, port), "127.0.0.1", 0, ssl=context)
        outer = server.sockets[0].getsockname()[1]
        ready.set()
        await over.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield outer
    finally:
        assert loop is not None
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


async def _join(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
    ways = {
        asyncio.create_task(_pass_on(reader, behind_writer)),
        asyncio.create_task(_pass_on(behind_reader, writer)),
    }
    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in ways:
        way.cancel()
    for end in (writer, behind_writer):
        end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
