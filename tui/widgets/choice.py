"""A choice among a few words; left and right change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget


class Choice(Widget, can_focus=True):
    """A field whose value is chosen; the initial `value` is put in front if not in `choices`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", show=False),
        Binding("right,space", "choose(1)", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--chosen", "choice--other"}
    DEFAULT_CSS = """
    Choice {
        height: 1;
        & > .choice--chosen { color: $foreground; text-style: bold; }
        & > .choice--other { color: $text-muted; }
        &:focus > .choice--chosen {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: bold;
        }
        &:focus:ansi > .choice--chosen, &:focus:nocolor > .choice--chosen {
            text-style: bold reverse;
        }
    }
    """

    @dataclass
    class Changed(Message):
        """Another word was chosen."""

        choice: Choice
        value: str

    def __init__(self, choices: tuple[str, ...], value: str, id: str | None = None) -> None:
        super().__init__(id=id)
        self.choices = choices if value in choices else (value, *choices)
        self._at = self.choices.index(value)

    @property
    def value(self) -> str:
        """The chosen word."""
        return self.choices[self._at]

    def choose(self, value: str) -> None:
        """Takes one of the words."""
        self.action_choose(self.choices.index(value) - self._at)

    def action_choose(self, by: int) -> None:
        """Chooses the next (1) or previous (-1) word, cyclically."""
        if len(self.choices) > 1:
            self._at = (self._at + by) % len(self.choices)
            self.refresh()
            self.post_message(self.Changed(self, self.value))

    def on_click(self) -> None:
        """Chooses the next word."""
        self.action_choose(1)

    def render(self) -> Text:
        """Renders all words if they fit, else the chosen one and the number of words."""
        chosen = self.get_component_rich_style("choice--chosen", partial=True)
        other = self.get_component_rich_style("choice--other", partial=True)
        text = Text(no_wrap=True, overflow="ellipsis")
        if sum(len(word) + 2 for word in self.choices) <= self.size.width:
            for place, word in enumerate(self.choices):
                mark = ("[", "]") if place == self._at else (" ", " ")
                text.append(f"{mark[0]}{word}{mark[1]}", chosen if place == self._at else other)
            return text
        text.append(f"[{self.value}]", chosen)
        return text.append(f"  {self._at + 1} of {len(self.choices)}", other)
