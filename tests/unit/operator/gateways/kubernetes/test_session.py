"""The session: credentials that rotate, servers that do not answer, what an answer says."""

import asyncio
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
