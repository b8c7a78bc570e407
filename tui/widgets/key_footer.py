"""The footer of a screen, with its most important keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from clr_tui.tui.keys import Mode, Tool, footer_keys


class KeyLine(Widget):
    """One line of keys, as they are displayed, with labels."""

    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        background: $footer-background;
        color: $footer-description-foreground;
        & > .key-line--key { color: $footer-key-foreground; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key"}

    def __init__(self, keys: Sequence[tuple[str, str]] = (), id: str | None = None) -> None:
        super().__init__(id=id)
        self._line = tuple(keys)

    def keys_to_show(self) -> Sequence[tuple[str, str]]:
        """Returns the keys and labels of the line."""
        return self._line

    def render(self) -> Text:
        """Renders the keys in bold and colour, followed by their labels."""
        key_style = Style(bold=True, color=self.get_component_rich_style("key-line--key").color)
        line = Text(" ", no_wrap=True, overflow="ellipsis")
        for shown, label in self.keys_to_show():
            line.append(shown, key_style).append(f" {label}  ")
        return line


class KeyFooter(KeyLine):
    """The keys of a screen, as many as fit; arguments as for `keys_for`."""

    DEFAULT_CSS = "KeyFooter { dock: bottom; }"

    def __init__(self, screen: str, mode: Mode | None = None) -> None:
        super().__init__()
        self._keys_of = screen
        self._mode = mode
        self._tool: Tool | None = None

    def show(self, mode: Mode | None, tool: Tool | None = None) -> None:
        """Switches to the keys of `mode` and `tool`; sends nothing if they are unchanged."""
        if (mode, tool) != (self._mode, self._tool):
            self._mode, self._tool = mode, tool
            self.refresh()

    def keys_to_show(self) -> Sequence[tuple[str, str]]:
        """Returns the keys that fit, most important first."""
        keys = footer_keys(self._keys_of, self._mode, self.size.width, self._tool)
        return [(key.shown, key.label) for key in keys]
