"""The session: credentials that rotate, servers that do not answer, what an answer says."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.unit.operator.gateways.kubernetes.scripted_server import (
    Script,
    a_page,
    a_status,
    a_watch,
    serving,
)

from idlewatt_operator.gateways.kubernetes.credentials import CredentialsError, CredentialSource
from idlewatt_operator.gateways.kubernetes.session import Answer, ApiUnreachable, Call
from idlewatt_operator.gateways.leadership import NotLeading

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {USER}}]
"""


async def test_a_refused_token_is_read_again() -> None:
    """A token the server does not take any more is read anew, and the request sent again."""
    script = Script(lists=[a_status(401), a_page(), a_page()])
    async with serving(script) as (session, source):
        assert (await session.send(Call("GET", "/x"))).ok
        assert (await session.send(Call("GET", "/x"))).ok
        assert source.loads == 2
    assert script.authorizations == ["Bearer 1", "Bearer 2", "Bearer 2"]


async def test_a_token_that_stays_refused_is_an_answer() -> None:
    """Where the new token is refused too, the refusal is handed on."""
    async with serving(Script(lists=[a_status(401), a_status(401)])) as (session, _):
        assert (await session.send(Call("GET", "/x"))).status == 401


async def test_many_refused_at_once_read_the_token_once() -> None:
    """Requests that are refused together do not each read the credentials."""
    script = Script(lists=[*[a_status(401)] * 8, *[a_page()] * 8])
    async with serving(script) as (session, source):
        answers = await asyncio.gather(*(session.send(Call("GET", "/x")) for _ in range(8)))
        assert all(answer.ok for answer in answers)
        assert source.loads == 2


async def test_a_server_that_does_not_answer_is_named() -> None:
    """No answer in time, or none at all, ends in a sentence that names the request."""
    async with serving(Script(lists=[a_watch()]), timeout_seconds=0.2) as (session, source):
        with pytest.raises(ApiUnreachable, match="did not answer GET /x"):
            await session.send(Call("GET", "/x"))
        source.server = "http://127.0.0.1:1"
        await session._renew(session._credentials)  # noqa: SLF001 # the server moves away
        with pytest.raises(ApiUnreachable, match="did not answer GET /x"):
            await session.send(Call("GET", "/x"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message": "pods is forbidden"}', "pods is forbidden"),
        (b"<html>proxy</html>", "<html>proxy</html>"),
        (b"", "HTTP 502"),
        (b'{"message": 7}', '{"message": 7}'),
        (b"\xff" * 9_999, "\N{REPLACEMENT CHARACTER}" * 1_024),
    ],
)
def test_whatever_is_sent_makes_a_message(body: bytes, message: str) -> None:
    """The server's sentence is used, or the start of what it sent, or the bare status."""
    assert Answer(502, body).message == message


async def test_a_token_in_a_kubeconfig_is_used(tmp_path: Path) -> None:
    """A token in the file, or in a file of its own that rotates, becomes the header."""
    file = tmp_path / "config"
    file.write_text(KUBECONFIG.replace("{USER}", "{token: abc}"))
    credentials = await CredentialSource(file).load()
    assert credentials.server == "http://127.0.0.1:1"
    assert credentials.headers == {"Authorization": "Bearer abc"}
    assert "abc" not in repr(credentials)
    token = tmp_path / "token"
    file.write_text(KUBECONFIG.replace("{USER}", f"{{tokenFile: {token}}}"))
    source = CredentialSource(file)
    for text in ("first", "second"):
        token.write_text(text)
        assert (await source.load()).authorization == f"Bearer {text}"


async def test_an_exec_plugin_is_asked(tmp_path: Path) -> None:
    """A kubeconfig may name a program that prints the credentials."""
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
        ' "status": {"token": "from-the-plugin"}}\'\n'
    )
    plugin.chmod(0o700)
    api = "apiVersion: client.authentication.k8s.io/v1"
    user = f"{{exec: {{{api}, command: {plugin}, interactiveMode: Never}}}}"
    file = tmp_path / "config"
    file.write_text(KUBECONFIG.replace("{USER}", user))
    assert (await CredentialSource(file).load()).authorization == "Bearer from-the-plugin"


