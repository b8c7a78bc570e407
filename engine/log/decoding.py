"""Decodes a line of a log, of any schema, to an event of the current one."""

from __future__ import annotations

import msgspec

from clr_tui.engine.log import schema_1
from clr_tui.engine.log.events import AnyEvent, RunStarted

_DECODE = msgspec.json.Decoder(AnyEvent).decode

# msgspec lets these errors through for bad UTF-8 and deep nesting.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a line that is not an event raises."""


class LineDecoder:
    """Decodes the lines of one log in order.

    `run-started` states their schema. Without it, as in the last lines of a log, each line may be
    of either schema.
    """

    def __init__(self) -> None:
        self._old: schema_1.Upgrade | None = schema_1.Upgrade()
        """None once the log is known to be of schema 2 or newer, whose lines decode faster."""

    def __call__(self, line: bytes) -> AnyEvent:
        """Decodes the next line; raises one of UNREADABLE if it is not one of our events."""
        event: AnyEvent = _DECODE(line) if self._old is None else self._old(line)
        if isinstance(event, RunStarted):
            self._old = schema_1.Upgrade() if event.schema < 2 else None
        return event
