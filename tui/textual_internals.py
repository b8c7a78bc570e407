"""All uses of Textual's private parts, each guarded by a check.

If a check fails, as it may on a later Textual, only its feature is lost, and a test names it.

**Lean updates.** To repaint a region of a widget, Textual 8 sends its rows from the widget's left
edge to the region's end ("TODO: crop to x extents" in its compositor; issue 5625, closed without a
change), each segment with its full style and a reset. A curve growing on the right of a wide chart
costs some 15 KB per update, ten times more than needed. `lean_segments` crops both ends, groups
cells by style and sends each style once; the terminal ends up showing the same cells.

**Errors.** Textual prints an exception as pages of traceback with all local variables, including
user data. The app reports the error itself if Textual stores it.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.control import Control
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.console import Console
    from rich.style import Style
    from textual._compositor import ChopsUpdate
    from textual.app import App

_RESET = "\x1b[0m"
_UPDATE_PARTS = {"spans", "chops", "chop_ends"}


def install_lean_updates() -> None:
    """Makes Textual send lean updates in this process; idempotent."""
    update = known_update()
    if update is not None:
        update.render_segments = lean_segments


def known_update() -> Any:
    """Returns Textual's class of partial updates; None if `lean_segments` cannot read it."""
    try:
        from textual._compositor import ChopsUpdate as Update
    except ImportError:
        return None
    render = getattr(Update, "render_segments", None)
    if render is None or list(signature(render).parameters)[1:] != ["console"]:
        return None
    return Update if set(signature(Update).parameters) == _UPDATE_PARTS else None


def keeps_error(app: App[Any]) -> bool:
    """Whether this Textual stores the error that `error_of` returns."""
    return hasattr(app, "_exception")


def error_of(app: App[Any]) -> Exception | None:
    """Returns the error that ended `app`; None if there was none or Textual does not store it."""
    return getattr(app, "_exception", None)


def silence_traceback(app: App[Any]) -> None:
    """Stops Textual from printing a traceback of the error that `error_of` returns.

    If Textual does not store the error, or prints elsewhere, the traceback stays.
    """
    console = getattr(app, "error_console", None)
    if console is not None and keeps_error(app):
        console.quiet = True


def lean_segments(update: ChopsUpdate, console: Console) -> str:
    """Returns the control sequences of an update, grouped by style."""
    system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
    groups: dict[str, list[str]] = {}
    linked: list[str] = []
    for x, y, text, style in _pieces(update):
        if style is not None and style.link:
            # Links are more than a style, so Textual renders them.
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
    """Yields the pieces to paint, each of one style: (x, y, text, style)."""
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
