"""What has to be there before the operator starts, each lack in a sentence that helps."""

import ssl
from typing import Final

import msgspec
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from idlewatt_operator.gateways.kubernetes.definitions import lacking
from idlewatt_operator.gateways.kubernetes.session import ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.writes import API_GROUP_PATH
from idlewatt_operator.gateways.redis.address import AddressError, RedisAddress
from idlewatt_operator.gateways.redis.keeping import POSITION
from idlewatt_operator.gateways.redis.telemetry import Client

_NOT_FOUND: Final = 404
_NO_KINDS: Final = (
    "The cluster does not know idlewatt's kinds: apply them with `kubectl apply -f crds/` first."
)


class StartError(Exception):
    """The operator cannot start; the message is a sentence that says what to do."""


class _Resources(msgspec.Struct):
    resources: list[msgspec.Raw]


async def check_access(session: ApiSession) -> None:
    """Check that the API server answers, lets us in, and knows our kinds.

    Raises:
        StartError: it does not.
    """
    try:
        answer = await session.send(Call("GET", API_GROUP_PATH))
    except ApiUnreachable as error:
        sentence = f"The cluster cannot be reached. {error} Is it running, and the address right?"
        raise StartError(sentence) from error
    if answer.status == _NOT_FOUND:
        raise StartError(_NO_KINDS)
    if not answer.ok:
        sentence = f"The API server did not let us in: {answer.message}"
        raise StartError(sentence)
    try:
        msgspec.json.decode(answer.body, type=_Resources)
    except msgspec.DecodeError as error:
        sentence = (
            "What answers at the cluster's address is no API server: look at the server in the "
            f"kubeconfig, and at any proxy before it ({error})."
        )
        raise StartError(sentence) from error


async def check_cluster(session: ApiSession) -> None:
    """Check that the API server answers, and knows our kinds as this operator needs them.

    Raises:
        StartError: it does not.
    """
    await check_access(session)
    try:
        lack = await lacking(session)
    except ApiUnreachable as error:
        sentence = f"The cluster stopped answering while its definitions were read. {error}"
        raise StartError(sentence) from error
    if lack:
        raise StartError(lack)


async def connected(address: RedisAddress) -> tuple[Client, str]:
    """A client of the Redis there, and why it cannot be reached; empty: it can.

    One that is away comes back, and is no reason not to keep the promises of pods that run. One
    that refuses us will go on doing so.

    Raises:
        StartError: that is no address of a Redis, or it does not let us in.
    """
    try:
        client = address.connect()
    except AddressError as error:
        sentence = f"The address of Redis cannot be used: {error}."
        raise StartError(sentence) from error
    try:
        await client.get(POSITION)
    except (RedisError, OSError, TimeoutError) as error:
        if _is_refusal(error):
            await client.aclose()
            sentence = f"The Redis at {address.shown} did not let us in: {error}"
            raise StartError(sentence) from error
        return client, f"The Redis at {address.shown} cannot be reached: {error}"
    return client, ""


def _is_refusal(error: BaseException) -> bool:
    """Whether asking again will not help: a wrong password, too few rights, no certificate."""
    causes = (error, error.__cause__, error.__context__)
    return isinstance(error, AuthenticationError | NoPermissionError) or any(
        isinstance(cause, ssl.SSLCertVerificationError) for cause in causes
    )
