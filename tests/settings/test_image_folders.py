"""What lies where in a folder of images."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.image_folders import quick_scan, scan


def fill(root: Path, **classes: int) -> Path:
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            (root / name / f"{i}.png").touch()
    return root


def counts(root: Path) -> dict[str, dict[str, int]]:
    return {
        part: {name: len(folder.names) for name, folder in classes.items()}
        for part, classes in scan(root).parts.items()
    }


def test_one_folder_a_class(tmp_path: Path) -> None:
    fill(tmp_path, tulip=3, daisy=11)
    assert counts(tmp_path) == {"all": {"daisy": 11, "tulip": 3}}
    assert scan(tmp_path).classes == ["daisy", "tulip"]
    files = scan(tmp_path).parts["all"]["tulip"].files
    assert files == [tmp_path / "tulip" / f"{i}.png" for i in range(3)]


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, a=1, b=1)
    for name in ("x.JPG", "y.webp", "z.txt", ".hidden.png", "._mac.jpg", "noext"):
        (tmp_path / "a" / name).touch()
    (tmp_path / "a" / "folder.png").mkdir()
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / "readme.md").touch()
    assert scan(tmp_path).parts["all"]["a"].names == ["0.png", "x.JPG", "y.webp"]


def test_links_that_lead_nowhere_are_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, a=1, b=1)
    for place in (tmp_path, tmp_path / "a"):
        (place / "loop.png").symlink_to("loop.png")
        (place / "gone.png").symlink_to("nowhere")
    assert counts(tmp_path) == {"all": {"a": 1, "b": 1}}
    assert quick_scan(tmp_path, 10).images == 2


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Val"])
def test_parts_inside(tmp_path: Path, name: str) -> None:
    fill(tmp_path / "train", a=4, b=5)
    fill(tmp_path / name, a=1, b=2)
    fill(tmp_path / "test", a=3, b=1)
    (tmp_path / "extra").mkdir()
    assert counts(tmp_path) == {
        "train": {"a": 4, "b": 5},
        "validation": {"a": 1, "b": 2},
        "test": {"a": 3, "b": 1},
    }
    assert scan(tmp_path).classes == ["a", "b"]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    fill(tmp_path, train=2, bus=2, car=2)
    assert counts(tmp_path) == {"all": {"bus": 2, "car": 2, "train": 2}}


def test_linked_folders_and_files_count(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", a=2)
    root = fill(tmp_path / "root", b=1)
    os.symlink(tmp_path / "elsewhere" / "a", root / "a")
    os.symlink(root / "b" / "0.png", root / "b" / "1.png")
    os.symlink(root / "absent.png", root / "b" / "2.png")
    assert counts(root) == {"all": {"a": 2, "b": 2}}


def mistakes(tmp_path: Path) -> dict[str, Path]:
    fill(tmp_path / "flowers", a=1, b=1)
    fill(tmp_path / "one", a=1)
    fill(tmp_path / "empty", a=1, b=0)
    (tmp_path / "nothing").mkdir()
    fill(tmp_path, loose=3)
    (tmp_path / "file").touch()
    fill(tmp_path / "strange" / "train", a=1, b=1)
    fill(tmp_path / "strange" / "test", a=1, c=1)
    fill(tmp_path / "halved" / "train", a=1, b=1)
    fill(tmp_path / "halved" / "val", a=1)
    return {
        r"no folder '.*/flwers'; did you mean 'flowers'\?": tmp_path / "flwers",
        r"no folder '.*/flwers/train'; did you mean 'flowers'\?": tmp_path / "flwers" / "train",
        r"no folder '.*/zzz': '.*' holds no 'zzz'": tmp_path / "zzz",
        r"'.*/file' is a file": tmp_path / "file",
        r"'.*/one' holds only one class, 'a'": tmp_path / "one",
        r"the class folder '.*/empty/b' holds no images": tmp_path / "empty",
        r"'.*/nothing' holds no folders": tmp_path / "nothing",
        r"'.*/loose' holds images but no class folders": tmp_path / "loose",
        r"'.*/test' has a class 'c' that '.*/train' lacks": tmp_path / "strange",
        r"'.*/halved/val' holds only one class": tmp_path / "halved",
    }


@pytest.mark.parametrize("look", [scan, lambda root: quick_scan(root, 100)], ids=["scan", "glance"])
def test_mistakes_are_sentences(tmp_path: Path, look) -> None:
    for words, root in mistakes(tmp_path).items():
        with pytest.raises(UserError, match=words) as caught:
            look(root)
        assert caught.value.field == "data"


def test_a_glance_counts_what_is_trained_on_up_to_its_limit(tmp_path: Path) -> None:
    fill(tmp_path, a=30, b=30, c=30)
    assert quick_scan(tmp_path, 1000).images == 90
    assert quick_scan(tmp_path, 40).images == 40
    assert quick_scan(tmp_path, 1000).train == 3 * 24
    root = fill(tmp_path / "split" / "train", a=3, b=4).parent
    fill(root / "test", a=9, b=9)
    # Validation is cut from them, one of each class.
    assert (quick_scan(root, 100).images, quick_scan(root, 100).train) == (7, 5)


def test_a_glance_reads_no_more_than_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, a=500, b=500, c=500)
    seen = 0
    splitext = os.path.splitext

    def counted(name: str) -> tuple[str, str]:
        nonlocal seen
        seen += 1
        return splitext(name)

    monkeypatch.setattr(os.path, "splitext", counted)
    quick_scan(tmp_path, 20)
    assert seen == 22
