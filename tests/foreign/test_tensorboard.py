"""TensorBoard's event files, whole, growing and damaged."""

from __future__ import annotations

import math
import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from event_files import (
    START,
    event,
    event_file,
    masked,
    message,
    record,
    scalar,
    simple,
    tensor,
)
from mlflow_files import mlflow_run
from reading import Follower, Points, follow, follow_one
from trackio_files import Project
from wandb_files import rows, wandb_file

from clr_tui.engine.analysis.foreign import tensorboard_alike, tensorboard_file
from clr_tui.engine.analysis.foreign.foreign_log import Mapping
from clr_tui.engine.analysis.foreign.opening import open_logs
from clr_tui.engine.errors import UserError


def float32(value: float) -> float | None:
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return rounded if math.isfinite(rounded) else None


def loop(names: list[str], steps: range) -> tuple[list[bytes], Points]:
    """The payloads that a loop with these names makes, and what is to be shown of them."""
    payloads, points = [], Points({name: [] for name in names})
    for step in steps:
        for index, name in enumerate(names):
            value = (index + 1) / (step + 1) if step % 97 else math.nan
            payloads.append(scalar(1.7e9 + step, step, name, value))
            points[name].append((step, float32(value)))
    return payloads, points


NAMES = ["train/loss", "lr", "a", "val/a-much-longer-name-than-sixteen-bytes", "train/accu", ""]


def test_every_scalar_is_read_as_it_was_logged(tmp_path: Path) -> None:
    payloads, points = loop(NAMES, range(40_000, 40_300))
    early, early_points = loop(["train/loss", "val/loss"], range(300))
    event_file(tmp_path, *early, *payloads)
    expected = {**early_points, **points}
    expected["train/loss"] = early_points["train/loss"] + points["train/loss"]
    follower = follow_one(tmp_path)
    assert follower.read() == expected
    assert list(follower.points) == ["train/loss", "val/loss", *NAMES[1:]]
    assert not follower.history.notes


def test_times_are_those_of_the_log(tmp_path: Path) -> None:
    event_file(tmp_path, *(scalar(1.7e9 + 0.25 * i, i, "loss", 1.0) for i in range(20)))
    follower = follow_one(tmp_path)
    follower.read()
    assert follower.history.logged.column("loss").at.tolist() == [
        1.7e9 + 0.25 * i for i in range(20)
    ]
    assert follower.history.last_time == 1.7e9 + 0.25 * 19


@pytest.mark.parametrize("block", [1 << 12, 1 << 16])
@pytest.mark.parametrize("limit", [None, 1, 5000])
def test_it_does_not_matter_how_much_is_read_at_a_time(
    block: int, limit: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard_file, "BLOCK", block)
    payloads, points = loop(["train/loss", "lr"], range(16_000, 17_000))
    event_file(tmp_path, *payloads)
    assert follow_one(tmp_path).read(limit) == points


def test_names_whose_bytes_mix_to_the_same_number_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard_alike, "_ODD", np.uint64(0))
    payloads, points = loop(["first___same", "second__same", "third___same"], range(100))
    event_file(tmp_path, *payloads)
    assert follow_one(tmp_path).read() == points


@pytest.mark.parametrize("kind", ["tensorboard", "wandb", "trackio", "mlflow"])
def test_only_the_values_asked_for_are_shown(kind: str, tmp_path: Path) -> None:
    if kind == "tensorboard":
        event_file(tmp_path, *loop(["loss", "lr"], range(3))[0])
    elif kind == "wandb":
        wandb_file(tmp_path, *rows([{"loss": i, "lr": 1} for i in range(3)]))
    elif kind == "trackio":
        Project(tmp_path / "p.db").log("a", 0, {"loss": 1, "lr": 2})
    else:
        run = mlflow_run(tmp_path / "a")
        for name in ("loss", "lr"):
            (run / "metrics" / name).write_text("1 1 1\n")
    (log,) = open_logs([tmp_path], Mapping(y=("loss",)))
    assert Follower(log).read().keys() == {"loss"}


def test_a_name_logged_now_and_then_interrupts_no_other(tmp_path: Path) -> None:
    payloads, points = loop(["train/loss", "lr"], range(2000))
    points["val/loss"] = []
    for step in range(0, 2000, 77):
        payloads.insert(2 * step + len(points["val/loss"]), scalar(1.7e9, step, "val/loss", 0.5))
        points["val/loss"].append((step, 0.5))
    event_file(tmp_path, *payloads)
    assert follow_one(tmp_path).read() == points


