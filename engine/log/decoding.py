"""Decodes a line of a log, of any schema, to an event of the current one."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable
from typing import Any

import msgspec

from clr_tui.engine.log import schema_1
from clr_tui.engine.log.events import AnyEvent, Logged, RunStarted, Steps

MAX_TEXT = 4096
"""Characters of a text in an event; longer ones, which nothing can show, are cut."""

_DECODE = msgspec.json.Decoder(AnyEvent).decode

# msgspec lets these errors through for bad UTF-8 and deep nesting.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding a line that is not an event raises."""


_BARE = re.compile(rb'"(?:[^"\\]|\\.)*"|-?(?:NaN|nan|Infinity|inf)(?=\s*[,\]}])')
"""A JSON string, which is left unchanged, or a number that is not finite as others write it."""


_MENDABLE = re.compile(rb"NaN|nan|Infinity|inf|" + BOM_UTF8)


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
        decode: Callable[[bytes], AnyEvent] = _DECODE
        if self._old is not None and schema_1.MARKS.search(line):
            decode = self._old
        try:
            event = decode(line)
        except UNREADABLE:
            if not _MENDABLE.search(line):
                raise
            event = decode(_BARE.sub(_null, line.removeprefix(BOM_UTF8)))
        if len(line) > MAX_TEXT:
            event = _with_short_texts(event)
        if isinstance(event, RunStarted):
            self._old = schema_1.Upgrade() if event.schema < 2 else None
        return event


def _with_short_texts(event: AnyEvent) -> AnyEvent:
    # Columns of numbers are not looked through.
    if isinstance(event, Steps | Logged):
        names = event.metrics if isinstance(event, Steps) else event.values
        if all(len(name) <= MAX_TEXT for name in names):
            return event
    short: AnyEvent = _cut(event)
    return short


def _cut(value: Any) -> Any:
    match value:
        case str():
            return value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"
        case list():
            return [_cut(item) for item in value]
        case dict():
            return {_cut(key): _cut(item) for key, item in value.items()}
        case msgspec.Struct():
            fields = {name: _cut(getattr(value, name)) for name in value.__struct_fields__}
            return msgspec.structs.replace(value, **fields)
    return value
