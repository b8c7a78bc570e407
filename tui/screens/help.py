"""The help screen: keys, and how to do the main job."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from clr_tui.tui.keys import Mode, Tool, keys_for, kind_in
from clr_tui.tui.kinds.registry import KINDS
from clr_tui.tui.text.clean import plain
from clr_tui.tui.widgets.key_footer import KeyLine

RUNS = (
    "First find the learning rate: n starts a range test, a short sweep from a tiny rate to a "
    "large one. Set the bounds on its chart and press t to train between them. Runs continue in "
    "the background: leave, close the terminal, come back, and they are all here."
)
"""How to do the main job, from the list of runs; each kind has its own text."""
MIN_WORDS_WIDTH = 16
"""Minimum cells for the description of a key."""
WHERE = (
    "Runs are kept in {}, one folder each: run.json has the settings, events.jsonl the log, "
    "worker.log the worker's own output, checkpoints/ the saved weights."
)


class HelpScreen(ModalScreen[None]):
    """The keys of `screen`, as in `keys_for`, and a short guide, which names `runs`."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
    ]

    def __init__(
        self, screen: str, mode: Mode | None, runs: Path, tool: Tool | None = None
    ) -> None:
        super().__init__()
        self._of = screen
        self._mode = mode
        self._tool = tool
        self._runs = runs

    def compose(self) -> ComposeResult:
        """Lays out the keys and the text."""
        kind = KINDS.get(kind_in(self._of))
        title, how = (kind.title.capitalize(), kind.how) if kind else ("Runs", RUNS)
        with VerticalScroll(id="help", can_focus=False):
            yield Static(title, id="help-title", markup=False)
            yield Static(self._keys(self.app.size.width), id="help-keys")
            yield Static(how, classes="help-words", markup=False)
            yield Static(plain(WHERE.format(self._runs)), classes="help-words", markup=False)
            yield KeyLine((("esc", "close"), ("↑↓", "scroll")), id="help-close")

    def on_resize(self) -> None:
        """Wraps the descriptions to the new width."""
        keys = self.query_one("#help-keys", Static)
        keys.update(self._keys(keys.size.width))

    def _keys(self, width: int) -> Text:
        keys = keys_for(self._of, self._mode, self._tool)
        column = max(len(key.shown) for key in keys) + 3
        text = Text()
        for key in keys:
            first, *more = wrap(key.help, max(width - column, MIN_WORDS_WIDTH))
            text.append("\n" if text else "")
            text.append(key.shown.ljust(column), Style(bold=True)).append(first)
            for line in more:
                text.append("\n" + " " * column + line)
        return text

    def action_scroll(self, lines: int) -> None:
        """Scrolls where the terminal is too low for all of it."""
        self.query_one("#help", VerticalScroll).scroll_relative(y=lines, animate=False)
