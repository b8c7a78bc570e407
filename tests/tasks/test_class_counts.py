"""Classes with few images, or none in a part, are named."""

from __future__ import annotations

import numpy as np
import pytest
from made_images import fill_folder

from clr_tui.engine.tasks.class_counts import class_notes
from clr_tui.engine.tasks.dataset import Dataset


def data(train: dict[str, int], validation: dict[str, int], test: dict[str, int]) -> Dataset:
    """So many images of each class in each part."""
    classes = list(train)
    parts = [[part.get(name, 0) for name in classes] for part in (train, validation, test)]
    labels = np.concatenate([np.repeat(np.arange(len(classes)), counts) for counts in parts])
    ends = np.cumsum([sum(counts) for counts in parts])
    rows = np.split(np.arange(ends[-1]), ends[:-1])
    return Dataset(
        classes=classes,
        images=np.zeros((len(labels), 1, 1, 1), np.uint8),
        labels=labels,
        train=rows[0],
        validation=rows[1],
        test=rows[2],
        upright=False,
    )


def test_classes_that_all_parts_have_are_nothing_to_speak_of():
    some = {"a": 20, "b": 3}
    assert class_notes(data(some, some, some), 64) == []


@pytest.mark.parametrize(
    ("validation", "test", "notes"),
    [
        (
            {"a": 1, "b": 1, "c": 1},
            {"a": 1, "b": 1},
            ["class 'c' has no test image: the result there says nothing about it"],
        ),
        (
            {"a": 1},
            {"a": 1, "b": 1},
            [
                "class 'c' has no validation or test image: the result there says nothing about it",
                "class 'b' has no validation image: the result there says nothing about it",
            ],
        ),
        (
            {"a": 1},
            {"b": 1},
            [
                "class 'c' has no validation or test image: the result there says nothing about it",
                "class 'b' has no validation image: the result there says nothing about it",
                "class 'a' has no test image: the result there says nothing about it",
            ],
        ),
    ],
)
def test_a_class_that_a_part_lacks_is_named(validation, test, notes):
    assert class_notes(data({"a": 9, "b": 9, "c": 9}, validation, test), 4) == notes


def test_many_classes_are_counted():
    train = dict.fromkeys("abcdef", 9)
    (note,) = class_notes(data(train, train, {"a": 1}), 4)
    assert note.startswith("classes 'b', 'c', 'd' and 2 more have no test image: ")
    assert note.endswith(" about them")


@pytest.mark.parametrize(
    ("count", "batch", "is_few"),
    [(1, 16, True), (4, 16, False), (1, 4, False), (10, 64, False), (9, 64, True)],
)
def test_a_class_of_few_images(count, batch, is_few):
    """Few beside a batch, and beside the largest class, which has a hundred."""
    some = {"a": 100, "b": count}
    notes = class_notes(data(some, some, some), batch)
    assert len(notes) == is_few
    assert not is_few or notes[0].startswith(f"class 'b' has {count} training image")


def test_a_class_of_one_image(tmp_path, load, told):
    root = fill_folder(tmp_path / "animals", {"cat": 30, "dog": 30, "eel": 1})
    load(data=str(root), image_size=8, batch_size=16)
    assert told.notes == [
        "class 'eel' has no validation or test image: the result there says nothing about it",
        "class 'eel' has 1 training image, far fewer than a batch of 16 or the largest class of"
        " 24: too few to learn much",
    ]