def test_a_file_that_grows_byte_by_byte_is_followed(tmp_path: Path) -> None:
    payloads, points = loop(["loss", "lr"], range(5))
    whole = START + b"".join(map(record, payloads))
    path = event_file(tmp_path)
    follower = follow_one(tmp_path)
    seen = []
    for end in range(1, len(whole) + 1):
        path.write_bytes(b"") if end == 1 else None
        with path.open("ab") as file:
            file.write(whole[end - 1 : end])
        seen.append(sum(map(len, follower.read().values())))
    assert follower.points == points
    assert seen == sorted(seen)
    assert seen[-1] == 10
    assert not follower.warnings


def test_nothing_is_read_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    payloads, points = loop(["loss"], range(4000))
    path = event_file(tmp_path, *payloads[:3000])
    follower = follow_one(tmp_path)
    follower.read()
    before = path.stat().st_size
    with path.open("ab") as file:
        file.write(b"".join(map(record, payloads[3000:])))
    offsets = []
    pread = os.pread

    def watched(fd: int, size: int, offset: int) -> bytes:
        data = pread(fd, size, offset)
        offsets.append((offset, len(data)))
        return data

    monkeypatch.setattr(os, "pread", watched)
    assert follower.read() == points
    # But for what shows that it is still the same file.
    assert all(offset >= before or size <= 512 for offset, size in offsets)
    offsets.clear()
    assert follower.read() == points
    assert not offsets  # a file that did not change is not even opened


def test_tensors_and_several_values_in_one_event_are_scalars_too(tmp_path: Path) -> None:
    events = []
    for step in range(1, 30):
        events.append(event(1.7e9, step, tensor("whole", step)))
        events.append(event(1.7e9, step, tensor("packed", step / 2, packed=True)))
        events.append(event(1.7e9, step, tensor("bare", step / 4, plugin="")))
        events.append(event(1.7e9, step, simple("a", step), simple("b", 2 * step)))
    event_file(tmp_path, *events)
    steps = range(1, 30)
    assert follow_one(tmp_path).read() == {
        "whole": [(i, i) for i in steps],
        "packed": [(i, i / 2) for i in steps],
        "bare": [(i, i / 4) for i in steps],
        "a": [(i, i) for i in steps],
        "b": [(i, 2 * i) for i in steps],
    }


def test_what_is_no_scalar_is_named_once(tmp_path: Path) -> None:
    histogram = message(1, b"weights") + message(5, bytes(300))
    text = message(1, b"note") + message(8, b"\x08\x07\x12\x00" + message(8, b"hello"))
    text += message(9, message(1, message(1, b"text")))
    events = [event(1.7e9, i, v) for i in range(20) for v in (histogram, text, simple("loss", i))]
    follower = follow_one(event_file(tmp_path, *events).parent)
    assert follower.read() == {"loss": [(i, i) for i in range(20)]}
    assert follower.remarks == [
        f"only numbers are shown: histograms and text in '{tmp_path}' are left out"
    ]


def test_large_values_are_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = event_file(tmp_path, scalar(1.7e9, 0, "loss", 1.0))
    length = struct.pack("<Q", 1 << 30)
    with path.open("ab") as file:  # a gigabyte that takes no room on the disk
        file.write(length + masked(length))
        file.truncate(file.tell() + (1 << 30) + 4)
        file.seek(0, 2)
        file.write(record(scalar(1.7e9, 1, "loss", 2.0)))
    read = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda *a: (read.append(a[1]), pread(*a))[1])
    follower = follow_one(tmp_path)
    assert follower.read() == {"loss": [(0, 1.0), (1, 2.0)]}
    assert sum(read) < 10 * tensorboard_file.BLOCK
    assert "records of more than 65 KB" in follower.remarks[0]


# Damage


def test_a_record_with_a_wrong_checksum_is_left_out(tmp_path: Path) -> None:
    payloads, points = loop(["loss", "lr"], range(1, 50))
    path = event_file(tmp_path, *payloads)
    data = bytearray(path.read_bytes())
    at = data.index(payloads[40]) + len(payloads[40]) - 2
    data[at] ^= 0x10
    path.write_bytes(data)
    del points["loss"][20]
    follower = follow_one(tmp_path)
    assert follower.read() == points
    assert follower.warnings == [
        f"'{path}' is damaged: left out 1 record with a wrong checksum",
    ]


