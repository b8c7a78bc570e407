"""Ctrl-C and SIGTERM while a run is followed without a screen."""

from __future__ import annotations

import os
import select
import signal
import threading
from types import FrameType
from typing import Any


class Interrupts:
    """Counts SIGINT and SIGTERM between `__enter__` and `__exit__`, and waits without missing one.

    Outside the main thread no signal is handled, and `wait` only waits.
    """

    def __init__(self) -> None:
        self.interrupted = 0
        """How often SIGINT (Ctrl-C) came."""
        self.terminated = False
        """Whether SIGTERM came."""
        self._before: dict[int, Any] = {}
        self._before_fd: int | None = None
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # Ignored in background jobs of a shell script, which Ctrl-C is not meant for.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._on_signal)
            self._before_fd = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before_fd is not None:
            signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._woken)
        os.close(self._waker)

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, or as soon as a signal comes."""
        if select.select([self._woken], [], [], seconds)[0]:
            os.read(self._woken, 1024)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            self.interrupted += 1
        else:
            self.terminated = True
