"""The layout of folders of images, one folder per class. Opens no image.

Either the class folders are in the root, or the root holds `train` and any of `val` (`valid`,
`validation`) and `test`, each with class folders. Images are directly in the class folders; names
that begin with a dot and other kinds of files are ignored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from clr_tui.engine.errors import UserError, did_you_mean

IMAGE_SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
PartName = Literal["all", "train", "validation", "test"]
_PART_FOLDERS: dict[str, PartName] = {
    "train": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
_MAX_COUNTED_IMAGES = 20_000
"""Images are counted up to this number; no batch is as large."""
HELD_OUT_SHARE = 0.1
"""Of the training images, for each of validation and test that the folder lacks."""
Classes = dict[str, Path]
"""Class name to its folder, sorted by name."""


@dataclass(frozen=True)
class ClassFolder:
    """The images of one class, by their sorted names in `path`."""

    path: Path
    names: list[str]

    @property
    def files(self) -> list[Path]:
        """Their paths; building a thousand takes longer than listing them did."""
        return [self.path / name for name in self.names]


@dataclass(frozen=True)
class FolderLayout:
    """All images of a folder by part and class, with classes and files sorted by name.

    `parts` has either only `all`, or `train` and any others. No part has a class that `train`
    lacks.
    """

    parts: dict[PartName, dict[str, ClassFolder]]

    @property
    def classes(self) -> list[str]:
        """The names of the classes, sorted."""
        return list(self.parts.get("all") or self.parts["train"])


@dataclass(frozen=True)
class QuickScan:
    """What is known of a folder without listing all of it."""

    images: int
    """In the parts `all` and `train`, counted up to the given limit."""
    train: int
    """Those used for training, if all can be read."""
    folders: tuple[Path, ...]
    """Every folder that was looked into."""


def scan(root: Path) -> FolderLayout:
    """Lists all images in `root`.

    Raises:
        UserError: (field `data`) the folder is missing or cannot be read, has fewer than two
            class folders or one without images, or tests on classes that it does not train.
    """
    return FolderLayout(
        {
            part: {name: _listed(folder) for name, folder in classes.items()}
            for part, classes in _parts(root).items()
        }
    )


def quick_scan(root: Path, limit: int) -> QuickScan:
    """Finds the same mistakes as `scan`, but reads as little as possible.

    A folder is read until its first image, and images are counted up to `limit`: cheap enough to
    call at every keystroke, whatever folder the unfinished text names.
    """
    parts = _parts(root)
    lacking = sum(part not in parts for part in ("validation", "test"))
    images = train = 0
    folders = [root]
    for part, classes in parts.items():
        counted = part in ("all", "train")
        for folder in classes.values():
            needed = max(1, limit - images) if counted else 1
            number = sum(1 for _ in islice(_images(folder), needed))
            if not number:
                raise _empty(folder)
            if counted:
                images += number
                train += number - sum(held_out_counts(number, (HELD_OUT_SHARE,) * lacking))
            folders.append(folder)
        if part != "all":
            folders.append(next(iter(classes.values())).parent)
    return QuickScan(min(images, limit), train, tuple(folders))


_quick_scans: dict[Path, tuple[tuple[int, ...], QuickScan]] = {}


def training_images(root: Path) -> int | None:
    """The number of training images in `root`; None if it is too large to matter.

    Reads no more than `glance`, and remembers it until one of the folders changes.

    Raises:
        UserError: see `scan`.
    """
    changes, seen = _quick_scans.get(root, ((), None))
    if seen is None or _changes(seen.folders) != changes:
        _quick_scans.clear()  # users type one folder at a time
        seen = quick_scan(root, _MAX_COUNTED_IMAGES)
        changes = _changes(seen.folders)
        # A folder that has just changed may change again without changing its time.
        if max(changes, default=0) < time.time_ns() - 10**9:
            _quick_scans[root] = (changes, seen)
    return seen.train if seen.images < _MAX_COUNTED_IMAGES else None


def _changes(folders: Sequence[Path]) -> tuple[int, ...]:
    try:
        return tuple(os.stat(folder).st_mtime_ns for folder in folders)
    except OSError:
        return ()


def held_out_counts(members: int, shares: Sequence[float]) -> list[int]:
    """How many of a class's images to hold out for each part.

    Args:
        members: images of the class.
        shares: of each held-out part, 0 to 1. A class of 3 or more gives at least one to each, and
            keeps at least one.
    """
    taken: list[int] = []
    for share in shares:
        rest = members - sum(taken)
        taken.append(min(max(round(share * members), 1), rest - 1))
    return taken


def not_found_message(what: str, path: Path) -> str:
    """One sentence about a missing folder or file, with the closest existing name."""
    absolute = Path(os.path.abspath(path))  # else the sentence might call the folder '.'
    parent, wanted = absolute.parent, absolute.name
    while not os.path.isdir(parent) and parent != parent.parent:
        parent, wanted = parent.parent, parent.name
    try:
        names = [entry.name for entry in islice(os.scandir(parent), 10_000)]
    except OSError:
        names = []
    return f"no {what} '{path}'" + (
        did_you_mean(wanted, names) or f": '{parent}' holds no '{wanted}'"
    )


def _parts(root: Path) -> dict[PartName, Classes]:
    """The class folders of each part; everything but their content is checked."""
    if not os.path.isdir(root):
        if os.path.exists(root):
            raise _mistake(f"'{root}' is a file: give a folder with one folder of images per class")
        raise _mistake(not_found_message("folder", root))
    inside = _subfolders(root)
    named = {_PART_FOLDERS[n.lower()]: p for n, p in inside.items() if n.lower() in _PART_FOLDERS}
    # A class may be called "train": it is a part only if it holds folders.
    if "train" not in named or not _subfolders(named["train"]):
        return {"all": _classes(root)}
    order: tuple[PartName, ...] = ("train", "validation", "test")
    parts = {part: _classes(named[part]) for part in order if part in named}
    for part, classes in parts.items():
        extra = next((name for name in classes if name not in parts["train"]), None)
        if extra is not None:
            raise _mistake(f"'{named[part]}' has a class '{extra}' that '{named['train']}' lacks")
    return parts


def _classes(root: Path) -> Classes:
    classes = _subfolders(root)
    if not classes:
        what = "images but no class folders" if any(_images(root)) else "no folders"
        raise _mistake(f"'{root}' holds {what}: put the images into one folder per class")
    if len(classes) == 1:
        only = next(iter(classes))
        raise _mistake(f"'{root}' holds only one class, '{only}': at least two are needed")
    return classes


def _subfolders(root: Path) -> Classes:
    names = sorted(e.name for e in _entries(root) if not e.name.startswith(".") and _is(e.is_dir))
    return {name: root / name for name in names}


def _images(folder: Path) -> Iterator[str]:
    for entry in _entries(folder):
        suffix = os.path.splitext(entry.name)[1].lower()
        if suffix in IMAGE_SUFFIXES and not entry.name.startswith(".") and _is(entry.is_file):
            yield entry.name


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of this kind; a link to itself is of none."""
    try:
        return kind()
    except OSError:
        return False


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise _mistake(f"'{folder}' cannot be read: {error.strerror}") from error


def _listed(folder: Path) -> ClassFolder:
    names = sorted(_images(folder))
    if not names:
        raise _empty(folder)
    return ClassFolder(folder, names)


def _empty(folder: Path) -> UserError:
    return _mistake(f"the class folder '{folder}' holds no images: add some, or remove it")


def _mistake(message: str) -> UserError:
    return UserError(message, "data")
