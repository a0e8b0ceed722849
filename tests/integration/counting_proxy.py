"""A line to the API server that notes what passes: who sent which write, when, and how it ended.

It stands before one operator, so that a test can tell the writes of two of them apart, and slow
them down. Requests are noted when they have arrived whole, before they are passed on.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from ssl import create_default_context

import aiohttp
import yaml
from aiohttp import web
from tests.cluster.control_plane import ControlPlane, kubeconfig

READS = {"GET", "HEAD"}


@dataclass
class Write:
    """One write.

    Attributes:
        at: on the monotonic clock, when it had arrived.
        status: HTTP's, of the answer; 0: none was passed on.
    """

    at: float
    method: str
    path: str
    status: int = 0

    @property
    def is_lease(self) -> bool:
        """It is about the lease rather than about what is led."""
        return "/leases" in self.path

    @property
    def is_bind(self) -> bool:
        """It binds a pod."""
        return self.path.endswith("/binding")


@dataclass
class CountingProxy:
    """A running proxy.

    Attributes:
        kubeconfig: of the cluster, by this line.
        writes: all that passed, as they came.
        bind_seconds: how long a binding is held before it is passed on.
        is_cut: what arrives is passed on no more, for good.
    """

    kubeconfig: Path
    writes: list[Write] = field(default_factory=list)
    bind_seconds: float = 0.0
    is_cut: bool = False

    @property
    def led(self) -> list[Write]:
        """The writes of one that leads: all but those of the lease."""
        return [each for each in self.writes if not each.is_lease]

    @property
    def bound(self) -> list[str]:
        """The paths of the bindings that were done."""
        return [each.path for each in self.writes if each.is_bind and each.status == 201]


@contextmanager
def counting_proxy(cluster: ControlPlane, path: Path) -> Iterator[CountingProxy]:
    """Pass requests on to the cluster, in a thread, for as long as the block lasts.

    `path` is where the kubeconfig is written.
    """
    own = yaml.safe_load(cluster.kubeconfig.read_text())
    authority = own["clusters"][0]["cluster"]["certificate-authority"]
    proxy = CountingProxy(path)
    ready, over, port = threading.Event(), asyncio.Event(), 0
    loop: asyncio.AbstractEventLoop | None = None

    async def serve() -> None:
        nonlocal loop, port
        loop = asyncio.get_running_loop()
        connector = aiohttp.TCPConnector(limit=0, ssl=create_default_context(cafile=authority))
        async with aiohttp.ClientSession(
            cluster.url, connector=connector, auto_decompress=False
        ) as upstream:
            app = web.Application(client_max_size=2**26)
            app.router.add_route("*", "/{path:.*}", partial(_pass_on, proxy, upstream))
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            port = runner.addresses[0][1]
            ready.set()
            await over.wait()
            await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    path.write_text(
        kubeconfig(f"http://127.0.0.1:{port}", own["users"][0]["user"]["token"], Path(authority))
    )
    try:
        yield proxy
    finally:
        assert loop is not None
        loop.call_soon_threadsafe(over.set)
        thread.join(10)


async def _pass_on(
    proxy: CountingProxy, upstream: aiohttp.ClientSession, asked: web.Request
) -> web.StreamResponse:
    body = await asked.read()
    write = Write(time.monotonic(), asked.method, asked.path)
    if proxy.is_cut:
        await asyncio.Event().wait()
    if asked.method not in READS:
        proxy.writes.append(write)
        if write.is_bind:
            await asyncio.sleep(proxy.bind_seconds)
    headers = {name: value for name, value in asked.headers.items() if name != "Host"}
    limit = aiohttp.ClientTimeout(total=None)
    async with upstream.request(
        asked.method, asked.rel_url, data=body or None, headers=headers, timeout=limit
    ) as answer:
        write.status = answer.status
        told = web.StreamResponse(status=answer.status)
        told.content_type = answer.content_type
        await told.prepare(asked)
        with suppress(ConnectionResetError):  # whoever asked has gone
            async for chunk in answer.content.iter_any():
                await told.write(chunk)
        return told
