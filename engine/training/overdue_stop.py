"""Ending a run whose code does not stop when it is asked to, such as a data loader that hangs."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import Command, Stop
from clr_tui.engine.training.control import Interrupted, StopFlag, stop_reason
from clr_tui.engine.training.stoppable import is_logging
from clr_tui.engine.user_frames import place_in

POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""More than the trials of a comparison are given before their processes are killed."""
REPEAT_SECONDS = 5.0
INTERRUPTIONS = 3
"""The code may catch the first; and it may wait for a call of a library that ends later."""
_SIGNAL = signal.SIGUSR2
_STOPS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stopping_in_time(
    poll: Callable[[], list[Command]],
    stop: StopFlag,
    give_up: Callable[[str], None],
    patience: float = PATIENCE_SECONDS,
    repeat: float = REPEAT_SECONDS,
) -> Iterator[None]:
    """Raises `Interrupted` in the block if it is still running long after it was asked to stop.

    A signal does it, which interrupts Python code, and calls that wait. A call of a library that
    ignores signals is left to `give_up`. Call in the main thread.

    Args:
        poll: returns the commands since its last call; used by no one else.
        give_up: given the reason of the stop and what was done; must end the process. Called from a
            thread.
        patience: seconds until the first signal.
        repeat: seconds between signals, and after the last one.
    """
    over, reasons, active = threading.Event(), list[str](), True
    main = threading.get_ident()

    def interrupt(_number: int, frame: FrameType | None) -> None:
        if active and not is_logging(frame):
            where = place_in(frame)
            raise Interrupted(
                f"{reasons[0]}: what did not return within {patience:.0f} s was interrupted"
                + (f" ({where})" if where else "")
            )

    def watch(signals: _Signals) -> None:
        while not reasons:
            if over.wait(POLL_SECONDS):
                return
            with suppress(UserError):  # an unreadable file of commands, as the main thread will say
                reasons.extend(stop_reason(each) for each in poll() if isinstance(each, Stop))
            reasons.extend([stop.reason] if stop.reason else [])
            reasons.extend(f"stopped by {number.name}" for number in signals.new())
        late = patience
        for _ in range(INTERRUPTIONS):
            if over.wait(late):
                return
            signal.pthread_kill(main, _SIGNAL)
            late = repeat
        if not over.wait(late):
            give_up(f"{reasons[0]}: its process was ended, as what it did could not be interrupted")

    before = signal.signal(_SIGNAL, interrupt)
    with _Signals() as signals:
        watcher = threading.Thread(target=watch, args=(signals,), name="overdue stop", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            active = False
            over.set()
            watcher.join()
            signal.signal(_SIGNAL, before)


class _Signals:
    """Notices signals at once. Python's own handlers wait until a call of a library returns."""

    def __enter__(self) -> _Signals:
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def new(self) -> list[signal.Signals]:
        """Those that stop a run and have come since the last call."""
        try:
            numbers = os.read(self._read, 1 << 12)
        except OSError:  # none, or the user's code has closed the pipe
            return []
        return [signal.Signals(number) for number in numbers if number in _STOPS]

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._before)
        for end in (self._read, self._write):
            with suppress(OSError):
                os.close(end)
