"""A last line without a newline, as hand-made files have it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clr_tui.engine.log.line_tail import LineTail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def write(path: Path, text: bytes, age: float) -> None:
    """Writes a file that was last changed `age` seconds ago."""
    path.write_bytes(text)
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))


def test_it_waits_while_the_file_is_being_written(log: Path) -> None:
    tail = LineTail(log, settled_after=60)
    write(log, b"a\nb", age=0)
    assert tail.poll().lines == [b"a"]


def test_it_counts_once_the_file_was_left_alone(log: Path) -> None:
    tail = LineTail(log, settled_after=60)
    write(log, b"a\nb", age=100)
    assert tail.poll().lines == [b"a", b"b"]
    assert tail.poll().lines == []


def test_without_a_time_it_never_counts(log: Path) -> None:
    write(log, b"a\nb", age=1e6)
    assert LineTail(log).poll().lines == [b"a"]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_lines_after_it_are_read_without_beginning_anew(log: Path, newline: bytes) -> None:
    tail = LineTail(log, settled_after=60)
    write(log, b"a\nb", age=100)
    tail.poll()
    write(log, b"a\nb" + newline + b"c\nd\n", age=0)
    batch = tail.poll()
    assert (batch.reset, batch.lines) == (False, [b"c", b"d"])
    write(log, b"a\nb" + newline + b"c\nd\ne\n", age=0)
    batch = tail.poll()
    assert (batch.reset, batch.lines) == (False, [b"e"])


def test_a_newline_alone_changes_nothing(log: Path) -> None:
    tail = LineTail(log, settled_after=60)
    write(log, b"a\nb", age=100)
    tail.poll()
    for text in (b"a\nb\n", b"a\nb\nc\n"):
        write(log, text, age=0)
        batch = tail.poll()
        assert not batch.reset
    assert batch.lines == [b"c"]


def test_one_that_goes_on_after_all_is_read_again(log: Path) -> None:
    tail = LineTail(log, settled_after=60)
    write(log, b"a\n0.5", age=100)
    assert tail.poll().lines == [b"a", b"0.5"]
    write(log, b"a\n0.513\n", age=0)
    batch = tail.poll()
    assert (batch.reset, batch.lines) == (True, [b"a", b"0.513"])


def test_the_end_of_a_full_buffer_waits(log: Path) -> None:
    """C and Python write buffers of whole blocks, which end within a line."""
    tail = LineTail(log, settled_after=60)
    write(log, b"a\n" + b"b" * 510, age=100)
    assert tail.poll().lines == [b"a"]


def test_it_waits_while_it_does_not_look_complete(log: Path) -> None:
    tail = LineTail(log, settled_after=60, is_whole=lambda line: line.endswith(b"}"))
    write(log, b"{}\n{1", age=100)
    assert tail.poll().lines == [b"{}"]
    write(log, b"{}\n{1}", age=100)
    assert tail.poll().lines == [b"{1}"]


def test_the_end_of_a_full_buffer_waits_for_an_hour(log: Path) -> None:
    write(log, b"a\n" + b"b" * 510, age=4000)
    assert len(LineTail(log, settled_after=60).poll().lines) == 2
