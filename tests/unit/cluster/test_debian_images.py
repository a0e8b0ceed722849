"""Images of Debian's packages: when they are made again."""

import dataclasses

from tests.cluster.debian_images import PYTHON_BASE, REDIS


def test_another_recipe_has_another_key() -> None:
    """One more package, or another user, and the image is made again."""
    more = dataclasses.replace(REDIS, arguments=(*REDIS.arguments, "--include=vim"))
    root = dataclasses.replace(REDIS, changes=("USER 0",))
    assert len({REDIS.key(), more.key(), root.key(), PYTHON_BASE.key()}) == 4


def test_how_long_it_takes_is_no_part_of_the_content() -> None:
    """A better estimate makes nothing again."""
    assert dataclasses.replace(REDIS, usual_seconds=1).key() == REDIS.key()
