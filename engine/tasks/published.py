"""Published data sets on this machine: where their files are, and how they get there.

The layout is torchvision's, so a folder that torchvision filled can be used as it is.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import make_private_folder
from clr_tui.engine.tasks.dataset import Notify, Progress
from clr_tui.engine.tasks.download import BLOCK, DownloadError, download
from clr_tui.engine.tasks.unpack import DamagedArchiveError, unpack
from clr_tui.engine.words import listed

ENVIRONMENT = "CLR_TUI_DATA"


@dataclass(frozen=True)
class PublishedFile:
    """A file of a data set."""

    url: str
    md5: str
    """Hexadecimal; empty if its publishers give none."""
    into: str = ""
    """The folder that receives it, and its content, below that of all data sets."""
    gives: str = ""
    """A name that exists in `into` once the file is unpacked; empty if it is used as it is."""
    inner: str = ""
    """See `unpack`."""
    mirror: str = ""
    """Another address of it."""

    @property
    def name(self) -> str:
        """The file's name on this machine."""
        return self.url.rpartition("/")[2]

    @property
    def ready(self) -> str:
        """The path below the folder of all data sets that exists if the file is not needed."""
        return os.path.join(self.into, self.gives or self.name)


def data_folder() -> Path:
    """The folder of all published data sets: `CLR_TUI_DATA`, or one in the user's data folder.

    Raises:
        UserError: (field `data`) the user has neither, as in some containers.
    """
    if given := os.environ.get(ENVIRONMENT):
        return Path(os.path.abspath(os.path.expanduser(given)))
    try:
        return platformdirs.user_data_path("clr-tui") / "datasets"
    except RuntimeError as error:
        raise UserError(
            f"there is no home folder to keep data sets in: set {ENVIRONMENT} to a folder", "data"
        ) from error


def obtain(name: str, files: tuple[PublishedFile, ...], progress: Progress, note: Notify) -> Path:
    """Downloads and unpacks the files of a data set that are missing.

    An archive that somebody put there is used, and left there; a downloaded one is removed once it
    is unpacked.

    Args:
        name: of the data set, for sentences.
        progress: called as files are downloaded and unpacked, in MB.
        note: takes a sentence about an archive that is not the published one.

    Returns:
        The folder of all data sets.

    Raises:
        UserError: (field `data`) there is no network, no room, or an archive is damaged.
    """
    root = data_folder()
    for file in files:
        if not (root / file.ready).exists():
            try:
                _obtain(name, file, files, progress, note)
            except OSError as error:
                raise unwritable(name, root, error) from error
    return root


def _obtain(
    name: str,
    file: PublishedFile,
    files: tuple[PublishedFile, ...],
    progress: Progress,
    note: Notify,
) -> None:
    root = data_folder()
    folder = root / file.into
    path = folder / file.name
    downloaded = not path.exists()
    if downloaded:
        _download(name, file, files, path, progress)
    elif file.gives and file.md5 and _md5(path) != file.md5:
        note(f"'{path}' is not the file that was published (its MD5 differs); it is used as it is")
    if file.gives:
        try:
            unpack(path, folder, _in_mb(progress, f"unpacking {file.name}"), file.inner)
        except DamagedArchiveError as error:
            raise UserError(
                f"'{path}' is damaged ({error}): remove it, and it will be downloaded", "data"
            ) from error
        if downloaded:
            path.unlink(missing_ok=True)  # another run may have been faster


def _download(
    name: str,
    file: PublishedFile,
    files: tuple[PublishedFile, ...],
    path: Path,
    progress: Progress,
) -> None:
    make_private_folder(path.parent)
    done = _in_mb(progress, f"downloading {file.name}")
    try:
        try:
            download(file.url, path, file.md5, done)
        except DownloadError:
            if not file.mirror:
                raise
            download(file.mirror, path, file.md5, done)
    except DownloadError as error:
        raise _missing(name, error, files) from error


def _in_mb(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(f"{what} (MB)", done // 10**6, total // 10**6)


def _missing(name: str, why: DownloadError, files: tuple[PublishedFile, ...]) -> UserError:
    """The error that says where to put each missing file."""
    root = data_folder()
    lacking = [file for file in files if not (root / file.ready).exists()]
    lacking = [file for file in lacking if not (root / file.into / file.name).exists()]
    places = {
        into: listed([f"'{file.name}'" for file in lacking if file.into == into])
        for into in dict.fromkeys(file.into for file in lacking)
    }
    where = listed([f"{names} into '{root / into}'" for into, names in places.items()])
    sites = [*dict.fromkeys(file.url.rpartition("/")[0] + "/" for file in lacking)]
    site = lacking[0].url if len(lacking) == 1 else listed(sites)
    return UserError(
        f"{name} cannot be downloaded ({why}): put {where} (published at {site})", "data"
    )


def unwritable(name: str, root: Path, error: OSError) -> UserError:
    """The error for a data set that cannot be written to the folder of all data sets."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return UserError(
        f"{name} cannot be kept in '{root}' ({error.strerror or error}): "
        f"{'free some space there, or ' if full else ''}set {ENVIRONMENT} to another folder",
        "data",
    )


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
