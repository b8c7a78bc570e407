"""From a line of a log to an event of today, whichever schema it was written in."""

from __future__ import annotations

import msgspec

from clr_tui.engine.log import schema_1
from clr_tui.engine.log.events import AnyEvent, RunStarted

_DECODE = msgspec.json.Decoder(AnyEvent).decode

# Bad UTF-8 and deep nesting are not reported by msgspec as errors of its own.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises of a line that is no event."""


class LineDecoder:
    """Decodes the lines of one log, in their order.

    Its `run-started` says which schema they are of; before one was seen, as in the last lines of a
    log, each line is looked at for itself.
    """

    def __init__(self) -> None:
        self._old: schema_1.Upgrade | None = schema_1.Upgrade()
        """None where the log is known to be of schema 2 or newer: each line is read once."""

    def __call__(self, line: bytes) -> AnyEvent:
        """The event.

        Raises:
            UNREADABLE: the line is none of our events.
        """
        if self._old is not None:
            try:
                return self._old(schema_1.DECODE(line))
            except msgspec.ValidationError:
                pass  # an event that is the same in both schemas, or one of schema 2
        event: AnyEvent = _DECODE(line)
        if isinstance(event, RunStarted):
            self._old = schema_1.Upgrade() if event.schema < 2 else None
        return event
