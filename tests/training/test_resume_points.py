"""Resume points: written aside, the newest two kept, and never a damaged one used."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from clr_tui.engine.errors import UserError
from clr_tui.engine.training import checkpoint
from clr_tui.engine.training.resume_points import ResumePoints, read_checked, snapshot


def state(step: int, size: int = 8) -> dict[str, Any]:
    return {"step": step, "model": {"w": torch.full((size,), float(step))}, "names": ["a"]}


def points_in(folder: Path, notes: list[str] | None = None, trial: int = 0) -> ResumePoints:
    # Its clock stands still, so that nothing is due and the writer does not rest.
    told = [] if notes is None else notes
    return ResumePoints(folder, trial, told.append, every=30.0, clock=lambda: 0.0)


def save_one_by_one(points: ResumePoints, *steps: int) -> None:
    for step in steps:
        points.save(state(step))
        points.close()


def test_the_newest_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    points = points_in(folder)
    assert points.latest() is None
    save_one_by_one(points, 10, 20, 100)
    save_one_by_one(points_in(folder, trial=1), 5)
    names = ["resume-0-100.pt", "resume-0-20.pt", "resume-1-5.pt"]
    assert sorted(p.name for p in folder.iterdir()) == names
    found = points_in(folder).latest()
    assert found is not None
    assert (found["step"], found["model"]["w"].tolist()) == (100, [100.0] * 8)
    points.remove()
    assert [p.name for p in folder.iterdir()] == ["resume-1-5.pt"]


def test_what_lies_beyond_a_new_point_is_void(tmp_path: Path) -> None:
    save_one_by_one(points_in(tmp_path), 10, 20)
    (tmp_path / "resume-0-20.pt").write_bytes(b"")
    notes: list[str] = []
    again = points_in(tmp_path, notes)
    found = again.latest()
    assert found is not None
    assert found["step"] == 10
    assert len(notes) == 1
    assert "resume-0-20.pt is damaged: the one before it is used" in notes[0]
    checkpoint.save(tmp_path / "resume-0-30.pt", state(30))
    save_one_by_one(again, 15)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["resume-0-10.pt", "resume-0-15.pt"]


def test_a_point_is_the_state_when_it_was_saved(tmp_path: Path) -> None:
    points, weight = points_in(tmp_path), torch.zeros(3)
    points.save({"step": 1, "model": {"w": weight, "tied": weight.view(3)}})
    weight += 1
    points.close()
    found = points.latest()
    assert found is not None
    assert found["model"]["w"].tolist() == [0, 0, 0]
    copied: dict[str, Tensor] = snapshot({"a": weight, "b": weight.detach(), "c": weight[1:]})
    assert copied["a"] is copied["b"]
    assert copied["a"].data_ptr() != weight.data_ptr()
    assert copied["c"].untyped_storage().nbytes() == 8


def test_a_training_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go_on = threading.Event(), threading.Event()
    real = checkpoint.save

    def slow(path: Path, content: dict[str, Any]) -> None:
        started.set()
        assert go_on.wait(60)
        real(path, content)

    monkeypatch.setattr(checkpoint, "save", slow)
    points = points_in(tmp_path)
    points.save(state(1))
    assert started.wait(60)
    for step in (2, 3, 4):
        points.save(state(step))  # of those that wait, the last one is written
    assert not list(tmp_path.iterdir())
    go_on.set()
    points.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["resume-0-1.pt", "resume-0-4.pt"]


def test_a_full_disk_is_noted_and_the_point_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = checkpoint.save, True

    def save(path: Path, content: dict[str, Any]) -> None:
        if full:
            raise UserError("cannot write the checkpoint x: No space left on device")
        real(path, content)

    monkeypatch.setattr(checkpoint, "save", save)
    notes: list[str] = []
    points = points_in(tmp_path, notes)
    save_one_by_one(points, 1)
    assert notes == ["cannot write the checkpoint x: No space left on device; it is tried again"]
    assert not list(tmp_path.iterdir())
    full = False
    points.close()
    assert [p.name for p in tmp_path.iterdir()] == ["resume-0-1.pt"]


def test_a_point_is_due_after_so_many_seconds(tmp_path: Path) -> None:
    now = 100.0
    points = ResumePoints(tmp_path, 0, lambda _: None, every=30.0, clock=lambda: now)
    assert not points.due
    now = 130.0
    assert points.due
    points.save(state(1))
    assert not points.due
    points.close()


def test_the_writer_rests_in_proportion_to_what_it_took(tmp_path: Path) -> None:
    times = iter([0.0, 0.0, 10.0, 10.5, 11.0, 59.0, 61.0])
    points = ResumePoints(tmp_path, 0, lambda _: None, every=30.0, clock=lambda: next(times))
    points.save(state(1))
    points.close()  # from 10 to 10.5
    assert points.is_resting
    assert points.is_resting
    assert not points.is_resting  # after 10.5 + 99 / 2 s


def test_drafts_of_killed_workers_are_removed(tmp_path: Path) -> None:
    for name in (".resume-0-10.pt.4711", ".resume-0-10.pt.mine", ".resume-1-10.pt.4711"):
        (tmp_path / name).touch()
    points_in(tmp_path).latest()
    kept = [".resume-0-10.pt.mine", ".resume-1-10.pt.4711"]
    assert sorted(p.name for p in tmp_path.iterdir()) == kept


def test_no_damage_goes_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "resume-0-7.pt"
    checkpoint.save(path, state(7, size=5000))
    whole = path.read_bytes()
    expected = read_checked(path)["model"]["w"]
    generator, noticed = random.Random(0), 0
    for _ in range(300):
        garbled = bytearray(whole)
        for _ in range(generator.choice((1, 1, 1, 20))):
            garbled[generator.randrange(len(garbled))] ^= 1 << generator.randrange(8)
        kept = garbled[: generator.randrange(len(garbled))] if generator.random() < 0.2 else garbled
        path.write_bytes(kept)
        try:
            found = read_checked(path)
        except UserError:
            noticed += 1
        else:  # only padding was hit
            assert torch.equal(found["model"]["w"], expected)
            assert found["step"] == 7
    assert noticed > 200


def test_an_archive_behind_other_bytes_is_damaged(tmp_path: Path) -> None:
    """Zipfile would find it there, and torch take the bytes at the beginning."""
    path = tmp_path / "resume-0-7.pt"
    checkpoint.save(path, state(7))
    whole = path.read_bytes()
    weights = torch.full((8,), 7.0).numpy().tobytes()
    path.write_bytes(whole.replace(weights, bytes(len(weights))) + whole)
    with pytest.raises(UserError, match=r"is damaged"):
        read_checked(path)
