"""Fitting text to terminal cells; a wide character takes two."""

from __future__ import annotations

from itertools import zip_longest

from rich.cells import cell_len, set_cell_size

Pieces = tuple[tuple[str, str], ...]
"""A line of text: pairs of a text and the name of its style."""


def truncate(text: str, width: int) -> str:
    """Cuts `text` to at most `width` cells, with an ellipsis."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Cuts or pads `text` to exactly `width` cells; `right` aligns it right."""
    text = truncate(text, width)
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def changed_span(old: Pieces, new: Pieces, width: int) -> tuple[int, int]:
    """Returns the half-open columns that differ; all if a line is cut or has wide characters."""
    cells = [[(char, role) for text, role in line for char in text] for line in (old, new)]
    for line, shown in zip((old, new), cells, strict=True):
        if len(shown) > width or sum(cell_len(text) for text, _ in line) != len(shown):
            return 0, width
    pairs = list(zip_longest(*cells, fillvalue=(" ", "text")))
    differing = [at for at, (a, b) in enumerate(pairs) if a != b]
    return (differing[0], differing[-1] + 1) if differing else (0, 0)
