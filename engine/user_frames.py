"""The lines of a user's own code in which an error happened, without those of libraries."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

_MAX_FRAMES = 20
"""More of them, such as those of an endless recursion, help nobody."""
_MAX_MESSAGE_LENGTH = 300
_LIBRARIES = tuple(
    {os.path.join(path, "") for name, path in sysconfig.get_paths().items() if "lib" in name}
    | {os.path.join(os.path.dirname(__file__), "")}
    | {
        os.path.join(os.path.dirname(os.path.dirname(__file__)), name, "")
        for name in ("clr_tui", "tui")
    }
)
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]")
_FROM_A_LOADER = re.compile(r"Caught \w+ in .* process \d+\.\n.*Traceback", re.DOTALL)
"""The message with which torch passes on an error in a DataLoader's process: a traceback."""
_FRAME = re.compile(
    r'  File "(?P<path>.+)", line (?P<line>\d+), in (?P<name>.+)(?:\n    (?P<text>.+))?'
)


_folder: list[str] = []
"""The user's working directory, if known."""
_task: list[str] = []
"""Where the function that made this process's own task is defined."""


class Frame(NamedTuple):
    """A line that was being executed."""

    path: str
    line: int
    function: str
    text: str

    def __str__(self) -> str:
        where = f"{shown(self.path)}:{self.line}"
        inside = self.function not in ("", "<module>")
        return f"{where}, in {self.function}" if inside else where


def user_frame(error: BaseException) -> str:
    """The innermost of the user's frames, such as `mytask.py:12, in step`; empty if none is."""
    return "".join(str(frame) for frame in _in_users_code(error)[1][-1:])


def user_traceback(error: BaseException) -> list[str]:
    """The lines of a traceback with the user's frames only, and the error in its last line."""
    lines = []
    culprit, frames = _in_users_code(error)
    for frame in frames:
        inside = f", in {frame.function}" if frame.function else ""
        lines.append(f'File "{frame.path}", line {frame.line}{inside}')
        lines += [f"    {frame.text}"] if frame.text else []
    return [*lines, in_one_line(culprit)] if lines else []


def in_one_line(error: BaseException) -> str:
    """`ValueError: bad shape`: the type and the message, shortened."""
    kind, text = type(error).__name__, text_of(error)
    if isinstance(error, SyntaxError):
        text = error.msg
    if _FROM_A_LOADER.match(text):
        return _short(text.rstrip().rpartition("\n")[2])
    return _short(f"{kind}: {text}" if text.strip() else kind)


def text_of(error: BaseException) -> str:
    """An error's message; empty if it cannot be written, as a user's own class may fail to."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - what went wrong first counts
        return ""


def place_of(function: Callable[..., Any]) -> str:
    """Where a user's function is defined, such as `mytask.py:12, in step`; else empty."""
    inner: Any = getattr(function, "__wrapped__", None) or getattr(function, "func", function)
    code = getattr(inner, "__code__", None) or getattr(type(inner).__call__, "__code__", None)
    if code is None or not is_users(code.co_filename):
        return ""
    return str(Frame(code.co_filename, code.co_firstlineno, code.co_name, ""))


def place_in(frame: FrameType | None) -> str:
    """The innermost line of the user's that is being executed in a stack; empty if none is."""
    while frame is not None:
        code = frame.f_code
        if is_users(code.co_filename):
            return str(Frame(code.co_filename, frame.f_lineno, code.co_name, ""))
        frame = frame.f_back
    return ""


def set_task_place(function: Callable[..., Any]) -> None:
    """Remembers the function of an own task, for errors without a line of the user's code."""
    _task[:] = [place] if (place := place_of(function)) else []


def task_place() -> str:
    """The place of the function of this process's own task; empty if it has none."""
    return "".join(_task)


def with_task_place(message: str) -> str:
    """Adds where the task is defined to a sentence about it, unless it names a line already."""
    if not _task or re.search(r"\.py:\d", message):
        return message
    return f"{message} ({task_place()})"


def is_users(path: str) -> bool:
    """Whether a file is neither a library's, nor ours, nor only a name such as `<string>`."""
    if not path.endswith((".py", ".ipynb")) or _INSTALLED.search(path):
        return False
    ours = sys.modules["clr_tui"].__file__
    return path != ours and not path.startswith(_LIBRARIES)


def show_from(folder: str) -> None:
    """Remembers the user's working directory, which their code may leave."""
    _folder[:] = [folder]


def shown(path: str) -> str:
    """A path relative to the user's working directory if it is below that; else whole."""
    try:
        here = _folder[0] if _folder else os.getcwd()
    except OSError:  # it was removed
        return path
    return os.path.relpath(path, here) if Path(path).is_relative_to(here) else path


def _in_users_code(error: BaseException) -> tuple[BaseException, list[Frame]]:
    """The error or else its cause that has frames of the user's, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if found := [frame for frame in _frames(current) if is_users(frame.path)]:
            return current, found[-_MAX_FRAMES:]
        current = current.__cause__ or current.__context__
    return error, []


def _frames(error: BaseException) -> Iterable[Frame]:
    for each in traceback.extract_tb(error.__traceback__):
        yield Frame(each.filename, each.lineno or 0, each.name, each.line or "")
    if isinstance(error, SyntaxError) and error.filename:
        yield Frame(error.filename, error.lineno or 0, "", (error.text or "").strip())
    if _FROM_A_LOADER.match(text := text_of(error)):
        for found in _FRAME.finditer(text):
            yield Frame(found["path"], int(found["line"]), found["name"], found["text"] or "")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE_LENGTH else f"{line[: _MAX_MESSAGE_LENGTH - 3]}..."
