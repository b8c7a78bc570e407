"""Words for errors that nobody foresaw. No torch."""

from __future__ import annotations


def explain(error: Exception) -> tuple[str, str | None]:
    """A sentence about an error, and the setting at fault where one is known."""
    text = str(error).partition("\n")[0]
    no_memory = "out of memory" in text.lower() or "can't allocate memory" in text.lower()
    if no_memory or isinstance(error, MemoryError):
        return "the device ran out of memory: try a smaller batch or image size", "batch_size"
    return f"{type(error).__name__}: {text} (the details are in worker.log)", None
