"""The runs that this process has started and not finished: at its end, and when it forks."""

from __future__ import annotations

import atexit
import os
import sys
from typing import Any, Protocol

from clr_tui.engine.own_loop.processes import is_interactive


class OpenRun(Protocol):
    """What this module needs of a `Run`."""

    def finish(self, message: str = "") -> None:
        """Ends it."""

    def fail(self, error: BaseException) -> None:
        """Ends it because of an error."""

    def hold(self, seconds: float) -> bool:
        """Keeps new writes from starting; whether the one under way ended within `seconds`."""

    def release(self) -> None:
        """Ends `hold`."""

    def forget(self) -> None:
        """Closes what it has open, without a word in its log."""


_FORK_SECONDS = 1.0
"""For a write to end before a fork."""
_open: list[OpenRun] = []
_held: list[OpenRun] = []


def add(run: OpenRun) -> None:
    """Adds a run, which is finished with the process at the latest."""
    _open.append(run)
    processes: Any = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        from multiprocessing.util import Finalize

        # Processes that multiprocessing starts do not call what is registered with atexit.
        Finalize(None, _at_exit, exitpriority=10)


def discard(run: OpenRun) -> None:
    """Removes a run that is finished."""
    if run in _open:
        _open.remove(run)


def finish_all(message: str) -> None:
    """Finishes every open run."""
    for run in list(_open):
        run.finish(message)


def _at_exit() -> None:
    # What ends a process of multiprocessing, or what the interpreter has printed a traceback of.
    # At a prompt, errors end nothing.
    error: BaseException | None = sys.exc_info()[1] or getattr(sys, "last_value", None)
    for run in list(_open):
        if error is None or is_interactive():
            run.finish("the program ended without run.finish()")
        else:
            run.fail(error)


def _before_fork() -> None:
    """Waits until no run's thread is writing, so that it holds no lock that the child will need."""
    for run in _open:
        if run.hold(_FORK_SECONDS):
            _held.append(run)


def _after_fork() -> None:
    while _held:
        _held.pop().release()


def _in_child() -> None:
    """Runs belong to the process that started them, and end with it, whatever children do."""
    for run in _open:
        run.forget()
    _open.clear()
    _held.clear()


atexit.register(_at_exit)
os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
