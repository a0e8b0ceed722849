"""Credentials for Redis: from the environment, never from a command line, which others can read."""

import os
from typing import Final

import typer

from idlewatt_operator.gateways.redis.address import PASSWORD, USERNAME, RedisAddress

_OPTION: Final = "--redis-url"


def redis_address(context: typer.Context, url: str) -> RedisAddress:
    """The address, with the credentials that the environment holds.

    Raises:
        typer.BadParameter: credentials stand on the command line.
    """
    source = context.get_parameter_source("redis_url")
    if source is not None and source.name == "COMMANDLINE" and "@" in url:
        sentence = f"everybody here can read a command line; set {USERNAME} and {PASSWORD} instead"
        raise typer.BadParameter(sentence, param_hint=_OPTION)
    return RedisAddress.of(url, os.environ)
