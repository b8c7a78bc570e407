"""Where to write what is shown."""

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

Exports = Mapping[str, Callable[[], str]]
"""For each suffix a function that makes the file's text."""


def target(text: str, suffixes: list[str]) -> Path:
    """The file that `text` names.

    Raises:
        UserError: nothing is named, the suffix is none of `suffixes`, or there is no such folder.
    """
    kinds = f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
    if not text.strip():
        raise UserError(f"name a file that ends in {kinds}", "path")
    path = Path(os.path.expanduser(text.strip()))
    if suffix_of(path, suffixes) is None:
        raise UserError(f"'{path.name}' must end in {kinds}", "path")
    if not os.path.isdir(path.parent):  # Path.is_dir() raises where a name is too long
        raise UserError(f"there is no folder '{path.parent}'", "path")
    if os.path.isdir(path):
        raise UserError(f"'{path}' is a folder", "path")
    return path


def suffix_of(path: Path, suffixes: Iterable[str]) -> str | None:
    """The longest of `suffixes` that the path ends in: `curves.csv` before `.csv`."""
    ends = [suffix for suffix in suffixes if path.name.lower().endswith(suffix)]
    return max(ends, key=len, default=None)


class ExportDialog(ModalScreen["str | None"]):
    """Asks for a path, whose suffix says what to write; answers with the path once written.

    Args:
        name: what the file is called to begin with, without suffix.
        exports: what can be written.
        words: what each suffix means, a sentence.
    """

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, name: str, exports: Exports, words: str) -> None:
        super().__init__()
        self._words = words
        self._start = f"{name}{next(iter(exports))}"
        self._exports = exports

    def compose(self) -> ComposeResult:
        """One field over the keys."""
        with Vertical(classes="dialog"):
            yield Static("Export", classes="dialog-title", markup=False)
            yield Static(self._words, classes="dialog-note", markup=False)
            yield Field("path", self._start, label="file")
            yield Static("enter  write it     esc  cancel", classes="dialog-keys", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Says what is wrong with the path while one types."""
        event.stop()
        field = self.query_one(Field)
        try:
            path = target(event.value, list(self._exports))
        except UserError as error:
            field.show_error(error.message)
        else:
            there = os.path.exists(path)
            field.show_error("it is there already: enter overwrites it" if there else "")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Writes the file and closes; a mistake is shown at the field."""
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

    def action_cancel(self) -> None:
        """Closes; nothing is written."""
        self.dismiss(None)
