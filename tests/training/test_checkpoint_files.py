"""Checkpoints as files: whole or not there, and plain sentences where they cannot be written."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.training import checkpoint


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """No file may grow beyond 64 KB: what a full disk does, without filling one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_failed_save_leaves_the_old_checkpoint(tmp_path: Path, small_files_only: None) -> None:
    path = tmp_path / "checkpoints" / "last.pt"
    checkpoint.save(path, {"model": {"w": torch.ones(3)}})
    with pytest.raises(UserError, match=r"cannot write the checkpoint .*last\.pt: ") as caught:
        checkpoint.save(path, {"model": {"w": torch.zeros(1 << 20)}})
    assert "File too large" in caught.value.message
    assert checkpoint.load(path, torch.device("cpu"))["model"]["w"].tolist() == [1, 1, 1]
    assert [p.name for p in path.parent.iterdir()] == ["last.pt"]


def test_the_draft_of_a_killed_worker_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "best.pt"
    path.parent.mkdir()
    path.with_name(".best.pt.12345").write_bytes(b"half a checkpoint")
    path.with_name(".best.pt.notes").write_bytes(b"someone's")
    checkpoint.save(path, {"model": {"w": torch.ones(3)}})
    assert sorted(p.name for p in path.parent.iterdir()) == [".best.pt.notes", "best.pt"]


def test_a_folder_that_became_read_only_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("clr_tui.engine.atomic.os.fsync", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(UserError, match=r"cannot write the checkpoint .*: Read-only file system"):
        checkpoint.save(tmp_path / "checkpoints" / "best.pt", {"model": {"w": torch.ones(3)}})


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        checkpoint.save(tmp_path / "gone" / "checkpoints" / "last.pt", {})


def test_a_pipe_in_place_of_a_checkpoint_is_not_waited_for(tmp_path: Path, deadline: None) -> None:
    path = tmp_path / "checkpoints" / "best.pt"
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(UserError, match="not a file but a pipe"):
        checkpoint.load(path, torch.device("cpu"))
    checkpoint.save(path, {"model": {"w": torch.ones(3)}})
    assert checkpoint.load(path, torch.device("cpu"))["model"]["w"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("damage", ["cut", "zeros", "text", "another"])
def test_a_damaged_checkpoint_is_named_without_torchs_words(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "checkpoints" / "best.pt"
    checkpoint.save(path, {"model": {"w": torch.ones(3)}})
    whole = path.read_bytes()
    if damage == "another":
        checkpoint.save(path, {"weights": 3})
    else:
        path.write_bytes({"cut": whole[:-40], "zeros": bytes(600), "text": b"hello"}[damage])
    with pytest.raises(UserError) as caught:
        checkpoint.load(path, torch.device("cpu"))
    assert caught.value.message == f"the checkpoint {path} is damaged"
