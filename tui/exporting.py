"""Reading whole runs and logs, and writing CSV, SVG, PNG or JSON."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from clr_tui.engine.analysis.foreign.foreign_log import NO_MAPPING, Mapping
from clr_tui.engine.analysis.history import RunHistory
from clr_tui.engine.analysis.recordings.recorded import Recording
from clr_tui.engine.analysis.recordings.recording import open_recording, open_recordings
from clr_tui.engine.atomic import replacing
from clr_tui.engine.errors import UserError, did_you_mean
from clr_tui.engine.log.rundir import RunDir, find_run
from clr_tui.tui.charts.chart import Chart
from clr_tui.tui.recorded_times import recorded_times

SVG_WIDTH, SVG_HEIGHT = 960, 480
STDOUT = "-"


def find_recording(
    runs: Path, name: str, mapping: Mapping = NO_MAPPING, kind: str = ""
) -> Recording:
    """Opens the run or log `name`: an existing path, otherwise the id of a run.

    Args:
        runs: the folder of runs.
        name: the path or id.
        mapping: which columns to read of the log of another tool.
        kind: what to take it for; empty for what fits.

    Raises:
        UserError: neither exists, or the file is not a log.
    """
    return open_recording(_path_of(runs, name), mapping, kind)


def find_recordings(runs: Path, name: str, mapping: Mapping = NO_MAPPING) -> Iterator[Recording]:
    """Opens all runs in what `find_recording` opens one of, one after another."""
    return open_recordings(_path_of(runs, name), mapping)


def _path_of(runs: Path, name: str) -> Path:
    path = Path(os.path.expanduser(name))
    if os.path.exists(path):  # Path.exists() raises if a name is too long
        if not (path.is_file() or path.is_dir()):
            raise UserError(f"'{name}' is not a regular file: save its contents to one first")
        return path
    return run_called(runs, name).path


def run_called(runs: Path, name: str) -> RunDir:
    """Finds a run where no file has that name.

    Raises:
        UserError: there is no such run; or no such file, if the name looks like one.
    """
    try:
        return find_run(runs, name)
    except UserError:
        path = Path(os.path.expanduser(name))
        if "/" not in name and not path.suffix:
            raise
        near = did_you_mean(path.name, _names_in_folder(path))
        words = f"there is no file '{path}'{near or '; give a run, a log or a CSV'}"
        raise UserError(words) from None


def is_alive(recording: Recording) -> bool:
    """Whether a worker is still writing the recording."""
    folder = recording.path if recording.path.is_dir() else recording.path.parent
    return RunDir(folder).config_path.exists() and RunDir(folder).alive


def history_at(recording: Recording, at: float) -> RunHistory:
    """Returns the history up to `at` (0 to 1) of the recorded time."""
    history = RunHistory(recording.config)
    if at >= 1:
        history.feed(recording.batch)
        return history
    times = recorded_times(recording.events)
    until = at * times[-1] if times else 0.0
    for event, when in zip(recording.events, times, strict=True):
        if when <= until:
            history.apply(event)
    history.feed(replace(recording.batch, events=[]))  # counts unreadable lines
    return history


def charts_svg(charts: list[Chart], title: str) -> str:
    """Draws charts below one another in one SVG image, headed by `title`."""
    from clr_tui.tui.charts.svg import stack_svg, to_svg

    if len(charts) == 1:
        return to_svg(charts[0], SVG_WIDTH, SVG_HEIGHT, title=title)
    return stack_svg(charts, SVG_WIDTH, SVG_HEIGHT * 2 // 3, title=title)


def charts_png(charts: list[Chart], title: str) -> bytes:
    """Draws what `charts_svg` draws as PNG.

    Raises:
        UserError: Pillow is missing, or these are too many charts for one picture.
    """
    from clr_tui.tui.charts.png import to_png

    return to_png(charts_svg(charts, title))


def write(target: str, content: str | bytes) -> None:
    """Writes text or the bytes of a picture to the file `target`, or to stdout if that is `-`.

    Raises:
        UserError: the file cannot be written.
    """
    if isinstance(content, str) and not content.endswith("\n"):
        content += "\n"
    if target == STDOUT:
        _print(content)
        return
    path = Path(os.path.expanduser(target))
    try:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
        _write_file(path, data)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"cannot write '{target}': {reason}; choose a file in a writable folder"
        ) from None


def _write_file(path: Path, content: bytes) -> None:
    """Writes a file beside `path` and renames it, so that a full disk costs no older file.

    A link stays one, and a file its permissions. What is not a regular file, such as a pipe or a
    terminal, is written to, and so is a file in a folder that takes no other.
    """
    real = path.resolve()
    if (real.exists() and not real.is_file()) or (real.is_file() and not _takes_files(real.parent)):
        # Non-blocking, because a pipe of that name may never have a reader.
        flags = os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK
        fd = os.open(path, flags)
        os.set_blocking(fd, True)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        return
    mode = real.stat().st_mode & 0o777 if real.exists() else None
    if mode is not None and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    with replacing(real, 0o666) as file:  # less the umask
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        file.write(content)


def _takes_files(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _print(content: str | bytes) -> None:
    if isinstance(content, str):
        sys.stdout.write(content)
    elif sys.stdout.isatty():
        raise UserError("a PNG is not for a terminal: give a file, or a pipe")
    else:
        sys.stdout.buffer.write(content)
    sys.stdout.flush()


def _names_in_folder(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir()]
    except OSError:
        return []
