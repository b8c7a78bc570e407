"""Decoded images are kept, used again, and made anew when they no longer fit."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import save_image

from clr_tui.engine.tasks import cache as cache_module
from clr_tui.engine.tasks.cache import read_cache, write_cache
from clr_tui.engine.tasks.decode import Decoded


@pytest.fixture
def folder(make_folder) -> Path:
    return make_folder({"cat": 10, "dog": 10})


def cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").iterdir())


def test_a_second_load_decodes_nothing_and_gives_the_same(folder, load, told):
    (folder / "cat" / "bad.png").write_bytes(b"no image")
    first = load(data=str(folder), image_size=16)
    assert told.progress[-1] == ("decoding images", 21, 21)
    told.progress.clear()
    second = load(data=str(folder), image_size=16)
    assert told.progress == []
    assert torch.equal(first.train.images, second.train.images)
    # What was skipped is told again.
    assert second.skipped == 1
    assert told.notes[0] == told.notes[1]


def test_changed_files_are_decoded_anew_and_the_old_cache_goes(folder, load, told, tmp_path):
    load(data=str(folder), image_size=16)
    (before,) = cached(tmp_path)
    save_image(folder / "cat" / "new.png", seed=77)
    told.progress.clear()
    task = load(data=str(folder), image_size=16)
    assert told.progress
    assert len(task.train) + len(task.validation) + len(task.test) == 21
    (after,) = cached(tmp_path)
    assert after != before


def test_a_file_rewritten_at_the_same_size_is_noticed(folder, load, told):
    load(data=str(folder), image_size=16)
    told.progress.clear()
    file = folder / "cat" / "000.png"
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))
    load(data=str(folder), image_size=16)
    assert told.progress


def test_each_image_size_has_its_own(folder, load, tmp_path):
    load(data=str(folder), image_size=16)
    assert load(data=str(folder), image_size=8).train.images.shape[-1] == 8
    assert len(cached(tmp_path)) == 2


@pytest.mark.parametrize("damage", ["cut short", "a byte changed", "empty", "something else"])
def test_a_damaged_cache_is_made_anew(folder, load, told, tmp_path, damage):
    first = load(data=str(folder), image_size=16)
    (file,) = cached(tmp_path)
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(
        {
            "cut short": content[:middle],
            "a byte changed": content[:middle]
            + bytes([content[middle] ^ 1])
            + content[middle + 1 :],
            "empty": b"",
            "something else": b"PK\3\4 and then nonsense" * 9,
        }[damage]
    )
    told.progress.clear()
    second = load(data=str(folder), image_size=16)
    assert told.progress
    assert told.notes == []
    assert torch.equal(first.train.images, second.train.images)
    assert file.read_bytes() == content


def test_a_cache_that_contradicts_itself_is_not_used(tmp_path):
    images = np.zeros((3, 1, 8, 8), dtype=np.uint8)
    write_cache(tmp_path / "a.npz", Decoded(images, np.array([True, False]), ["why"]))
    assert read_cache(tmp_path / "a.npz") is None


def test_a_cache_that_cannot_be_written_is_only_a_note(folder, load, told, tmp_path):
    (tmp_path / "cache").write_text("a file where the directory should be")
    task = load(data=str(folder), image_size=16)
    assert len(task.train) == 16
    assert len(told.notes) == 1
    assert "cannot be kept" in told.notes[0]


def test_a_full_disk_leaves_nothing_half_written(folder, load, told, tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module.os, "fsync", full)
    load(data=str(folder), image_size=16)
    assert "No space left on device" in told.notes[0]
    assert cached(tmp_path) == []