@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 12, b"garbage" * 50, bytes(5000), random.Random(1).randbytes(3000)],
    ids=["ones", "text", "zeros", "noise"],
)
def test_records_behind_garbage_are_read(garbage: bytes, tmp_path: Path) -> None:
    payloads, points = loop(["loss"], range(1, 60))
    path = event_file(tmp_path, *payloads[:30])
    with path.open("ab") as file:
        file.write(garbage)
        file.write(b"".join(map(record, payloads[30:])))
    follower = follow_one(tmp_path)
    assert follower.read() == points
    assert follower.warnings == [
        f"'{path}' is damaged: left out bytes that are no records of TensorBoard"
    ]


def test_a_damaged_length_loses_one_record(tmp_path: Path) -> None:
    payloads, points = loop(["loss"], range(1, 60))
    path = event_file(tmp_path, *payloads)
    data = bytearray(path.read_bytes())
    data[data.index(payloads[30]) - 12 + 3] ^= 0x80
    path.write_bytes(data)
    del points["loss"][30]
    follower = follow_one(tmp_path)
    assert follower.read() == points
    assert follower.warnings == [
        f"'{path}' is damaged: left out bytes that are no records of TensorBoard"
    ]


def test_zeros_at_the_end_may_still_be_filled(tmp_path: Path) -> None:
    payloads, points = loop(["loss"], range(1, 60))
    path = event_file(tmp_path, *payloads[:30])
    rest = b"".join(map(record, payloads[30:]))
    follower = follow_one(tmp_path)
    with path.open("r+b") as file:
        end = file.seek(0, 2)
        file.truncate(end + len(rest) + 4096)
        file.flush()
        assert len(follower.read()["loss"]) == 30
        file.seek(end)
        file.write(rest)
    assert follower.read() == points
    assert not follower.warnings


