"""Draws a screen of cells as SVG that looks the same in every viewer.

Braille, lines and the glyphs of curves are drawn as shapes, not set in a font: a viewer's fallback
font could break a chart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment

CELL, ROW, SIZE = 8.4, 18.0, 14
PAD, BAR = 14.0, 34.0
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BRAILLE_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
"""Column and row of each bit of a braille character."""
ARMS = {
    "─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ur", "┘": "ul", "├": "udr", "┤": "udl",
    "┬": "lrd", "┴": "lru", "┼": "lrud", "╭": "rd", "╮": "ld", "╰": "ur", "╯": "ul",
    "━": "lr", "┃": "ud", "┸": "lru",
}  # fmt: skip
HEAVY = "━┃"
DASHES = {"╌": "h", "╎": "v"}
SHAPES = {
    "●": "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z",
    "▲": "m0 -4.2l4 7.6h-8z",
    "▼": "m0 4.2l4 -7.6h-8z",
    "■": "m-3.3 -3.3h6.6v6.6h-6.6z",
    "◆": "m0 -4.4l4 4.4l-4 4.4l-4 -4.4z",
    "✚": "m-1.3 -3.9h2.6v2.6h2.6v2.6h-2.6v2.6h-2.6v-2.6h-2.6v-2.6h2.6z",
}
"""The marks of curves, from the middle of their cell."""


def to_svg(rows: Sequence[Sequence[Segment]], columns: int, title: str, background: str) -> str:
    """Draws rows of styled text in a window.

    Args:
        rows: one sequence of segments per row, with styles in true colour.
        columns: width of the screen, in cells.
        title: the title of the window.
        background: the window's colour, `#rrggbb`.
    """
    width = columns * CELL + 2 * PAD
    height = len(rows) * ROW + BAR + PAD
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="{FONT}" font-size="{SIZE}">',
        f'<rect width="{width:g}" height="{height:g}" rx="9" fill="{background}"/>',
        f'<rect x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="9" fill="none" '
        'stroke="#888" stroke-opacity=".35"/>',
        *(
            f'<circle cx="{20 + 20 * i}" cy="18" r="6" fill="{colour}"/>'
            for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
        ),
        f'<text x="{width / 2:g}" y="23" text-anchor="middle" fill="#888" '
        f'font-family="sans-serif">{escape(title)}</text>',
        f'<g transform="translate({PAD:g} {BAR:g})">',
    ]
    drawn: dict[tuple[str, str], list[str]] = defaultdict(list)
    texts: list[str] = []
    for y, row in enumerate(rows):
        for x, text, style in _runs(row):
            colour, fill, weight = style
            if fill and fill != background:
                w = cell_len(text) * CELL
                parts.append(
                    f'<rect x="{x * CELL:g}" y="{y * ROW:g}" width="{w:g}" height="{ROW:g}" '
                    f'fill="{fill}" shape-rendering="crispEdges"/>'
                )
            texts += _cells(x, y, text, colour, weight, drawn)
    parts += [f'<path d="{"".join(d)}" {how}="{c}"/>' for (c, how), d in _paths(drawn)]
    return "\n".join([*parts, *texts, "</g></svg>", ""])


def _paths(
    drawn: dict[tuple[str, str], list[str]],
) -> Iterator[tuple[tuple[str, str], list[str]]]:
    for (colour, kind), pieces in drawn.items():
        width = "2.6" if kind == "heavy" else "1.2"
        how = "fill" if kind == "dots" else f'fill="none" stroke-width="{width}" stroke'
        yield (colour, how), pieces


def _runs(row: Sequence[Segment]) -> Iterator[tuple[int, str, tuple[str, str | None, str]]]:
    x = 0
    for text, style, _ in row:
        if style is not None:
            colour, fill = _hex(style.color), _hex(style.bgcolor)
            if style.reverse:
                colour, fill = fill, colour
            weight = ' font-weight="600"' if style.bold else ""
            if style.underline:
                weight += ' text-decoration="underline"'
            yield x, text, (colour or "#cccccc", fill, weight)
        x += cell_len(text)


def _hex(colour: Color | None) -> str | None:
    return None if colour is None or colour.is_default else colour.get_truecolor().hex


def _cells(
    x: int,
    y: int,
    text: str,
    colour: str,
    weight: str,
    drawn: dict[tuple[str, str], list[str]],
) -> Iterator[str]:
    """Adds shapes to `drawn`; yields a text element for each stretch of text."""
    word, start = "", x
    for char in text + "\0":
        dots = 0x2800 <= ord(char) <= 0x28FF
        if (dots or char in ARMS or char in DASHES or char in SHAPES or char in " \0") and word:
            length = cell_len(word) * CELL
            yield (
                f'<text x="{start * CELL:g}" y="{y * ROW + 13.4:g}" fill="{colour}"{weight} '
                f'textLength="{length:g}" lengthAdjust="spacingAndGlyphs">{escape(word)}</text>'
            )
            word = ""
        if dots:
            drawn[colour, "dots"].append(_dots(x, y, ord(char) - 0x2800))
        elif char in ARMS:
            drawn[colour, "heavy" if char in HEAVY else "thin"].append(_arms(x, y, ARMS[char]))
        elif char in DASHES:
            drawn[colour, "thin"].append(_dashes(x, y, DASHES[char]))
        elif char in SHAPES:
            drawn[colour, "dots"].append(f"M{_middle(x, y)}{SHAPES[char]}")
        elif char not in " \0":
            start = start if word else x
            word += char
        x += cell_len(char)


def _dots(x: int, y: int, bits: int) -> str:
    pieces = []
    for bit, (column, row) in enumerate(BRAILLE_DOTS):
        if bits >> bit & 1:
            left, top = x * CELL + 0.9 + column * CELL / 2, y * ROW + 0.9 + row * ROW / 4
            pieces.append(f"M{left:.1f} {top:.1f}h2.5v2.7h-2.5z")
    return "".join(pieces)


def _middle(x: int, y: int) -> str:
    return f"{x * CELL + CELL / 2:g} {y * ROW + ROW / 2:g}"


def _dashes(x: int, y: int, along: str) -> str:
    """Draws two short strokes in the cell."""
    if along == "h":
        return f"M{x * CELL + 0.8:g} {y * ROW + ROW / 2:g}h2.6m1.6 0h2.6"
    return f"M{x * CELL + CELL / 2:g} {y * ROW + 2:g}v5m0 4v5"


def _arms(x: int, y: int, arms: str) -> str:
    ends = {"l": f"H{x * CELL:g}", "r": f"H{(x + 1) * CELL:g}"}
    ends |= {"u": f"V{y * ROW:g}", "d": f"V{(y + 1) * ROW:g}"}
    return "".join(f"M{_middle(x, y)}{ends[arm]}" for arm in arms)
