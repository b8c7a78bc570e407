"""Reads the settings that tools write beside their logs: `key: value` of YAML, or flat JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from clr_tui.engine.regular import Stamp, read_regular, stamp_of

_LONGEST = 1 << 20
"""Bytes."""
_MOST = 500
_MAX_VALUE = 200
"""Characters."""
_KEY = re.compile(r"( *)(?:- )?([^\s#:'\"-][^:#]*|'[^']*'|\"[^\"]*\"):(?:\s+(.*))?")
_TAGS = ("!", "&", "*", "|", ">")
_ITEM = re.compile(r"( *)- +(.*)")


class SettingsFile:
    """The settings in a file that may appear or change while its run is watched.

    Args:
        path: the file; its name ends in `.json` if it is JSON, else it is YAML.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._found: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        """The settings as text, by name; none if the file is not there or cannot be read."""
        stamp = stamp_of(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                text = read_regular(self._path, _LONGEST)
            except OSError:
                return self._found
            self._found = of_json(text) if self._path.suffix == ".json" else of_yaml(text)
        return self._found


def of_json(text: bytes) -> dict[str, str]:
    """The values of a JSON object as text; those in objects within have names like "a/b"."""
    try:
        whole = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    found: dict[str, str] = {}
    _gather(whole, "", found)
    return found


def _gather(value: object, name: str, found: dict[str, str]) -> None:
    if isinstance(value, dict) and value and name.count("/") < 8:
        for key, inner in value.items():
            _gather(inner, f"{name}/{key}" if name else str(key), found)
    elif name and len(found) < _MOST:
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        found[name] = shown[:_MAX_VALUE]


def of_yaml(text: bytes) -> dict[str, str]:
    """The scalars of a YAML mapping as text.

    Those in mappings within have names like "a/b", the items of a list are joined by commas. Tags,
    which name classes of Python, and texts of several lines are passed over: nothing is made of
    what a file says.
    """
    found: dict[str, str] = {}
    parents: list[tuple[int, str | None]] = []
    """Keys that lines below may belong to, with their indentation; None to pass over those."""
    for line in text.decode(errors="replace").splitlines():
        if item := _ITEM.fullmatch(line):
            _take_item(item, parents, found)
            continue
        if not (match := _KEY.fullmatch(line.rstrip())) or len(found) >= _MOST:
            continue
        indent, key, value = len(match[1]), _unquoted(match[2].strip()), (match[3] or "").strip()
        while parents and parents[-1][0] >= indent:
            parents.pop()
        if value[:1] in _TAGS:
            parents.append((indent, None))
        elif not value or value.startswith("#"):
            parents.append((indent, key))
        elif (name := _name([*(parent for _, parent in parents), key])) is not None:
            found[name] = _unquoted(value)[:_MAX_VALUE]
    return found


def _take_item(
    item: re.Match[str], parents: list[tuple[int, str | None]], found: dict[str, str]
) -> None:
    while parents and parents[-1][0] > len(item[1]):
        parents.pop()
    name = _name([parent for _, parent in parents])
    if not name or item[2][:1] in _TAGS:
        return
    before = f"{found[name]}, " if name in found else ""
    found[name] = (before + _unquoted(item[2].strip()))[:_MAX_VALUE]


def _name(keys: Sequence[str | None]) -> str | None:
    """The name of a value by its keys; None if it is to be passed over."""
    known = [key for key in keys if key is not None]
    return "/".join(known) if len(known) == len(keys) else None


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text
