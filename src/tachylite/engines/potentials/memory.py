"""Keep freed memory in the process, where the C library can be told to."""

import ctypes
import sys
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 1024**2
"""Larger values are refused on 64-bit systems (mallopt(3))."""


@cache
def keep_freed_memory() -> bool:
    """Stop the GNU C library from handing freed arrays back to the kernel; True where this was possible.

    A force call allocates and frees the same few megabytes again and again. By default they go back to the
    kernel each time and come again page by page, which takes up to a third of the call on the CPU.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_M_TRIM_THRESHOLD, 2**30))