async def test_the_service_account_is_used_in_a_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a cluster without a kubeconfig the mounted token is what counts."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(CredentialsError, match="service account"):
        await CredentialSource().load()
    (tmp_path / "token").write_text("mounted\n")
    (tmp_path / "ca.crt").write_text("a certificate\n")
    loader = "kubernetes.aio.config.incluster_config"
    monkeypatch.setattr(f"{loader}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{loader}.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    credentials = await CredentialSource().load()
    assert credentials.server == "https://10.0.0.1:443"
    assert credentials.authorization == "Bearer mounted"
    with pytest.raises(CredentialsError, match="certificate"):
        credentials.ssl_context()


@pytest.mark.parametrize("text", ["", "[]", "{", "7", "clusters: []", "current-context: nowhere"])
async def test_a_malformed_kubeconfig_ends_in_a_sentence(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file, the error is a sentence that names it."""
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(CredentialsError, match=str(file)):
        await CredentialSource(file).load()


async def test_a_missing_kubeconfig_ends_in_a_sentence(tmp_path: Path) -> None:
    """A file that is not there is named, with what to do."""
    with pytest.raises(CredentialsError, match=r"There is no kubeconfig at .*--kubeconfig"):
        await CredentialSource(tmp_path / "none").load()


class Left:
    """A leadership that has so many seconds left, at each asking the next of these."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = list(seconds)

    def left_seconds(self) -> float:
        """The next; the last for ever."""
        return self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]


A_WRITE = Call("POST", "/x", body={"a": 1})


async def test_who_does_not_lead_sends_no_write() -> None:
    """Nothing reaches the server, and the caller is told why."""
    script = Script(writes=[a_status(200)])
    async with serving(script) as (session, _):
        with pytest.raises(NotLeading, match="It was not sent"):
            await session.send(A_WRITE, Left(0))
    assert script.asked == []


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT"])
async def test_a_write_is_not_sent_where_leadership_ends_on_its_way(method: str) -> None:
    """Between asking and sending lies a look-up, a handshake, a process that was stopped."""
    script = Script(writes=[a_status(200)])
    async with serving(script) as (session, _):
        with pytest.raises(NotLeading):
            await session.send(Call(method, "/x", body={"a": 1}), Left(8, 0))
        assert script.asked == []
        assert (await session.send(A_WRITE, Left(8))).ok


async def test_a_write_is_not_sent_again_where_leadership_ends_meanwhile() -> None:
    """A refused token is read anew, which takes its time."""
    script = Script(writes=[a_status(401), a_status(200)])
    async with serving(script) as (session, _):
        with pytest.raises(NotLeading):
            await session.send(A_WRITE, Left(8, 8, 0))
    assert len(script.asked) == 1


@pytest.mark.parametrize(("left", "granted"), [(4.0, "2s"), (4.99, "2s"), (2.5, "1s")])
async def test_a_write_gets_the_time_that_is_left(left: float, granted: str) -> None:
    """In the server less what it may take to arrive; where there is plenty, the usual."""
    script = Script(writes=[a_status(200), a_status(200)])
    async with serving(script) as (session, _):
        await session.send(A_WRITE, Left(left))
        await session.send(A_WRITE, Left(3_600))
    assert script.asked == [{"timeout": granted}, {}]


async def test_a_write_that_waited_is_not_granted_more_than_is_left() -> None:
    """The server would still be at it while another leads: its time was reckoned before."""
    script = Script(writes=[a_status(200)])
    async with serving(script, timeout_seconds=30.0) as (session, _):
        with pytest.raises(NotLeading):
            await session.send(A_WRITE, Left(13, 4.5))
        assert script.asked == []
        assert (await session.send(A_WRITE, Left(13, 11.5))).ok


async def test_a_write_is_given_up_when_its_time_is_over() -> None:
    """Whether it was done nobody knows, and nobody waits on."""
    async with serving(Script(writes=[a_watch()])) as (session, _):
        began = asyncio.get_running_loop().time()
        with pytest.raises(ApiUnreachable):
            await session.send(A_WRITE, Left(0.3))
        assert asyncio.get_running_loop().time() - began < 2


async def test_a_line_that_takes_nothing_is_given_up() -> None:
    """A cut line would deliver a write that was given up long ago, once it is mended."""
    call = Call("GET", "/x", {"watch": "1"})
    async with (
        serving(Script(watches=[a_watch(b"{}")])) as (session, _),
        session.stream(call) as response,
    ):
        assert response.connection is not None
        assert response.connection.transport is not None
        line = response.connection.transport.get_extra_info("socket")
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2_000
