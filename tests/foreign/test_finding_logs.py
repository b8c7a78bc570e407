"""Logs in folders, their names, and what is said of those that are no log."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from reading import follow

from clr_tui.engine.analysis.foreign import folders, text_folder
from clr_tui.engine.analysis.foreign.opening import find_logs, open_logs
from clr_tui.engine.errors import UserError

REAL = Path(__file__).parent / "real_logs"
CSV = "step,loss\n1,0.5\n"


def write(path: Path, text: str = CSV) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_logs_of_all_formats_in_one_folder() -> None:
    formats = {name: follower.log.format for name, follower in follow(REAL).items()}
    assert (
        formats.items()
        >= {
            "version_0": "Lightning CSV",
            "keras": "Keras CSV",
            "keras_semicolon": "Keras CSV",
            "keras_tab": "Keras CSV",
            "fastai": "fastai CSV",
            "ultralytics": "Ultralytics CSV",
            "timm": "timm CSV",
            "lr_finder": "CSV",
            "trainer": "Hugging Face Trainer",
            "run": "OpenMMLab scalars",
        }.items()
    )
    assert {*formats.values()} >= {"TensorBoard", "W&B", "MLflow"}


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for place in ("a/version_0", "a/version_1", "b/version_0"):
        write(tmp_path / place / "metrics.csv")
    assert {*follow(tmp_path)} == {"a/version_0", "b/version_0", "version_1"}


def test_two_logs_in_one_folder(tmp_path: Path) -> None:
    write(tmp_path / "run" / "metrics.csv")
    write(tmp_path / "run" / "results.csv")
    assert {*follow(tmp_path)} == {"metrics.csv", "results.csv"}


def test_the_same_log_named_twice_is_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv")
    assert len(open_logs([path, tmp_path, path])) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "image,label\na.png,3\nb.png,4\n"),
        ("houses.csv", "price,rooms\n100,3\n200,4\n"),
        ("notes.txt", "1 2\n3 4\n"),
        ("requirements.txt", "torch>=2\n"),
        ("config.json", '{"hidden": 64, "layers": [1, 2]}'),
        ("tokens.jsonl", '{"text": "a", "tokens": 7}\n'),
        ("metrics.csv.bak", CSV),
    ],
)
def test_what_lies_beside_logs_is_none(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path / "log.csv")
    write(tmp_path / name, text)
    assert {*follow(tmp_path)} == {tmp_path.name} or {*follow(tmp_path)} == {"log"}


def test_hidden_and_installed_folders_and_links_are_passed_over(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere / "far" / "a.csv")
    root = tmp_path / "root"
    write(root / "near" / "b.csv")
    for place in (".git", "node_modules", "lib/site-packages"):
        write(root / place / "c.csv")
    write(root / "venv" / "pyvenv.cfg", "home = /usr\n")
    write(root / "venv" / "share" / "d.csv")
    (root / "link").symlink_to(elsewhere)
    (root / "loop").symlink_to(root)
    assert [log.path for log in open_logs([root])] == [root / "near" / "b.csv"]


def test_a_folder_that_is_named_by_a_link_is_read(tmp_path: Path) -> None:
    write(tmp_path / "runs" / "a.csv")
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    assert len(open_logs([tmp_path / "link"])) == 1


def test_pipes_and_broken_links_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    os.mkfifo(tmp_path / "b.csv")
    (tmp_path / "c.csv").symlink_to(tmp_path / "nothing")
    assert len(open_logs([tmp_path])) == 1


def test_a_pipe_that_is_named_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.csv")
    with pytest.raises(UserError, match="pipe"):
        open_logs([tmp_path / "b.csv"])


def test_of_very_many_runs_the_oldest_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    for i in range(5):
        path = write(tmp_path / f"run{i}" / "metrics.csv")
        os.utime(path, (1000 - i, 1000 - i))
    found = find_logs([tmp_path], most=3)
    assert [log.name for log in found.logs] == ["run0", "run1", "run2"]
    assert found.notes == ["2 of 5 runs, those written longest ago, are left out"]


def test_a_search_ends_in_a_folder_of_very_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_folder, "_MAX_HEADS", 10)
    for i in range(30):
        write(tmp_path / f"{i:02}.csv")
    assert len(open_logs([tmp_path])) == 10


def test_folders_are_searched_to_a_depth(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"abcdefghijklmnop")
    write(deep / "a.csv")
    found = [folder for folder, _ in folders.folders_below(tmp_path, 1000)]
    assert tmp_path.joinpath(*"abcdefghijkl") in found
    assert deep not in found


def test_a_folder_without_logs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no log of a known format in .*: looked for .*\.json"):
        open_logs([tmp_path])


@pytest.mark.parametrize(
    ("content", "it_is"),
    [
        (b"", "it is empty"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8b\x08rest", "compressed with gzip"),
        (b"\x80\x04\x95rest", "a pickle, which is never opened"),
        (b"\x01\x02\x00\xff", "begins with the bytes 01 02 00 ff"),
        (b"Epoch one done\nEpoch two done\n", "text that begins with 'Epoch one done'"),
        (b"name,place\na,b\n", "columns 'name' and 'place', and no numbers below them"),
        (b'{"model": "a", "data": "b"}\n', "JSON with 'model' and 'data'"),
    ],
)
def test_a_file_of_no_known_format_is_described(tmp_path: Path, content: bytes, it_is: str) -> None:
    path = tmp_path / "thing"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        open_logs([path])
    assert it_is in caught.value.message
    assert "looked for" in caught.value.message
    assert "--x" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no"):
        open_logs([tmp_path / "a.csv"])


def test_real_logs_under_other_names(tmp_path: Path) -> None:
    """What a format is shows in the content too."""
    for name in (
        "lightning/lightning_logs/version_0/metrics.csv",
        "openmmlab/run/vis_data/scalars.json",
    ):
        shutil.copy(REAL / name, tmp_path / "copy")
        (log,) = open_logs([tmp_path / "copy"])
        assert log.poll().events
