"""Walking folders of images: finds image files and counts all others. Opens no image."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from clr_tui.engine.errors import UserError
from clr_tui.engine.settings.image_suffixes import image_suffixes, package_for
from clr_tui.engine.words import listed, many

_OF_THE_SYSTEM = frozenset(
    {
        *("__macosx", "__pycache__", "lost+found", "system volume information", "$recycle.bin"),
        *("#recycle", "#snapshot", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
    }
)
"""Names of files and folders that systems leave behind, in lower case."""
_MAX_NAMED_SUFFIXES = 4
_ENTRIES_OF_A_FOLDER = 20
"""Opening a folder takes as long as looking at so many entries."""


def subfolders(root: Path) -> dict[str, Path]:
    """The folders in `root` by name, sorted, without hidden ones and those of the system.

    Raises:
        UserError: (field `data`) it cannot be read.
    """
    return {name: root / name for name in sorted(e.name for e in _entries(root) if _is(e.is_dir))}


def holds_only_folders(folder: Path) -> bool:
    """Whether there are folders in it, and no images beside them."""
    suffixes, found = image_suffixes(), False
    for entry in _entries(folder):
        if _is(entry.is_dir):
            found = True
        elif _suffix(entry) in suffixes:
            return False
    return found


def loose_images(folder: Path) -> int:
    """The number of images directly in `folder`."""
    suffixes = image_suffixes()
    return sum(_suffix(entry) in suffixes and _is(entry.is_file) for entry in _entries(folder))


class Walk:
    """Finds the image files in folders and below them, and counts all other files.

    Args:
        most: about how many entries to look at; none beyond them are found.
    """

    def __init__(self, most: float = float("inf")) -> None:
        self._suffixes = image_suffixes()
        self._left = most
        self._others: Counter[str] = Counter()
        self._first_other = ""
        self.folders: list[Path] = []
        """Every folder that was looked into."""

    @property
    def is_cut_short(self) -> bool:
        """Whether there were more entries than it may look at."""
        return self._left <= 0

    def images(self, folder: Path) -> Iterator[str]:
        """The paths of images, relative to `folder`, in no order.

        Raises:
            UserError: (field `data`) a folder cannot be read.
        """
        yield from self._images(folder, "", frozenset())

    def others(self) -> str:
        """The files that were skipped: "52 .heic and 1 without an ending"; empty if none were."""
        counts = self._others.most_common()
        shown, rest = counts[:_MAX_NAMED_SUFFIXES], counts[_MAX_NAMED_SUFFIXES:]
        words = [f"{count} {suffix or 'without an ending'}" for suffix, count in shown]
        if rest:
            words.append(f"{sum(count for _, count in rest)} others")
        return listed(words) if words else ""

    def notes(self, root: Path) -> list[str]:
        """A sentence about files that were passed over, if there are any."""
        if not self._others:
            return []
        example = os.path.relpath(self._first_other, root)
        return [
            f"passed over {many(self._others.total(), 'file')} whose names do not end like an"
            f" image's: {self.others()}, such as '{example}'{self.advice()}"
        ]

    def advice(self) -> str:
        """`; install pillow-heif to read .heic`, or nothing."""
        packages = {suffix: package_for(suffix) for suffix in self._others}
        known = [f"install {name} to read {suffix}" for suffix, name in packages.items() if name]
        return f"; {listed(known)}" if known else ""

    def _images(
        self, folder: Path, inside: str, above: frozenset[tuple[int, int]]
    ) -> Iterator[str]:
        """The images in `folder`/`inside`; `above` are the folders on the way there."""
        here = folder / inside
        try:
            stat = os.stat(here)
        except OSError as error:
            raise _unreadable(here, error) from error
        if (stat.st_dev, stat.st_ino) in above:  # a link that leads back
            return
        above |= {(stat.st_dev, stat.st_ino)}
        self.folders.append(here)
        self._left -= _ENTRIES_OF_A_FOLDER
        below: list[str] = []
        for entry in _entries(here):
            self._left -= 1
            if self.is_cut_short:
                return
            name = inside + entry.name
            if _is(entry.is_dir):
                below.append(name + os.sep)
            elif not _is(entry.is_file):
                continue
            elif (suffix := _suffix(entry)) in self._suffixes:
                yield name
            else:
                self._others[suffix] += 1
                self._first_other = self._first_other or entry.path
        for name in below:
            yield from self._images(folder, name, above)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.name.lower() not in _OF_THE_SYSTEM:
                    yield entry
    except OSError as error:
        raise _unreadable(folder, error) from error


def _suffix(entry: os.DirEntry[str]) -> str:
    return os.path.splitext(entry.name)[1].lower()


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of this kind; a link to itself is of none."""
    try:
        return kind()
    except OSError:
        return False


def _unreadable(folder: Path, error: OSError) -> UserError:
    return UserError(f"'{folder}' cannot be read: {error.strerror}", "data")
