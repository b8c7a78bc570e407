"""The layout of folders of images, one folder per class. Opens no image.

Either the class folders are in the root, or the root holds a folder of training images and any of
validation and test images, each with class folders, under any of their usual names (see
`part_names`); or each class folder holds such parts. All images below a class folder are of that
class, however deep. Hidden names and those of operating systems are ignored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.settings.image_walk import Walk, holds_only_folders, loose_images, subfolders
from clr_tui.engine.settings.part_names import PARTS, PartName, part_of, parts_among
from clr_tui.engine.words import many

_MAX_COUNTED_IMAGES = 20_000
"""Images are counted up to this number; no batch is as large."""
_MAX_ENTRIES = 30_000
"""Looked at while somebody types: the unfinished name may be that of the whole disk."""
HELD_OUT_SHARE = 0.1
"""Of the training images, for each of validation and test that the folder lacks."""
Classes = dict[str, Path]
"""Class name to its folder, sorted by name."""
Notify = Callable[[str], None]


@dataclass(frozen=True)
class ClassFolder:
    """The images of one class."""

    path: Path
    names: list[str]
    """Sorted, relative to `path`."""

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
    notes: tuple[str, ...] = ()
    """Sentences about what was passed over."""

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
    notes: list[str] = []
    walk = Walk()
    parts: dict[PartName, dict[str, ClassFolder]] = {}
    found = _parts(root, notes.append)
    for part, classes in found.items():
        listed = {name: sorted(walk.images(folder)) for name, folder in classes.items()}
        filled = {name: names for name, names in listed.items() if names}
        _check_none_empty(part, classes, filled)
        parts[part] = {name: ClassFolder(classes[name], names) for name, names in filled.items()}
    for parent in _parents(found):
        if count := loose_images(parent):
            notes.append(f"passed over {many(count, 'image')} directly in '{parent}': of no class")
    return FolderLayout(parts, (*notes, *walk.notes(root)))


def quick_scan(root: Path, limit: int) -> QuickScan:
    """Finds the same mistakes as `scan`, but reads as little as possible.

    A folder is read until its first image, and images are counted up to `limit`: cheap enough to
    call at every keystroke, whatever folder the unfinished text names.
    """
    parts = _parts(root, None)
    lacking = sum(part not in parts for part in ("validation", "test"))
    images = train = 0
    folders = [root, *subfolders(root).values(), *_parents(parts)]
    walk = Walk(_MAX_ENTRIES)
    for part, classes in parts.items():
        counted = part in ("all", "train")
        filled = []
        for name, folder in classes.items():
            needed = max(1, limit - images) if counted else 1
            number = sum(1 for _ in islice(walk.images(folder), needed))
            if number:
                filled.append(name)
            if counted:
                images += number
                train += number - sum(held_out_counts(number, (HELD_OUT_SHARE,) * lacking))
        if walk.is_cut_short:
            images, train = limit, limit
            break
        _check_none_empty(part, classes, filled)
    looked_into = dict.fromkeys((*folders, *walk.folders))
    return QuickScan(min(images, limit), train, tuple(looked_into))


_quick_scans: dict[Path, tuple[tuple[int, ...], QuickScan]] = {}


def training_images(root: Path) -> int | None:
    """The number of training images in `root`; None if it is too large to matter.

    Reads no more than `quick_scan`, and remembers the number until one of the folders changes.

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


def _parts(root: Path, note: Notify | None) -> dict[PartName, Classes]:
    """The class folders of each part; everything but their content is checked."""
    if not os.path.isdir(root):
        if os.path.exists(root):
            raise _mistake(f"'{root}' is a file: give a folder with one folder of images per class")
        raise _mistake(not_found_message("folder", root))
    inside = subfolders(root)
    parts = _labelled_parts(inside)
    if "train" not in parts:
        if len(parts) > 1:
            words = " and ".join(f"'{folder.name}'" for folder in parts.values())
            raise _mistake(f"'{root}' holds {words}, but no folder of training images: add 'train'")
        return _parts_of_classes(inside) or {"all": _classes(root)}
    if note:
        for folder in inside.values():
            if folder not in parts.values():
                _note_unused(folder, note)
    found = {part: subfolders(parts[part]) for part in PARTS if part in parts}
    found["train"] = _classes(parts["train"])
    for part, classes in found.items():
        extra = next((name for name in classes if name not in found["train"]), None)
        if extra is not None:
            raise _mistake(f"'{parts[part]}' has a class '{extra}' that '{parts['train']}' lacks")
    return found


def _labelled_parts(inside: Classes) -> dict[PartName, Path]:
    """The parts among some folders that have class folders."""
    parts = parts_among({n: f for n, f in inside.items() if part_of(n) and subfolders(f)})
    if list(parts) == ["train"] and loose_images(parts["train"]):
        # It may be a class of trains, some of them in folders, beside a class of buses.
        others = (folder for folder in inside.values() if folder != parts["train"])
        if any(loose_images(folder) for folder in others):
            return {}
    return parts


def _parts_of_classes(inside: Classes) -> dict[PartName, Classes]:
    """The parts, if each class folder holds parts, one of them for training; else none."""
    found: dict[PartName, Classes] = {}
    for name, folder in inside.items():
        parts = parts_among(subfolders(folder)) if holds_only_folders(folder) else {}
        if "train" not in parts:
            return {}
        for part in PARTS:
            if part in parts:
                found.setdefault(part, {})[name] = parts[part]
    return found if len(inside) > 1 else {}


def _parents(parts: dict[PartName, Classes]) -> list[Path]:
    """The folders that hold class folders."""
    folders = (folder for classes in parts.values() for folder in classes.values())
    return list(dict.fromkeys(folder.parent for folder in folders))


def _note_unused(folder: Path, note: Notify) -> None:
    """Notes why a folder beside the parts is skipped, if it holds images."""
    part = part_of(folder.name)
    if not any(Walk(_MAX_ENTRIES).images(folder)):
        return
    if part is None:
        note(f"passed over '{folder.name}': it is not named like a part, such as 'test'")
    else:
        note(
            f"passed over '{folder.name}': its images are not in class folders, so the {part} part"
            " is held out from the training images"
        )


def _classes(root: Path) -> Classes:
    classes = subfolders(root)
    if not classes:
        what = "images but no class folders" if loose_images(root) else "no folders"
        raise _mistake(f"'{root}' holds {what}: put the images into one folder per class")
    if len(classes) == 1:
        ((only, folder),) = classes.items()
        inner = f", or give '{folder}' if the classes are in it" if subfolders(folder) else ""
        raise _mistake(f"'{root}' holds only one class, '{only}': at least two are needed{inner}")
    return classes


def _check_none_empty(part: PartName, classes: Classes, filled: Collection[str]) -> None:
    """Raises a UserError if a class has no images for training, or another part has none at all."""
    if part not in ("all", "train"):
        if not filled:
            parent = next(iter(classes.values())).parent
            raise _mistake(f"no class folder in '{parent}' holds images: add some, or remove it")
        return
    for name, folder in classes.items():
        if name not in filled:
            walk = Walk(_MAX_ENTRIES)
            others = "" if any(walk.images(folder)) else walk.others()
            what = f"no images, only {others}{walk.advice()}" if others else "no images"
            raise _mistake(f"the class folder '{folder}' holds {what}: add some, or remove it")


def _mistake(message: str) -> UserError:
    return UserError(message, "data")
