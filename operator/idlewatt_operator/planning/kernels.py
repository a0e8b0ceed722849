"""Compiled kernels: whether they are ready, and where their machine code is kept.

Compiling takes half a minute or so, once. Until it is done planning is greedy. An image ships what
was compiled when it was built; the place that numba writes to has to be writable, so that what was
shipped is copied there first.
"""

import contextlib
import importlib
import os
import shutil
from collections.abc import MutableMapping
from pathlib import Path
from types import ModuleType
from typing import Final

SHIPPED: Final = "IDLEWATT_SHIPPED_KERNELS"
"""The variable that names the folder, read-only, of kernels that came with the image."""

KEPT: Final = "NUMBA_CACHE_DIR"
"""Numba's own variable: where machine code is kept, by the source it was made from."""

_WARMING: Final = "idlewatt_scheduler.solvers.warming"


def prepare(environment: MutableMapping[str, str]) -> None:
    """Put what was shipped where numba looks for it; without such a place it is only compiled.

    It has to be done before numba is imported. Nothing that is there already is replaced.
    """
    kept, shipped = environment.get(KEPT), environment.get(SHIPPED)
    if not kept or not shipped:
        return
    for source in sorted(Path(shipped).rglob("*")):
        target = Path(kept) / source.relative_to(shipped)
        if source.is_file() and not target.exists():
            _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    """Written beside it and renamed: an interrupted copy is never taken for a whole one."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, beside)
        beside.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()


def warm() -> None:
    """Compile what is not compiled yet, or load it."""
    _warming().warm()


def is_warm() -> bool:
    """Whether every kernel is ready in this process."""
    return bool(_warming().is_warm())


def _warming() -> ModuleType:
    """Imported on its first use: numba reads its settings when it is imported."""
    return importlib.import_module(_WARMING)
