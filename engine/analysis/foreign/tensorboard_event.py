"""The payload of a record of TensorBoard: an `Event` with a `Summary` of values.

Where the parts of an event are is found first, so that the same places can be read in all records
that are built alike. Source of the field numbers: tensorflow/core/util/event.proto,
tensorflow/core/framework/summary.proto and tensor.proto.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from clr_tui.engine.analysis.foreign.protobuf import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    fields,
    signed,
    varint,
)

_KINDS = {4: "images", 5: "histograms", 6: "audio"}
"""What is no scalar, by the number of its field in a value."""
_FLOAT, _DOUBLE = 1, 2
HPARAMS = "hparams"


class Scalar(NamedTuple):
    """Where a number of an event is."""

    tag_at: int
    tag_end: int
    number_at: int
    width: int
    """4 bytes (float32) or 8 (float64)."""


@dataclass
class Layout:
    """Where the parts of an event are, counted from the beginning of its payload."""

    wall_at: int | None = None
    """Of the Unix time, 8 bytes."""
    step_at: int | None = None
    step_end: int = 0
    scalars: list[Scalar] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    """What is no scalar: "images", for example."""
    hparams: list[tuple[int, int]] = field(default_factory=list)
    """The settings of the run, for `hparams`."""
    other_tags: list[bytes] = field(default_factory=list)
    """Names of values that are no scalars, though later ones of that name may look like it."""

    def wall(self, payload: bytes) -> float:
        """Unix time in seconds; NaN if there is none."""
        return math.nan if self.wall_at is None else _double(payload, self.wall_at)

    def step(self, payload: bytes) -> int:
        """The step; 0 if there is none, as such events have it."""
        return 0 if self.step_at is None else signed(varint(payload, self.step_at)[0])

    def number(self, payload: bytes, scalar: Scalar) -> float:
        """The value of one of its scalars."""
        if scalar.width == 8:
            return _double(payload, scalar.number_at)
        number: float = struct.unpack_from("<f", payload, scalar.number_at)[0]
        return number


def _double(payload: bytes, at: int) -> float:
    number: float = struct.unpack_from("<d", payload, at)[0]
    return number


def layout_of(payload: bytes) -> Layout:
    """Finds the parts of an event.

    Raises:
        MalformedError: the payload is not an event.
    """
    layout = Layout()
    for number, wire, at, end in fields(payload, 0, len(payload)):
        if number == 1 and wire == FIXED64:
            layout.wall_at = at
        elif number == 2 and wire == VARINT:
            layout.step_at, layout.step_end = at, end
        elif number == 4 and wire == BYTES:
            layout.other["graphs"] += 1
        elif number == 5 and wire == BYTES:
            for inner, inner_wire, value_at, value_end in fields(payload, at, end):
                if inner == 1 and inner_wire == BYTES:
                    _find_value(payload, value_at, value_end, layout)
    return layout


def _find_value(payload: bytes, start: int, end: int, layout: Layout) -> None:
    tag, number, plugin, kind = (start, start), None, "", ""
    content: tuple[int, int] | None = None
    for name, wire, at, behind in fields(payload, start, end):
        if name == 1 and wire == BYTES:
            tag = at, behind
        elif name == 2 and wire == FIXED32:
            number = at, 4
        elif name == 8 and wire == BYTES:
            number = _number_of_tensor(payload, at, behind)
        elif name == 9 and wire == BYTES:
            plugin, content = _plugin(payload, at, behind)
        elif name in _KINDS:
            kind = _KINDS[name]
    if plugin == HPARAMS:
        if content is not None:
            layout.hparams.append(content)
    elif number is not None and plugin in ("", "scalars"):
        layout.scalars.append(Scalar(*tag, *number))
    else:
        layout.other[kind or plugin.replace("_", " ") or "other values"] += 1
        layout.other_tags.append(payload[slice(*tag)])


def _number_of_tensor(payload: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Place and width of the one number in a tensor; None if it is no tensor of one float."""
    kind, found = 0, None
    for name, wire, at, behind in fields(payload, start, end):
        if name == 1 and wire == VARINT:
            kind = varint(payload, at)[0]
        elif name in (4, 5, 6) and wire in (BYTES, FIXED32, FIXED64):
            found = at, behind - at
    if found is None or found[1] != {_FLOAT: 4, _DOUBLE: 8}.get(kind):
        return None
    return found


def _plugin(payload: bytes, start: int, end: int) -> tuple[str, tuple[int, int] | None]:
    """The plugin that a value is for, and the place of what it wrote for itself."""
    plugin, content = "", None
    for name, wire, at, behind in fields(payload, start, end):
        if name != 1 or wire != BYTES:
            continue
        for inner, inner_wire, inner_at, inner_end in fields(payload, at, behind):
            if inner == 1 and inner_wire == BYTES:
                plugin = payload[inner_at:inner_end].decode("utf-8", "replace")
            elif inner == 2 and inner_wire == BYTES:
                content = inner_at, inner_end
    return plugin, content


def settings_in(payload: bytes, start: int, end: int) -> dict[str, str]:
    """The hyperparameters of a run, as text, from what the plugin "hparams" wrote; else empty.

    Source: tensorboard/plugins/hparams/plugin_data.proto: session_start_info (3) has a map
    `hparams` (1) of google.protobuf.Value.
    """
    found: dict[str, str] = {}
    for name, wire, at, behind in fields(payload, start, end):
        if name != 3 or wire != BYTES:
            continue
        for inner, inner_wire, pair_at, pair_end in fields(payload, at, behind):
            if inner == 1 and inner_wire == BYTES:
                key, text = _pair(payload, pair_at, pair_end)
                found[key] = text
    return found


def _pair(payload: bytes, start: int, end: int) -> tuple[str, str]:
    key, text = "", ""
    for name, wire, at, behind in fields(payload, start, end):
        if name == 1 and wire == BYTES:
            key = payload[at:behind].decode("utf-8", "replace")
        elif name == 2 and wire == BYTES:
            text = _value(payload, at, behind)
    return key, text


def _value(payload: bytes, start: int, end: int) -> str:
    """A google.protobuf.Value as text: null, a number, a string, or true and false."""
    for name, wire, at, behind in fields(payload, start, end):
        if name == 2 and wire == FIXED64:
            return f"{_double(payload, at):.12g}"
        if name == 3 and wire == BYTES:
            return payload[at:behind].decode("utf-8", "replace")
        if name == 4 and wire == VARINT:
            return "true" if payload[at] else "false"
    return ""
