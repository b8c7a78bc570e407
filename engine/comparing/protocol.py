"""What the pool and its processes say to one another: tagged structs as msgpack, nothing pickled.

To a process: `Setup` once, then `Work` after `Work`, and `Ordered` at any time; the end of the
stream ends the process. From it: the events of its trials, as they will stand in the log.
"""

from __future__ import annotations

from typing import Union

import msgspec

from clr_tui.engine.comparing.executor import Order, Work
from clr_tui.engine.log.events import AnyEvent, Event
from clr_tui.engine.settings.config import RunConfig


class Setup(msgspec.Struct, frozen=True, kw_only=True, tag="setup"):
    """What a process is to know before its first trial."""

    config: RunConfig
    device: str
    """As torch names it."""
    threads: int
    """On the CPU."""


class Ordered(msgspec.Struct, frozen=True, kw_only=True, tag="ordered"):
    """An order for one trial; void where the process does another by now."""

    trial: int
    order: Order


Message = Union[Setup, Work, Ordered]  # noqa: UP007 - msgspec wants it

_message = msgspec.msgpack.Decoder(Message)
_event = msgspec.msgpack.Decoder(AnyEvent)


def encode(message: Message | Event) -> bytes:
    """As one packet."""
    return msgspec.msgpack.encode(message)


def decode_message(packet: bytes) -> Message:
    """What was said to a process."""
    message: Message = _message.decode(packet)
    return message


def decode_event(packet: bytes) -> AnyEvent:
    """What a process told."""
    event: AnyEvent = _event.decode(packet)
    return event
