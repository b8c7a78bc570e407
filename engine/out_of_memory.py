"""Recognising that memory ran out, whichever library says so and however it words it."""

from __future__ import annotations

import re

_KINDS = (RuntimeError, OSError, ImportError, SystemError)
"""What libraries raise; torch.OutOfMemoryError is a RuntimeError. Anything else is not about this
process's memory, whatever its message says."""
_WORDS = re.compile(
    r"out of memory"  # CUDA, HIP, MPS, XPU: "CUDA out of memory", "MPS backend out of memory"
    r"|OUT_OF_(DEVICE_|HOST_)?MEMORY|OutOfMemory|MemoryAllocation\b"
    r"|ALLOC(ATION)?_FAILED|StatusAllocFailed"  # cuBLAS, cuDNN, cuSOLVER, cuFFT and AMD's twins
    r"|can(no|')t allocate memory(?! in static TLS)|not enough memory: you tried to allocate"
    r"|could not (create|execute) a (primitive|memory object)\s*$"  # oneDNN, on the CPU
    r"|std::bad_alloc|bad allocation|cannot reserve .* bytes"
    r"|failed to map segment from shared object",  # a library that is loaded, such as torch's own
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that this machine's or a device's memory is too small."""
    if isinstance(error, MemoryError):
        return True
    try:
        return isinstance(error, _KINDS) and bool(_WORDS.search(str(error)))
    except Exception:  # noqa: BLE001 - a user's own class may fail to write its message
        return False


def while_loading(error: BaseException) -> bool:
    """Whether memory was too small even for the code of a library."""
    return isinstance(error, ImportError) and is_out_of_memory(error)
