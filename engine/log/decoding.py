"""Decodes a line of a log, of any schema, to an event of the current one."""

from __future__ import annotations

import re
from codecs import BOM_UTF8

import msgspec

from clr_tui.engine.log import schema_1
from clr_tui.engine.log.events import AnyEvent, RunStarted

_DECODE = msgspec.json.Decoder(AnyEvent).decode

# msgspec lets these errors through for bad UTF-8 and deep nesting.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a line that is not an event raises."""


_BARE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?(?:NaN|nan|Infinity|inf)(?=\s*[,\]}])')
"""A JSON string, which is left unchanged, or a number that is not finite as others write it."""


def _null(match: re.Match[bytes]) -> bytes:
    return match[0] if match[0].startswith(b'"') else b"null"


class LineDecoder:
    """Decodes the lines of one log in order.

    `run-started` states their schema. Without it, as in the last lines of a log, each line may be
    of either schema. An editor may have put a byte order mark at the beginning, and another writer
    a bare NaN or Infinity, which JSON does not have, in place of a number: it is read as null.
    """

    def __init__(self) -> None:
        self._old: schema_1.Upgrade | None = schema_1.Upgrade()
        """None once the log is known to be of schema 2 or newer, whose lines decode faster."""

    def __call__(self, line: bytes) -> AnyEvent:
        """Decodes the next line; raises one of UNREADABLE if it is not one of our events."""
        decode = _DECODE if self._old is None else self._old
        try:
            event: AnyEvent = decode(line)
        except UNREADABLE:
            mended = _BARE.sub(_null, line.removeprefix(BOM_UTF8))
            if mended == line:
                raise
            event = decode(mended)
        if isinstance(event, RunStarted):
            self._old = schema_1.Upgrade() if event.schema < 2 else None
        return event
