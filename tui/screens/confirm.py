"""A question before something that cannot be undone."""

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
    """Asks; answers True for `y` or `enter`, False for `n` or `escape`.

    Args:
        question: a sentence.
        yes: what `y` does, a word or two.
        detail: what else to know before answering.
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
        """The question over the keys that answer it."""
        with Vertical(id="confirm"):
            yield Static(plain(self._question), id="question", markup=False)
            if self._detail:
                yield Static(plain(self._detail), id="detail", markup=False)
            yield KeyLine((("y", self._yes), ("n", "cancel")), id="answers")

    def action_answer(self, answer: bool) -> None:
        """Closes with the answer."""
        self.dismiss(answer)
