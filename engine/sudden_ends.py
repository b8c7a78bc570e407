"""Ends of a process that no exception announces: signals such as SIGSEGV, and os._exit.

What a user's code does to a worker is said in its output, where `engine.log.last_words` finds it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from typing import IO, NoReturn

from clr_tui.engine.user_frames import place_in

EXIT_MARK = "the code that was run called os._exit"
LINGER_SECONDS = 60.0
"""How long threads and functions of `atexit` may keep a process after its work is over."""
exit_now = os._exit
"""The original: see `HardExit`."""


class HardExit(SystemExit):
    """Raised by os._exit in the main thread, so that the run ends with a sentence in its log."""


def say_sudden_ends(output: IO[str] | int) -> None:
    """Has Python write where it was when a signal such as SIGSEGV ends the process.

    Args:
        output: the file, or its descriptor.
    """
    with contextlib.suppress(OSError, ValueError):  # it has no descriptor
        faulthandler.enable(output, all_threads=False)


def say_exits(said: Callable[[str], object]) -> None:
    """Replaces os._exit in this process, but not in its forks, which are meant to end so.

    Args:
        said: takes a line about a call in another thread than the main one, before the process
            ends; there an exception would end only the thread.
    """
    ours = os.getpid()

    def leave(status: int) -> NoReturn:
        if os.getpid() == ours and threading.current_thread() is threading.main_thread():
            raise HardExit(status)
        if os.getpid() == ours:
            where = place_in(sys._getframe())
            said(f"{EXIT_MARK}({status}){f' ({where})' if where else ''}")
        exit_now(status)

    os._exit = leave


def leave_within(seconds: float, code: int) -> None:
    """Ends the process with `code` if it has not ended by itself after so long.

    Python waits for threads that are no daemons and for functions of `atexit`, maybe for ever.
    """

    def wait() -> None:
        threading.Event().wait(seconds)
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        exit_now(code)

    threading.Thread(target=wait, name="leave", daemon=True).start()
