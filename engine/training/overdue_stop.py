"""Ending a run whose code does not stop when it is asked to, such as a data loader that hangs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Command, Stop
from clr_tui.engine.training.control import StopFlag, Stopped, stop_reason
from clr_tui.engine.training.stoppable import is_logging

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""More than the trials of a comparison are given before their processes are killed."""
_SIGNAL = signal.SIGUSR2


@contextmanager
def stopping_in_time(
    poll: Callable[[], list[Command]],
    stop: StopFlag,
    give_up: Callable[[str], None],
    patience: float = PATIENCE_SECONDS,
) -> Iterator[None]:
    """Raises `Stopped` in the block if it is still running long after it was asked to stop.

    A signal does it, which interrupts Python code, and calls that wait. A call of a library that
    ignores signals is left to `give_up`, after as long again. Call in the main thread.

    Args:
        poll: returns the commands since its last call; used by no one else.
        give_up: given the reason of the stop; must end the process. Called from a thread.
        patience: seconds.
    """
    over, reasons, active = threading.Event(), list[str](), True
    main = threading.get_ident()

    def interrupt(_number: int, frame: FrameType | None) -> None:
        if active and not is_logging(frame):
            raise Stopped(reasons[0])

    def watch() -> None:
        while not reasons:
            if over.wait(POLL_SECONDS):
                return
            with suppress(UserError):  # an unreadable file of commands, as the main thread will say
                reasons.extend(stop_reason(each) for each in poll() if isinstance(each, Stop))
            reasons.extend([stop.reason] if stop.reason else [])
        if over.wait(patience):
            return
        signal.pthread_kill(main, _SIGNAL)
        if not over.wait(patience):
            give_up(reasons[0])

    before = signal.signal(_SIGNAL, interrupt)
    watcher = threading.Thread(target=watch, name="overdue stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        active = False
        over.set()
        watcher.join()
        signal.signal(_SIGNAL, before)
