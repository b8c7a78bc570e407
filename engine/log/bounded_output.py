"""Keeping `worker.log` small: code that prints without end must not fill the disk."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from clr_tui.engine.regular import open_regular

MOST_BYTES = 64 << 20
HEAD_BYTES, TAIL_BYTES = 1 << 20, 8 << 20
"""What stays of an output that has grown larger: its beginning, and the newest of it."""
LOOK_SECONDS = 1.0
_BLOCK = 1 << 20


def bound_output(path: Path, over: Event, most: int = MOST_BYTES) -> None:
    """Cuts the file whenever it is larger than `most` bytes, until `over` is set.

    Call from a thread. Writers must have opened the file for appending; what they write at the
    moment of a cut may be lost, beside the much that is.
    """
    while not over.wait(LOOK_SECONDS):
        try:
            fd = open_regular(path, os.O_RDWR | os.O_APPEND)
        except OSError:  # it was removed
            continue
        try:
            if os.fstat(fd).st_size > most:
                cut_output(fd, head=min(HEAD_BYTES, most // 8), tail=min(TAIL_BYTES, most // 4))
        except OSError:  # a full disk: it is tried again
            continue
        finally:
            os.close(fd)


def cut_output(fd: int, head: int, tail: int) -> None:
    """Keeps the first `head` and the last `tail` bytes, in whole lines if there are any.

    Args:
        fd: open for reading and appending, so that nothing is overwritten that others write now.
        head: bytes.
        tail: bytes.

    Raises:
        OSError: the file cannot be written; then it keeps at least its head.
    """
    size = os.fstat(fd).st_size
    if size <= head + tail:
        return
    first = os.pread(fd, head, 0)
    newest = os.pread(fd, tail, max(head, size - tail))
    first = first[: first.rfind(b"\n") + 1] or first
    newest = newest[newest.find(b"\n") + 1 :] if b"\n" in newest[:_BLOCK] else newest
    lost = size - len(first) - len(newest)
    mark = f"\n... {lost / (1 << 20):.1f} MiB of output were dropped here ...\n\n"
    os.ftruncate(fd, len(first))
    rest = memoryview(mark.encode() + newest)
    while rest:
        rest = rest[os.write(fd, rest) :]
