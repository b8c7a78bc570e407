"""Text fitted into the cells of a terminal, where a wide letter takes two."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def fitted(text: str, width: int) -> str:
    """`text` in at most `width` cells; an ellipsis ends it where it is cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def padded(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells, at their `right` end or at the left."""
    text = fitted(text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
