"""The progress of a range test on the last line of a terminal."""

from __future__ import annotations

import sys
from typing import TextIO

from clr_tui.engine.log.events import Event, Steps, TrialStarted
from clr_tui.tui.text import numbers

_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Takes the events of a range test, and overwrites one line with where it is.

    Args:
        shown: whether to write anything; None: if `file` is a terminal.
        file: where to; None: standard error.
    """

    def __init__(self, seeds: int, shown: bool | None = None, file: TextIO | None = None) -> None:
        self._file = sys.stderr if file is None else file
        self._shown = self._file.isatty() if shown is None else shown
        self._seeds = seeds
        self._sweep = ""
        self._steps = 0

    def __call__(self, event: Event) -> None:
        """Writes the line if the event moves it."""
        if isinstance(event, TrialStarted):
            self._steps = event.total_steps
            if self._seeds > 1:
                self._sweep = f"sweep {event.trial + 1} of {self._seeds}, "
        elif isinstance(event, Steps) and event.step:
            done = numbers.of_total(int(event.step[-1]) + 1, self._steps)
            rate, loss = numbers.lr(event.lr[-1]), numbers.loss(event.loss[-1]).strip()
            self._write(f"{_CLEAR}range test: {self._sweep}step {done}, lr {rate}, loss {loss}")

    def close(self) -> None:
        """Clears the line."""
        self._write(_CLEAR)

    def _write(self, text: str) -> None:
        if self._shown:
            self._file.write(text)
            self._file.flush()
