"""The file that remembers how each log was viewed: axes, smoothing, filter.

Views are known by the path of their log, the last used first. Only so many are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from clr_tui.engine.atomic import replacing
from clr_tui.engine.regular import make_private_folder, read_regular

FILE = "views.json"
MOST = 300
"""Views that are kept."""
_MAX_BYTES = 4 << 20
_MAX_VIEW_BYTES = 8 << 10
View = dict[str, Any]


class ViewsFile:
    """Reads and writes remembered views.

    Args:
        path: the file, which need not exist; None remembers nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.damage = ""
        """A sentence if the file could not be read when it was last needed."""

    def view_of(self, log: str) -> View:
        """The view of a log; empty if it has none."""
        return self._read().get(log, {})

    def remember(self, log: str, view: View) -> None:
        """Writes the view of a log, atomically; an empty one is forgotten.

        Raises:
            OSError: the file cannot be written.
        """
        if self.path is None:
            return
        views = self._read()
        before = views.pop(log, {})
        if view == before or len(msgspec.json.encode(view)) > _MAX_VIEW_BYTES:
            return
        views = ({log: view} if view else {}) | views
        make_private_folder(self.path.parent)
        with replacing(self.path) as file:
            file.write(msgspec.json.encode(dict(list(views.items())[:MOST])))

    def _read(self) -> dict[str, View]:
        self.damage = ""
        if self.path is None:
            return {}
        try:
            content = read_regular(self.path, _MAX_BYTES)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self.damage = f"Views are not remembered: {self.path} cannot be read: {error.strerror}."
            return {}
        try:
            return msgspec.json.decode(content, type=dict[str, View])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self.damage = f"What was remembered of views is lost: {self.path} is damaged."
            return {}
