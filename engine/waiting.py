"""Waiting for room on a disk at the end of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

RETRY_SECONDS = 1.0
END_SECONDS = 3600.0
"""For which the end of a run waits at most."""
STOP_SECONDS = 30.0
"""The same after a stop: whoever stopped the run waits too."""


def wait_for(done: Callable[[], bool], is_stopping: Callable[[], bool]) -> bool:
    """Calls `done` until it returns true, but not for ever; returns its last answer.

    Args:
        done: tries what is waited for.
        is_stopping: whether the run was asked to stop.
    """
    began, pause = time.monotonic(), threading.Event()
    stopping_since: float | None = None
    while not done():
        now = time.monotonic()
        if stopping_since is None and is_stopping():
            stopping_since = now
        if now - began >= END_SECONDS:
            return False
        if stopping_since is not None and now - stopping_since >= STOP_SECONDS:
            return False
        pause.wait(RETRY_SECONDS)
    return True
