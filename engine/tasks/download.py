"""Downloading published files, with progress and a check of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from clr_tui.engine.atomic import replacing

BLOCK = 1 << 20
"""Bytes read at a time."""
TIMEOUT = 30.0
"""Seconds without an answer from the server."""


class DownloadError(Exception):
    """A file that cannot be downloaded: the reason in a few words, such as that of the network."""


def download(
    url: str, path: Path, md5: str, progress: Callable[[int, int], None], *, sha256: str = ""
) -> None:
    """Downloads a file, which appears at `path` only when it is complete.

    Args:
        md5: of its content, in hexadecimal digits; if empty, only its length is checked.
        progress: called with the bytes done, and their total (0 if unknown). What it raises ends
            the work.
        sha256: the first digits of that of its content; not checked if empty.

    Raises:
        DownloadError: there is no network, or the server has no such file.
        OSError: the file cannot be written.
    """
    request = Request(url, headers={"User-Agent": "clr-tui"})
    try:
        source = urlopen(request, timeout=TIMEOUT)
    except (OSError, HTTPException) as error:  # URLError is an OSError
        raise _failed(error) from error
    total = int(source.headers["Content-Length"] or 0)
    digest = hashlib.sha256() if sha256 else hashlib.md5(usedforsecurity=False)
    with source, replacing(path) as file:
        while True:
            try:
                block = source.read(BLOCK)
            except (OSError, HTTPException) as error:
                raise _failed(error) from error
            if not block:
                break
            file.write(block)
            digest.update(block)
            progress(file.tell(), total)
        short = total and file.tell() != total
        if short or not digest.hexdigest().startswith(sha256 or md5):
            raise DownloadError("the downloaded file is damaged")


def _failed(error: Exception) -> DownloadError:
    reason = getattr(error, "reason", None) or error
    return DownloadError(getattr(reason, "strerror", None) or str(reason) or type(error).__name__)
