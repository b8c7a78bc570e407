"""Messages between the pool and its processes: tagged structs as msgpack, nothing pickled.

To a process: `Setup` once, then one `TrialWork` after another, and `TrialOrder` at any time; the
end of the stream ends the process. From it: the events of its trials, as in the log, and instead
of the last one perhaps `OutOfMemory`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

import msgspec

from clr_tui.engine.comparing.executor import Order, TrialWork
from clr_tui.engine.log.events import AnyEvent, Event, TrialFinished
from clr_tui.engine.log.writer import printable
from clr_tui.engine.settings.config import RunConfig


class Setup(msgspec.Struct, frozen=True, kw_only=True, tag="setup"):
    """What a process needs before its first trial."""

    config: RunConfig
    device: str
    """As torch names it."""
    threads: int
    """On the CPU."""
    precision: str = "float32"
    """In which all trials compute, whatever their device could do."""
    folder: str
    """The run's."""
    data: str = ""
    """The mark of the data as the worker read it, see `engine.tasks.data_mark`; empty: unknown."""
    sources: dict[str, bytes] = {}
    """The files of a user's own task as the run loaded them, by their paths."""


class TrialOrder(msgspec.Struct, frozen=True, kw_only=True, tag="ordered"):
    """A command to one trial; ignored if the process has moved on to another."""

    trial: int
    order: Order


class OutOfMemory(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="out-of-memory"):
    """The trial failed since memory ran out; it may be run again."""

    end: TrialFinished
    """Its last event, if it is not."""


Message = Union[Setup, TrialWork, TrialOrder]  # noqa: UP007 - msgspec wants it

decode_message: Callable[[bytes], Message] = msgspec.msgpack.Decoder(Message).decode
decode_report: Callable[[bytes], AnyEvent | OutOfMemory] = msgspec.msgpack.Decoder(
    Union[AnyEvent, OutOfMemory]  # noqa: UP007
).decode


def encode(message: Message | Event | OutOfMemory) -> bytes:
    """Encodes a message or an event as one packet."""
    try:
        return msgspec.msgpack.encode(message)
    except UnicodeEncodeError:  # such as a file name in an error: better with "?" than missing
        return msgspec.msgpack.encode(
            printable(msgspec.to_builtins(message, builtin_types=(bytes,)))
        )
