"""Logs that lie in a working directory, found without reading much."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clr_tui.engine.analysis.foreign import nearby
from clr_tui.engine.analysis.foreign.nearby import MOST_LOGS, logs_nearby

CSV = "epoch,train_loss,val_loss\n1,2.0,2.1\n2,1.0,1.1\n"


def write(path: Path, text: str = CSV, *, at: float = 1.7e9) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def test_logs_of_all_formats_those_written_last_first(tmp_path: Path) -> None:
    write(tmp_path / "lightning_logs" / "version_0" / "metrics.csv", "epoch,step,loss\n0,9,1.5\n")
    write(tmp_path / "runs" / "exp1" / "events.out.tfevents.1.host", "", at=1.7e9 + 1)
    write(tmp_path / "wandb" / "offline-run-1" / "run-1.wandb", "", at=1.7e9 + 2)
    write(tmp_path / "out" / "checkpoint-10" / "trainer_state.json", "{}", at=1.7e9 + 3)
    write(tmp_path / "out" / "checkpoint-20" / "trainer_state.json", "{}", at=1.7e9 + 4)
    write(tmp_path / "mlruns" / "0" / "abc" / "meta.yaml", "")
    write(tmp_path / "mlruns" / "0" / "abc" / "metrics" / "loss", "1 2 3\n")
    os.utime(tmp_path / "mlruns" / "0" / "abc" / "metrics", (1.7e9 + 5, 1.7e9 + 5))
    write(tmp_path / "train.jsonl", '{"step": 1, "loss": 2.0}\n', at=1.7e9 + 6)
    assert [(log.name, log.format) for log in logs_nearby(tmp_path)] == [
        ("train.jsonl", "JSON lines"),
        ("mlruns/0/abc", "MLflow"),
        ("out", "Hugging Face Trainer"),
        ("wandb/offline-run-1", "W&B"),
        ("runs/exp1", "TensorBoard"),
        ("lightning_logs/version_0/metrics.csv", "Lightning CSV"),
    ]


def test_what_is_no_log_of_a_training_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "name,age\nAda,36\n")
    write(tmp_path / "notes.txt", "nothing\n")
    write(tmp_path / "config.json", "{}")
    write(tmp_path / ".hidden" / "metrics.csv")
    write(tmp_path / "run-1" / "run.json", "{}")  # a run of ours
    write(tmp_path / "run-1" / "values.csv")
    assert logs_nearby(tmp_path) == []


def test_parts_of_a_run_are_not_logs_of_their_own(tmp_path: Path) -> None:
    write(tmp_path / "exp" / "events.out.tfevents.1.host", "")
    write(tmp_path / "exp" / "loss_train" / "events.out.tfevents.1.host", "", at=1.7e9 + 50)
    assert [log.name for log in logs_nearby(tmp_path)] == ["exp"]


def test_only_so_many_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(MOST_LOGS + 5):
        write(tmp_path / f"run{i:02d}.csv", at=1.7e9 + i)
    found = logs_nearby(tmp_path)
    assert [log.name for log in found[:2]] == ["run34.csv", "run33.csv"]
    assert len(found) == MOST_LOGS
    monkeypatch.setattr(nearby, "_MOST_HEADS", 3)
    assert len(logs_nearby(tmp_path)) == 3


def test_what_cannot_be_read_is_passed_over(tmp_path: Path, deadline: None) -> None:
    os.mkfifo(tmp_path / "log.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    assert logs_nearby(tmp_path) == []
    assert logs_nearby(tmp_path / "nowhere") == []
