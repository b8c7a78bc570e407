"""The reader against every log that a crash, a full disk or a bad disk can leave."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs_helpers import Reader

from clr_tui.engine.log import line_tail as lines_module
from clr_tui.engine.log import same_file
from clr_tui.engine.log.events import (
    AnyEvent,
    Continued,
    Evaluated,
    Note,
    Paused,
    RunFinished,
    RunStarted,
    Steps,
    TrialStarted,
)
from clr_tui.engine.log.tail import LogTail, read_events
from clr_tui.engine.log.writer import EventWriter

finite = st.floats(allow_nan=False, allow_infinity=False)
small = st.integers(0, 10**6)


def steps(count: int) -> st.SearchStrategy[Steps]:
    def column(values: st.SearchStrategy) -> st.SearchStrategy[list]:
        return st.lists(values, min_size=count, max_size=count)

    return st.builds(
        Steps,
        trial=st.integers(0, 5),
        step=column(small),
        lr=column(finite),
        loss=column(st.none() | finite),
        metrics=st.just({}) | st.fixed_dictionaries({"mae": column(st.none() | finite)}),
        elapsed=finite,
    )


events = st.one_of(
    st.integers(0, 6).flatmap(steps),
    st.builds(RunStarted, run=st.text(max_size=9), kind=st.just("train"), pid=small),
    st.builds(Note, level=st.just("info"), text=st.text(max_size=20)),
    st.builds(TrialStarted, trial=small, seed=small, total_steps=small, steps_per_epoch=small),
    st.builds(
        Evaluated,
        trial=small,
        step=small,
        part=st.just("test"),
        loss=st.none() | finite,
        metrics=st.fixed_dictionaries({"mae": st.none() | finite}),
    ),
    st.builds(Paused),
    st.builds(RunFinished, outcome=st.sampled_from(["done", "stopped", "failed"])),
)
good = events.map(lambda event: (msgspec.json.encode(event), "event", event))
unknown = st.sampled_from(["compared", "Steps", "x" * 100, "\x1b[31m"]).map(
    lambda name: (json.dumps({"type": name, "seq": 3, "more": [1, {}]}).encode(), "unknown", name)
)
blank = st.sampled_from([b"", b" ", b"\r"]).map(lambda line: (line, "blank", None))
CORRUPT = [
    b"null",
    b"[]",
    b"17",
    b'"steps"',
    b"{}",
    b"\x00" * 50,
    b"\xff\xfe{",
    b'{"type":"note","level":"info","text":"\xff"}',
    b'{"type":"note","level":"info","text":"\\ud800"}',
    b'{"type":"note","level":"loud","text":""}',
    b'{"type":"paused","seq":"one"}',
    b'{"type":"steps","trial":0,"step":[0],"lr":[0.1]}',
    b'{"type":"steps","trial":0,"step":[0],"lr":[null],"loss":[1]}',
    b'{"type":"steps","trial":0,"step":[0],"lr":[1e999],"loss":[1]}',
    b'{"type":"steps","trial":0,"step":[0,1],"lr":[0.1],"loss":[1,1]}',
    b'{"type":"steps","trial":0,"step":[0,1],"lr":[0.1,0.1],"loss":[1]}',
    b'{"type":"steps","trial":0,"step":[0],"lr":[0.1],"loss":[1],"accuracy":[],'  # schema 1
    b'"metrics":{"accuracy":[]}}',  # schema 2
    b'{"type":"steps","trial":0,"step":[0],"lr":[0.1],"loss":[1],"metrics":{"mae":[]}}',
    b'{"type":"steps","trial":0,"step":[-1],"lr":[0.1],"loss":[1]}',
    b'{"type":"steps","trial":0,"step":[99999999999999999999],"lr":[0.1],"loss":[1]}',
    b'{"type":"' + b"x" * 101 + b'"}',
    b'{"type":""}',
    b'{"type":7}',
    b'{"type":"paused"}{"type":"paused"}',
    b'{"type":"paused","deep":' + b"[" * 5000,
    b'{"type":"paused"',
]
corrupt = st.sampled_from(CORRUPT).map(lambda line: (line, "corrupt", None))
kinds = st.lists(st.one_of(good, good, unknown, blank, corrupt), max_size=12)
garbage = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"\n", b"\x00", b"x" * 300, b"{", b'{"type":"paused"}\n']),
    events.map(lambda event: msgspec.json.encode(event) + b"\n"),
)


@contextmanager
def log() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "events.jsonl"


@contextmanager
def sizes(block: int, longest: int, kept: int = same_file._COMPARED) -> Iterator[None]:
    """Small blocks and line limits, so that small logs cross them everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "BLOCK", block)
        patch.setattr(lines_module, "MAX_LINE", longest)
        patch.setattr(same_file, "_COMPARED", kept)
        yield


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def read_once(path: Path) -> Reader:
    story = Reader()
    story.feed(read_events(path))
    return story


@pytest.mark.parametrize("line", CORRUPT, ids=range(len(CORRUPT)))
def test_a_corrupt_line_is_counted_and_its_neighbours_read(line: bytes) -> None:
    with log() as path:
        path.write_bytes(b'{"type":"paused"}\n' + line + b'\n{"type":"continued"}\n')
        batch = read_events(path)
    assert batch.events == [Paused(), Continued()]
    assert (batch.corrupt, batch.unknown) == (1, {})


block_sizes = st.sampled_from([1, 3, 64, 1 << 20])


