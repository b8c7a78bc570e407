"""Time spent at work, pauses left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Starts when made.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()
        self._held = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start, those on hold left out."""
        return self._clock() - self._start - self._held

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Time inside does not count."""
        begin = self._clock()
        try:
            yield
        finally:
            self._held += self._clock() - begin
