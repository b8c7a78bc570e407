"""A folder of images, one folder per class, as a data set."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.image_folders import HELD_OUT_SHARE, FolderLayout, scan
from clr_tui.engine.tasks.cache import CachedImages, cache_key, cache_path, keep, read_cache
from clr_tui.engine.tasks.dataset import Dataset, Indices, Notify, Progress, channel_statistics
from clr_tui.engine.tasks.decode import Decoded, decode
from clr_tui.engine.tasks.pictures import Picture, read_pictures
from clr_tui.engine.tasks.room import MakeRoom, picked, room_in
from clr_tui.engine.tasks.split import stratified_split
from clr_tui.engine.words import many

DECODING = "decoding images"
MAX_NAMED_FILES = 10
"""Unreadable files beyond this many are only counted."""


def read_folder(
    root: Path, size: int, progress: Progress, note: Notify, cache_dir: Path | None
) -> Dataset:
    """Decodes all images of a folder, or reads them from the cache.

    Folders for training, validation and test are used as the split. A part that is missing is held
    out from the training images, 10 % of each class (so 80/10/10 without any of these folders),
    always the same images.

    Args:
        root: see `clr_tui.engine.settings.image_folders`.
        size: side of the resulting images, pixels.
        progress: called as images are decoded.
        note: takes sentences about skipped files and the cache.
        cache_dir: for the decoded images; None for the user's cache directory.

    Raises:
        UserError: the folder does not hold images by class, a class has no readable image, a part
            would be left without images (field "data"), or memory is too small ("image_size").
    """
    return read_layout(root, scan(root), size, progress, note, cache_dir)


def read_layout(
    root: Path,
    layout: FolderLayout,
    size: int,
    progress: Progress,
    note: Notify,
    cache_dir: Path | None,
    *,
    upright: bool = False,
) -> Dataset:
    """Decodes images whose parts and classes are known, or reads them from the cache.

    Args:
        root: the folder that holds them all.
        upright: see `Dataset`.
        size, progress, note, cache_dir: see `read_folder`.

    Raises:
        UserError: as for `read_folder`.
    """
    for text in layout.notes:
        note(_printable(text))
    labels, parts = _flatten(layout)
    path = cache_path(cache_dir, root, size)
    planned = np.concatenate(_split(labels, parts))
    key = cache_key(root, layout, planned)
    cached = read_cache(path, key)
    files, make_room = _files(layout), room_in(path.parent)
    if cached and _any_readable_now(files, cached):
        cached = None
    decoded: Decoded = cached or _decode_as_planned(files, planned, size, progress, make_room)
    _report(root, files, decoded, note)
    labels, parts = labels[decoded.readable], parts[decoded.readable]
    _check_classes(layout, labels[parts == _TRAIN])
    split = _split(labels, parts)
    _check_parts(root, split)
    order, ends = np.concatenate(split), np.cumsum([len(part) for part in split])
    if cached is None:
        rows = _rows_of_readable(planned, decoded.readable)[order]
        images = picked(decoded.images, rows, decoded.images.shape[1], make_room)
        statistics = channel_statistics(images[: ends[0]])
        cached = CachedImages(images, decoded.readable, decoded.reasons, decoded.notes, statistics)
        cached = keep(path, key, cached, note)
    train, validation, test = np.split(np.arange(len(order)), ends[:-1])
    return Dataset(
        classes=[_printable(name) for name in layout.classes],
        images=cached.images,
        labels=labels[order],
        train=train,
        validation=validation,
        test=test,
        upright=upright,
        skipped=len(cached.reasons),
        statistics=cached.statistics,
    )


def _decode_as_planned(
    files: list[Path],
    planned: Indices,
    size: int,
    progress: Progress,
    make_room: MakeRoom,
) -> Decoded:
    """Decodes files in the order of their parts, so that no array has to be arranged afterwards.

    Returns:
        The images in that order; everything else in the order of `files`.
    """
    decoded = decode(
        [files[i] for i in planned],
        size,
        lambda done: progress(DECODING, done, len(files)),
        make_room,
    )
    readable = np.empty_like(decoded.readable)
    readable[planned] = decoded.readable
    reasons = dict(zip(planned[~decoded.readable].tolist(), decoded.reasons, strict=True))
    return Decoded(
        decoded.images, readable, [reason for _, reason in sorted(reasons.items())], decoded.notes
    )


def _rows_of_readable(planned: Indices, readable: NDArray[np.bool_]) -> Indices:
    """The row of each readable file, (k,): decoded are those of `planned` that can be read."""
    rows = np.empty(len(planned), dtype=np.int64)
    rows[planned] = np.cumsum(readable[planned]) - 1
    return rows[readable]


_TRAIN, _VALIDATION, _TEST = 0, 1, 2
_PART = {"all": _TRAIN, "train": _TRAIN, "validation": _VALIDATION, "test": _TEST}


def _flatten(layout: FolderLayout) -> tuple[Indices, Indices]:
    """The class and part of each file."""
    index = {name: label for label, name in enumerate(layout.classes)}
    rows = [
        (index[name], _PART[part], len(folder.names))
        for part, classes in layout.parts.items()
        for name, folder in classes.items()
    ]
    labels, parts, counts = np.array(rows, dtype=np.int64).T
    return np.repeat(labels, counts), np.repeat(parts, counts)


def _files(layout: FolderLayout) -> list[Path]:
    """All of them, in the same order."""
    folders = (folder for classes in layout.parts.values() for folder in classes.values())
    return [file for folder in folders for file in folder.files]


def _any_readable_now(files: list[Path], cached: CachedImages) -> bool:
    """Whether a file that could not be read can be by now, though it has not changed.

    Its disk may have failed for a moment, or a plug-in for its format may have been installed.
    """
    skipped = (os.fspath(files[row]) for row in np.flatnonzero(~cached.readable))
    return any(isinstance(read_pictures([file], size=8)[0], Picture) for file in skipped)


def _report(root: Path, files: list[Path], decoded: Decoded, note: Notify) -> None:
    for text in decoded.notes:
        note(text)
    unreadable = [files[i].relative_to(root) for i in np.flatnonzero(~decoded.readable)]
    for file, reason in zip(
        unreadable[:MAX_NAMED_FILES], decoded.reasons[:MAX_NAMED_FILES], strict=True
    ):
        note(f"skipped '{_printable(file)}': {reason}")
    if len(unreadable) > MAX_NAMED_FILES:
        note(f"skipped {many(len(unreadable) - MAX_NAMED_FILES, 'more file')} that cannot be read")


def _check_classes(layout: FolderLayout, train_labels: NDArray[np.int64]) -> None:
    counts = np.bincount(train_labels, minlength=len(layout.classes))
    trained = layout.parts.get("all") or layout.parts["train"]
    for folder, count in zip(trained.values(), counts, strict=True):
        if not count:
            raise UserError(
                f"no file in '{_printable(folder.path)}' can be read as an image: "
                "every class needs at least one",
                "data",
            )


def _check_parts(root: Path, split: tuple[Indices, Indices, Indices]) -> None:
    _, validation, test = split
    if not len(validation) or not len(test):
        lacking = "test" if len(validation) else "validation"
        raise UserError(
            f"'{root}' has too few readable images for a {lacking} part: a class needs at least 3",
            "data",
        )


def _split(labels: NDArray[np.int64], parts: Indices) -> tuple[Indices, Indices, Indices]:
    """Indices of the images of the training, validation and test part."""
    by_part = {part: np.flatnonzero(parts == part) for part in (_TRAIN, _VALIDATION, _TEST)}
    lacking = [part for part in (_VALIDATION, _TEST) if not len(by_part[part])]
    if lacking:
        train = by_part[_TRAIN]
        pieces = stratified_split(labels[train], (HELD_OUT_SHARE,) * len(lacking))
        by_part |= {
            part: train[chosen] for part, chosen in zip([_TRAIN, *lacking], pieces, strict=True)
        }
    return by_part[_TRAIN], by_part[_VALIDATION], by_part[_TEST]


def _printable(text: str | Path) -> str:
    """A name in UTF-8, as logs require."""
    return os.fsencode(text).decode("utf-8", errors="replace")
