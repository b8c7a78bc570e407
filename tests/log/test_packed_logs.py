"""A log read whole, in little memory: the same events as ever."""

from __future__ import annotations

import tracemalloc

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clr_tui.engine.errors import UserError
from clr_tui.engine.log import events as ev
from clr_tui.engine.log import packed_log as reading
from clr_tui.engine.log.packed_log import packed, read_packed
from clr_tui.engine.log.tail import read_events

numbers = st.floats(allow_nan=False, allow_infinity=False)


def unpacked(event):
    """With lists for columns, as it came from the log."""
    if not isinstance(event, ev.Steps):
        return event
    columns = {name: list(getattr(event, name)) for name in ("step", "lr", "loss")}
    metrics = {name: list(column) for name, column in event.metrics.items()}
    return msgspec.structs.replace(event, **columns, metrics=metrics)


@st.composite
def chunks(draw):
    step = draw(st.lists(st.integers(0, 2**63 - 1), max_size=8, unique=True).map(sorted))
    if draw(st.booleans()):
        step = list(range(7, 7 + len(step)))
    n = len(step)
    holed = st.lists(st.none() | numbers, min_size=n, max_size=n)
    return ev.Steps(
        trial=draw(st.integers(0, 3)),
        step=step,
        lr=draw(st.lists(numbers, min_size=n, max_size=n)),
        loss=draw(holed),
        metrics=draw(st.dictionaries(st.sampled_from(["accuracy", "mae"]), holed)),
        elapsed=1.5,
    )


@given(chunks())
def test_packing_changes_no_value(chunk):
    assert unpacked(packed(chunk)) == chunk


@given(st.lists(chunks() | st.sampled_from([b"no event", b'{"type":"party"}']), max_size=12))
def test_a_log_read_packed_is_the_log(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("log") / "events.jsonl"
    written = [line if isinstance(line, bytes) else msgspec.json.encode(line) for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in written))
    whole, found = read_events(path), read_packed(path)
    assert [unpacked(e) for e in found.events] == whole.events
    assert (found.corrupt, found.unknown) == (whole.corrupt, whole.unknown)


def test_pieces_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 5000)
    path = tmp_path / "events.jsonl"
    notes = [ev.Note(seq=i, level="info", text="x" * 500) for i in range(40)]
    torn = b'{"type": "no'
    path.write_bytes(b"".join(msgspec.json.encode(e) + b"\n" for e in notes) + b"?\n" + torn)
    found = read_packed(path)
    assert found.events == notes
    assert found.corrupt == 1


def test_no_log_is_an_empty_one_and_a_folder_is_none(tmp_path):
    assert read_packed(tmp_path / "none.jsonl").events == []
    with pytest.raises(UserError, match="not a file"):
        read_packed(tmp_path)


def test_a_step_takes_some_twenty_bytes(tmp_path):
    path = tmp_path / "events.jsonl"
    steps, each = 100_000, 500
    with path.open("wb") as file:
        for start in range(0, steps, each):
            step = list(range(start, start + each))
            lr = [1e-7 * 1.0001**i for i in step]
            chunk = ev.Steps(trial=0, step=step, lr=lr, loss=[1 / (i + 3) for i in step])
            file.write(msgspec.json.encode(chunk) + b"\n")
    tracemalloc.start()
    try:
        events = read_packed(path).events
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(events) == steps // each
    assert held < 24 * steps
    assert most < 24 * steps + 16 * reading.PIECE
