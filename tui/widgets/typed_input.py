"""A text input that handles keys in the order typed."""

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
    """An `Input` whose editing keys act at once, as letters do.

    Textual inserts a letter immediately, but runs a key's binding only after the event has bubbled
    up to the app. If keys arrive in a burst, as over a slow connection, a backspace would delete
    letters typed after it.
    """

    async def on_key(self, event: events.Key) -> None:
        """Handles editing keys at once; `Input` handles the rest."""
        action = _EDITING.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            await self.run_action(action)
