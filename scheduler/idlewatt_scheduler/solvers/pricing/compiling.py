"""How kernels are compiled: on first use, and kept where there is somewhere to keep them."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """A kernel for one thread; its machine code is kept in numba's cache directory."""
    return _compiled(kernel, parallel=False)


def compiled_part(kernel: Kernel) -> Kernel:
    """A part of kernels, called by them alone: without a way in from Python it compiles faster."""
    without: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    try:
        made = njit(cache=True, nogil=True, **without)(kernel)
    except RuntimeError:
        made = njit(cache=False, nogil=True, **without)(kernel)
    return cast("Kernel", made)


def compiled_in_parallel(kernel: Kernel) -> Kernel:
    """The same, for a kernel whose `prange` loops may be shared by threads.

    Its result must not depend on how many of them there are: no sum of floats across iterations.
    """
    return _compiled(kernel, parallel=True)


def _compiled(kernel: Kernel, *, parallel: bool) -> Kernel:
    """Numba refuses, before anything is compiled, to keep what it has no writable place for."""
    try:
        made = njit(cache=True, nogil=True, parallel=parallel)(kernel)
    except RuntimeError:
        made = njit(cache=False, nogil=True, parallel=parallel)(kernel)
    return cast("Kernel", made)
