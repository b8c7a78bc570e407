"""Data sets of Hugging Face, `hf:NAME`, read with their package `datasets`.

Their images are written to files once, as they are encoded, one folder for each part and class;
from then on no network is needed, and they are read like any folder of images.
"""

from __future__ import annotations

import glob
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import read_regular
from clr_tui.engine.settings.catalogue import HUGGING_FACE
from clr_tui.engine.settings.image_folders import ClassFolder, FolderLayout
from clr_tui.engine.settings.part_names import PARTS, PartName, part_of
from clr_tui.engine.tasks.dataset import Dataset, Notify, Progress
from clr_tui.engine.tasks.folder import read_layout
from clr_tui.engine.tasks.published import data_folder, unwritable
from clr_tui.engine.tasks.staging import staging_folder
from clr_tui.engine.words import listed

_CLASSES = "classes.json"
_MAX_JSON_BYTES = 1 << 24
_USUAL_LABELS = ("label", "labels", "class", "target", "fine_label", "category")
_REPORTED = 100
"""Images between two reports of progress."""


class _Columns(NamedTuple):
    image: str
    label: str
    classes: list[Any]
    """The value of each class in the column: 0 to n - 1 where the data set names them."""
    names: list[str]


def read_hugging_face(
    name: str, size: int, progress: Progress, note: Notify, cache_dir: Path | None
) -> Dataset:
    """Reads a data set of labelled images.

    Args:
        name: `hf:NAME`, or `hf:NAME:CONFIGURATION`; NAME may be the path of a folder.
        size, progress, note, cache_dir: see `read_folder`.

    Raises:
        UserError: (field `data`) the package is missing, the data set cannot be loaded, or has no
            images with labels.
    """
    root = data_folder() / "huggingface"
    folder = _folder_in(root, name.removeprefix(HUGGING_FACE))
    if not (folder / _CLASSES).exists():
        loaded = _loaded(name, progress)
        try:
            _write(loaded, _columns(name, loaded, note), folder, progress)
        except OSError as error:
            raise unwritable(name, root, error) from error
    return read_layout(folder, _layout(folder), size, progress, note, cache_dir)


def _folder_in(root: Path, name: str) -> Path:
    """The folder of a data set's files: another one once the files of a local set have changed."""
    base = re.sub(r"[^\w.-]+", "--", name).strip("-")
    source = Path(name.partition(":")[0])
    if source.is_dir():
        return root / f"{base}-{_state(source):08x}"
    # A local set that was removed since is known by what was written last.
    written = [*root.glob(f"{glob.escape(base)}-{'[0-9a-f]' * 8}")]
    return max(written, key=lambda folder: folder.stat().st_mtime, default=root / base)


