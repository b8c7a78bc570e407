"""Logs of lines while they are written, by one or several, with or without accidents."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import Follower, follow_one

from clr_tui.engine.analysis.foreign import csv_parser, json_lines
from clr_tui.engine.analysis.foreign.csv_log import open_csv_log
from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, ForeignLog, Mapping
from clr_tui.engine.analysis.foreign.json_lines import open_json_lines
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.log import events as ev
from clr_tui.engine.log import line_tail

Opener = Callable[[Path, Mapping], list[ForeignLog]]


def append(path: Path, text: str | bytes) -> None:
    with open(path, "ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n1,0.5\n")
    return path


def test_new_lines_come_with_the_next_poll(log: Path) -> None:
    follower = follow_one(log)
    follower.read()
    append(log, "2,0.25\n3,0.1\n")
    assert follower.read() == {"loss": [(1, 0.5), (2, 0.25), (3, 0.1)]}
    assert follower.resets == 0


def test_half_a_line_waits(log: Path) -> None:
    follower = follow_one(log)
    append(log, "2,0.2")
    assert follower.read() == {"loss": [(1, 0.5)]}
    append(log, "5\n")
    assert follower.read() == {"loss": [(1, 0.5), (2, 0.25)]}


def test_a_file_that_is_not_there_yet_or_empty(log: Path) -> None:
    log.write_text("")
    follower = follow_one(log)
    assert follower.read() == {}
    log.unlink()
    assert follower.read() == {}
    log.write_text("step,loss\n7,1\n")
    assert follower.read() == {"loss": [(7, 1.0)]}


def test_a_header_that_is_half_written_waits(log: Path) -> None:
    log.write_text("step,lo")
    follower = follow_one(log)
    assert follower.read() == {}
    append(log, "ss\n7,1\n")
    assert follower.read() == {"loss": [(7, 1.0)]}


def test_a_new_key_of_lightning_rewrites_the_file(log: Path) -> None:
    follower = follow_one(log)
    follower.read()
    inode = log.stat().st_ino
    log.write_text("loss,step,val\n0.5,1,\n,1,0.75\n")
    assert log.stat().st_ino == inode
    assert follower.read() == {"loss": [(1, 0.5)], "val": [(1, 0.75)]}
    assert follower.resets == 1


def test_a_run_that_starts_again_in_the_same_folder(log: Path) -> None:
    """Lightning deletes the file then."""
    follower = follow_one(log)
    follower.read()
    log.unlink()
    assert follower.read() == {"loss": [(1, 0.5)]}
    log.write_text("step,loss\n1,9\n")
    assert follower.read() == {"loss": [(1, 9.0)]}


def test_a_truncated_file(log: Path) -> None:
    append(log, "2,0.25\n3,0.1\n")
    follower = follow_one(log)
    follower.read()
    os.truncate(log, len("step,loss\n1,0.5\n"))
    assert follower.read() == {"loss": [(1, 0.5)]}


def test_two_writers_in_one_file(log: Path) -> None:
    append(log, "2,0.4\nstep,loss\n1,7\n3,0.3\n2,6\n4,0.2\n")
    follower = follow_one(log)
    found = follower.read()
    assert [step for step, _ in found["loss"]] == sorted({step for step, _ in found["loss"]})
    assert len(follower.warnings) == 1


def test_steps_that_do_not_count_are_found_out_while_it_grows(log: Path) -> None:
    follower = follow_one(log)
    follower.read()
    append(log, "1.5,0.25\n")
    assert follower.read()["loss"] == [(0, 0.5), (1, 0.25)]
    assert follower.resets == 1


numbers = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers(0, 30).map(str),
    st.sampled_from(["", "nan", "-inf", "NA", "None", "text", "1:30", '"3"', '"4', " 5 ", "1e999"]),
)
rows = st.one_of(
    st.tuples(st.integers(0, 9).map(str), numbers, numbers).map(",".join),
    st.tuples(st.integers(0, 9).map(str), numbers, numbers).map(",".join),
    st.tuples(numbers, numbers, numbers).map(",".join),
    st.lists(numbers, max_size=5).map(",".join),
    st.sampled_from(["step,loss,epoch", "step,acc,loss", "# remark", "", "\r", "\x00,1,2", "é"]),
)
headers = st.sampled_from(
    ["step,loss,epoch", "epoch,acc,loss", "# step,loss,epoch", "phase,step,loss", "a,b,c"]
)
csv_texts = st.tuples(headers, st.lists(rows, max_size=12)).map(lambda t: "\n".join([t[0], *t[1]]))

values = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(0, 30).map(str),
    st.sampled_from(["NaN", "-Infinity", "null", '"NaN"', '"adam"', "true", "[1, 2]", '{"a": 1}']),
)
keys = st.sampled_from(["step", "epoch", "loss", "acc", "phase", "iter", "nan"])
objects = st.dictionaries(keys, values, max_size=4).map(
    lambda d: "{" + ", ".join(f'"{key}": {value}' for key, value in d.items()) + "}"
)
json_texts = st.lists(
    st.one_of(objects, objects, objects, st.sampled_from(["", "{", "7", "nonsense", '{"a": 1},'])),
    max_size=12,
).map(lambda lines: "\n".join(['{"step": 0, "loss": 1}', *lines]))


def follow_as(path: Path, open_log: Opener) -> Follower:
    (log,) = open_log(path, NO_MAPPING)
    return Follower(log)


def check_polls(text: bytes, cuts: list[int], limit: int | None, open_log: Opener) -> None:
    """Holds a log that grows by pieces against one that is read at once."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_tail, "BLOCK", 16)
        patch.setattr(csv_parser, "_PIECE", 24)
        patch.setattr(csv_parser, "_FEW", 1)
        patch.setattr(json_lines, "_PIECE", 24)
        path = Path(folder, "whole")
        path.write_bytes(text)
        at_once = follow_as(path, open_log)
        expected = at_once.read()
        grown = Path(folder, "grown")
        grown.write_bytes(b"")
        follower = follow_as(grown, open_log)
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            append(grown, text[start:end])
            follower.read(limit)
        assert_same(follower, at_once)
        assert follower.points == expected


