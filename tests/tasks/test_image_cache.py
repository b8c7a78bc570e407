"""Decoded images are kept, used again, and made anew when they no longer fit."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from made_images import save_image
from PIL import Image

from clr_tui.engine.tasks import cache as cache_module
from clr_tui.engine.tasks import folder as folder_module
from clr_tui.engine.tasks import load as load_module
from clr_tui.engine.tasks import split as split_module
from clr_tui.engine.tasks.cache import CachedImages, read_cache, write_cache
from clr_tui.engine.tasks.dataset import channel_statistics
from clr_tui.engine.tasks.image_task import ImageTask


@pytest.fixture
def folder(make_folder) -> Path:
    return make_folder({"cat": 10, "dog": 10})


def cached(tmp_path: Path) -> dict[str, bytes]:
    """Names and contents of the cache's files."""
    return {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()}


def cached_file(tmp_path: Path, kind: str) -> Path:
    (file,) = (tmp_path / "cache").glob(f"*.{kind}")
    assert len(cached(tmp_path)) == 2
    return file


def test_a_second_load_decodes_nothing_and_gives_the_same(folder, load, told):
    (folder / "cat" / "bad.png").write_bytes(b"no image")
    first = load(data=str(folder), image_size=16)
    assert told.progress[-1] == ("decoding images", 21, 21)
    told.progress.clear()
    second = load(data=str(folder), image_size=16)
    assert told.progress == []
    assert torch.equal(first.train.inputs, second.train.inputs)
    # What was skipped is told again.
    assert second.skipped == 1
    assert told.notes[0] == told.notes[1]


def test_a_second_load_copies_and_counts_nothing(folder, load, monkeypatch):
    first = load(data=str(folder), image_size=16)

    def count(images: np.ndarray) -> None:
        raise AssertionError("counted")

    monkeypatch.setattr(folder_module, "channel_statistics", count)
    monkeypatch.setattr(load_module, "channel_statistics", count)
    second = load(data=str(folder), image_size=16)
    parts = (second.train, second.validation, second.test)
    assert len({part.inputs.untyped_storage().data_ptr() for part in parts}) == 1
    # Nor are two tasks one: what one does to its images the other does not see.
    third = load(data=str(folder), image_size=16)
    second.train.inputs.zero_()
    assert torch.equal(third.train.inputs, first.train.inputs)
    assert torch.equal(load(data=str(folder), image_size=16).train.inputs, first.train.inputs)
    assert torch.equal(first.mean, second.mean)
    assert torch.equal(first.std, second.std)


def add(folder: Path) -> None:
    save_image(folder / "cat" / "new.png", seed=77)


def remove(folder: Path) -> None:
    (folder / "cat" / "003.png").unlink()


def replace(folder: Path) -> None:
    save_image(folder / "cat" / "003.png", seed=77, size=(30, 30))


def grow_and_keep_the_time(folder: Path) -> None:
    file = folder / "cat" / "003.png"
    stat = file.stat()
    file.write_bytes(file.read_bytes() + b"more")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def rename(folder: Path) -> None:
    """Even where all keep their order."""
    (folder / "cat" / "003.png").rename(folder / "cat" / "003b.png")


def move_to_the_other_class(folder: Path) -> None:
    (folder / "cat" / "009.png").rename(folder / "dog" / "-1.png")


def touch(folder: Path) -> None:
    """Rewritten at the same size, say."""
    file = folder / "cat" / "003.png"
    os.utime(file, ns=(1, file.stat().st_mtime_ns + 1))


def rewrite(path: Path, seed: int) -> None:
    """Other pixels, everything that `cp -p` and rsync keep as it was."""
    stat = path.stat()
    save_image(path, seed)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def rewrite_and_keep_size_and_time(folder: Path) -> None:
    rewrite(folder / "cat" / "same.bmp", seed=77)


