"""Sets of images that are larger than the memory of the machine, or of the device."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import fill_folder, save_image
from torch.nn import functional

from clr_tui.engine.comparing import trial_memory
from clr_tui.engine.errors import UserError
from clr_tui.engine.tasks import image_rows, room
from clr_tui.engine.tasks.dataset import Dataset
from clr_tui.engine.tasks.image_rows import image_parts, resized
from clr_tui.engine.tasks.room import is_mapped
from clr_tui.engine.training.batches import make_batches


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch):
    """After a call of this, no array of images fits into memory."""
    return lambda: monkeypatch.setattr(room, "available_memory", lambda: 100)


@pytest.fixture
def folder(make_folder) -> Path:
    root = make_folder({"cat": 12, "dog": 15})
    (root / "cat" / "003.png").write_bytes(b"no image")
    (root / "dog" / "014.png").write_bytes(b"no image either")
    return root


def parts_of(task) -> list:
    return [task.train, task.validation, task.test]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_images_on_disk_are_those_in_memory(mode, tmp_path, load, told, little_memory):
    root = fill_folder(tmp_path / "animals", {"cat": 12, "dog": 15}, mode=mode)
    (root / "cat" / "003.png").write_bytes(b"no image")
    (root / "dog" / "014.png").write_bytes(b"no image either")
    in_ram = load(data=str(root), image_size=16)
    (cached,) = (tmp_path / "cache").glob("*.npy")
    written = cached.read_bytes()
    for file in (tmp_path / "cache").iterdir():
        file.unlink()
    little_memory()
    notes = len(told.notes)
    on_disk = load(data=str(root), image_size=16)
    again = load(data=str(root), image_size=16)  # from the cache
    for task in (on_disk, again):
        assert task.mapped_bytes == sum(part.inputs.nbytes for part in parts_of(task))
        for a, b in zip(parts_of(in_ram), parts_of(task), strict=True):
            assert torch.equal(a.inputs, b.inputs)
            assert torch.equal(a.targets, b.targets)
        assert torch.equal(in_ram.mean, task.mean)
    assert in_ram.mapped_bytes == 0
    assert told.notes[notes : notes + 2] == told.notes[:notes]  # what was skipped
    assert told.notes[notes + 2].endswith("stay on disk, and are read as they are used")
    assert cached.read_bytes() == written
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_training_draws_the_same_batches(folder, load, little_memory):
    batches = make_batches(load(data=str(folder), image_size=16), 8, 0)
    little_memory()
    mapped = make_batches(load(data=str(folder), image_size=16), 8, 0)
    for _ in range(4):
        for a, b in zip(batches.draw(), mapped.draw(), strict=True):
            assert torch.equal(a, b)


def test_a_disk_without_room_is_one_sentence(folder, load, little_memory, monkeypatch, tmp_path):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    little_memory()
    monkeypatch.setattr(room.os, "posix_fallocate", full)
    with pytest.raises(UserError) as caught:
        load(data=str(folder), image_size=16)
    assert caught.value.field == "image_size"
    for words in ("27 images of 16x16 pixels need", str(tmp_path / "cache"), "No space left"):
        assert words in caught.value.message
    assert list((tmp_path / "cache").iterdir()) == []


IN_LITTLE_MEMORY = """
import json, resource, sys
from pathlib import Path
import torch
from clr_tui.engine.settings.config import TaskConfig
from clr_tui.engine.tasks import decode, room
from clr_tui.engine.tasks.load import load_task
from clr_tui.engine.training.batches import make_batches

decode.PROCESSES = 1
room.available_memory = lambda: 1 << 20
config = TaskConfig(data=sys.argv[1], image_size=512, augment=False)
some = torch.zeros(64, 3, 512, 512).mean()  # what is made once, such as threads
used = next(int(line.split()[1]) for line in open("/proc/self/status") if "VmData" in line)
resource.setrlimit(resource.RLIMIT_DATA, ((used << 10) + (150 << 20),) * 2)
load = lambda: load_task(config, torch.device("cpu"), lambda *_: None, print, Path(sys.argv[2]))
load()
task = load()
batches = make_batches(task, 4, 0)
for _ in range(batches.steps_per_epoch):
    batches.draw()
