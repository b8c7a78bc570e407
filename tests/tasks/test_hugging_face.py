"""Data sets of Hugging Face: read from a local copy by their own package, if it is installed."""

from __future__ import annotations

import shutil
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.check import check
from clr_tui.engine.settings.config import RangeTest, TaskConfig
from clr_tui.engine.settings.table import settings_of
from clr_tui.tui.launching import _absolute

needs_datasets = pytest.mark.skipif(
    find_spec("datasets") is None, reason="the package 'datasets' is not installed"
)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLR_TUI_DATA", str(tmp_path / "sets"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if find_spec("datasets"):
        import datasets

        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "hf"))
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def colours(count: int, seed: int) -> list[Image.Image]:
    random = np.random.RandomState(seed)
    shape = (16, 16, 3)
    return [Image.fromarray(random.randint(0, 256, shape, dtype=np.uint8)) for _ in range(count)]


def write(folder: Path, labels: str = "names", **counts: int) -> Path:
    """A data set in parquet files, one for each part."""
    import datasets

    folder.mkdir()
    kind = (
        datasets.ClassLabel(names=["cat/dog", "b"]) if labels == "names" else datasets.Value(labels)
    )
    features = datasets.Features({"id": datasets.Value("int64"), "img": datasets.Image()})
    features["label"] = kind
    for seed, (part, count) in enumerate(counts.items()):
        values = [i % 2 for i in range(count)]
        columns = {
            "id": list(range(count)),
            "img": colours(count, seed),
            "label": [f"kind {value}" for value in values] if labels == "string" else values,
        }
        rows = datasets.Dataset.from_dict(columns, features=features)
        rows.to_parquet(folder / f"{part}-00000-of-00001.parquet")
    return folder


def sizes(task) -> list[int]:
    return [len(part) for part in (task.train, task.validation, task.test)]


@needs_datasets
def test_parts_labels_and_pixels_are_those_of_the_set(tmp_path, load, told):
    folder = write(tmp_path / "pets", train=30, validation=6, test=8)
    task = load(data=f"hf:{folder}", image_size=16)
    assert sizes(task) == [30, 6, 8]
    assert task.classes == ["cat/dog", "b"]
    assert task.test.targets.bincount().tolist() == [4, 4]
    expected = {np.asarray(image).transpose(2, 0, 1).tobytes() for image in colours(8, 2)}
    assert {image.numpy().tobytes() for image in task.test.inputs} == expected
    first = np.asarray(colours(8, 2)[0]).transpose(2, 0, 1)
    row = (task.test.inputs.numpy() == first).all((1, 2, 3))
    assert task.test.targets[row].tolist() == [0]
    assert ("writing images to files", 44, 44) in told.progress


@needs_datasets
def test_what_was_written_once_needs_neither_network_nor_set(tmp_path, load, told):
    folder = write(tmp_path / "pets", train=20)
    assert sizes(load(data=f"hf:{folder}", image_size=16)) == [16, 2, 2]
    shutil.rmtree(folder)
    told.progress.clear()
    assert sizes(load(data=f"hf:{folder}", image_size=16)) == [16, 2, 2]
    assert told.progress == []


@needs_datasets
def test_a_local_set_that_changed_is_read_again(tmp_path, load):
    folder = write(tmp_path / "pets", train=20, test=4)
    assert sizes(load(data=f"hf:{folder}", image_size=16)) == [18, 2, 4]
    shutil.rmtree(folder)
    write(folder, train=20, test=6)
    assert sizes(load(data=f"hf:{folder}", image_size=16)) == [18, 2, 6]
    shutil.rmtree(folder)
    assert sizes(load(data=f"hf:{folder}", image_size=16)) == [18, 2, 6]


@needs_datasets
@pytest.mark.parametrize(("labels", "classes"), [("string", ["kind 0", "kind 1"]), ("int64", "01")])
def test_labels_without_names_are_classes_of_their_values(tmp_path, load, labels, classes):
    folder = write(tmp_path / "pets", labels, train=20, test=6)
    task = load(data=f"hf:{folder}", image_size=16)
    assert task.classes == list(classes)
    assert sizes(task) == [18, 2, 6]


@needs_datasets
def test_writing_that_is_stopped_leaves_nothing(tmp_path, load, told, monkeypatch):
    folder = write(tmp_path / "pets", train=20)

    def stop(what: str, *_: int) -> None:
        if what.startswith("writing"):
            raise KeyboardInterrupt

    monkeypatch.setattr(told, "on_progress", stop)
    with pytest.raises(KeyboardInterrupt):
        load(data=f"hf:{folder}", image_size=16)
    assert list((tmp_path / "sets" / "huggingface").iterdir()) == []


@needs_datasets
def test_a_set_without_images_is_one_sentence(tmp_path, load):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "train.csv").write_text("words,label\nyes,1\nno,0\n")
    with pytest.raises(UserError, match="has no column of images, only 'words' and 'label'"):
        load(data=f"hf:{tmp_path / 'text'}")


@needs_datasets
def test_of_several_columns_of_labels_the_first_is_used_and_said(tmp_path, load, told):
    import datasets

    (tmp_path / "two").mkdir()
    features = datasets.Features(
        {
            "img": datasets.Image(),
            "labels": datasets.Sequence(datasets.Value("int64")),  # several for each image
            "fine": datasets.ClassLabel(names=["a", "b"]),
            "coarse": datasets.ClassLabel(names=["x"]),
        }
    )
    columns = {
        "img": colours(20, 0),
        "labels": [[0, 1]] * 20,
        "fine": [i % 2 for i in range(20)],
        "coarse": [0] * 20,
    }
    rows = datasets.Dataset.from_dict(columns, features=features)
    rows.to_parquet(tmp_path / "two" / "train.parquet")
    assert load(data=f"hf:{tmp_path / 'two'}", image_size=16).classes == ["a", "b"]
    assert told.notes[0].endswith("the labels are those of 'fine', not 'coarse'")


@needs_datasets
def test_an_unknown_name_is_one_sentence(load):
    with pytest.raises(UserError) as caught:
        load(data="hf:nobody/nothing")
    assert caught.value.field == "data"
    assert caught.value.message.startswith("hf:nobody/nothing cannot be loaded (")
    assert "hf:FOLDER" in caught.value.message


@pytest.mark.parametrize("spec", [None, ModuleSpec("datasets", None)], ids=["none", "a folder"])
def test_a_missing_package_is_found_before_a_run_starts(monkeypatch, spec):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    (mistake,) = check(TaskConfig(data="hf:org/name"), RangeTest())
    assert mistake.field == "data"
    assert "pip install 'clr-tui[hf]'" in mistake.message


def test_a_folder_is_absolute_and_a_name_stays_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets").mkdir()
    assert _absolute(TaskConfig(data="hf:pets")).data == f"hf:{tmp_path / 'pets'}"
    assert _absolute(TaskConfig(data="hf:org/name")).data == "hf:org/name"


def test_its_name_is_that_of_the_set():
    assert TaskConfig(data="hf:org/name").data_name == "name"
    assert "hf:NAME" in next(s.help for s in settings_of(TaskConfig) if s.name == "data")
