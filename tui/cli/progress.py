"""The progress of a followed run on stderr, line by line."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.log import events as ev
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text.clean import plain
from clr_tui.tui.text.event_lines import EventLines


class ProgressLines:
    """Prints events as they come, and how far the work is about once a second.

    Args:
        stream: usually stderr. Once it is closed, nothing more is printed.
        in_place: whether a progress line may be overwritten by the next one: on a terminal only.
            Elsewhere it is printed after some seconds without another line.
        prefix: begins each line that stays, to tell several runs apart.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        in_place: bool,
        prefix: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream: TextIO | None = stream
        self._in_place = in_place
        self._prefix = prefix
        self._clock = clock
        self._last_line = clock()
        self._standing = 0
        self._shown = ""
        self._lines: EventLines | None = None
        self._tracebacks: set[tuple[str, ...]] = set()

    def start(self, history: RunHistory) -> None:
        """Print how far the work is, unless there is nothing yet."""
        self._shown = self._lines_of(history).progress_line(history)
        if self._shown:
            self.say(self._shown)

    def _lines_of(self, history: RunHistory) -> EventLines:
        self._lines = self._lines or KINDS[history.config.kind].load_display().progress()
        return self._lines

    def show(self, history: RunHistory, events: Iterable[ev.AnyEvent]) -> None:
        """Print the lines for `events`, which `history` already contains."""
        lines = self._lines_of(history)
        for event in events:
            if text := lines.line_of(event, history):
                self.say(text)
            if isinstance(event, ev.TrialFinished):
                self._say_once(event.traceback)
        text = lines.progress_line(history)
        silence = lines.silence if history.began else 1.0
        due = self._in_place or self._clock() - self._last_line >= silence
        if text and text != self._shown and due:
            self._shown = text
            if not self._in_place:
                self.say(text)
                return
            wiped = self._clear_line()
            text = plain(text)[: shutil.get_terminal_size().columns - 1]
            self._write(wiped + text)
            self._standing = len(text)

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self._write(self._clear_line() + plain(self._prefix + text) + "\n")

    def _say_once(self, traceback: list[str]) -> None:
        """Print the lines of a traceback, unless another trial has failed in the same way."""
        if tuple(traceback) not in self._tracebacks:
            self._tracebacks.add(tuple(traceback))
            for line in traceback:
                self.say(line)

    def end(self) -> None:
        """Leave the cursor at the start of an empty line."""
        self._write(self._clear_line())

    def _clear_line(self) -> str:
        """Blanks over the progress line, then back to its start, without escape codes."""
        blanks = f"\r{' ' * self._standing}\r" if self._standing else ""
        self._standing = 0
        return blanks

    def _write(self, text: str) -> None:
        if self._stream is None or not text:
            return
        self._last_line = self._clock()
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # closed, or nobody reads it: keep following the run
            self._stream = None
