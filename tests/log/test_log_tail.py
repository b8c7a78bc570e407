"""The reader's promises that need a scene of their own."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log import line_tail as lines_module
from clr_tui.engine.log.events import SCHEMA, Event, Note, Paused, RunFinished, RunStarted, Steps
from clr_tui.engine.log.tail import LogTail, read_events


def line(event: Event) -> bytes:
    return msgspec.json.encode(event) + b"\n"


def note(text: str) -> Note:
    return Note(level="info", text=text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_a_missing_log_is_empty_until_it_is_there(log: Path) -> None:
    tail = LogTail(log)
    assert tail.poll().events == []
    log.write_bytes(line(note("a")))
    batch = tail.poll()
    assert batch.events == [note("a")]
    assert not batch.reset
    assert tail.poll().events == []


def test_a_byte_order_mark_costs_no_line(log: Path) -> None:
    started = RunStarted(run="a", kind="train")
    log.write_bytes(b"\xef\xbb\xbf" + line(started) + line(note("a")))
    batch = read_events(log)
    assert (batch.events, batch.corrupt) == ([started, note("a")], 0)


@pytest.mark.parametrize("bare", [b"NaN", b"-Infinity", b"Infinity", b"nan", b"-inf"])
def test_a_bare_nan_costs_one_value(log: Path, bare: bytes) -> None:
    """As Python's json writes it."""
    steps = Steps(trial=0, step=[0, 1, 2], lr=[0.1] * 3, loss=[1.0, 77.0, 3.0])
    log.write_bytes(line(steps).replace(b"77.0", bare))
    batch = read_events(log)
    assert batch.corrupt == 0
    (event,) = batch.events
    assert isinstance(event, Steps)
    assert event.loss == [1.0, None, 3.0]


def test_a_nan_in_a_text_is_text(log: Path) -> None:
    texts = ['NaN, "NaN", [NaN,', "a\\", "NaN]"]
    both = b"".join(line(note(text)) for text in texts)
    log.write_bytes(
        both + line(Steps(trial=0, step=[0], lr=[0.1], loss=[7.0])).replace(b"7.0", b"NaN")
    )
    events = read_events(log).events
    assert events[:3] == [note(text) for text in texts]
    assert len(events) == 4


def test_a_removed_log_is_awaited_and_reread(log: Path) -> None:
    log.write_bytes(line(note("a")))
    tail = LogTail(log)
    tail.poll()
    log.unlink()
    assert tail.poll() == read_events(log)
    log.write_bytes(line(note("b")))
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [note("b")]


@pytest.mark.parametrize("text", ["b", "a much longer text than the one before it"])
def test_a_replaced_file_is_reread(log: Path, text: str) -> None:
    log.write_bytes(line(note("a")))
    tail = LogTail(log)
    tail.poll()
    other = log.with_name("other")
    other.write_bytes(line(note(text)))
    other.rename(log)
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [note(text)]


@pytest.mark.parametrize("text", ["b", "a much longer text than the one before it"])
def test_a_file_with_changed_first_bytes_is_reread(log: Path, text: str) -> None:
    log.write_bytes(line(note("a")))
    tail = LogTail(log)
    tail.poll()
    inode = log.stat().st_ino
    log.write_bytes(line(note(text)))
    assert log.stat().st_ino == inode
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [note(text)]


def test_a_file_with_changed_first_bytes_and_the_same_end_is_reread(log: Path) -> None:
    end = note("the same " * 100)
    log.write_bytes(line(note("old")) + line(end))
    tail = LogTail(log)
    tail.poll()
    log.write_bytes(line(note("new")) + line(end))
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [note("new"), end]


def test_lines_not_yet_returned_need_no_reset(log: Path) -> None:
    log.write_bytes(b'{"type":"paus')
    tail = LogTail(log)
    tail.poll()
    log.with_name("other").write_bytes(line(note("a")))
    log.with_name("other").rename(log)
    batch = tail.poll()
    assert (batch.reset, batch.events) == (False, [note("a")])


def test_a_log_that_was_truncated_and_grew_past_its_old_size_is_reread(log: Path) -> None:
    head = [note(f"the same {i:04}") for i in range(100)]
    log.write_bytes(b"".join(map(line, [*head, note("old " * 200)])))
    tail = LogTail(log)
    tail.poll()
    kept = sum(len(line(event)) for event in head)
    os.truncate(log, kept)
    with open(log, "ab") as file:
        file.write(line(note("new " * 200)) + line(Paused()))
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [*head, note("new " * 200), Paused()]


def test_a_replaced_file_that_differs_only_in_its_middle_is_reread(log: Path) -> None:
    ends = [note("the same " * 100)]
    log.write_bytes(b"".join(map(line, [*ends, note("old"), *ends])))
    tail = LogTail(log)
    tail.poll()
    log.with_name("other").write_bytes(b"".join(map(line, [*ends, note("new"), *ends])))
    log.with_name("other").rename(log)
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [*ends, note("new"), *ends]