@settings(deadline=None)
@given(kinds, block_sizes)
def test_every_line_is_read_counted_or_passed_over(made: list, block: int) -> None:
    with log() as path, sizes(block, 1 << 24):
        path.write_bytes(b"".join(line + b"\n" for line, _, _ in made))
        batch = read_events(path)
    assert batch.events == [what for _, kind, what in made if kind == "event"]
    assert batch.corrupt == sum(kind == "corrupt" for _, kind, _ in made)
    names = [what for _, kind, what in made if kind == "unknown"]
    assert batch.unknown == {name: names.count(name) for name in names}
    assert not batch.reset
    assert batch.newer_schema is None


@settings(deadline=None)
@given(st.lists(events, max_size=8), st.data())
def test_a_log_truncated_anywhere_yields_its_whole_lines(
    made: list[AnyEvent], data: st.DataObject
) -> None:
    encoded = [msgspec.json.encode(event) + b"\n" for event in made]
    text = b"".join(encoded)
    cut = data.draw(st.integers(0, len(text)))
    with log() as path:
        path.write_bytes(text[:cut])
        tail = LogTail(path)
        first = tail.poll()
        append(path, text[cut:])
        second = tail.poll()
    assert first.events == made[: text[:cut].count(b"\n")]
    assert first.events + second.events == made
    assert (first.corrupt, second.corrupt, second.reset) == (0, 0, False)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(kinds.map(lambda k: b"".join(x[0] + b"\n" for x in k)), garbage), max_size=6
    ),
    st.data(),
    block_sizes,
    st.sampled_from([40, 250, 1 << 24]),
    st.sampled_from([None, 1, 5000]),
)
def test_polls_of_a_growing_log_return_the_same_as_one_read(
    pieces: list[bytes], data: st.DataObject, block: int, longest: int, limit: int | None
) -> None:
    text = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    story = Reader()
    with log() as path, sizes(block, longest):
        tail = LogTail(path)
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            append(path, text[start:end])
            story.feed(tail.poll(limit))
        while (batch := tail.poll(limit)).more or batch.events:
            story.feed(batch)
        story.feed(batch)
        assert story == read_once(path)


@settings(deadline=None)
@given(st.lists(events, min_size=1, max_size=8), st.data())
def test_damaged_bytes_cost_only_the_lines_that_they_lie_in(
    made: list[AnyEvent], data: st.DataObject
) -> None:
    encoded = [msgspec.json.encode(event) + b"\n" for event in made]
    text = bytearray(b"".join(encoded))
    ends = [sum(map(len, encoded[: i + 1])) for i in range(len(encoded))]
    hit = set()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.integers(0, 255))
        line = next(i for i, end in enumerate(ends) if at < end)
        hit.add(line)
        if at == ends[line] - 1:  # a newline lost glues the next line to this one
            hit.add(line + 1)
    with log() as path:
        path.write_bytes(bytes(text))
        batch = read_events(path)
    lines = bytes(text).split(b"\n")[:-1]
    spared = [event for i, event in enumerate(made) if i not in hit]
    rest = iter(batch.events)
    assert all(any(event == other for other in rest) for event in spared)  # all there, in order
    told = len(batch.events) + batch.corrupt + sum(batch.unknown.values())
    assert told == sum(bool(line.strip()) for line in lines)


changes = st.one_of(
    garbage.map(lambda data: ("append", data)),
    garbage.map(lambda data: ("append", data)),
    st.just(("poll", b"")),
    st.integers(0, 400).map(lambda n: ("truncate", n)),
    garbage.map(lambda data: ("replace", data)),
    garbage.map(lambda data: ("rewrite", data)),
    st.just(("remove", b"")),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(changes, max_size=14), block_sizes, st.sampled_from([40, 1 << 24]))
def test_whatever_happens_to_the_file_the_last_poll_sets_it_right(
    made: list, block: int, longest: int
) -> None:
    story = Reader()
    with log() as path, sizes(block, longest, kept=1 << 20):
        tail = LogTail(path)
        for what, value in made:
            if what == "append":
                append(path, value)
            elif what == "poll":
                story.feed(tail.poll())
            elif what == "truncate" and path.exists():
                os.truncate(path, min(value, path.stat().st_size))
            elif what == "replace":
                path.with_name("new").write_bytes(value)
                path.with_name("new").rename(path)
            elif what == "rewrite":
                path.write_bytes(value)
            elif what == "remove":
                path.unlink(missing_ok=True)
        append(path, b"")
        story.feed(tail.poll())
        assert story == read_once(path)


@settings(deadline=None)
@given(st.lists(events, max_size=6), st.binary(max_size=40), st.data())
def test_a_writer_goes_on_after_any_crash(
    made: list[AnyEvent], torn: bytes, data: st.DataObject
) -> None:
    with log() as path:
        writer = EventWriter(path, clock=lambda: 1.0)
        written = [writer.write(event) for event in made]
        writer.close()
        text = path.read_bytes()
        cut = data.draw(st.integers(0, len(text)))
        path.write_bytes(text[:cut] + torn.replace(b"\n", b""))
        whole = written[: text[:cut].count(b"\n")]

        tail = LogTail(path)
        story = Reader()
        story.feed(tail.poll())
        writer = EventWriter(path, clock=lambda: 2.0)
        last = writer.write(Note(level="info", text="again"))
        writer.close()
        story.feed(tail.poll())
        assert story.events == [*whole, last] == read_events(path).events
        assert [event.seq for event in story.events] == list(range(len(whole) + 1))
        assert story.corrupt == 0
