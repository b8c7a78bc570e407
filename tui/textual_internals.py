"""All uses of Textual's private parts, each guarded by a check.

If a check fails, as it may on a later Textual, only its feature is lost, and a test names it.

**Lean updates.** To repaint a region of a widget, Textual 8 sends its rows from the widget's left
edge to the region's end ("TODO: crop to x extents" in its compositor; issue 5625, closed without a
change), and it repaints a whole screen several times while one opens, each segment with its full
style and a reset. A curve growing on the right of a wide chart costs some 15 KB per update, opening
a run 90 KB. We crop both ends and send only cells that differ from those sent last, see
`terminal_cells`; the terminal ends up showing the same.

**Errors.** Textual prints an exception as pages of traceback with all local variables, including
user data. The app reports the error itself if Textual stores it.

**Notes.** Textual has a method for the terminal's bell, but none for other sequences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from inspect import signature
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from textual.strip import Strip

from clr_tui.tui.terminal_cells import Piece, ShownCells

if TYPE_CHECKING:
    from rich.style import Style
    from textual._compositor import ChopsUpdate, LayoutUpdate
    from textual.app import App

_PARTS = {"ChopsUpdate": {"spans", "chops", "chop_ends"}, "LayoutUpdate": {"strips", "region"}}
"""The parts of Textual's updates, of regions and of whole screens."""


def install_lean_updates() -> None:
    """Makes Textual send lean updates in this process; idempotent."""
    updates = known_updates()
    if updates is not None:
        regions, screens = updates
        regions.render_segments = lean_regions
        screens.render_segments = lean_screen


def known_updates() -> tuple[Any, Any] | None:
    """Returns Textual's classes of updates, of regions and of whole screens.

    None if we cannot read both: what the terminal shows is known only if nothing else changes it.
    """
    try:
        from textual import _compositor as module
    except ImportError:
        return None
    regions, screens = (_known_update(module, name) for name in _PARTS)
    return (regions, screens) if regions is not None and screens is not None else None


def _known_update(module: object, name: str) -> Any:
    update = getattr(module, name, None)
    render = getattr(update, "render_segments", None)
    if update is None or render is None or list(signature(render).parameters)[1:] != ["console"]:
        return None
    return update if set(signature(update).parameters) == _PARTS[name] else None


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


def write_to_terminal(app: App[Any], text: str) -> None:
    """Sends control sequences that draw nothing; nothing if Textual keeps its driver elsewhere."""
    driver = getattr(app, "_driver", None)
    if driver is not None and hasattr(driver, "write"):
        driver.write(text)


def lean_regions(update: ChopsUpdate, console: Console) -> str:
    """Returns the control sequences of an update of regions: for cells that change."""
    return _lean(_pieces_of_regions(update), console)


def lean_screen(update: LayoutUpdate, console: Console) -> str:
    """Returns the control sequences of an update of the whole screen: for cells that change."""
    return _lean(_pieces_of_screen(update), console)


def forget_cells(app: App[Any]) -> None:
    """Forgets what the terminal shows: another program, or a new size, may have changed it."""
    _SHOWN.pop(app.console, None)


_SHOWN: WeakKeyDictionary[Console, ShownCells] = WeakKeyDictionary()


def _lean(pieces: Iterable[tuple[int, int, str, Style | None]], console: Console) -> str:
    system = COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
    shown = _SHOWN.setdefault(console, ShownCells())
    return shown.update(_piece(*piece, system) for piece in pieces)


def _piece(x: int, y: int, text: str, style: Style | None, system: ColorSystem) -> Piece:
    if style is None:
        return Piece(x, y, text, "")
    if style.link:
        return Piece(x, y, text, "", Strip.render_style(style, text, color_system=system))
    return Piece(x, y, text, _codes(style, system))


@lru_cache(maxsize=1024)
def _codes(style: Style, system: ColorSystem) -> str:
    return Strip.render_ansi(style, system)


def _pieces_of_screen(update: LayoutUpdate) -> Iterator[tuple[int, int, str, Style | None]]:
    """Yields the pieces of a screen, each of one style: (x, y, text, style)."""
    for y, strips in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in strips:
            for text, style, control in strip:
                if not control and text:
                    yield x, y, text, style
                    x += cell_len(text)


def _pieces_of_regions(update: ChopsUpdate) -> Iterator[tuple[int, int, str, Style | None]]:
    """Yields the pieces of regions, cropped to them, each of one style: (x, y, text, style)."""
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
