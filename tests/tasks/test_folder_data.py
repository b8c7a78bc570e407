"""A folder of images as a task's data: parts, classes, what is skipped, statistics."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from made_images import fill_folder
from PIL import Image

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.check import check
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.engine.tasks.dataset import channel_statistics
from clr_tui.engine.tasks.split import stratified_split


def rows(part) -> set[bytes]:
    """The images of a part, each as its bytes (no two of a test's images are alike)."""
    return {image.numpy().tobytes() for image in part.inputs}


def test_a_folder_without_parts_is_split_80_10_10(make_folder, load):
    task = load(data=str(make_folder({"cat": 40, "dog": 20})), image_size=16)
    assert task.classes == ["cat", "dog"]
    assert task.name == "animals"
    assert [len(p) for p in (task.train, task.validation, task.test)] == [48, 6, 6]
    assert task.validation.targets.bincount().tolist() == [4, 2]
    assert task.test.targets.bincount().tolist() == [4, 2]
    sets = [rows(p) for p in (task.train, task.validation, task.test)]
    assert len(set.union(*sets)) == 60


def test_the_split_is_the_same_each_time(make_folder, load):
    folder = str(make_folder({"cat": 30, "dog": 30}))
    first, second = load(data=folder, image_size=16), load(data=folder, image_size=16, seed=5)
    assert torch.equal(first.test.inputs, second.test.inputs)


def test_parts_that_are_there_are_used_as_they_are(tmp_path, load):
    root = tmp_path / "animals"
    fill_folder(root / "train", {"cat": 12, "dog": 10})
    fill_folder(root / "valid", {"cat": 3, "dog": 4})
    fill_folder(root / "test", {"cat": 2, "dog": 1})
    task = load(data=str(root), image_size=16)
    assert [len(p) for p in (task.train, task.validation, task.test)] == [22, 7, 3]
    assert task.test.targets.bincount().tolist() == [2, 1]


def test_validation_is_cut_from_training_where_it_is_missing(tmp_path, load):
    root = tmp_path / "animals"
    fill_folder(root / "train", {"cat": 20, "dog": 20})
    fill_folder(root / "test", {"cat": 5, "dog": 5})
    task = load(data=str(root), image_size=16)
    assert [len(p) for p in (task.train, task.validation, task.test)] == [36, 4, 10]
    assert task.validation.targets.bincount().tolist() == [2, 2]


def test_unreadable_files_are_named_then_counted(make_folder, load, told):
    root = make_folder({"cat": 20, "dog": 20})
    for i in range(13):
        (root / "cat" / f"{i:03}.png").write_bytes(b"no image")
    task = load(data=str(root), image_size=16)
    assert task.skipped == 13
    assert len(task.train) + len(task.validation) + len(task.test) == 27
    assert len(told.notes) == 11
    assert told.notes[0] == f"skipped '{os.path.join('cat', '000.png')}': " + (
        "not a raster image that Pillow can read, or a damaged one"
    )
    assert told.notes[-1] == "skipped 3 more files that cannot be read"


def test_a_class_without_a_readable_image_is_an_error(make_folder, load):
    root = make_folder({"cat": 5, "dog": 5})
    for file in (root / "dog").iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(UserError, match="dog") as caught:
        load(data=str(root), image_size=16)
    assert caught.value.field == "data"


def test_too_few_images_for_three_parts_is_an_error(make_folder, load):
    with pytest.raises(UserError, match="at least 3") as caught:
        load(data=str(make_folder({"cat": 2, "dog": 2})), image_size=16)
    assert caught.value.field == "data"


def test_a_missing_folder_is_an_error(tmp_path, load):
    with pytest.raises(UserError) as caught:
        load(data=str(tmp_path / "nowhere"), image_size=16)
    assert caught.value.field == "data"


def test_names_that_are_not_utf8_can_be_logged(make_folder, load, told):
    root = make_folder({"cat": 5, "dog": 5})
    strange = os.fsencode(root) + b"/f\xfcchse"
    try:
        os.rename(root / "dog", strange)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    with open(strange + b"/\xff.png", "wb"):
        pass
    task = load(data=str(root), image_size=16)
    for text in (*task.classes, *told.notes):
        text.encode()
    assert task.classes == ["cat", "f�chse"]


def test_images_keep_their_labels(tmp_path, load):
    """Though files between them cannot be read: first decoded, then from the cache."""
    root = tmp_path / "shades"
    for label, name in enumerate("abc"):
        (root / name).mkdir(parents=True)
        for i in range(40):
            Image.new("L", (8, 8), 40 * label + i).save(root / name / f"{i:02}.png")
        (root / name / f"{7 * label:02}.png").write_bytes(b"no image")
    for _ in range(2):
        task = load(data=str(root), image_size=8)
        parts = (task.train, task.validation, task.test)
        shades = [part.inputs[:, 0, 0, 0].tolist() for part in parts]
        for part, some in zip(parts, shades, strict=True):
            assert part.targets.tolist() == [shade // 40 for shade in some]
        assert set().union(*shades) == set(range(120)) - {0, 47, 94}


def test_what_is_said_of_images_is_said_again_from_the_cache(make_folder, load, told):
    root = make_folder({"cat": 10, "dog": 10})
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(root / "cat" / "new.png")
    for _ in range(2):
        load(data=str(root), image_size=16)
    assert told.notes == ["1 image is transparent in places: shown on white"] * 2
    assert len(told.progress) == 1


def test_mean_and_std_are_those_of_the_training_part(make_folder, load):
    task = load(data=str(make_folder({"cat": 40, "dog": 20})), image_size=16)
    values = task.train.inputs.double().movedim(1, 0).flatten(1) / 255
    torch.testing.assert_close(task.mean.double(), values.mean(dim=1), rtol=1e-6, atol=0)
    torch.testing.assert_close(
        task.std.double(), values.std(dim=1, correction=0), rtol=1e-6, atol=0
    )


def test_normalised_training_images_have_mean_0_and_std_1(make_folder, load):
    task = load(data=str(make_folder({"cat": 40, "dog": 20})), image_size=16)
    batch = task.normalise(task.train.inputs)
    assert batch.dtype == torch.float32
    assert batch.is_contiguous(memory_format=torch.channels_last)
    channels = batch.movedim(1, 0).flatten(1)
    torch.testing.assert_close(channels.mean(dim=1), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(channels.std(dim=1), torch.ones(3), atol=1e-3, rtol=0)


def test_statistics_of_many_images_are_those_of_all_their_pixels():
    images = np.random.RandomState(0).randint(0, 256, (201, 3, 5, 5)).astype(np.uint8)
    images[64:, 1] //= 3
    mean, std = channel_statistics(images)
    values = images.swapaxes(0, 1).reshape(3, -1) / 255
    assert mean == pytest.approx(values.mean(axis=1), rel=1e-12)
    assert std == pytest.approx(values.std(axis=1), rel=1e-12)


def test_a_constant_channel_does_not_divide_by_zero():
    mean, std = channel_statistics(np.full((300, 1, 8, 8), 7, dtype=np.uint8))
    assert mean == pytest.approx([7 / 255])
    assert std == pytest.approx([1 / 255])


def test_grey_folders_have_one_channel(make_folder, load):
    task = load(data=str(make_folder({"cat": 10, "dog": 10}, mode="L")), image_size=16)
    assert task.channels == 1
    assert task.train.inputs.shape[1:] == (1, 16, 16)
    assert task.make_model(0)(task.normalise(task.train.inputs[:4])).shape == (4, 2)


@pytest.mark.parametrize(("count", "expected"), [(1, 0), (2, 1), (3, 1), (4, 1), (25, 2), (26, 3)])
def test_small_classes_keep_a_training_image(count, expected):
    train, validation, test = stratified_split(np.zeros(count, dtype=np.int64), (0.1, 0.1))
    assert len(validation) == expected
    assert len(test) == (expected if count > 2 else 0)
    assert len(train) == count - len(validation) - len(test) >= 1


def largest_batch(data: str) -> int:
    """The largest that the check of the settings lets pass."""

    def passes(size: int) -> bool:
        task = TaskConfig(data=data, batch_size=size)
        return not any(e.field == "batch_size" for e in check(task, RangeTest()))

    return max(size for size in range(2, 2000) if passes(size))


@pytest.mark.parametrize("counts", [{"a": 10, "b": 10}, {"a": 3, "b": 15}, {"a": 25, "b": 26}])
@pytest.mark.parametrize("brought", [(), ("val",), ("test",), ("val", "test")])
def test_the_settings_know_how_many_images_are_trained_on(tmp_path, load, counts, brought):
    """So a batch that is too large is refused before a worker starts."""
    root = fill_folder(tmp_path / "data" / ("train" if brought else ""), counts)
    for part in brought:
        fill_folder(tmp_path / "data" / part, {"a": 2, "b": 2})
    data = str(root.parent if brought else root)
    assert largest_batch(data) == len(load(data=data, image_size=8).train)


def test_the_settings_know_the_digits(load):
    assert largest_batch("digits") == len(load(data="digits").train)
