"""Confirmation of something that cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from clr_tui.tui.text.clean import plain
from clr_tui.tui.widgets.key_footer import KeyLine


class ConfirmScreen(ModalScreen[bool]):
    """Asks a question; returns True for `y` or `enter`, False for `n`, `q` or `escape`.

    Args:
        question: a sentence.
        yes: what `y` does, in a word or two.
        detail: the consequences, a sentence.
    """

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "answer(True)", show=False),
        Binding("n,escape,q", "answer(False)", show=False),
    ]

    def __init__(self, question: str, yes: str, detail: str = "") -> None:
        super().__init__()
        self._question = question
        self._detail = detail
        self._yes = yes

    def compose(self) -> ComposeResult:
        """Lays out the question and the keys."""
        with Vertical(id="confirm"):
            yield Static(plain(self._question), id="question", markup=False)
            if self._detail:
                yield Static(plain(self._detail), id="detail", markup=False)
            yield KeyLine((("y", self._yes), ("n", "cancel")), id="answers")

    def action_answer(self, answer: bool) -> None:
        """Returns the answer."""
        self.dismiss(answer)
