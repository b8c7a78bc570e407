"""The sources of the user's files, as they were when this process loaded them.

The files may be edited during a run. The processes of a comparison, which start later, load the
sources that the worker loaded.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from clr_tui.engine.regular import Stamp, stamp_of
from clr_tui.engine.user_frames import is_users

_sources: dict[str, bytes] = {}
"""By path."""
_stamps: dict[str, Stamp | None] = {}
"""The states of the files when they were read; sources from another process have none."""


def source(path: str) -> bytes:
    """The content of a file when it was first loaded, which may be now; raises OSError."""
    if path not in _sources:
        stamp = stamp_of(Path(path))
        _sources[path] = Path(path).read_bytes()
        _stamps[path] = stamp
    return _sources[path]


def sources() -> dict[str, bytes]:
    """The sources that were loaded so far, by path."""
    return dict(_sources)


def load_from(given: Mapping[str, bytes]) -> None:
    """Makes imports take the content of these files from `given`, even if they have changed."""
    _sources.update(given)


def first_changed() -> str:
    """The path of a file that has changed since it was loaded, or is gone; empty if none has."""
    for path, stamp in list(_stamps.items()):
        if stamp_of(Path(path)) != stamp:
            return path
    return ""


def keep_sources() -> None:
    """From now on, imports of the user's modules keep their sources."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 0
        sys.meta_path.insert(at, _Finder())


class _Finder:
    """Finds the modules that are the user's; all others are up to the other finders."""

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        if not is_users(spec.loader.path):
            return None
        spec.loader = _Loader(name, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Loads a module from its source, without bytecode, which may be of a later version."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(source(self.path), self.path)
