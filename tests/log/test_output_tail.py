"""The end of a worker's output, read while it grows."""

from __future__ import annotations

import os

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.output_tail import OutputTail


@pytest.fixture
def path(tmp_path):
    return tmp_path / "worker.log"


def append(path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def test_each_piece_is_read_once_and_before_its_line_ends(path) -> None:
    tail = OutputTail(path)
    append(path, b"loading\n  3%")
    first = tail.poll()
    assert (first.text, first.reset, first.cut) == ("loading\n  3%", True, False)
    append(path, b"\r  4%")
    second = tail.poll()
    assert (second.text, second.reset) == ("\r  4%", False)
    assert tail.poll().text == ""


def test_of_a_long_file_only_the_end_is_read_from_a_whole_line_on(path) -> None:
    append(path, b"".join(b"line %d\n" % i for i in range(100)))
    output = OutputTail(path, window=30).poll()
    assert output.cut
    assert output.text == "line 97\nline 98\nline 99\n"


def test_what_comes_faster_than_it_is_read_is_skipped(path) -> None:
    tail = OutputTail(path, window=30)
    append(path, b"old\n")
    tail.poll()
    append(path, b"".join(b"line %d\n" % i for i in range(100)))
    output = tail.poll()
    assert output.reset
    assert output.cut
    assert output.text == "line 97\nline 98\nline 99\n"


def test_a_character_cut_in_two_by_a_poll_is_read_whole(path) -> None:
    tail = OutputTail(path)
    bar = "█".encode()
    append(path, b"a" + bar[:2])
    assert tail.poll().text == "a"
    append(path, bar[2:] + b"\xff")
    assert tail.poll().text == "█�"


@pytest.mark.parametrize("how", ["truncated", "replaced"])
def test_another_file_is_read_from_its_start(path, how) -> None:
    tail = OutputTail(path)
    append(path, b"a long first line\n")
    tail.poll()
    other = path.with_name("other")
    other.write_bytes(b"new\n" if how == "truncated" else b"another line, longer than before\n")
    if how == "replaced":
        os.replace(other, path)
    else:
        path.write_bytes(other.read_bytes())
    output = tail.poll()
    assert output.reset
    assert output.text in ("new\n", "another line, longer than before\n")


def test_a_missing_file_is_said_and_read_once_it_is_there(path) -> None:
    tail = OutputTail(path)
    assert tail.poll().missing
    append(path, b"here\n")
    assert tail.poll().text == "here\n"
    path.unlink()
    gone = tail.poll()
    assert gone.missing
    assert gone.reset


def test_what_is_no_file_is_an_error_and_never_waits(path) -> None:
    os.mkfifo(path)
    with pytest.raises(UserError, match="pipe"):
        OutputTail(path).poll()
