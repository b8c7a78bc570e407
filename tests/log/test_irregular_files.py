"""Pipes, sockets, devices and folders in place of a run's files: nothing waits, nothing is read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from clr_tui.engine.analysis.recordings.curves_csv import read_curves
from clr_tui.engine.analysis.recordings.recording import open_recording
from clr_tui.engine.analysis.recordings.sweep_csv import read_csv
from clr_tui.engine.errors import UserError
from clr_tui.engine.log.commands import CommandTail, Pause, send
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.lock import acquire, is_held
from clr_tui.engine.log.rundir import RunDir, list_runs
from clr_tui.engine.log.summary import summarise
from clr_tui.engine.log.writer import EventWriter
from clr_tui.engine.regular import open_regular, read_regular
from clr_tui.engine.settings.check import check
from clr_tui.engine.settings.config import RangeTest, TaskConfig

NewRun = Callable[..., RunDir]

pytestmark = pytest.mark.usefixtures("deadline")


def bind(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


KINDS: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "socket": bind,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": Path.mkdir,
}


@pytest.fixture(params=KINDS)
def put(request: pytest.FixtureRequest) -> Callable[[Path], Path]:
    """Puts something that is no file in the place of a path."""

    def make(path: Path) -> Path:
        path.unlink(missing_ok=True)
        KINDS[request.param](path)
        return path

    return make


def test_only_files_are_opened(put: Callable[[Path], Path], tmp_path: Path) -> None:
    path = put(tmp_path / "x")
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_CREAT | os.O_APPEND):
        with pytest.raises(OSError, match=r"not a file but a|Is a directory"):
            open_regular(path, flags)


def test_a_pipe_that_somebody_reads_is_no_file_either(tmp_path: Path) -> None:
    path = tmp_path / "x"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="not a file but a pipe"):
        open_regular(path, os.O_WRONLY)
    os.close(reader)


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"1" * (1 << 20))
    assert len(read_regular(path, 1 << 20)) == 1 << 20
    with path.open("ab") as file:
        file.write(b"2")
    with pytest.raises(OSError, match="larger than 1 MB"):
        read_regular(path, 1 << 20)


def test_a_run_json_without_an_end_is_not_read(new_run: NewRun) -> None:
    run = new_run()
    os.truncate(run.config_path, 1 << 40)  # takes no room on the disk
    with pytest.raises(UserError, match=r"no readable run\.json: larger than 16 MB"):
        run.config()


def test_run_json(put: Callable[[Path], Path], new_run: NewRun, runs: Path) -> None:
    run, other = new_run(), new_run()
    put(run.config_path)
    assert set(list_runs(runs)) == {run, other}
    summary = summarise(run)
    assert summary.status == "lost"
    assert "not a file but a" in summary.message
    with pytest.raises(UserError):
        open_recording(run.path)


def test_worker_lock(put: Callable[[Path], Path], new_run: NewRun) -> None:
    run = new_run()
    put(run.lock_path)
    assert not is_held(run.lock_path)
    assert summarise(run).status == "lost"
    with pytest.raises(UserError, match="cannot be opened"):
        acquire(run.lock_path)


def test_events(put: Callable[[Path], Path], new_run: NewRun) -> None:
    run = new_run()
    put(run.events_path)
    assert "its log cannot be read: not a file" in summarise(run).message
    with pytest.raises(UserError, match="cannot be written"):
        EventWriter(run.events_path)
    with pytest.raises(UserError, match="not a file"):
        open_recording(run.path)


def test_commands(put: Callable[[Path], Path], new_run: NewRun) -> None:
    run = new_run()
    put(run.commands_path)
    lock = acquire(run.lock_path)
    with pytest.raises(UserError, match="cannot be written"):
        send(run, Pause())
    os.close(lock)
    with pytest.raises(UserError, match="not a file"):
        CommandTail(run.commands_path).poll()


def test_worker_log(put: Callable[[Path], Path], new_run: NewRun) -> None:
    run = new_run()
    put(run.log_path)
    with pytest.raises(UserError, match="cannot be written"):
        launch(run)
    assert not run.alive


def test_csv(put: Callable[[Path], Path], tmp_path: Path) -> None:
    path = put(tmp_path / "sweep.csv")
    for read in (read_csv, read_curves):
        with pytest.raises(UserError, match="not a file but a"):
            read(path)
    with pytest.raises(UserError, match=r"not a file but a|no log of a known format"):
        open_recording(path)


def test_weights(put: Callable[[Path], Path], tmp_path: Path) -> None:
    path = put(tmp_path / "weights.pth")
    (mistake,) = check(TaskConfig(model="resnet34", weights=str(path)), RangeTest())
    assert mistake.field == "weights"
    assert mistake.message.endswith(("is a folder: give a file", "a device: give a file"))
