"""Pipes, devices and links in a folder of images hold nothing up."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from clr_tui.engine.settings.image_folders import scan

pytestmark = pytest.mark.usefixtures("deadline")


def image(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("L", (4, 4)).save(path)


def test_only_files_are_images_whatever_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    for number in range(3):
        image(root / "a" / f"{number}.png")
    image(root / "b" / "0.png")
    os.mkfifo(root / "a" / "pipe.png")
    (root / "a" / "zero.png").symlink_to("/dev/zero")
    (root / "a" / "terminal.png").symlink_to("/dev/tty")
    (root / "a" / "itself.png").symlink_to("itself.png")
    (root / "a" / "nothing.png").symlink_to("nowhere")
    (root / "a" / "back").symlink_to(root / "a")
    monkeypatch.chdir(root / "a")  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket.png")
        found = scan_of(root)
    assert found == {"a": ["0.png", "1.png", "2.png"], "b": ["0.png"]}


def test_a_link_to_a_folder_is_a_class(tmp_path: Path) -> None:
    image(tmp_path / "elsewhere" / "0.png")
    root = tmp_path / "data"
    root.mkdir()
    image(root / "a" / "0.png")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    assert scan_of(root) == {"a": ["0.png"], "b": ["0.png"]}


def scan_of(root: Path) -> dict[str, list[str]]:
    """The names of images by class."""
    (classes,) = scan(root).parts.values()
    return {name: sorted(folder.names) for name, folder in classes.items()}