def _state(source: Path) -> int:
    """A checksum of the names, sizes and times of all files in a folder."""
    files = sorted(path for path in source.rglob("*") if path.is_file())
    stats = [(os.fspath(path), path.stat()) for path in files]
    states = [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
    return zlib.crc32(repr(states).encode())


def _loaded(name: str, progress: Progress) -> dict[PartName, Any]:
    """The parts, each a `datasets.Dataset`; those under other names are left out."""
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise UserError(
            f"{name} needs the package 'datasets': pip install 'clr-tui[hf]'", "data"
        ) from error
    progress(f"loading {name}", 0, 1)
    path, _, configuration = name.removeprefix(HUGGING_FACE).partition(":")
    try:
        found = load_dataset(path, configuration or None)
    # The scripts and parsers of the package may raise anything.
    except Exception as error:
        why = " ".join(str(error).split())
        raise UserError(
            f"{name} cannot be loaded ({why}): check the name, and give a configuration as "
            "hf:NAME:CONFIGURATION; without a network, put its files into a folder and give "
            "hf:FOLDER",
            "data",
        ) from error
    parts: dict[PartName, Any] = {}
    for split, part in found.items():
        if known := part_of(split):
            parts.setdefault(known, part)
    if "train" not in parts:
        if len(found) != 1:
            raise UserError(
                f"{name} has no part 'train', only {listed([*map(repr, map(str, found))])}", "data"
            )
        return {"all": next(iter(found.values()))}
    return {part: parts[part] for part in PARTS if part in parts}


def _columns(name: str, parts: Mapping[PartName, Any], note: Notify) -> _Columns:
    """The columns of images and labels: the first of their kinds, or under usual names."""
    first = next(iter(parts.values()))
    kinds = first.features
    images = [column for column, kind in kinds.items() if type(kind).__name__ == "Image"]
    labels = [column for column, kind in kinds.items() if type(kind).__name__ == "ClassLabel"]
    labels += [column for column in _USUAL_LABELS if _tells_classes_apart(kinds.get(column))]
    if not images or not labels:
        lacking = "images" if not images else "labels"
        raise UserError(
            f"{name} has no column of {lacking}, only {listed([*map(repr, kinds)])}", "data"
        )
    image, label, *others = images[0], *labels
    if others:
        note(f"{name}: the labels are those of '{label}', not {listed([*map(repr, others)])}")
    names = getattr(first.features[label], "names", None)
    if names is not None:
        return _Columns(image, label, list(range(len(names))), list(names))
    values = sorted(value for value in set(first.unique(label)) if value is not None)
    return _Columns(image, label, values, list(map(str, values)))


def _tells_classes_apart(kind: Any) -> bool:
    """Whether a column holds a whole number or a word for each image, which can be its class."""
    return type(kind).__name__ == "Value" and bool(
        re.fullmatch(r"u?int\d+|bool|(large_)?string", kind.dtype)
    )


def _write(
    parts: Mapping[PartName, Any], columns: _Columns, folder: Path, progress: Progress
) -> None:
    """Writes the images to `folder`, which appears only when all of them are there."""
    index = {value: number for number, value in enumerate(columns.classes)}
    total, done = sum(map(len, parts.values())), 0
    with staging_folder(folder.parent) as staging:
        content = staging / "content"
        for part, rows in parts.items():
            for number in range(len(columns.classes)):
                (content / part / f"{number:05}").mkdir(parents=True)
            for row, (image, value) in enumerate(_encoded(rows, columns)):
                if value in index:  # the labels of some test parts are secret: -1
                    place = content / part / f"{index[value]:05}" / f"{row:08}"
                    place.write_bytes(image)
                done += 1
                if done % _REPORTED == 0 or done == total:
                    progress("writing images to files", done, total)
        (content / _CLASSES).write_bytes(msgspec.json.encode(columns.names))
        if not folder.exists():  # another run may have been faster
            content.replace(folder)


def _encoded(rows: Any, columns: _Columns) -> Iterator[tuple[bytes, Any]]:
    """The content of each image's file, and its label."""
    import datasets

    raw = rows.select_columns([columns.image, columns.label])
    for row in raw.cast_column(columns.image, datasets.Image(decode=False)):
        image = row[columns.image] or {}
        content = image.get("bytes")
        if content is None and image.get("path"):
            content = Path(image["path"]).read_bytes()
        yield content or b"", row[columns.label]


def _layout(folder: Path) -> FolderLayout:
    names = msgspec.json.decode(read_regular(folder / _CLASSES, _MAX_JSON_BYTES), type=list[str])
    found: dict[PartName, dict[str, ClassFolder]] = {}
    order: tuple[PartName, ...] = ("all", *PARTS)
    for part in order:
        if (folder / part).is_dir():
            inside = _filled(folder / part, names)
            if inside:
                found[part] = inside
    trained = found.get("all") or found.get("train") or {}
    return FolderLayout(
        {
            part: {name: images for name, images in classes.items() if name in trained}
            for part, classes in found.items()
        }
    )


def _filled(part: Path, names: list[str]) -> dict[str, ClassFolder]:
    """The classes that have images."""
    classes = {
        name: ClassFolder(folder, sorted(os.listdir(folder)))
        for number, name in enumerate(names)
        if (folder := part / f"{number:05}").is_dir()
    }
    return {name: images for name, images in classes.items() if images.names}
