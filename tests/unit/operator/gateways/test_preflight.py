"""What is looked at before the operator starts."""

from pathlib import Path

import pytest

from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, Call
from idlewatt_operator.gateways.leadership import Leadership
from idlewatt_operator.gateways.preflight import StartError, check_cluster


class Elsewhere(ApiSession):
    """A server that is there and is no API server."""

    async def send(self, call: Call, leadership: Leadership | None = None) -> Answer:  # noqa: ARG002
        """Answer with a page for people."""
        return Answer(200, b"<html>Welcome</html>")


async def test_what_is_no_api_server_is_named_as_such() -> None:
    """A web server behind the address of a kubeconfig ends in a sentence."""
    with pytest.raises(StartError, match="is no API server"):
        await check_cluster(Elsewhere(CredentialSource(Path("unused"))))