def replace_and_keep_size_and_time(folder: Path) -> None:
    """As git and rsync do it: another file takes the name."""
    file = folder / "cat" / "same.bmp"
    stat = file.stat()
    save_image(folder / "new.bmp", seed=77)
    os.utime(folder / "new.bmp", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (folder / "new.bmp").rename(file)


def change_the_mode(folder: Path) -> None:
    """It may have become readable."""
    (folder / "cat" / "003.png").chmod(0o600)


def break_a_link(folder: Path) -> None:
    """What the link leads to is what counts."""
    (folder / "elsewhere.png").unlink()


CHANGES = [
    *(add, remove, replace, grow_and_keep_the_time),
    *(rename, move_to_the_other_class, touch, break_a_link),
    *(rewrite_and_keep_size_and_time, replace_and_keep_size_and_time, change_the_mode),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_folder_is_decoded_again_and_its_old_cache_removed(
    folder, load, told, tmp_path, change
):
    save_image(folder / "elsewhere.png", seed=99)
    save_image(folder / "cat" / "same.bmp", seed=98)
    (folder / "dog" / "link.png").symlink_to(folder / "elsewhere.png")
    load(data=str(folder), image_size=16)
    before = cached(tmp_path)
    change(folder)
    told.progress.clear()
    task = load(data=str(folder), image_size=16)
    count = sum(1 for file in folder.glob("*/*.*") if file.exists())
    assert told.progress == [("decoding images", count, count)]
    assert len(task.train) + len(task.validation) + len(task.test) == count
    after = cached(tmp_path)
    assert after.keys() == before.keys()
    assert after != before


@pytest.fixture
def twins(tmp_path: Path) -> Path:
    """Two classes, of white images and of black ones, that size and times do not tell apart."""
    for name, value in (("black", 0), ("white", 255)):
        for i in range(5):
            file = tmp_path / "twins" / name / f"{i}.bmp"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), value).save(file)
            os.utime(file, ns=(10**18, 10**18))
    return tmp_path / "twins"


def swap_the_folders(root: Path) -> None:
    (root / "black").rename(root / "aside")
    (root / "white").rename(root / "black")
    (root / "aside").rename(root / "white")


def swap_the_files(root: Path) -> None:
    for i in range(5):
        (root / "black" / f"{i}.bmp").rename(root / "aside")
        (root / "white" / f"{i}.bmp").rename(root / "black" / f"{i}.bmp")
        (root / "aside").rename(root / "white" / f"{i}.bmp")


def paint_over(root: Path) -> None:
    for file in root.glob("*/*.bmp"):
        Image.new("L", (8, 8), 0 if file.parent.name == "white" else 255).save(file)
        os.utime(file, ns=(10**18, 10**18))


@pytest.mark.parametrize("swap", [swap_the_folders, swap_the_files, paint_over])
def test_images_and_labels_stay_together(twins, load, monkeypatch, swap):
    one_moment = frozen_ctimes(monkeypatch) if swap is swap_the_folders else None
    task = load(data=str(twins), image_size=8)
    assert (task.train.inputs[task.train.targets == 0] == 0).all()
    swap(twins)
    task = load(data=str(twins), image_size=8)
    assert (task.train.inputs[task.train.targets == 0] == 255).all()
    assert (task.train.inputs[task.train.targets == 1] == 0).all()
    assert one_moment is None or one_moment  # files were asked for their state


def frozen_ctimes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """All files seem to have been made in the same tick of the clock, which may well be."""
    asked: list[str] = []
    stat = os.stat

    def frozen(path: object, **kwargs: object) -> object:
        found = stat(path, **kwargs)  # type: ignore[call-overload]
        if not str(path).endswith(".bmp"):
            return found
        asked.append(str(path))
        names = ("st_size", "st_mtime_ns", "st_ino", "st_mode")
        return SimpleNamespace(**{n: getattr(found, n) for n in names}, st_ctime_ns=1)

    monkeypatch.setattr(cache_module.os, "stat", frozen)
    return asked


def test_a_mount_at_another_time_is_the_same_folder(folder, load, told, monkeypatch):
    """The number of the device changes with it."""
    load(data=str(folder), image_size=16)
    told.progress.clear()
    stat = os.stat

    def mounted(path: object, **kwargs: object) -> object:
        found = stat(path, **kwargs)  # type: ignore[call-overload]
        if not str(path).endswith(".png"):
            return found
        names = [name for name in dir(found) if name.startswith("st_")]
        return SimpleNamespace(**{n: getattr(found, n) for n in names} | {"st_dev": 12345})

    monkeypatch.setattr(cache_module.os, "stat", mounted)
    load(data=str(folder), image_size=16)
    assert told.progress == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_became_readable_is_tried_again(folder, load, told):
    file = folder / "cat" / "003.png"
    file.chmod(0)
    assert load(data=str(folder), image_size=16).skipped == 1
    assert "Permission denied" in told.notes[0]
    file.chmod(0o600)
    assert load(data=str(folder), image_size=16).skipped == 0


