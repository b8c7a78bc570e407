"""Every reach into the private parts of Textual, each behind a check of what is there.

Where a check fails, as it may on a later Textual, its feature is lost and nothing else. The tests
then say which one.

**Lean updates.** Textual 8 repaints a region of a widget by sending its rows from the widget's left
edge up to the region's end ("TODO: crop to x extents" in its compositor, issue 5625 there, closed
without a change), each segment with its whole style and a reset after it. A curve that grows at the
right of a wide chart costs some 15 KB an update that way, ten times what there is to say.
`lean_segments` crops at both ends, sends cells of one style together, and each style once. The
cells that the terminal shows in the end are the same.

**Errors.** Textual prints a mistake in the app as pages of traceback with every local variable,
people's data among them. The app reports the error itself instead, where Textual keeps it.
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
    """Makes this process's Textual send lean updates. Doing it again changes nothing."""
    update = known_update()
    if update is not None:
        update.render_segments = lean_segments


def known_update() -> Any:
    """Textual's class of partial updates; None where it is not what `lean_segments` can read."""
    try:
        from textual._compositor import ChopsUpdate as Update
    except ImportError:
        return None
    render = getattr(Update, "render_segments", None)
    if render is None or list(signature(render).parameters)[1:] != ["console"]:
        return None
    return Update if set(signature(Update).parameters) == _UPDATE_PARTS else None


def keeps_error(app: App[Any]) -> bool:
    """Whether `error_of` can tell what ended `app`."""
    return hasattr(app, "_exception")


def error_of(app: App[Any]) -> Exception | None:
    """The error that ended `app`, if one did; None also where Textual does not keep it."""
    return getattr(app, "_exception", None)


def silence_traceback(app: App[Any]) -> None:
    """Keeps Textual from printing a traceback of what `error_of` tells.

    Where that cannot tell, or Textual prints elsewhere, the traceback stays.
    """
    console = getattr(app, "error_console", None)
    if console is not None and keeps_error(app):
        console.quiet = True


def lean_segments(update: ChopsUpdate, console: Console) -> str:
    """The control sequences that bring a terminal up to date: cells of one style after another."""
    system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
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
