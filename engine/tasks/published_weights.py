"""The weights that libraries publish, and downloading them once, with progress."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from clr_tui.engine.errors import UserError
from clr_tui.engine.regular import make_private_folder
from clr_tui.engine.tasks.dataset import Progress
from clr_tui.engine.tasks.download import DownloadError, download
from clr_tui.engine.tasks.weights import Weights

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""The mean of ImageNet's images, by which most published weights expect images normalised."""
_HASH = re.compile(r"-([0-9a-f]{8,})\.\w+$")
"""The first digits of its SHA-256 at the end of a file's name, as torch.hub wants them."""


@dataclass(frozen=True)
class PublishedWeights:
    """A library's weights for a model, and the normalisation of its images."""

    mean: tuple[float, ...]
    """One value per channel; 1 is white."""
    std: tuple[float, ...]
    read: Callable[[Progress], Weights]
    """Reads the weights, downloading them if needed; raises UserError (field "weights")."""


def downloaded(url: str, model: str, progress: Progress, name: str = "") -> Path:
    """The path of a published file, downloaded into torch.hub's folder if it is not there.

    Args:
        url: of the file.
        model: its model's name, for messages.
        progress: called during the download, in MB.
        name: of the file here, if not that in the URL.

    Raises:
        UserError: it cannot be downloaded; the sentence names file and folder (field "weights").
    """
    name = name or url.rpartition("/")[2]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path.exists():
        return path

    def done(count: int, total: int) -> None:
        progress(f"downloading the weights of {model} (MB)", count // 10**6, total // 10**6)

    hashed = _HASH.search(url)
    try:
        make_private_folder(path.parent)
        download(url, path, "", done, sha256=hashed[1] if hashed else "")
    except (DownloadError, OSError) as error:
        as_name = "" if url.endswith(f"/{name}") else f" as {name}"
        raise UserError(
            f"the ImageNet weights of {model} cannot be downloaded ({error}): put {url}{as_name}"
            f" into the folder {path.parent}, or give --weights FILE or --weights none",
            "weights",
        ) from error
    return path
