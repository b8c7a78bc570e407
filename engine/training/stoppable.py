"""Stopping a user's code that never returns to us, such as an endless import."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

POLL_SECONDS = 0.2
REPEAT_SECONDS = 0.5
_SIGNAL = signal.SIGUSR1
_KEPT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_ENGINE = os.path.dirname(os.path.dirname(__file__))
_LOG = (
    os.path.join(_ENGINE, "log", ""),
    os.path.join(_ENGINE, "run_log.py"),
    os.path.join(_ENGINE, "training", "checkpoint.py"),
    os.path.join(_ENGINE, "training", "resume_points.py"),
)


class _Interrupted(BaseException):
    """Raised in the middle of the user's code; no `except Exception` there may take it."""


def is_logging(frame: FrameType | None) -> bool:
    """Whether the code is writing the log or a checkpoint, which must stay whole."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_LOG):
            return True
        frame = frame.f_back
    return False


@contextmanager
def stoppable(check: Callable[[], None]) -> Iterator[None]:
    """Ends the block as soon as `check` raises, whatever the block is doing.

    A thread calls `check`, and what it raises is raised from the block. Signals that interrupt the
    main thread do it: so this works for code that runs, sleeps or waits for input, but not within
    a long call of a C library. Handlers of signals that the block replaces are put back.

    Args:
        check: raises once the run is to stop; called from the thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, causes, active = threading.Event(), list[BaseException](), True
    main = threading.main_thread().ident
    assert main is not None

    def interrupt(_number: int, frame: FrameType | None) -> None:
        if active and causes and not is_logging(frame):
            raise _Interrupted

    def watch() -> None:
        while not causes and not over.wait(POLL_SECONDS):
            try:
                check()
            except BaseException as cause:  # noqa: BLE001 - raised from the block
                causes.append(cause)
        while causes and not over.is_set():
            signal.pthread_kill(main, _SIGNAL)
            over.wait(REPEAT_SECONDS)  # the code may have caught it

    before = {number: signal.getsignal(number) for number in (*_KEPT, _SIGNAL)}
    signal.signal(_SIGNAL, interrupt)
    watcher = threading.Thread(target=watch, name="stoppable", daemon=True)
    watcher.start()
    try:
        yield
    except BaseException:
        if causes:
            raise causes[0] from None
        raise
    finally:
        active = False
        over.set()
        watcher.join()
        for number, handler in before.items():
            signal.signal(number, handler)
