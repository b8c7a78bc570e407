"""A drawn chart as plain text, for files and pipes."""

from __future__ import annotations

from collections.abc import Sequence

from clr_tui.tui.charts.cells import Row


def to_text(rows: Sequence[Row]) -> str:
    """The rows as lines without any escape code; no blanks at line ends, no final newline."""
    return "\n".join("".join(span.text for span in row).rstrip() for row in rows)
