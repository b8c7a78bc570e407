"""A log whose disk is full or fails, and whose file or folder others change: nothing is lost."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from clr_tui.engine.log import lasting_log, writer
from clr_tui.engine.log.events import Event, Logged, Note, Paused, RunFinished, RunStarted
from clr_tui.engine.log.lasting_log import LastingLog
from clr_tui.engine.log.tail import read_events


def row(step: int) -> Logged:
    return Logged(step=[step], values={"loss": [float(step)]}, at=[0.0])


class Disk:
    """Takes `room` more bytes of a log, and refuses the rest; None: takes all."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.room: int | None = None
        self.error = errno.ENOSPC
        self.truncates = True
        self._write, self._truncate = os.write, os.ftruncate
        monkeypatch.setattr(writer.os, "write", self.write)
        monkeypatch.setattr(writer.os, "ftruncate", self.truncate)

    def write(self, fd: int, data: bytes) -> int:
        if self.room is None or not self._is_log(fd):
            return self._write(fd, data)
        taken = bytes(data)[: self.room]
        if not taken:
            raise OSError(self.error, os.strerror(self.error))
        self.room -= len(taken)
        return self._write(fd, taken)

    def truncate(self, fd: int, size: int) -> None:
        if not self.truncates and self._is_log(fd):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._truncate(fd, size)

    def _is_log(self, fd: int) -> bool:
        return os.path.samestat(os.fstat(fd), os.stat(self.path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "events.jsonl"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def log(path: Path, warnings: list[str]) -> LastingLog:
    path.parent.mkdir()
    path.with_name("run.json").write_text("{}")
    return LastingLog(path, warnings.append, patience=0)


@pytest.fixture
def disk(log: LastingLog, path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(path, monkeypatch)


def events_in(path: Path) -> list[Event]:
    batch = read_events(path)
    assert batch.corrupt == 0
    assert [event.seq for event in batch.events] == list(range(len(batch.events)))
    return list(batch.events)


def steps_in(path: Path) -> list[int]:
    return [step for event in events_in(path) if isinstance(event, Logged) for step in event.step]


def notes_in(path: Path) -> list[str]:
    return [event.text for event in events_in(path) if isinstance(event, Note)]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_what_a_disk_refuses_is_written_when_there_is_room(
    log: LastingLog, path: Path, warnings: list[str], disk: Disk, error: int
) -> None:
    log.write(row(0))
    disk.room, disk.error = 30, error
    log.write(row(1))
    log.write(row(2), Paused())
    assert log.behind
    assert steps_in(path) == [0]
    assert len(warnings) == 1
    assert "events.jsonl" in warnings[0]
    assert warnings[0].endswith("the training goes on, and what it logs is written later")
    disk.room = None
    log.write(row(3))
    assert steps_in(path) == [0, 1, 2, 3]
    (note,) = notes_in(path)
    assert note.startswith("the log could not be written for ")
    assert os.strerror(error) in note
    assert note.endswith("what happened was written afterwards")
    assert not log.behind
    disk.room = 0
    log.write(row(4))
    assert len(warnings) == 2  # it was well in between


def test_events_keep_the_time_at_which_they_happened(
    log: LastingLog, path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([10.0, 20.0, 30.0, 30.0])
    monkeypatch.setattr(lasting_log.time, "time", lambda: next(times))
    disk.room = 0
    log.write(row(0))
    log.write(row(1))
    disk.room = None
    log.write()
    assert [event.time for event in events_in(path)] == [10.0, 20.0, 30.0]


@pytest.mark.parametrize("seed", range(12))
def test_whichever_write_fails_the_log_is_whole(
    log: LastingLog, path: Path, disk: Disk, seed: int
) -> None:
    """At seeded writes the disk takes a part of a line, or none, and cannot even cut it off."""
    chance = random.Random(seed)
    for step in range(150):
        disk.room = chance.choice([None, None, 0, chance.randrange(300)])
        disk.truncates = chance.random() < 0.7
        log.write(row(step))
        if disk.truncates and step % 10 == 0:
            events_in(path)
    disk.room, disk.truncates = None, True
    log.write()
    assert steps_in(path) == list(range(150))
    assert path.read_bytes().endswith(b"\n")


def test_what_does_not_fit_in_memory_is_dropped_and_counted_in_the_log(
    log: LastingLog, path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting_log, "MAX_WAITING", 19)  # a step of one name is three values
    disk.room = 0
    log.write(Paused())
    for step in range(10):
        log.write(row(step))
    disk.room = None
    log.write()
    assert [type(event) for event in events_in(path)] == [Paused, Logged, Logged, Logged, Note]
    assert steps_in(path) == [7, 8, 9]
    (note,) = notes_in(path)
    assert note.endswith("7 steps that were logged are missing")


def test_a_log_that_must_not_drop_says_when_it_is_full(
    log: LastingLog, path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting_log, "MAX_WAITING", 19)
    keeping = LastingLog(path, lambda _: None, drops=False)
    disk.room = 0
    for step in range(7):
        assert not keeping.is_full
        keeping.write(row(step))
    assert keeping.is_full
    disk.room = None
    keeping.write()
    assert not keeping.is_full
    assert steps_in(path) == list(range(7))


def test_the_end_takes_the_place_of_what_waits(log: LastingLog, path: Path, disk: Disk) -> None:
    log.write(row(0))
    disk.room = 200
    log.write(Logged(step=list(range(100)), values={"loss": [0.5] * 100}), row(1))
    disk.room = 250
    assert log.write_end(RunFinished(outcome="done", message="good"))
    (end,) = [event for event in events_in(path) if isinstance(event, RunFinished)]
    assert end.outcome == "done"
    assert end.message == ("good; its log lacks the last 2 events, for which there was no room")


def test_a_value_that_readers_cannot_read_does_not_hold_up_the_rest(
    log: LastingLog, path: Path
) -> None:
    bad = Logged(step=[0], values={"loss": [0.5]}, at=[float("nan")])
    with pytest.raises(msgspec.ValidationError):
        log.write(bad)
    log.write(row(1))
    assert steps_in(path) == [1]


FIRST = RunStarted(run="a-1", kind="logged", host="h", pid=4)


def replace_by(path: Path, content: bytes) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(content)
    os.replace(copy, path)  # as an editor does


def missing_line(content: bytes) -> bytes:
    return content.rpartition(b'{"type":"logged"')[0]


def edited(content: bytes) -> bytes:
    return content.replace(b'"host":"h"', b'"host": "h"').replace(b"7.0", b"7.5")


@pytest.mark.parametrize(
    "change", [bytes, missing_line, lambda c: c[:-9], lambda c: c[:20], lambda c: b"", edited]
)
def test_a_log_that_was_replaced_goes_on_in_the_new_file(
    log: LastingLog, path: Path, warnings: list[str], change: Callable[[bytes], bytes]
) -> None:
    log.write(FIRST, row(0), row(7))
    replace_by(path, change(path.read_bytes()))
    log.write(row(8))
    assert steps_in(path) == [0, 7, 8]
    assert notes_in(path) == ["the log was replaced by another file: what that lacked was added"]
    assert (b"7.5" in path.read_bytes()) == (change is edited)
    assert warnings == []
    assert sorted(os.listdir(path.parent)) == ["events.jsonl", "run.json"]


def test_anything_else_in_place_of_the_log_is_set_aside(log: LastingLog, path: Path) -> None:
    log.write(FIRST, row(0))
    replace_by(path, b'{"type":"run-started","run":"b-9"}\n')
    log.write(row(1))
    path.unlink()
    path.mkdir()
    log.write(row(2))
    path.rename(path.with_name("mine"))
    os.mkfifo(path)
    log.write(row(3))
    assert steps_in(path) == [0, 1, 2, 3]
    others = [f"events.jsonl.other-{n}" for n in (1, 2, 3)]
    assert sorted(os.listdir(path.parent)) == ["events.jsonl", *others, "mine", "run.json"]
    assert [other in note for other, note in zip(others, notes_in(path), strict=True)] == [True] * 3


def test_a_log_that_was_deleted_alone_is_written_anew(path: Path, warnings: list[str]) -> None:
    path.parent.mkdir()
    path.with_name("run.json").write_text("{}")
    now = 0.0
    log = LastingLog(path, warnings.append, patience=2.0, clock=lambda: now)
    log.write(FIRST, row(0))
    path.unlink()
    log.write(row(1))
    assert not path.exists()  # whoever deletes a folder begins with some file
    now = 1.9
    log.write(row(2))
    assert not path.exists()
    now = 2.0
    log.write()
    assert steps_in(path) == [0, 1, 2]
    assert notes_in(path) == ["the log was deleted: it was written anew, as it was"]
    assert warnings == []


def test_a_log_that_cannot_be_written_anew_waits(
    log: LastingLog, path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(FIRST, row(0))
    path.unlink()

    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr("clr_tui.engine.atomic.os.fsync", refuse)
        log.write(row(1))
    assert log.behind
    assert len(warnings) == 1
    assert "Read-only file system" in warnings[0]
    assert os.listdir(path.parent) == ["run.json"]
    log.write(row(2))
    assert steps_in(path) == [0, 1, 2]


def test_a_folder_that_was_moved_is_written_to_where_it_is(
    log: LastingLog, path: Path, warnings: list[str]
) -> None:
    log.write(row(0))
    there = path.parent.rename(path.parent.with_name("there"))
    log.write(row(1))
    assert steps_in(there / path.name) == [0, 1]
    assert log.moved
    assert not log.removed
    assert warnings == []
    there.rename(path.parent)
    log.write(row(2))
    assert not log.moved


def test_a_folder_that_was_removed_is_a_warning_once(
    log: LastingLog, path: Path, warnings: list[str]
) -> None:
    log.write(row(0))
    shutil.rmtree(path.parent)
    for step in range(1, 5):
        log.write(row(step))
    assert log.removed
    assert len(warnings) == 1
    assert "was removed" in warnings[0]
    assert not path.parent.exists()


@pytest.mark.parametrize("left", [0, 40])
def test_a_log_that_was_cut_short_goes_on_and_says_so(
    log: LastingLog, path: Path, left: int
) -> None:
    log.write(row(0), row(1))
    os.truncate(path, left)
    log.write(row(2))
    batch = read_events(path)
    assert batch.corrupt == (left > 0)
    assert [type(event) for event in batch.events] == [Logged, Note]
    assert [event.seq for event in batch.events] == [2, 3]
    assert "cut short" in batch.events[1].text


def test_a_line_of_others_without_an_end_tears_none_of_ours(log: LastingLog, path: Path) -> None:
    log.write(row(0))
    with open(path, "ab") as file:
        file.write(b"a note of mine")
    log.write(row(1))
    batch = read_events(path)
    assert batch.corrupt == 1
    assert [event.seq for event in batch.events] == [0, 1]
