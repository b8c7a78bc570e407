"""Partial updates of the screen that send the changed cells and nothing else.

Textual 8 repaints a region of a widget by sending its rows from the widget's left edge up to the
region's end ("TODO: crop to x extents" in its compositor, issue 5625 there, closed without a
change), each segment with its whole style and a reset after it. A curve that grows at the right
of a wide chart so costs some 15 KB an update, on a slow link ten times what there is to say.

`install_lean_updates` puts another `render_segments` in place of that of `ChopsUpdate`. It crops
at both ends, sends cells of one style together, and each style once. The cells that the terminal
shows in the end are the same: a test holds it against Textual's own over random updates.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.control import Control
from textual._compositor import ChopsUpdate
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style

_RESET = "\x1b[0m"
_HELD = {"spans", "chops", "chop_ends"}


def install_lean_updates() -> None:
    """Makes this process's Textual send lean updates. Doing it again changes nothing.

    Where its `ChopsUpdate` is not the one known here, updates stay Textual's own: long, but right.
    """
    if _is_known(ChopsUpdate):
        ChopsUpdate.render_segments = lean_segments  # type: ignore[method-assign, assignment]


def _is_known(update: type) -> bool:
    """Whether `update` holds what `lean_segments` reads, and is rendered as that is."""
    if not hasattr(update, "render_segments"):
        return False
    made, rendered = signature(update), signature(update.render_segments)
    return set(made.parameters) == _HELD and list(rendered.parameters) == ["self", "console"]


def lean_segments(update: ChopsUpdate, console: Console) -> str:
    """The control sequences that bring a terminal up to date: cells of one style after another."""
    system = console._color_system or ColorSystem.TRUECOLOR
    groups: dict[str, list[str]] = {}
    linked: list[str] = []
    for x, y, text, style in _pieces(update):
        if style is not None and style.link:
            # Links are more than a style: as Textual renders them.
            linked += [_move(x, y), Strip.render_style(style, text, color_system=system)]
        else:
            codes = Strip.render_ansi(style, system) if style is not None else ""
            groups.setdefault(codes, []).append(_move(x, y) + text)
    parts = list(linked)
    for codes, texts in groups.items():
        parts += [f"\x1b[0;{codes}m" if codes else _RESET, *texts]
    return "".join(parts) + _RESET


def _move(x: int, y: int) -> str:
    return Control.move_to(x, y).segment.text


def _pieces(update: ChopsUpdate) -> Iterator[tuple[int, int, str, Style | None]]:
    """Each piece of one style that is to be painted: (x, y, text, style)."""
    for y, start, end in update.spans:
        chops = zip(update.chop_ends[y], update.chops[y].items(), strict=False)
        for chop_end, (chop_x, strip) in chops:
            if strip is None or chop_x >= end or chop_end <= start:
                continue
            x = max(chop_x, start)
            for text, style, control in strip.crop(x - chop_x, min(chop_end, end) - chop_x):
                if control or not text:
                    continue
                yield x, y, text, style
                x += cell_len(text)
