"""Clean exit on a signal or when the terminal goes away.

Textual 8 dies on SIGTERM and SIGHUP without restoring the terminal. If SIGHUP is ignored, it spins
on the closed terminal, where every read returns empty at once.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import Callable

GRACE = 3.0
"""Seconds that a clean exit may take; a stalled connection can block it for ever."""
_SIGNALS = (
    *(signal.SIGTERM, signal.SIGHUP, signal.SIGINT),
    *(signal.SIGQUIT, signal.SIGABRT, signal.SIGUSR1, signal.SIGUSR2),  # kill the process, too
)
_RESTORE = b"\x1b[<u\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?1049l\x1b[?25h"


def watch_terminal(leave: Callable[[int], None]) -> None:
    """Calls `leave(exit status)` in the running loop on a signal that ends it, or a hang-up.

    Kills the process if it is still alive `GRACE` seconds later; nothing is lost, because the
    screen only reads.
    """
    loop = asyncio.get_running_loop()

    def leave_in_time(status: int) -> None:
        deadline = threading.Timer(GRACE, _exit_now, (status,))
        deadline.daemon = True
        deadline.start()
        loop.call_soon_threadsafe(leave, status)

    for number in _SIGNALS:
        loop.add_signal_handler(number, leave_in_time, 128 + number)
    watcher = threading.Thread(
        target=_wait_for_hangup, args=(leave_in_time,), name="hang-up", daemon=True
    )
    watcher.start()


def _wait_for_hangup(leave: Callable[[int], None]) -> None:
    terminal = select.poll()
    try:
        terminal.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]
        events = terminal.poll()
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in events):
            leave(128 + signal.SIGHUP)
    except (OSError, ValueError, AttributeError, RuntimeError):
        return  # no terminal to watch, or the loop has already ended


def _exit_now(status: int) -> None:
    try:
        descriptor = sys.__stderr__.fileno()  # type: ignore[union-attr]
        os.set_blocking(descriptor, False)
        os.write(descriptor, _RESTORE)
    except (OSError, ValueError, AttributeError):
        pass  # the terminal is gone or blocked
    os._exit(status)