def test_a_file_that_is_no_event_file_at_all_says_so(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    path.write_text("This is no log.\n" * 1000)
    follower = follow_one(path)
    assert follower.read() == {}
    assert follower.warnings == [
        f"'{path}' is damaged: left out bytes that are no records of TensorBoard"
    ]


@pytest.mark.parametrize("how", ["truncated", "replaced", "rewritten", "removed"])
def test_a_file_that_is_not_the_same_any_more_is_read_again(how: str, tmp_path: Path) -> None:
    payloads, _ = loop(["loss"], range(50))
    others, points = loop(["other"], range(10))
    path = event_file(tmp_path, *payloads)
    follower = follow_one(tmp_path)
    follower.read()
    new = START + b"".join(map(record, others))
    if how == "replaced":
        path.with_name("new").write_bytes(new)
        path.with_name("new").rename(path)
    elif how == "removed":
        path.unlink()
        assert follower.read().keys() == {"loss"}
        event_file(tmp_path, *others, name="1700000009.host")
    elif how == "truncated":
        with path.open("r+b") as file:
            file.truncate(len(START) + 50 * 5)
        assert follower.read()["loss"] == [
            (i, float32(1 / (i + 1))) if i else (0, None)
            for i in range(len(follower.points["loss"]))
        ]
        assert follower.resets == 1
        return
    else:
        path.write_bytes(new)
    assert follower.read() == points
    assert follower.resets == 1


def test_what_is_not_a_file_is_left_out(tmp_path: Path) -> None:
    payloads, points = loop(["loss"], range(5))
    event_file(tmp_path, *payloads)
    os.mkfifo(tmp_path / "events.out.tfevents.1800000000.pipe")
    follower = follow_one(tmp_path)
    assert follower.read() == points
    follower.read()
    (warning,) = follower.warnings
    assert warning.endswith("was left out: not a file but a pipe")
    with pytest.raises(UserError, match="not a file but a pipe"):
        follow(tmp_path / "events.out.tfevents.1800000000.pipe")


# Several files


def test_the_later_file_of_a_resumed_training_wins(tmp_path: Path) -> None:
    event_file(tmp_path, *(scalar(1.7e9, i, "loss", 1.0) for i in range(100)))
    later = (scalar(1.8e9, i, "loss", 2.0) for i in range(60, 130))
    event_file(tmp_path, *later, name="1700009999.host")
    follower = follow_one(tmp_path)
    assert follower.read() == {"loss": [(i, 1.0 if i < 60 else 2.0) for i in range(130)]}
    assert follower.warnings == [
        f"'{tmp_path}' has several files with the same steps, from 60 on, as after a training that "
        "was resumed: the later file's values are shown"
    ]


def test_the_later_file_wins_while_both_are_written(tmp_path: Path) -> None:
    first = event_file(tmp_path, *(scalar(1.7e9, i, "loss", 1.0) for i in range(10)))
    event_file(tmp_path, scalar(1.8e9, 12, "loss", 2.0), name="1700009999.host")
    follower = follow_one(tmp_path)
    follower.read()
    with first.open("ab") as file:
        for step in range(10, 20):
            file.write(record(scalar(1.9e9, step, "loss", 1.0)))
    expected = {"loss": [(i, 2.0 if i == 12 else 1.0) for i in range(20)]}
    assert follower.read() == expected
    assert follow_one(tmp_path).read() == expected


def test_files_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    for stamp in ("999999999.z", "1000000000.a.10.0", "1000000000.a.9.0"):
        value = {"999999999.z": 1.0, "1000000000.a.9.0": 2.0, "1000000000.a.10.0": 3.0}[stamp]
        event_file(tmp_path, scalar(1.7e9, 0, "loss", value), name=stamp)
    assert follow_one(tmp_path).read() == {"loss": [(0, 3.0)]}


def test_a_file_found_late_that_belongs_before_others_is_read_in_its_place(tmp_path: Path) -> None:
    event_file(tmp_path, scalar(1.7e9, 0, "loss", 2.0), name="1700000002.host")
    follower = follow_one(tmp_path)
    follower.read()
    event_file(
        tmp_path,
        *(scalar(1.7e9, i, "loss", 1.0) for i in range(3)),
        name="1700000001.host",
    )
    assert follower.read() == {"loss": [(0, 2.0), (1, 1.0), (2, 1.0)]}
    assert follower.resets == 1


def test_a_folder_of_500_files(tmp_path: Path) -> None:
    for number in range(500):
        steps = range(10 * number, 10 * number + 10)
        payloads = (scalar(1.7e9, i, "loss", i) for i in steps)
        event_file(tmp_path, *payloads, name=f"{1_700_000_000 + number}.host")
    follower = follow_one(tmp_path)
    assert follower.read(20_000) == {"loss": [(i, i) for i in range(5000)]}
    assert not follower.warnings


# Runs and what belongs to them


def test_each_folder_with_event_files_is_a_run(tmp_path: Path) -> None:
    for name in ("a/version_0", "a/version_1", "b"):
        event_file(tmp_path / name, scalar(1.7e9, 0, "loss", 1.0))
    (tmp_path / "empty").mkdir()
    assert list(follow(tmp_path)) == ["a/version_0", "a/version_1", "b"]
    assert list(follow(tmp_path / "b")) == ["b"]


@pytest.mark.parametrize("folder", ["some_loss_{}", "some/loss/{}"])
def test_what_add_scalars_made_is_part_of_its_run(folder: str, tmp_path: Path) -> None:
    event_file(tmp_path / "run", scalar(1.7e9, 0, "lr", 0.5))
    for part in ("train", "val"):
        where = tmp_path / "run" / folder.format(part)
        event_file(where, *(scalar(1.7e9, i, "some/loss", len(part)) for i in range(3)))
    follower = follow_one(tmp_path)
    assert follower.read(1) == {
        "lr": [(0, 0.5)],
        "some/loss/train": [(i, 5) for i in range(3)],
        "some/loss/val": [(i, 3) for i in range(3)],
    }


def test_hyperparameters_are_the_settings(tmp_path: Path) -> None:
    def pair(key: str, value: bytes) -> bytes:
        return message(1, message(1, key.encode()) + message(2, value))

    pairs = pair("lr", b"\x11" + struct.pack("<d", 0.1))
    pairs += pair("model", message(3, b"resnet50")) + pair("amp", b"\x20\x01")
    plugin = message(1, b"hparams") + message(2, message(3, pairs))
    value = message(1, b"_hparams_/session_start_info") + message(9, message(1, plugin))
    event_file(tmp_path / "run", scalar(1.7e9, 0, "loss", 1.0))
    event_file(tmp_path / "run" / "1700000000.1234", event(1.7e9, 0, value))
    follower = follow_one(tmp_path)
    assert follower.read() == {"loss": [(0, 1.0)]}
    assert follower.log.settings == {"lr": "0.1", "model": "resnet50", "amp": "true"}
