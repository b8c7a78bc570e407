"""Checkpoints that do not fit on the disk wait in memory until there is room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from clr_tui.engine import waiting
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.events import CheckpointSaved, Event, Note
from clr_tui.engine.training import checkpoint, keepers
from clr_tui.engine.training.keepers import BEST, LAST, DiskKeeper

CPU = torch.device("cpu")


class Disk:
    """Refuses checkpoints while it is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.attempts = 0
        self._save = checkpoint.save
        monkeypatch.setattr(keepers.checkpoint, "save", self.save)

    def save(self, path: Path, state: dict[str, Any]) -> None:
        self.attempts += 1
        if self.full:
            raise UserError(f"cannot write the checkpoint {path}: No space left on device")
        self._save(path, state)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


class Training:
    """One weight, and the keeper of a training at that weight."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self.model = torch.nn.Linear(1, 1, bias=False)
        self.step = 0
        self.keeper = DiskKeeper(folder, self.events.append, CPU, clock=lambda: 0.0)

    def keep(self, reason: keepers.Reason, weight: float) -> None:
        self.step += 1
        torch.nn.init.constant_(self.model.weight, weight)
        self.keeper.keep(reason, self.model, self.state)

    def state(self) -> dict[str, Any]:
        return {"trial": 0, "step": self.step, "model": dict(self.model.state_dict())}

    def written(self, path: Path) -> float:
        return float(checkpoint.load(self.folder / path, CPU)["model"]["weight"])

    @property
    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]

    @property
    def saved(self) -> list[tuple[str, int]]:
        return [(e.reason, e.step) for e in self.events if isinstance(e, CheckpointSaved)]


@pytest.fixture
def training(tmp_path: Path, disk: Disk) -> Training:
    return Training(tmp_path)


def test_what_does_not_fit_waits_in_memory_and_the_older_one_stays(
    training: Training, disk: Disk
) -> None:
    training.keep("best", 1.0)
    training.keep("last", 1.0)
    disk.full = True
    training.keep("best", 2.0)
    training.keep("last", 2.0)
    training.keep("last", 3.0)
    assert (training.written(BEST), training.written(LAST)) == (1.0, 1.0)
    assert float(training.keeper.best(0)["weight"]) == 2.0  # not that of the training, now 3
    (note,) = training.notes
    assert "No space left on device" in note
    assert "the training goes on" in note
    disk.full = False
    training.keep("last", 4.0)
    assert (training.written(BEST), training.written(LAST)) == (2.0, 4.0)
    assert training.saved == [("best", 1), ("last", 2), ("best", 3), ("last", 6)]
    assert training.notes[1:] == ["checkpoints can be written again"]


def test_short_epochs_do_not_wait_for_the_disk_each_time(training: Training) -> None:
    now = [0.0]
    training.keeper = DiskKeeper(training.folder, training.events.append, CPU, lambda: now[0])
    save = checkpoint.save

    def slow(path: Path, state: dict[str, Any]) -> None:
        save(path, state)
        now[0] += 1.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "save", slow)
        training.keep("best", 1.0)
        for weight in (2.0, 3.0):
            training.keep("best", weight)
            training.keep("last", weight)
        assert training.saved == [("best", 1)]
        assert float(training.keeper.best(0)["weight"]) == 3.0
        kept = training.keeper.state_dict()
        assert float(kept["model"]["weight"]) == 3.0  # so that a kill does not cost it
        now[0] = 101.0
        training.keep("last", 4.0)
    assert (training.written(BEST), training.written(LAST)) == (3.0, 4.0)
    assert training.keeper.state_dict() == {}


def test_one_that_was_asked_for_is_refused(training: Training, disk: Disk) -> None:
    disk.full = True
    with pytest.raises(UserError, match="No space left"):
        training.keep("asked", 1.0)
    assert training.events == []


def test_the_end_waits_for_room(
    training: Training, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "RETRY_SECONDS", 0.0)
    disk.full = True
    training.keep("best", 1.0)

    def empty_after_3() -> bool:
        disk.full = disk.attempts < 4
        return False

    training.keeper.settle(empty_after_3)
    assert training.written(BEST) == 1.0
    assert disk.attempts == 5


@pytest.mark.parametrize("stopped", [True, False])
def test_the_end_does_not_wait_for_ever(
    training: Training, disk: Disk, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    monkeypatch.setattr(waiting, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(waiting, "STOP_SECONDS" if stopped else "END_SECONDS", 0.0)
    disk.full = True
    training.keep("last", 1.0)
    training.keeper.settle(lambda: stopped)
    assert "last.pt was not written to the end" in training.notes[-1]


def test_a_best_checkpoint_that_is_gone_is_a_sentence(training: Training) -> None:
    training.keep("best", 1.0)
    (training.folder / BEST).write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"best\.pt is damaged"):
        training.keeper.best(0)
    (training.folder / BEST).unlink()
    with pytest.raises(UserError, match=r"best\.pt cannot be read"):
        training.keeper.best(0)