def assert_same(one: Follower, other: Follower) -> None:
    assert one.points == other.points
    for name in one.points:
        assert one.history.logged.column(name).x == other.history.logged.column(name).x
    assert one.history.corrupt == other.history.corrupt
    assert set(one.warnings) == set(other.warnings)
    assert set(one.remarks) == set(other.remarks)


@settings(max_examples=150)
@given(csv_texts, st.data(), st.sampled_from([None, 1, 30]))
def test_polls_of_a_growing_csv_return_the_same_as_one(
    text: str, data: st.DataObject, limit: int | None
) -> None:
    whole = text.encode() + b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    check_polls(whole, cuts, limit, open_csv_log)


@settings(max_examples=150)
@given(json_texts, st.data(), st.sampled_from([None, 1, 30]))
def test_polls_of_growing_json_lines_return_the_same_as_one(
    text: str, data: st.DataObject, limit: int | None
) -> None:
    whole = text.encode() + b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    check_polls(whole, cuts, limit, open_json_lines)


def test_a_last_line_without_a_newline_counts_once_the_file_was_left_alone(log: Path) -> None:
    append(log, "2,0.25")
    follower = follow_one(log)
    assert follower.read() == {"loss": [(1, 0.5)]}
    os.utime(log, (1, 1))
    assert follower.read() == {"loss": [(1, 0.5), (2, 0.25)]}
    append(log, "75\n3,0.1\n")
    assert follower.read() == {"loss": [(1, 0.5), (2, 0.2575), (3, 0.1)]}
    assert follower.resets == 1


@pytest.mark.parametrize(
    ("name", "begin", "half", "rest"),
    [
        ("a.csv", "step,loss\n1,0.5\n", "2", ",0.25"),
        ("a.jsonl", '{"step": 1, "loss": 0.5}\n', '{"step": 2, "loss"', ": 0.25}"),
    ],
)
def test_half_a_line_waits_however_long(
    tmp_path: Path, name: str, begin: str, half: str, rest: str
) -> None:
    path = tmp_path / name
    path.write_text(begin + half)
    os.utime(path, (1, 1))
    follower = follow_one(path)
    assert follower.read() == {"loss": [(1, 0.5)]}
    assert follower.history.corrupt == 0
    append(path, rest)
    os.utime(path, (1, 1))
    assert follower.read() == {"loss": [(1, 0.5), (2, 0.25)]}


def test_a_replay_takes_a_last_line_without_a_newline_at_once(log: Path) -> None:
    append(log, "2,0.25")
    recording = open_recording(log)
    steps = [e.step for e in recording.events if isinstance(e, ev.Logged)]
    assert max(step for chunk in steps for step in list(chunk)) == 2


def test_what_counts_is_found_anew_in_a_file_that_was_replaced(log: Path) -> None:
    append(log, "1.5,0.25\n")
    follower = follow_one(log)
    assert follower.read()["loss"] == [(0, 0.5), (1, 0.25)]
    log.unlink()
    log.write_text("step,loss\n7,3\n9,2\n")
    assert follower.read() == {"loss": [(7, 3.0), (9, 2.0)]}


@settings(max_examples=200)
@given(csv_texts)
def test_lines_parsed_together_say_the_same_as_one_by_one(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "log")
        path.write_bytes(text.encode() + b"\n")
        together = follow_as(path, open_csv_log)
        together.read()
        patch.setattr(csv_parser, "numbers_in", lambda *_: None)
        patch.setattr(csv_parser, "take_out", lambda *_: None)
        one_by_one = follow_as(path, open_csv_log)
        one_by_one.read()
        assert_same(together, one_by_one)