print(json.dumps(task.mapped_bytes))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
def test_memory_stays_bounded(tmp_path):
    """A set of 315 MB is decoded, cached, loaded and read in 150 MB beyond what Python takes."""
    for name in ("cat", "dog"):
        for i in range(200):
            save_image(tmp_path / "animals" / name / f"{i}.png", seed=i, size=(8, 8))
    done = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_MEMORY, tmp_path / "animals", tmp_path / "cache"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == 400 * 3 * 512 * 512


def some_set(count: int) -> Dataset:
    random = np.random.RandomState(0)
    rows = random.permutation(count)
    return Dataset(
        classes=["a", "b"],
        images=random.randint(0, 256, (count, 1, 9, 9), dtype=np.uint8),
        labels=np.arange(count),
        train=rows[: count // 2],
        validation=rows[count // 2 : count - 3],
        test=rows[count - 3 :],
        upright=True,
    )


@pytest.mark.parametrize("size", [8, 30])
def test_resizing_in_blocks_changes_nothing(size, tmp_path, monkeypatch, little_memory):
    dataset = some_set(40)
    whole = functional.interpolate(
        torch.from_numpy(dataset.images).float(),
        size=(size, size),
        mode="bilinear",
        align_corners=False,
        antialias=True,
    )
    expected = whole.round().to(torch.uint8).numpy()
    monkeypatch.setattr(image_rows, "_BLOCK", 7 * 4 * max(9, size) ** 2)
    notes: list[str] = []
    in_ram = resized(dataset, size, tmp_path / "a.npy", notes.append)
    assert list(tmp_path.iterdir()) == []
    little_memory()
    on_disk = resized(dataset, size, tmp_path / "a.npy", notes.append)
    monkeypatch.setattr(image_rows, "_resize", None)  # the file is used again
    again = resized(dataset, size, tmp_path / "a.npy", notes.append)
    assert [is_mapped(found.images) for found in (in_ram, on_disk, again)] == [False, True, True]
    for found in (in_ram, on_disk, again):
        for part in ("train", "validation", "test"):
            rows, before = getattr(found, part), getattr(dataset, part)
            assert np.array_equal(found.images[rows], expected[before])
            assert np.array_equal(found.labels[rows], dataset.labels[before])
    assert notes == []


def test_what_does_not_fit_on_the_device_stays_in_memory(monkeypatch):
    device = torch.device("meta")  # a device of its own, on any machine
    monkeypatch.setattr(image_rows, "_fits", lambda count, device: False)
    notes: list[str] = []
    train, *others = image_parts(some_set(40), 3, device, notes.append)
    assert (train.device, train.held_on) == (device, torch.device("cpu"))
    assert train.inputs_at(slice(0, 4)).device == device
    assert train.inputs_at(slice(0, 4)).shape == (4, 3, 9, 9)
    assert [part.device_bytes for part in (train, *others)] == [0, 0, 0]
    assert notes == [
        "the images (0.0 GB) are too many for the memory of meta: they stay in this machine's"
    ]


def test_a_device_that_fills_up_meanwhile_leaves_them_in_memory(monkeypatch):
    wanted: list[torch.device] = []
    parts = image_rows._parts

    def full(dataset, images, held_on, used_on):
        wanted.append(held_on)
        if held_on.type != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory")
        return parts(dataset, images, held_on, used_on)

    monkeypatch.setattr(image_rows, "_parts", full)
    train, *_ = image_parts(some_set(40), 1, torch.device("meta"), lambda text: None)
    assert [device.type for device in wanted] == ["meta", "cpu"]
    assert train.held_on.type == "cpu"


def test_a_process_needs_no_memory_for_what_is_mapped(tmp_path):
    statm = tmp_path / "statm"
    statm.write_text("90000 5000 4000 1 0 3000 0\n")
    page = trial_memory.os.sysconf("SC_PAGE_SIZE")
    assert trial_memory._resident_bytes(0, statm) == 5000 * page
    assert trial_memory._resident_bytes(1000 * page, statm) == 4000 * page
    assert trial_memory._resident_bytes(9000 * page, statm) == 1000 * page