def test_a_file_that_can_be_read_by_now_is_tried_again(folder, load, monkeypatch):
    """Though nothing about it has changed: the disk failed, or a plug-in was missing."""
    file = folder / "cat" / "003.png"
    open_image = Image.open

    def fails(path, **kwargs):
        if path == str(file):
            raise OSError(5, "Input/output error")
        return open_image(path, **kwargs)

    monkeypatch.setattr(Image, "open", fails)
    assert [load(data=str(folder), image_size=16).skipped for _ in range(2)] == [1, 1]
    monkeypatch.undo()
    assert load(data=str(folder), image_size=16).skipped == 0


def test_another_split_is_not_taken_from_the_cache(folder, load, told, monkeypatch):
    """The images lie in the order of their parts, which another release may choose otherwise."""
    first = load(data=str(folder), image_size=16)
    monkeypatch.setattr(split_module, "SPLIT_SEED", 1)
    told.progress.clear()
    second = load(data=str(folder), image_size=16)
    assert told.progress
    assert not torch.equal(first.test.inputs, second.test.inputs)


def test_a_folder_is_the_same_however_it_is_named(folder, load, told, tmp_path, monkeypatch):
    load(data=str(folder), image_size=16)
    told.progress.clear()
    monkeypatch.chdir(tmp_path)
    load(data=folder.name, image_size=16)
    load(data=f"../{tmp_path.name}/{folder.name}", image_size=16)
    assert told.progress == []
    monkeypatch.chdir(folder)
    load(data=".", image_size=16)
    told.progress.clear()
    load(data=".", image_size=16)
    assert told.progress == []
    rename(folder)
    load(data=".", image_size=16)
    assert told.progress


def test_a_run_that_starts_while_another_decodes(folder, load, told, tmp_path):
    """Both have the same images, and leave one whole cache."""
    inner: list[ImageTask] = []

    def during(what: str, done: int, total: int) -> None:
        told.on_progress = lambda what, done, total: None  # type: ignore[method-assign]
        inner.append(load(data=str(folder), image_size=16))

    told.on_progress = during  # type: ignore[method-assign]
    outer = load(data=str(folder), image_size=16)
    assert torch.equal(outer.train.inputs, inner[0].train.inputs)
    assert told.notes == []
    assert len(cached(tmp_path)) == 2
    told.progress.clear()
    load(data=str(folder), image_size=16)
    assert told.progress == []


@pytest.mark.parametrize("change", [None, touch])
def test_what_a_killed_process_left_half_written_goes(folder, load, tmp_path, change):
    load(data=str(folder), image_size=16)
    images = cached_file(tmp_path, "npy")
    draft = images.with_name(f".{images.name}.12345")
    images.rename(draft)
    other = images.with_name(f".other-{images.name}.12345")
    other.write_bytes(b"of another folder")
    if change:
        change(folder)
    load(data=str(folder), image_size=16)
    assert images.exists()
    assert not draft.exists()
    assert other.exists()


def test_what_another_process_is_writing_stays(folder, load, tmp_path):
    load(data=str(folder), image_size=16)
    images = cached_file(tmp_path, "npy")
    draft = images.with_name(f".{images.name}.12345")
    with draft.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        touch(folder)
        load(data=str(folder), image_size=16)
        assert draft.exists()


