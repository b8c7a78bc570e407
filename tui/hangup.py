"""Leaving in order when the terminal goes away or a signal asks for it.

Textual 8 dies of SIGTERM and SIGHUP without restoring the terminal, and where SIGHUP is ignored it
spins on a terminal that is gone: reading from it gives nothing at once, for ever.
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
"""Seconds that an ordered end may take; a stalled link can hold it up for ever."""
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_RESTORE = b"\x1b[<u\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?1049l\x1b[?25h"


def watch_terminal(leave: Callable[[int], None]) -> None:
    """Calls `leave(exit status)` in the running loop on SIGTERM, SIGHUP, SIGINT or a hang-up.

    If the process has not ended `GRACE` seconds later, it ends then and there: nothing is lost,
    since the screen only reads.
    """
    loop = asyncio.get_running_loop()

    def leave_in_time(status: int) -> None:
        deadline = threading.Timer(GRACE, _end, (status,))
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
        return  # no terminal to watch, or the loop has ended already


def _end(status: int) -> None:
    try:
        descriptor = sys.__stderr__.fileno()  # type: ignore[union-attr]
        os.set_blocking(descriptor, False)
        os.write(descriptor, _RESTORE)
    except (OSError, ValueError, AttributeError):
        pass  # the terminal is gone, or takes nothing more
    os._exit(status)
