"""What has to be there before the operator starts, each lack in a sentence that helps."""

from typing import Final

import msgspec
from redis.exceptions import RedisError

from idlewatt_operator.gateways.kubernetes.session import ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.writes import API_GROUP_PATH
from idlewatt_operator.gateways.redis.telemetry import Client, connect
from idlewatt_operator.resources.kinds import KINDS

_NOT_FOUND: Final = 404


class StartError(Exception):
    """The operator cannot start; the message is a sentence that says what to do."""


class _Resource(msgspec.Struct):
    name: str


class _Resources(msgspec.Struct):
    resources: list[_Resource]


async def check_cluster(session: ApiSession) -> None:
    """Check that the API server answers and knows our kinds.

    Raises:
        StartError: it does not.
    """
    try:
        answer = await session.send(Call("GET", API_GROUP_PATH))
    except ApiUnreachable as error:
        sentence = f"The cluster cannot be reached. {error} Is it running, and the address right?"
        raise StartError(sentence) from error
    if answer.status == _NOT_FOUND:
        raise StartError(_no_kinds())
    if not answer.ok:
        sentence = f"The API server did not let us in: {answer.message}"
        raise StartError(sentence)
    try:
        known = {each.name for each in msgspec.json.decode(answer.body, type=_Resources).resources}
    except msgspec.DecodeError as error:
        sentence = (
            "What answers at the cluster's address is no API server: look at the server in the "
            f"kubeconfig, and at any proxy before it ({error})."
        )
        raise StartError(sentence) from error
    missing = sorted(kind.naming.kind for kind in KINDS.values() if kind.naming.plural not in known)
    if missing:
        raise StartError(_no_kinds(", ".join(missing)))


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


def _no_kinds(which: str = "idlewatt's kinds") -> str:
    return f"The cluster does not know {which}: apply them with `kubectl apply -f crds/` first."
