"""The keys of a screen, and how the main job goes."""

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

from clr_tui.tui.keys import Mode, ScreenName, keys_for
from clr_tui.tui.text.clean import plain
from clr_tui.tui.widgets.key_footer import KeyLine

TITLES: dict[ScreenName, str] = {
    "home": "Runs",
    "range-test": "Range test",
    "training": "Training",
    "comparison": "Comparison",
}
HOW: dict[ScreenName, str] = {
    "home": (
        "First find the learning rate: n starts a range test, a short sweep from a tiny rate to a "
        "large one. On its chart set the bounds and press t to train between them. Runs work on by "
        "themselves: leave, close the terminal, come back; they are all here."
    ),
    "range-test": (
        "The loss falls where the learning rate is useful and rises where it is too large. The two "
        "marks are base_lr and max_lr of cyclical training: set max_lr well before the loss turns "
        "up (minimum/10 is a tenth of the rate with the lowest loss) and base_lr some 6 times "
        "below. Where the curve gives no answer, the line above the keys says why. Then press t."
    ),
    "training": (
        "The learning rate climbs from base_lr to max_lr and back, a cycle at a time (Smith 2017). "
        "Accuracy in mid-cycle is not final accuracy: it peaks where the rate has come down, at "
        "the end of a cycle. The best epoch on validation and the last one are both kept as "
        "checkpoints (a comparison keeps none), and both are measured on the test part at the end."
    ),
    "comparison": (
        "Each optimizer trains from the same seeds: the same initial weights, the same order of "
        "data. A line is the mean over seeds, its band the 95% interval of that mean; optimizers "
        "share a rank where the seeds cannot tell them apart. Epochs are chosen on validation, "
        "the table reports test. Open a trial to see its learning rate, loss and accuracy."
    ),
}
MIN_WORDS = 16
"""Cells that the words of a key get, however narrow the terminal."""
WHERE = (
    "Runs are kept in {}, a folder each: run.json is what was asked, events.jsonl all that "
    "happened, worker.log the worker's own output, checkpoints/ the saved weights."
)


class HelpScreen(ModalScreen[None]):
    """What can be done here.

    Args:
        screen: whose keys.
        mode: what is shown there: a run at work, one that has ended, a recording.
        runs: the folder of runs, which the words name.
    """

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
    ]

    def __init__(self, screen: ScreenName, mode: Mode | None, runs: Path) -> None:
        super().__init__()
        self._of = screen
        self._mode = mode
        self._runs = runs

    def compose(self) -> ComposeResult:
        """The keys, then the words."""
        with VerticalScroll(id="help", can_focus=False):
            yield Static(TITLES[self._of], id="help-title", markup=False)
            yield Static(self._keys(self.app.size.width), id="help-keys")
            yield Static(HOW[self._of], classes="help-words", markup=False)
            yield Static(plain(WHERE.format(self._runs)), classes="help-words", markup=False)
            yield KeyLine((("esc", "close"), ("↑↓", "scroll")), id="help-close")

    def on_resize(self) -> None:
        """Wraps what the keys do to the room that there is."""
        keys = self.query_one("#help-keys", Static)
        keys.update(self._keys(keys.size.width))

    def _keys(self, width: int) -> Text:
        keys = keys_for(self._of, self._mode)
        column = max(len(key.shown) for key in keys) + 3
        text = Text()
        for key in keys:
            first, *more = wrap(key.help, max(width - column, MIN_WORDS))
            text.append("\n" if text else "")
            text.append(key.shown.ljust(column), Style(bold=True)).append(first)
            for line in more:
                text.append("\n" + " " * column + line)
        return text

    def action_scroll(self, lines: int) -> None:
        """Scrolls where the terminal is too low for all of it."""
        self.query_one("#help", VerticalScroll).scroll_relative(y=lines, animate=False)
