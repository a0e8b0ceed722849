"""Where the cache is, and how a checkout is named in it."""

from pathlib import Path

import pytest
from tests.cluster import places


def test_cache_follows_the_xdg_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An absolute XDG_CACHE_HOME is used; an empty or relative one is as good as none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert places.cache_home() == Path("/var/cache/me/idlewatt")
    for unusable in ("", "relative/cache"):
        monkeypatch.setenv("XDG_CACHE_HOME", unusable)
        assert places.cache_home() == tmp_path / ".cache" / "idlewatt"


def test_checkouts_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Two checkouts in folders of the same name have different keys, stable over calls."""
    first, second = tmp_path / "a" / "main", tmp_path / "b" / "main"
    assert places.checkout_key(first) == places.checkout_key(first)
    assert places.checkout_key(first) != places.checkout_key(second)
    assert places.checkout_key(first).startswith("main-")