def test_each_image_size_has_its_own(folder, load, tmp_path):
    load(data=str(folder), image_size=16)
    assert load(data=str(folder), image_size=8).train.inputs.shape[-1] == 8
    assert len(cached(tmp_path)) == 4


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def swap(content: bytes, block: int = 4096) -> bytes:
    """Two blocks of the images."""
    head, images = content[:128], content[128:]
    return head + images[block : 2 * block] + images[:block] + images[2 * block :]


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "cut short": ("npy", lambda content: content[: len(content) // 2]),
    "its last byte missing": ("npy", lambda content: content[:-1]),
    "only the start": ("npy", lambda content: content[:20]),
    "something after it": ("npy", lambda content: content + b"\0"),
    "a byte of an image": ("npy", lambda content: flip(content, len(content) // 2)),
    "the last byte": ("npy", lambda content: flip(content, len(content) - 1)),
    "the shape": ("npy", lambda content: flip(content, content.index(b"(20") + 1)),
    "the length of the header": ("npy", lambda content: flip(content, 9)),
    "another marker": ("npy", lambda content: flip(content, 0)),
    "a block lost": ("npy", lambda content: content[:-8192] + bytes(4096) + content[-4096:]),
    "blocks in another order": ("npy", swap),
    "empty": ("npy", lambda content: b""),
    "something else": ("npy", lambda content: b"PK\3\4 and then nonsense" * 9),
    "a digit of a figure": ("json", lambda text: flip(text, text.index(b'"mean":[0.') + 11)),
    "the number of images": ("json", lambda text: text.replace(b"[20,", b"[99999999999,")),
    "the key": ("json", lambda text: flip(text, text.index(b'"key":"') + 7)),
    "half of the JSON": ("json", lambda text: text[: len(text) // 2]),
    "other JSON": ("json", lambda text: b"[]"),
    "no JSON": ("json", lambda text: b""),
    "no UTF-8": ("json", lambda text: b"\xb9" + text[1:]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_rebuilt(folder, load, told, tmp_path, damage):
    first = load(data=str(folder), image_size=16)
    kind, do = DAMAGES[damage]
    before = cached(tmp_path)
    file = cached_file(tmp_path, kind)
    content = file.read_bytes()
    damaged = do(content)
    assert damaged != content
    file.write_bytes(damaged)
    told.progress.clear()
    second = load(data=str(folder), image_size=16)
    assert told.progress
    assert told.notes == []
    assert torch.equal(first.train.inputs, second.train.inputs)
    assert cached(tmp_path) == before


@pytest.mark.parametrize("count", [1, 3, 11, 40])
def test_images_of_any_number_and_size_come_back(tmp_path, count):
    images = np.random.default_rng(0).integers(0, 256, (count, 3, 31, 37), dtype=np.uint8)
    path = tmp_path / "a.npy"
    readable = np.ones(count, dtype=np.bool_)
    write_cache(path, "key", CachedImages(images, readable, [], [], channel_statistics(images)))
    kept = read_cache(path, "key")
    assert kept is not None
    np.testing.assert_array_equal(kept.images, images)
    np.testing.assert_array_equal(np.load(path), images)
    assert read_cache(path, "other") is None


def test_a_cache_that_contradicts_itself_is_not_used(tmp_path):
    images = np.zeros((3, 1, 8, 8), dtype=np.uint8)
    readable = np.array([True, False])
    kept = CachedImages(images, readable, ["why"], [], channel_statistics(images))
    write_cache(tmp_path / "a.npy", "key", kept)
    assert read_cache(tmp_path / "a.npy", "key") is None


def test_a_cache_that_cannot_be_written_is_only_a_note(folder, load, told, tmp_path):
    (tmp_path / "cache").write_text("a file where the directory should be")
    task = load(data=str(folder), image_size=16)
    assert len(task.train) == 16
    assert len(told.notes) == 1
    assert "cannot be cached" in told.notes[0]


@pytest.mark.parametrize("call", ["os.fsync", "np.save"])
def test_a_full_disk_leaves_nothing_half_written(folder, load, told, tmp_path, monkeypatch, call):
    def full(*arguments: object) -> None:
        # numpy gives no number.
        raise OSError(28, "No space left on device") if call == "os.fsync" else OSError("no space")

    monkeypatch.setattr(f"clr_tui.engine.tasks.cache.{call}", full)
    load(data=str(folder), image_size=16)
    assert "no space" in told.notes[0].lower()
    assert cached(tmp_path) == {}


@pytest.mark.parametrize("kind", ["npy", "json"])
def test_a_pipe_in_place_of_the_cache_is_replaced(deadline, folder, load, tmp_path, kind):
    first = load(data=str(folder), image_size=16)
    path = cached_file(tmp_path, kind)
    path.unlink()
    os.mkfifo(path)
    second = load(data=str(folder), image_size=16)
    assert torch.equal(first.train.inputs, second.train.inputs)
    assert path.is_file()
