"""A text input that obeys keys in the order in which they were typed."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.widgets import Input

_EDITING = {
    key: binding.action
    for binding in Input.BINDINGS
    if isinstance(binding, Binding) and binding.action != "submit"
    for key in binding.key.split(",")
}


class TypedInput(Input):
    """An `Input` whose editing keys act at once, as its letters do.

    Textual takes a letter where it arrives, but a key with a binding only once the event has
    bubbled up to the app. Where keys arrive in one burst, as they do over a slow link, a backspace
    then deletes what was typed after it.
    """

    async def on_key(self, event: events.Key) -> None:
        """Edits at once, and leaves every other key to `Input`."""
        action = _EDITING.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
