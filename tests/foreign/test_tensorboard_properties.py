"""Any order of any events reads as the last value at each step, however it is cut and damaged."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from event_files import START, event, record, simple, tensor
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import Points, follow_one

steps = st.one_of(
    st.integers(0, 300),
    st.sampled_from([127, 128, 16_383, 16_384, 2**31, 2**56, 2**62]),
    st.integers(-(2**62), -1),
)
names = st.sampled_from(["loss", "lr", "val/loss", "", "a" * 7, "a" * 8, "a" * 9, "é" * 70])
numbers = st.floats(width=32)
values = st.tuples(names, numbers, st.sampled_from(["simple", "tensor", "packed"]))
events = st.tuples(steps, st.lists(values, min_size=1, max_size=3), st.integers(1, 40))
"""A step, its values, and how often the event comes again with the next steps."""


def payload(step: int, logged: list[tuple[str, float, str]]) -> bytes:
    parts = [
        simple(name, number) if kind == "simple" else tensor(name, number, packed=kind == "packed")
        for name, number, kind in logged
    ]
    return event(1.7e9, step, *parts)


def made_of(found: list[tuple[int, list[tuple[str, float, str]], int]]) -> list[bytes]:
    return [payload(step + i, logged) for step, logged, times in found for i in range(times)]


def expected_of(found: list[tuple[int, list[tuple[str, float, str]], int]]) -> Points:
    points: dict[str, dict[int, float | None]] = {}
    for step, logged, times in found:
        for i in range(times):
            for name, number, _ in logged:
                value = number if math.isfinite(number) else None
                points.setdefault(name, {})[step + i] = value
    return {name: sorted(those.items()) for name, those in points.items()}


@settings(max_examples=60)
@given(st.lists(events, min_size=1, max_size=12), st.sampled_from([None, 1, 1000]))
def test_any_order_of_any_events(
    found: list[tuple[int, list[tuple[str, float, str]], int]], limit: int | None
) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "events.out.tfevents.1.host"
        path.write_bytes(START + b"".join(map(record, made_of(found))))
        follower = follow_one(path)
        assert follower.read(limit) == expected_of(found)
        assert not follower.warnings


@settings(max_examples=60)
@given(st.lists(events, min_size=1, max_size=6), st.data())
def test_no_damage_invents_a_value(
    found: list[tuple[int, list[tuple[str, float, str]], int]], data: st.DataObject
) -> None:
    content = bytearray(START + b"".join(map(record, made_of(found))))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    end = data.draw(st.integers(0, len(content)))
    written = {
        (name, step + i, number if math.isfinite(number) else None)
        for step, logged, times in found
        for i in range(times)
        for name, number, _ in logged
    }
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "events.out.tfevents.1.host"
        path.write_bytes(content[:end])
        shown = follow_one(path).read()
    assert {(name, *point) for name, points in shown.items() for point in points} <= written
