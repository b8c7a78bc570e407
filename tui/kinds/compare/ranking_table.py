"""The widget that shows the ranking table of a comparison, with a cursor."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import cast

from rich.style import Style

from clr_tui.tui.charts.chart import Role
from clr_tui.tui.kinds.compare.ranking import RankRow
from clr_tui.tui.text.lines import BLANK, Line
from clr_tui.tui.widgets.roles import palette_of
from clr_tui.tui.widgets.row_list import RowList


class Ranking(RowList[RankRow]):
    """Entries and their trials, one per line; the keys of the screen move the cursor.

    The cursor stays at the top until it is moved; from then on it stays on its row.
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._heading: Line = BLANK
        self._moved = False

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return "\n".join("".join(text for text, _ in shown.line) for shown in self._painted)

    def show(self, heading: Line, rows: Sequence[RankRow]) -> None:
        """Shows `rows` under `heading`."""
        self._heading = heading
        self.show_rows(rows)

    def go(self, place: int) -> None:
        """Moves the cursor to row `place`, clamped to the rows there are."""
        self._moved = True
        super().go(place)

    def place_of(self, before: RankRow | None) -> int:
        """The new place of the row; of its entry's row if a trial's row is gone."""
        if before is None or not self._moved:
            return 0
        keys = [self.key_of(row) for row in self._rows]
        entry = before.entry, None
        gone = self.key_of(before) not in keys and entry in keys
        return keys.index(entry) if gone else super().place_of(before)

    def key_of(self, row: RankRow) -> Hashable:
        """Entry and trial."""
        return row.entry, row.trial

    def heading_line(self) -> Line:
        """The names of the columns."""
        return self._heading

    def line_of(self, row: RankRow, here: bool) -> Line:
        """The row's own line."""
        return row.line

    def style_of(self, name: str) -> Style:
        """The colour of a role."""
        return palette_of(self.app).of(cast(Role, name))
