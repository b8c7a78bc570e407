"""Memory that a training step frees is kept for the next one, not given back to the system.

No torch here. glibc gives large blocks back as soon as they are freed, and a training step frees
little else: the next step then takes a page fault for every 4 KiB of its activations. With the CNN
(32x32, batch 64) those are 8,100 faults a step; without them a step takes 41 ms of a core instead
of 57 (medians, one thread).
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_NEVER = -1
_LARGEST_BLOCKS = (1 << 30, 32 << 20)
"""Blocks up to so many bytes are kept; older glibc refuses more than the second."""
_AT_A_TIME = 64 << 20
"""Bytes that are asked of the system at once."""


def keep_freed_memory() -> bool:
    """Sets this process's allocator so; returns whether it could (it cannot but with glibc)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # macOS, musl, Windows
        return False
    kept = any(mallopt(_M_MMAP_THRESHOLD, size) for size in _LARGEST_BLOCKS)
    return bool(kept and mallopt(_M_TRIM_THRESHOLD, _NEVER) and mallopt(_M_TOP_PAD, _AT_A_TIME))
