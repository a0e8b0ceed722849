"""The probes and the metrics, asked for over HTTP."""

import socket

import pytest
from aiohttp import ClientSession

from idlewatt_operator.gateways.listening import Endpoint, ListenError, Verdict, listening

HERE = Endpoint("127.0.0.1", 0)


class Condition:
    """A process in this condition."""

    def __init__(self, *, alive: bool = True, ready: bool = True) -> None:
        self.verdicts = {"alive": alive, "ready": ready}

    def alive(self) -> Verdict:
        """As it was made."""
        return Verdict(self.verdicts["alive"], ("cycles: one ended",))

    def ready(self) -> Verdict:
        """As it was made."""
        return Verdict(self.verdicts["ready"], ("watches: listed", "lease: another leads"))

    def metrics(self) -> tuple[bytes, str]:
        """One figure."""
        return b"up 1\n", "text/plain; version=1.0.0; charset=utf-8"


@pytest.mark.parametrize(
    ("condition", "path", "status"),
    [
        (Condition(), "/livez", 200),
        (Condition(alive=False), "/livez", 503),
        (Condition(alive=False), "/readyz", 200),
        (Condition(), "/readyz", 200),
        (Condition(ready=False), "/readyz", 503),
        (Condition(ready=False), "/livez", 200),
        (Condition(alive=False, ready=False), "/metrics", 200),
        (Condition(), "/", 404),
    ],
)
async def test_each_question_has_its_own_answer(
    condition: Condition, path: str, status: int
) -> None:
    """Alive and ready are two things, and the figures are told in any condition."""
    async with listening(HERE, condition) as port, ClientSession() as session:
        answer = await session.get(f"http://127.0.0.1:{port}{path}")
        assert answer.status == status


async def test_the_bodies_are_for_people_and_for_prometheus() -> None:
    """Lines for the one, the format's own content type for the other."""
    async with listening(HERE, Condition()) as port, ClientSession() as session:
        answer = await session.get(f"http://127.0.0.1:{port}/readyz")
        assert await answer.text() == "watches: listed\nlease: another leads\n"
        answer = await session.get(f"http://127.0.0.1:{port}/metrics")
        assert await answer.text() == "up 1\n"
        assert answer.headers["Content-Type"].startswith("text/plain; version=")


async def test_an_address_in_use_is_named() -> None:
    """In a sentence, before anything else begins."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1:{port} cannot be listened on"):
            async with listening(Endpoint("127.0.0.1", port), Condition()):
                pass


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("0.0.0.0:8080", Endpoint("0.0.0.0", 8080)),  # noqa: S104 - only read
        (":8080", Endpoint("", 8080)),
        ("[::1]:80", Endpoint("::1", 80)),
        ("localhost:0", Endpoint("localhost", 0)),
        ("[::]:65535", Endpoint("::", 65_535)),
    ],
)
def test_an_endpoint_is_read_and_written(text: str, endpoint: Endpoint) -> None:
    """As it was."""
    assert Endpoint.parse(text) == endpoint
    assert str(endpoint) == text


@pytest.mark.parametrize(
    "text",
    ["", "8080", "localhost", "localhost:", "::1:80", "x:65536", "x:-1", "x:٣", "x:" + "9" * 9],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    """With how to write one."""
    with pytest.raises(ValueError, match=r"write 127\.0\.0\.1:8080"):
        Endpoint.parse(text)
