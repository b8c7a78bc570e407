"""The lock and the launch: a run is alive exactly while its worker is."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from runs_helpers import wait_until

from clr_tui.engine.errors import UserError
from clr_tui.engine.log.launch import launch
from clr_tui.engine.log.lock import acquire, is_held
from clr_tui.engine.log.removal import remove_run
from clr_tui.engine.log.rundir import RunDir
from clr_tui.engine.log.summary import summarise

_STAND_IN = f"""#!{sys.executable}
import json, os, sys
print("out")
print("err", file=sys.stderr)
report = dict(
    argv=sys.argv[1:], cwd=os.getcwd(), pid=os.getpid(), session=os.getsid(0),
    stdin=os.path.samestat(os.fstat(0), os.stat(os.devnull)),
    lock=os.path.samestat(os.fstat(int(sys.argv[-1])), os.stat("worker.lock")),
    unbuffered=os.environ.get("PYTHONUNBUFFERED"),
)
with open("report.part", "w") as file:
    json.dump(report, file)
os.rename("report.part", "report")
open("gate").read()
"""


@pytest.fixture
def run(new_run: Callable[..., RunDir], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDir:
    """A run whose worker is a script that lives until its gate is opened."""
    script = tmp_path / "stand-in"
    script.write_text(_STAND_IN)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(script))
    run = new_run()
    os.mkfifo(run.path / "gate")
    return run


def open_gate(run: RunDir) -> None:
    os.close(os.open(run.path / "gate", os.O_WRONLY))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_lock_is_held_until_its_descriptor_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    assert not is_held(path)
    fd = acquire(path)
    assert is_held(path)
    assert is_held(path)
    os.close(fd)
    assert not is_held(path)


def test_a_held_lock_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "range-test-digits-1" / "worker.lock"
    path.parent.mkdir()
    fd = acquire(path)
    with pytest.raises(UserError, match="run 'range-test-digits-1' already has a worker"):
        acquire(path)
    os.close(fd)
    os.close(acquire(path))


def test_looking_does_not_get_in_the_way_of_taking(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    looking = os.open(path, os.O_RDONLY | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_SH)  # as is_held does, for a moment
    assert not is_held(path)
    moment = threading.Timer(0.1, os.close, [looking])
    moment.start()
    os.close(acquire(path))
    moment.join()


def test_a_worker_is_a_process_of_its_own(run: RunDir) -> None:
    pid = launch(run)
    assert run.alive  # from the very first moment: there is no gap
    assert wait_until((run.path / "report").exists)
    report = json.loads((run.path / "report").read_text())
    command = report["argv"][report["argv"].index("-m") :]
    assert command[:4] == ["-m", "clr_tui.engine.worker", str(run.path), "--lock-fd"]
    assert report["pid"] == report["session"] == pid
    assert report["cwd"] == str(run.path.resolve())
    assert report["stdin"]
    assert report["lock"]
    assert report["unbuffered"] == "1"
    assert run.alive
    open_gate(run)
    assert wait_until(lambda: not run.alive)
    assert wait_until(lambda: gone(pid))  # reaped, too
    assert run.log_path.read_text().splitlines() == ["out", "err"]


def test_a_run_with_a_worker_is_neither_started_nor_removed(run: RunDir) -> None:
    launch(run)
    with pytest.raises(UserError, match="already has a worker"):
        launch(run)
    with pytest.raises(UserError, match="stop it first"):
        remove_run(run)
    open_gate(run)
    assert wait_until(lambda: not run.alive)
    for name in ("gate", "report"):  # the stand-in's
        (run.path / name).unlink()
    remove_run(run)
    assert not run.path.exists()


def test_a_killed_worker_leaves_a_lost_run(run: RunDir) -> None:
    pid = launch(run)
    assert summarise(run).status == "starting"
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not run.alive)
    assert summarise(run).status == "lost"


def test_a_worker_that_cannot_be_started_leaves_the_lock_free(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(UserError, match="worker cannot be started"):
        launch(run)
    assert not run.alive
