"""Follows a log that consists of lines of text."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from clr_tui.engine.analysis.foreign.settings_files import SettingsFile
from clr_tui.engine.analysis.foreign.step_counter import CountAnew, Counting
from clr_tui.engine.analysis.foreign.wide_text import WideTail, is_wide
from clr_tui.engine.log.line_tail import LineBatch, LineTail
from clr_tui.engine.log.tail import Batch

SETTLED_AFTER = 5.0
"""Seconds after which a last line without a newline counts as complete."""


class LineParser(Protocol):
    """Turns lines into events."""

    def feed(self, piece: bytes) -> None:
        """Parses whole lines, given without the last newline.

        Raises:
            CountAnew: the column taken for steps does not count them.
            UserError: the lines are not what was asked for.
        """

    def take_batch(self, time: float) -> Batch:
        """Returns the events of what was fed since the last call; they get this Unix time."""

    def is_whole(self, line: bytes) -> bool:
        """Whether a last line without a newline looks complete."""


class TextLog:
    """One run in a file of lines, followed while it is written; see `ForeignLog`.

    Polls at any size of the file together return what a single poll of the whole file returns.

    Args:
        path: the file.
        name: the name of the run, to show.
        format: the format of the file, to show.
        make_parser: makes a parser that goes by what counts the steps.
        settings: a file beside it with its settings.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        format: str,
        make_parser: Callable[[Counting], LineParser],
        settings: SettingsFile | None = None,
    ) -> None:
        self.path = path
        self.name = name
        self.format = format
        self._settings_file = settings
        self.settings: dict[str, str] = {}
        self._make_parser = make_parser
        self._counting = Counting()
        self._settled_after = SETTLED_AFTER
        self._returned = False
        """Whether a poll returned anything that a reset would make void."""
        self._restart()
        self._read_settings()

    def _read_settings(self) -> None:
        if self._settings_file is not None:
            self.settings = self._settings_file.read()

    def _restart(self) -> None:
        self._tail: LineTail | WideTail = LineTail(
            self.path, self._settled_after, lambda line: self._parser.is_whole(line)
        )
        self._parser = self._make_parser(self._counting)
        self._begun = False

    def take_as_it_is(self) -> None:
        """Says that nobody writes the file: a last line without a newline counts at once."""
        self._settled_after = 0.0
        if isinstance(self._tail, LineTail):
            self._tail.settled_after = 0.0

    def poll(self, limit: int | None = None) -> Batch:
        """Returns the events of the lines completed since the last poll; see `ForeignLog.poll`."""
        if not self._begun and is_wide(self.path):
            self._tail = WideTail(self.path)
        lines = self._tail.poll(limit)
        try:
            self._feed(lines)
            if lines.pieces and not self._begun and not lines.more:
                # Only now is it known whether a last line without a newline is whole.
                again = self._tail.poll()
                self._feed(again)
                lines.reset |= again.reset
        except CountAnew as found:
            self._counting = found.counting
            self._restart()
            batch = self.poll(limit)
            batch.reset = self._returned
            return batch
        self._begun = self._begun or bool(lines.pieces)
        self._read_settings()
        batch = self._parser.take_batch(_time_of(self.path))
        batch.reset, batch.more, batch.portion = lines.reset, lines.more, lines.portion
        batch.corrupt += lines.overlong
        self._returned = self._returned or bool(batch.events)
        return batch

    def _feed(self, lines: LineBatch) -> None:
        if lines.reset:
            self._counting, self._begun = Counting(), False
            self._parser = self._make_parser(self._counting)
        for piece in lines.pieces:
            self._parser.feed(piece)


def _time_of(path: Path) -> float:
    """When the file was last written, Unix time; 0 if it is gone."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
