"""Text in the cells of a terminal, where a wide letter takes two."""

from __future__ import annotations

from itertools import zip_longest

from rich.cells import cell_len, set_cell_size

Pieces = tuple[tuple[str, str], ...]
"""A line of text: each piece with the name of what it looks like."""


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


def changed_span(old: Pieces, new: Pieces, width: int) -> tuple[int, int]:
    """The columns, from the first to beyond the last, in which two lines differ.

    All `width` of them where a line has characters that are not one cell wide, or is cut.
    """
    cells = [[(char, role) for text, role in line for char in text] for line in (old, new)]
    for line, shown in zip((old, new), cells, strict=True):
        if len(shown) > width or sum(cell_len(text) for text, _ in line) != len(shown):
            return 0, width
    pairs = list(zip_longest(*cells, fillvalue=(" ", "text")))
    differing = [at for at, (a, b) in enumerate(pairs) if a != b]
    return (differing[0], differing[-1] + 1) if differing else (0, 0)
