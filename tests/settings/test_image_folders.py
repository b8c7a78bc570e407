"""What lies where in a folder of images."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings import image_folders
from clr_tui.engine.settings.image_folders import quick_scan, scan, training_images
from clr_tui.engine.settings.image_suffixes import PILLOW_SUFFIXES, PLUG_INS, PlugIn
from clr_tui.engine.settings.part_names import part_of
from clr_tui.engine.tasks.pictures import FORMATS


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


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("train", "valid", "test"),
        ("Training", "validation", "Testing"),
        ("TRAIN", "Val", "TEST"),
        ("train_set", "val-set", "test.set"),
        ("trainset", "devset", "testset"),
        ("train2017", "val2017", "test2017"),
        ("seg_train", "dev", "evaluation"),
        ("Training Data", "Validation Data", "Test Data"),
        ("images_train", "images_val", "images_test"),
    ],
    ids=lambda names: names[0],
)
def test_parts_under_their_usual_names(tmp_path: Path, names: tuple[str, str, str]) -> None:
    fill(tmp_path / names[0], a=4, b=5)
    fill(tmp_path / names[1], a=1, b=2)
    fill(tmp_path / names[2], a=3, b=1)
    (tmp_path / "extra").mkdir()
    assert counts(tmp_path) == {
        "train": {"a": 4, "b": 5},
        "validation": {"a": 1, "b": 2},
        "test": {"a": 3, "b": 1},
    }
    assert scan(tmp_path).classes == ["a", "b"]


@pytest.mark.parametrize("name", ["bullet_train", "latest", "contest", "protest", "set", "data"])
def test_other_names_are_not_those_of_parts(name: str) -> None:
    assert part_of(name) is None


def test_parts_inside_the_class_folders(tmp_path: Path) -> None:
    for name, count in (("a", 4), ("b", 5)):
        fill(tmp_path / name, train=count, test=1)
    assert counts(tmp_path) == {"train": {"a": 4, "b": 5}, "test": {"a": 1, "b": 1}}


def test_images_below_a_class_folder_are_of_that_class(tmp_path: Path) -> None:
    for day in ("monday", "tuesday"):
        fill(tmp_path / "a" / day, morning=2, noon=1)
    fill(tmp_path, a=1, b=1)
    fill(tmp_path / "b", more=3)
    assert counts(tmp_path) == {"all": {"a": 7, "b": 4}}
    assert os.path.join("monday", "morning", "0.png") in scan(tmp_path).parts["all"]["a"].names
    assert all(file.exists() for file in scan(tmp_path).parts["all"]["a"].files)
    assert quick_scan(tmp_path, 100).images == 11


def test_a_link_that_leads_back_is_followed_once(tmp_path: Path) -> None:
    fill(tmp_path / "a", more=2)
    fill(tmp_path, b=1)
    (tmp_path / "a" / "more" / "up").symlink_to(tmp_path / "a")
    assert counts(tmp_path) == {"all": {"a": 2, "b": 1}}


def test_what_systems_leave_behind_is_passed_over(tmp_path: Path) -> None:
    fill(tmp_path, a=1, b=1)
    fill(tmp_path / "__MACOSX", a=1)
    fill(tmp_path / "a", **{"@eaDir": 1})
    (tmp_path / "$RECYCLE.BIN").mkdir()
    (tmp_path / "a" / "Thumbs.db").touch()
    assert counts(tmp_path) == {"all": {"a": 1, "b": 1}}
    assert scan(tmp_path).notes == ()


def test_a_part_without_classes_is_held_out_instead(tmp_path: Path) -> None:
    fill(tmp_path / "train", a=5, b=5)
    fill(tmp_path, test=4)
    assert counts(tmp_path) == {"train": {"a": 5, "b": 5}}
    assert scan(tmp_path).notes == (
        "passed over 'test': its images are not in class folders, so the test part is held out"
        " from the training images",
    )
    assert quick_scan(tmp_path, 100).train == 6


def test_a_part_may_lack_a_class(tmp_path: Path) -> None:
    fill(tmp_path / "train", a=5, b=5)
    fill(tmp_path / "val", a=2)
    fill(tmp_path / "test", a=2, b=0)
    assert counts(tmp_path) == {"train": {"a": 5, "b": 5}, "validation": {"a": 2}, "test": {"a": 2}}


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "train", a=1, b=1)
    fill(tmp_path / "raw" / "a", b=1)
    for name in ("train/x.png", "train/a/y.txt", "train/a/z.txt", "train/b/noext"):
        (tmp_path / name).touch()
    first = next(e.name for e in os.scandir(tmp_path / "train" / "a") if e.name[-4:] == ".txt")
    assert scan(tmp_path).notes == (
        "passed over 'raw': it is not named like a part, such as 'test'",
        f"passed over 1 image directly in '{tmp_path / 'train'}': of no class",
        "passed over 3 files whose names do not end like an image's: 2 .txt and 1 without an"
        f" ending, such as '{os.path.join('train', 'a', first)}'",
    )


def test_a_plug_in_is_named_for_what_it_would_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PlugIn, "is_installed", False)
    fill(tmp_path, a=1, b=0)
    (tmp_path / "b" / "x.HEIC").touch()
    words = "'.*/b' holds no images, only 1 .heic; install pillow-heif to read .heic: add some"
    with pytest.raises(UserError, match=words):
        scan(tmp_path)
    monkeypatch.setattr(PlugIn, "is_installed", True)
    assert counts(tmp_path) == {"all": {"a": 1, "b": 1}}


def test_every_suffix_of_a_raster_format_counts() -> None:
    """The table is written without Pillow, and here compared with it."""
    Image.init()
    known = {end for end, kind in Image.registered_extensions().items() if kind in FORMATS}
    plug_ins = {suffix for plug_in in PLUG_INS for suffix in plug_in.suffixes}
    assert known - plug_ins - {".mpo"} <= PILLOW_SUFFIXES
    unknown = PILLOW_SUFFIXES - known
    # Older releases of Pillow lack some; .mpo holds a JPEG.
    assert unknown <= {".avif", ".avifs", ".mpo", ".pcd", ".pfm"}


def test_a_folder_that_may_be_the_whole_disk_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_folders, "_MAX_ENTRIES", 50)
    fill(tmp_path, a=0, b=1)
    for number in range(100):
        (tmp_path / "a" / f"{number}.txt").touch()
    assert training_images(tmp_path) is None


def test_an_image_added_in_a_deep_folder_is_counted(tmp_path: Path) -> None:
    fill(tmp_path / "a", deep=4)
    fill(tmp_path, b=4)
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a" / "deep", tmp_path / "b"):
        os.utime(folder, (1, 1))
    assert training_images(tmp_path) == 4
    (tmp_path / "a" / "deep" / "new.png").touch()
    assert training_images(tmp_path) == 5


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    fill(tmp_path, train=2, bus=2, car=2)
    assert counts(tmp_path) == {"all": {"bus": 2, "car": 2, "train": 2}}
    fill(tmp_path / "train", old=3)
    assert counts(tmp_path) == {"all": {"bus": 2, "car": 2, "train": 5}}


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
    fill(tmp_path / "halved" / "train", a=1)
    fill(tmp_path / "halved" / "val", a=1)
    fill(tmp_path / "hollow" / "train", a=1, b=1)
    fill(tmp_path / "hollow" / "val", a=0, b=0)
    fill(tmp_path / "headless" / "val", a=1, b=1)
    fill(tmp_path / "headless" / "test", a=1, b=1)
    for name in ("train", "val", "valid"):
        fill(tmp_path / "double" / name, a=1, b=1)
    fill(tmp_path / "wrapped" / "flowers", a=1, b=1)
    fill(tmp_path / "wrong", a=1, b=0)
    for name in ("x.raw", "y.raw", "z.txt", "noext"):
        (tmp_path / "wrong" / "b" / name).touch()
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
        r"'.*/halved/train' holds only one class": tmp_path / "halved",
        r"no class folder in '.*/hollow/val' holds images": tmp_path / "hollow",
        r"'.*/headless' holds 'test' and 'val', but no folder of training images": (
            tmp_path / "headless"
        ),
        r"'.*/double' holds both 'val' and 'valid', .* named like the validation part: rename": (
            tmp_path / "double"
        ),
        r"one class, 'flowers': .* or give '.*/wrapped/flowers' if the": tmp_path / "wrapped",
        r"'.*/wrong/b' holds no images, only 2 \.raw, 1 (\.txt|without an ending) and 1 ": (
            tmp_path / "wrong"
        ),
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
    assert seen == 23
