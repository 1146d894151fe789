"""Kernels are compiled when first called, one signature each, and the result is kept on disk.

A new process whose disk holds none so pays only for the kernels that its question needs.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

import numba
from numba import types
from numba.core.typing import Signature

_ONE = Lock()
"""Held while compiling: two buckets' threads would both compile what both need."""
Function = TypeVar("Function", bound=Callable[..., Any])


class Kernel:
    """A function that is compiled for one signature, at its first call."""

    def __init__(self, function: Callable[..., Any], signature: Signature) -> None:
        self._compiler = numba.njit(nogil=True, cache=True, no_cfunc_wrapper=True)(function)
        self._signature = signature
        self._ready = False

    def compile(self) -> None:
        """Compile it, or read it from disk; at once if that is done. Safe to use from several threads."""
        if not self._ready:
            with _ONE:
                self._once()

    def _once(self) -> None:
        if not self._ready:
            self._compiler.compile(self._signature)
            self._compiler.disable_compile()  # else arrays that may be written to are another type
            self._ready = True

    def __call__(self, *arguments: Any) -> Any:
        self.compile()
        return self._compiler(*arguments)


def compiled(signature: Signature) -> Callable[[Function], Kernel]:
    """Makes a function a kernel. Arrays and integers only: what it writes is passed in, since allocating in
    compiled code would double the time to compile."""
    return lambda function: Kernel(function, signature)


def inlined(function: Function) -> Function:
    """A part of a kernel: read into it before it is compiled, so that it is typed and optimised once."""
    part: Function = numba.njit(inline="always")(function)
    return part


def read_only(type_: types.Type) -> types.Array:
    return types.Array(type_, 1, "C", readonly=True)
