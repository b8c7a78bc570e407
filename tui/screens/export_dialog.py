"""The export dialog."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from clr_tui.engine.errors import UserError
from clr_tui.tui.exporting import write
from clr_tui.tui.widgets.field import Field

Exports = Mapping[str, Callable[[], str | bytes]]
"""Functions that return the file's text, or the bytes of a picture, by suffix."""


def target(text: str, suffixes: list[str]) -> Path:
    """Returns the path in `text`.

    Raises:
        UserError: the path is empty or a folder, its suffix is not in `suffixes`, or its folder is
            missing.
    """
    kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
    if not text.strip():
        raise UserError(f"enter a file name that ends in {kinds}", "path")
    path = Path(os.path.expanduser(text.strip()))
    if suffix_of(path, suffixes) is None:
        raise UserError(f"'{path.name}' must end in {kinds}", "path")
    if not os.path.isdir(path.parent):  # Path.is_dir() raises if a name is too long
        raise UserError(f"there is no folder '{path.parent}'", "path")
    if os.path.isdir(path):
        raise UserError(f"'{path}' is a folder", "path")
    return path


def suffix_of(path: Path, suffixes: Iterable[str]) -> str | None:
    """Returns the longest of `suffixes` that the path ends in: `curves.csv` before `.csv`."""
    ends = [suffix for suffix in suffixes if path.name.lower().endswith(suffix)]
    return max(ends, key=len, default=None)


class ExportDialog(ModalScreen["str | None"]):
    """Asks for a path, whose suffix sets the format; returns the path once written.

    Args:
        name: the initial file name, without suffix.
        exports: the available formats.
        words: a sentence on what each suffix means.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", show=False)]

    def __init__(self, name: str, exports: Exports, words: str) -> None:
        super().__init__()
        self._words = words
        self._start = f"{name}{next(iter(exports))}"
        self._exports = exports

    def compose(self) -> ComposeResult:
        """Lays out one field and the keys."""
        with Vertical(classes="dialog"):
            yield Static("Export", classes="dialog-title", markup=False)
            yield Static(self._words, classes="dialog-note", markup=False)
            yield Field("path", self._start, label="file")
            yield Static("enter  write it     esc  cancel", classes="dialog-keys", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Checks the path while the user types."""
        event.stop()
        field = self.query_one(Field)
        try:
            path = target(event.value, list(self._exports))
        except UserError as error:
            field.show_error(error.message)
        else:
            exists = os.path.exists(path)
            field.show_error("this file exists: enter overwrites it" if exists else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Writes the file and closes, or shows the error at the field."""
        event.stop()
        try:
            path = target(event.value, list(self._exports))
            suffix = suffix_of(path, self._exports)
            assert suffix is not None
            write(str(path), self._exports[suffix]())
        except UserError as error:
            self.query_one(Field).show_error(error.message)
        else:
            self.dismiss(str(path))
