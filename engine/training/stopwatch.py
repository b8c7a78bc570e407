"""Measuring training time without pauses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Starts when made; `clock` returns seconds and is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._start = clock()
        self._held = 0.0
        self._holding_since: float | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start, without those on hold."""
        now = self._clock() if self._holding_since is None else self._holding_since
        return now - self._start - self._held

    def set_to(self, seconds: float) -> None:
        """Counts from `seconds` on."""
        self._start -= seconds - self.elapsed

    def pause(self) -> None:
        """Stops counting until `go_on`; nothing if it is on hold."""
        if self._holding_since is None:
            self._holding_since = self._clock()

    def go_on(self) -> None:
        """Counts again."""
        if self._holding_since is not None:
            self._held += self._clock() - self._holding_since
            self._holding_since = None

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Does not count the time inside the block."""
        self.pause()
        try:
            yield
        finally:
            self.go_on()
