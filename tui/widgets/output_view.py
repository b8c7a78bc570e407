"""The end of a worker's output: prints, warnings and progress bars of the code that it runs."""

from __future__ import annotations

from bisect import bisect_left
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.output_tail import OutputTail
from clr_tui.tui.text.lines import Line, wrap_line
from clr_tui.tui.text.output import PrintedLines, shown_rows
from clr_tui.tui.widgets.panel import Panel

NOTHING = "The worker has printed nothing yet."
MISSING = "There is no worker.log: the run's folder has lost it, or its worker never started."
OWN_PROGRAM = "This run belongs to a program of yours, whose output is where it was started."
NO_FOLDER = "This recording is a file of its own; only the folder of a run has a worker.log."
KEYS = "pgup pgdn scroll  end follow  l close"


class _Row(NamedTuple):
    line: int
    """The number of the line, counted from the first that was read; -1 is the note above it."""
    part: int
    """The row within the wrapped line."""
    text: str


class OutputView(Panel):
    """A heading, and the output below it, which it follows unless it was scrolled up.

    When following, it moves up a third of its height at once: moving by a line would repaint every
    row for each printed line.

    Args:
        path: the worker's log; None if there can be none.
        missing: shown if there is no such file.
    """

    def __init__(self, path: Path | None, *, missing: str = MISSING, id: str | None = None) -> None:
        super().__init__(id=id)
        self._missing = missing
        self._tail = OutputTail(path) if path is not None else None
        self._printed = PrintedLines()
        self._problem = NO_FOLDER if path is None else ""
        self._cut = False
        self._rows: list[_Row] = []
        self._top = 0
        self._follows = True

    def read(self) -> None:
        """Reads what is new, and shows it."""
        if self._tail is not None:
            self._take(self._tail)
        self._lay_out_rows()
        self._draw()

    def _take(self, tail: OutputTail) -> None:
        try:
            output = tail.poll()
        except UserError as error:
            self._problem = f"{error.message}."
            return
        self._problem = self._missing if output.missing else ""
        if output.reset:
            self._printed.clear()
            self._cut = output.cut
            self._follows = True
            self._rows = []
        self._printed.feed(output.text)

    def _lay_out_rows(self) -> None:
        """Wraps the lines to the width; the row at the top stays there."""
        at = self._rows[self._top][:2] if self._top < len(self._rows) else (-1, 0)
        first = not self._rows
        width, dropped = self.content_size.width, self._printed.dropped
        if width == 0:  # not laid out yet
            return
        rows = [
            _Row(dropped + number, part, text)
            for number, line in enumerate(self._printed.lines)
            for part, text in enumerate(shown_rows(line, width))
        ]
        if rows and self._tail is not None and (self._cut or dropped):
            rows.insert(0, _Row(-1, 0, f"(what came before is in {self._tail.path})"))
        self._rows = rows
        self._top = bisect_left(rows, at, key=lambda row: row[:2])
        if self._follows and first:
            self._top = self._last_top
        elif self._follows and self._top < self._last_top:
            self._top = self._last_top + self._room // 3

    @property
    def _room(self) -> int:
        return max(self.content_size.height - 1, 1)

    @property
    def _last_top(self) -> int:
        """The top row when the last row is at the bottom."""
        return max(len(self._rows) - self._room, 0)

    def scroll_pages(self, pages: float) -> None:
        """Scrolls up (negative) or down; at the end, it follows again."""
        self._scroll(self._top + round(pages * (self._room - 1)))

    def scroll_to_edge(self, *, end: bool) -> None:
        """Scrolls to the first row that is kept, or to the last one."""
        self._scroll(self._last_top if end else 0)

    def _scroll(self, top: int) -> None:
        self._top = min(max(top, 0), self._last_top)
        self._follows = self._top == self._last_top
        self._draw()

    def on_mouse_scroll_up(self) -> None:
        """Scrolls up."""
        self._scroll(self._top - 3)

    def on_mouse_scroll_down(self) -> None:
        """Scrolls down."""
        self._scroll(self._top + 3)

    def on_resize(self) -> None:
        """Wraps the lines to the new width."""
        if self._follows:
            self._rows = []
        self._lay_out_rows()
        self._draw()

    def _draw(self) -> None:
        width = self.content_size.width
        shown: list[Line] = [self._heading(width)]
        if self._problem or not self._rows:
            shown += wrap_line(self._problem or NOTHING, width)
        for row in islice(self._rows, self._top, self._top + self._room):
            shown.append(((row.text, "muted" if row.line < 0 else "text"),))
        self.set_lines(shown[: self.content_size.height])

    def _heading(self, width: int) -> Line:
        below = len(self._rows) - self._top - self._room
        where = "  following" if self._follows else f"  {below} more below"
        left = f"worker.log{where}"
        keys = KEYS if len(left) + len(KEYS) + 2 <= width else ""
        return (("worker.log", "lr"), (where, "muted"), (keys.rjust(width - len(left)), "muted"))
