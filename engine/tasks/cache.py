"""Decoded images on disk, so that a folder is decoded once.

One .npz a folder and image size. Its name holds a hash of the names, sizes and times of all
files: when the folder changes another file is written, and the one it replaces is removed.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import platformdirs

from clr_tui.engine.tasks.decode import Decoded

VERSION = 1
"""Of what is decoded and how: a higher one leaves older caches unused."""


def cache_path(cache_dir: Path | None, root: Path, size: int, files: Sequence[Path]) -> Path:
    """Where the decoded images of a folder lie, or would.

    Args:
        cache_dir: None for the user's own cache directory.
        root: the folder of images.
        size: side of the decoded images, pixels.
        files: all of them, inside `root`.
    """
    folder = cache_dir or platformdirs.user_cache_path("clr-tui") / "images"
    content = hashlib.sha256(f"{VERSION}".encode())
    for file in files:
        try:
            stat = file.stat()
            state = f"{stat.st_size}\0{stat.st_mtime_ns}"
        except OSError:
            state = ""
        content.update(os.fsencode(file.relative_to(root)) + f"\0{state}\0".encode())
    return folder / f"{_stem(root, size)}-{content.hexdigest()[:16]}.npz"


def _stem(root: Path, size: int) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]", "_", root.name)[:40]
    place = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:8]
    return f"{name}-{place}-{size}"


def read_cache(path: Path) -> Decoded | None:
    """What was decoded before; None where it is not there or damaged (zip checks every byte)."""
    try:
        with np.load(path) as file:
            images, readable = file["images"], file["readable"]
            reasons = [str(reason) for reason in file["reasons"]]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if len(images) != readable.sum() or len(reasons) != (~readable).sum():
        return None
    return Decoded(images, readable, reasons)


def write_cache(path: Path, decoded: Decoded) -> None:
    """Keeps what was decoded, atomically, in place of what the same folder gave before.

    Raises:
        OSError: the directory cannot be written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                images=decoded.images,
                readable=decoded.readable,
                reasons=np.array(decoded.reasons, dtype=np.str_),
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    for old in path.parent.glob(f"{path.stem.rpartition('-')[0]}-*.npz"):
        if old != path:
            old.unlink(missing_ok=True)
