"""Reads protobuf messages without their classes: the wire format alone.

Source: https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}


class MalformedError(ValueError):
    """Bytes that are not a protobuf message."""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number of variable length at `at`, and the place behind it.

    Raises:
        MalformedError: it does not end within 10 bytes or the data.
    """
    if at < len(data) and data[at] < 0x80:  # most are small
        return data[at], at + 1
    number = shift = 0
    for place in range(at, min(at + 10, len(data))):
        byte = data[place]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place + 1
        shift += 7
    raise MalformedError("a number that does not end")


def fields(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of the message in `data[start:end]`: number, wire type, and where it is.

    That is the place of its value, without the field's key, and of a string or message without its
    length; and the place behind it.

    Raises:
        MalformedError: the bytes are not a message.
    """
    at = start
    while at < end:
        key, at = varint(data, at)
        wire = key & 7
        if wire == BYTES:
            length, at = varint(data, at)
            behind = at + length
        elif wire == VARINT:
            _, behind = varint(data, at)
        elif wire in _FIXED:
            behind = at + _FIXED[wire]
        else:
            raise MalformedError(f"a field of wire type {wire}")
        if behind > end:
            raise MalformedError("a field that is longer than its message")
        yield key >> 3, wire, at, behind
        at = behind


def signed(number: int) -> int:
    """A varint as the int64 that it stands for."""
    return number - (1 << 64) if number >= 1 << 63 else number


def encoded(number: int) -> bytes:
    """A number, 0 or more, as a varint."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def field(number: int, content: bytes) -> bytes:
    """A field that holds a string or a message."""
    return encoded(number << 3 | BYTES) + encoded(len(content)) + content
