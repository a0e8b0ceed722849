"""Where things that are built or run for tests are kept: outside the tree, per user.

``${XDG_CACHE_HOME:-~/.cache}/idlewatt/`` holds

- ``<key>/bin``: binaries, one folder per set of versions (see ``binaries``);
- ``wheels/``: what was fetched from PyPI, unpacked (see ``wheels``);
- ``clusters/<checkout>/<session>/``: one running control plane (see ``sessions``).
"""

import hashlib
import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


class SetupError(Exception):
    """What a test needs could not be built, fetched or started; the message says what to do."""


def cache_home() -> Path:
    """Give the folder that everything of idlewatt's in the user's cache is under."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is to be ignored.
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    return root / "idlewatt"


def checkout_key(checkout: Path = CHECKOUT) -> str:
    """Name a checkout by its path: two checkouts on one machine never share a name."""
    resolved = str(checkout.resolve())
    digest = hashlib.sha256(resolved.encode()).hexdigest()[:8]
    return f"{Path(resolved).name or 'root'}-{digest}"
