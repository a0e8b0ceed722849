"""What has to be there before the operator starts, each lack in a sentence that helps."""

from typing import Final

import msgspec
from redis.exceptions import RedisError

from idlewatt_operator.gateways.kubernetes.definitions import lacking
from idlewatt_operator.gateways.kubernetes.session import ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.writes import API_GROUP_PATH
from idlewatt_operator.gateways.redis.telemetry import Client, connect

_NOT_FOUND: Final = 404
_NO_KINDS: Final = (
    "The cluster does not know idlewatt's kinds: apply them with `kubectl apply -f crds/` first."
)


class StartError(Exception):
    """The operator cannot start; the message is a sentence that says what to do."""


class _Resources(msgspec.Struct):
    resources: list[msgspec.Raw]


async def check_cluster(session: ApiSession) -> None:
    """Check that the API server answers, and knows our kinds as this operator needs them.

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
    try:
        lack = await lacking(session)
    except ApiUnreachable as error:
        sentence = f"The cluster stopped answering while its definitions were read. {error}"
        raise StartError(sentence) from error
    if lack:
        raise StartError(lack)


async def connected(url: str) -> Client:
    """A client of the Redis at `url`, which answers.

    Raises:
        StartError: it does not, or that is no address of a Redis.
    """
    try:
        client = connect(url)
    except ValueError as error:
        sentence = f"--redis-url is not the address of a Redis: {error}. Write redis://HOST:6379/0."
        raise StartError(sentence) from error
    try:
        await client.ping()
    except (RedisError, OSError, TimeoutError) as error:
        await client.aclose()
        sentence = f"The Redis at --redis-url cannot be reached: {error}"
        raise StartError(sentence) from error
    return client