def test_a_truncated_log_is_reread_and_counts_restart(log: Path) -> None:
    log.write_bytes(b"garbage\n" + b'{"type":"novel"}\n' + line(note("a")) * 3)
    tail = LogTail(log)
    batch = tail.poll()
    assert (batch.corrupt, batch.unknown) == (1, {"novel": 1})
    log.write_bytes(line(note("a")))
    batch = tail.poll()
    assert batch.reset
    assert batch.events == [note("a")]
    assert (batch.corrupt, batch.unknown) == (0, {})


def test_a_torn_line_cut_off_by_the_next_writer_resets_nothing(log: Path) -> None:
    log.write_bytes(line(note("a")) + b'{"type":"paus')
    tail = LogTail(log)
    tail.poll()
    os.truncate(log, len(line(note("a"))))
    assert not tail.poll().reset
    with open(log, "ab") as file:
        file.write(line(Paused()))
    batch = tail.poll()
    assert (batch.reset, batch.corrupt, batch.events) == (False, 0, [Paused()])


def test_garbage_without_end_is_not_held(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE", 10_000)
    with open(log, "wb") as file:
        file.write(line(note("a")) + b"\x00" * 100_000)
    tail = LogTail(log)
    batch = tail.poll()
    assert (batch.events, batch.corrupt) == ([note("a")], 1)
    with open(log, "ab") as file:
        file.write(b"\x00" * 100_000)
    assert tail.poll().corrupt == 0
    reads: list[int] = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, n, at: reads.append(at) or pread(fd, n, at))
    with open(log, "ab") as file:
        file.write(b"\n" + line(Paused()))
    batch = tail.poll()
    assert (batch.events, batch.corrupt) == ([Paused()], 0)
    assert min(at for at in reads if at) > 190_000  # what was skipped is not read again


def test_a_limit_keeps_a_poll_short_but_passes_a_long_line(log: Path) -> None:
    long = Steps(trial=0, step=list(range(9000)), lr=[0.1] * 9000, loss=[0.1] * 9000)
    events = [note("x" * 3000) for _ in range(10)] + [long, Paused()]
    log.write_bytes(b"".join(map(line, events)))
    tail = LogTail(log)
    polls = [tail.poll(limit=4096)]
    assert len(polls[0].events) in (1, 2)
    while polls[-1].more:
        polls.append(tail.poll(limit=4096))
    assert [event for batch in polls for event in batch.events] == events
    assert len(polls) > 5


def test_a_newer_schema_goes_on(log: Path) -> None:
    newer = b'{"type":"run-started","run":"r","kind":"compare","schema":%d,"pid":"a1","seq":0}\n'
    changed = b'{"type":"paused","seq":"now a text"}\n'
    log.write_bytes(newer % (SCHEMA + 1) + changed + b"garbage\n" + line(note("a")))
    batch = read_events(log)
    assert batch.newer_schema == SCHEMA + 1
    assert batch.events == [note("a")]
    assert batch.unknown == {"run-started": 1, "paused": 1}
    assert batch.corrupt == 1


def test_a_newer_schema_that_fits_is_told_too(log: Path) -> None:
    started = RunStarted(run="r", kind="train", schema=SCHEMA + 3)
    log.write_bytes(line(started))
    tail = LogTail(log)
    batch = tail.poll()
    assert batch.events == [started]
    assert batch.newer_schema == tail.newer_schema == SCHEMA + 3
    assert tail.poll().newer_schema is None
    assert tail.newer_schema == SCHEMA + 3


def test_fields_not_known_here_are_passed_over(log: Path) -> None:
    log.write_bytes(b'{"type":"paused","seq":4,"time":2.5,"why":{"a":[1]}}\n')
    assert read_events(log).events == [Paused(seq=4, time=2.5)]


def test_windows_line_ends_are_read(log: Path) -> None:
    log.write_bytes(line(note("a")).replace(b"\n", b"\r\n") + b"\r\n" + line(Paused()))
    batch = read_events(log)
    assert (batch.events, batch.corrupt) == ([note("a"), Paused()], 0)


def test_a_folder_or_a_pipe_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UserError, match="not a file"):
            LogTail(path).poll()


def test_an_unreadable_log_is_a_sentence(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log.touch()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UserError, match=r"cannot read '.*events.jsonl': Permission denied"):
        LogTail(log).poll()


def test_a_log_of_many_steps_is_whole(log: Path) -> None:
    chunks = [
        Steps(trial=0, step=list(range(i, i + 500)), lr=[1e-3] * 500, loss=[float(i)] * 500)
        for i in range(0, 50_000, 500)
    ]
    log.write_bytes(b"".join(map(line, [*chunks, RunFinished(outcome="done")])))
    assert read_events(log).events == [*chunks, RunFinished(outcome="done")]


def test_each_poll_says_how_much_has_been_read(tmp_path):
    path = tmp_path / "events.jsonl"
    assert LogTail(path).poll().portion == 1  # there is nothing to wait for
    line = msgspec.json.encode(Note(level="info", text="x" * 8000)) + b"\n"
    path.write_bytes(100 * line)
    tail = LogTail(path)
    told = []
    while (batch := tail.poll(100_000)).more:
        told.append(batch.portion)
    assert len(told) >= 3
    assert told == sorted(told)
    assert 0 < told[0] < 0.5
    assert batch.portion == 1
