"""Compiling a kernel: its parts into one whole, whose machine code is kept on disk.

`numba.njit` is looked up at each call, so that what is set when a kernel is loaded holds.
"""

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Return `function` compiled as a part of a whole, which keeps the machine code of all."""
    part: F = numba.njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return part


def compiled_once(function: F) -> F:
    """Return `function` compiled, its machine code kept beside its file for later processes."""
    try:
        whole: F = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder to keep the machine code in: compile anew in each process
        whole = numba.njit(nogil=True)(function)
    return whole
