"""W&B's files of offline runs, whole, growing and damaged."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from event_files import message, varint
from reading import follow, follow_one
from wandb_files import BLOCK, HEADER, Frames, history, item, rows, run, wandb_file

from clr_tui.engine.errors import UserError


def exit_record(code: int) -> bytes:
    return b"\x08\x09" + message(18, b"\x08" + varint(code) if code else b"")


def test_rows_are_read_as_they_were_logged(tmp_path: Path) -> None:
    logged = [{"loss": 1 / (i + 1), "val/acc": i / 3, "n": i} for i in range(2000)]
    wandb_file(tmp_path, run("resnet", {"lr": 0.1}), *rows(logged))
    follower = follow_one(tmp_path)
    assert follower.read() == {
        name: [(i, float(row[name])) for i, row in enumerate(logged)] for name in logged[0]
    }
    assert follower.history.logged.column("loss").at.tolist() == [
        1.7e9 + i / 4 for i in range(2000)
    ]
    assert follower.log.name == "resnet"
    assert not follower.history.notes
    assert follower.history.finished is None


def test_values_that_are_missing_or_not_finite(tmp_path: Path) -> None:
    records = [
        history(0, {"loss": b"NaN", "_step": 0}, 0),
        history(1, {"loss": b"Infinity", "acc": 1, "_step": 1}, 1),
        history(2, {"acc": True, "_step": 5}, 5),
        history(3, {"loss": b"1e-400", "big": 10**400, "_step": 6}, 6),
    ]
    wandb_file(tmp_path, *records)
    assert follow_one(tmp_path).read() == {
        "loss": [(0, None), (1, None), (6, 0.0)],
        "acc": [(1, 1.0), (5, 1.0)],
        "big": [(6, None)],
    }


def test_values_that_are_no_numbers_are_named_once(tmp_path: Path) -> None:
    image = {"_type": "image-file", "path": "a.png"}
    records = [history(i, {"loss": i, "examples": image, "text": "a"}, i) for i in range(5)]
    path = wandb_file(tmp_path, *records)
    follower = follow_one(tmp_path)
    assert follower.read(1) == {"loss": [(i, i) for i in range(5)]}
    assert follower.remarks == [f"only numbers are shown: values of examples in '{path}' are none"]


def test_keys_of_every_build_are_read(tmp_path: Path) -> None:
    body = message(1, message(2, b"a") + message(2, b"b") + message(16, b"1"))
    body += message(1, message(1, b"plain") + message(16, b"2"))
    body += message(1, message(16, b"3") + message(1, b"value first"))
    body += message(1, message(2, b"k" * 200) + message(16, b"4"))
    body += message(1, message(1, b"integer") + b"\x28\x05")
    body += item("loss", 6) + message(2, b"\x08\x07")
    wandb_file(tmp_path, b"\x08\x01" + message(2, body))
    assert follow_one(tmp_path).read() == {
        "a.b": [(7, 1)],
        "plain": [(7, 2)],
        "value first": [(7, 3)],
        "k" * 200: [(7, 4)],
        "integer": [(7, 5)],
        "loss": [(7, 6)],
    }


def test_the_config_is_the_settings(tmp_path: Path) -> None:
    config = {"lr": 0.1, "model": "r50", "opt": {"name": "sgd", "m": [1, 2]}, "_wandb": {"t": {}}}
    change = b"\x08\x02" + message(
        5,
        message(1, message(1, b"lr") + message(16, b"0.2"))
        + message(2, message(1, b"model") + message(16, b"null")),
    )
    wandb_file(tmp_path, run("a", config), change)
    follower = follow_one(tmp_path)
    follower.read()
    assert follower.log.settings == {"lr": "0.2", "opt.name": "sgd", "opt.m": "[1, 2]"}


@pytest.mark.parametrize(("code", "outcome"), [(0, "done"), (1, "failed"), (255, "failed")])
def test_the_end_of_the_run_is_known(code: int, outcome: str, tmp_path: Path) -> None:
    wandb_file(tmp_path, *rows([{"loss": 1}]), exit_record(code))
    follower = follow_one(tmp_path)
    follower.read()
    assert follower.history.finished is not None
    assert follower.history.finished.outcome == outcome


def test_a_file_that_grows_is_followed(tmp_path: Path) -> None:
    logged = [{"loss": i, "text": "x" * 3000} for i in range(60)]  # across several blocks
    path = wandb_file(tmp_path, *rows(logged))
    whole = path.read_bytes()
    path.write_bytes(b"")
    follower = follow_one(tmp_path)
    seen = []
    for end in range(0, len(whole) + 997, 997):
        with path.open("ab") as file:
            file.write(whole[end : end + 997])
        seen.append(len(follower.read().get("loss", [])))
    assert follower.points == {"loss": [(i, i) for i in range(60)]}
    assert seen == sorted(seen)
    assert len(set(seen)) > 30
    assert not follower.warnings


def test_records_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    long = history(0, {"loss": 1, "text": "x" * (5 << 20)}, 1)
    wandb_file(tmp_path, long, history(1, {"loss": 2}, 2))
    assert follow_one(tmp_path).read(1000) == {"loss": [(1, 1), (2, 2)]}


def test_damage_loses_the_rest_of_its_block(tmp_path: Path) -> None:
    path = wandb_file(tmp_path, *rows([{"loss": i} for i in range(3000)]))
    data = bytearray(path.read_bytes())
    data[5 * BLOCK + 1000] ^= 1
    path.write_bytes(data)
    follower = follow_one(tmp_path)
    points = follower.read()["loss"]
    assert all(step == value for step, value in points)
    assert 2500 < len(points) < 3000
    assert points[-1] == (2999, 2999)
    assert follower.warnings == [f"'{path}' is damaged: left out records with a wrong checksum"]


def test_zeros_at_the_end_may_still_be_filled(tmp_path: Path) -> None:
    path = wandb_file(tmp_path, *rows([{"loss": i} for i in range(1000)]))
    whole = path.read_bytes()
    path.write_bytes(whole[:40_000] + bytes(len(whole) - 40_000))
    follower = follow_one(tmp_path)
    some = len(follower.read()["loss"])
    with path.open("r+b") as file:
        file.write(whole)
    # The frame at the end was neither whole nor empty: its block is lost, and nothing else.
    assert some < len(follower.read()["loss"])


@pytest.mark.parametrize(
    ("header", "what"),
    [
        (HEADER[:-1] + b"\x07", "is of version 7 of W&B's file format"),
        (b"PK\x03\x04abc", "is no file of W&B"),
    ],
)
def test_another_version_ends_in_a_sentence(header: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "run-x.wandb"
    path.parent.mkdir()
    path.write_bytes(header + bytes(100))
    with pytest.raises(UserError, match=what):
        follow(path)
    wandb_file(tmp_path / "runs" / "b", *rows([{"loss": 1}]))  # beside it, others are shown
    followers = follow(tmp_path / "runs")
    followers["run-x"].read()
    (warning,) = followers["run-x"].warnings
    assert what in warning
    assert followers["run-abc123"].read() == {"loss": [(0, 1)]}


def test_a_run_that_is_written_again_begins_again(tmp_path: Path) -> None:
    path = wandb_file(tmp_path, *rows([{"loss": i} for i in range(100)]))
    follower = follow_one(tmp_path)
    follower.read()
    wandb_file(tmp_path, *rows([{"other": i} for i in range(10)]))
    assert follower.read() == {"other": [(i, i) for i in range(10)]}
    assert follower.resets == 1
    path.unlink()
    assert len(follower.read()["other"]) == 10


def test_each_file_is_a_run_and_names_differ(tmp_path: Path) -> None:
    first = tmp_path / "wandb" / "offline-run-20260101_000000-a"
    wandb_file(first, run("same", {}), *rows([{"loss": 1}]))
    wandb_file(tmp_path / "wandb" / "offline-run-20260102_000000-b", run("same", {}))
    wandb_file(tmp_path / "wandb" / "offline-run-20260103_000000-c", name="run-c.wandb")
    (tmp_path / "wandb" / "latest-run").symlink_to(first)
    assert list(follow(tmp_path)) == [
        "same (offline-run-20260101_000000-a)",
        "same (offline-run-20260102_000000-b)",
        "run-c",
    ]
    assert list(follow(first)) == ["same"]


def test_json_that_python_writes_is_read(tmp_path: Path) -> None:
    text = json.dumps(math.nan).encode()
    frames = Frames()
    frames.add(history(0, {"loss": text}, 3))
    (tmp_path / "run-a.wandb").write_bytes(frames.data)
    assert follow_one(tmp_path).read() == {"loss": [(3, None)]}
